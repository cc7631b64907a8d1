"""Stable Diffusion 3, stage 4: the transformer (SD3Transformer2DModel), on latents of stage 1 and the texts of stages 2
and 3. Flow matching: from noise at 1 to the picture at 0 it predicts noise - picture.

Eight narrow blocks rather than few wide ones: the text's states move from block to block, and it is the early blocks
that carry the letters."""

import os

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel

from . import clips, examples, t5
from .examples import LATENT
from .training import Training, quick_arithmetic, work_folder

STEPS = 2500
SHIFT = 3.0
STEPS_SHOWN, GUIDANCE = 16, 2.0  # the shipped defaults
HEADS, HEAD = 5, 32
SAMPLE = max(LATENT[1:])  # positions are embedded for a square, of which the middle is used


def make():
    return SD3Transformer2DModel(
        sample_size=SAMPLE,
        patch_size=1,
        in_channels=LATENT[0],
        out_channels=LATENT[0],
        num_layers=8,
        attention_head_dim=HEAD,
        num_attention_heads=HEADS,
        caption_projection_dim=HEADS * HEAD,
        joint_attention_dim=t5.WIDTH,
        pooled_projection_dim=sum(width for width, _ in clips.SIZES.values()),
        pos_embed_max_size=SAMPLE,
        qk_norm="rms_norm",
    )


def make_scheduler():
    return FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=SHIFT)


class Examples(examples.Examples):
    def __init__(self, rank):
        self.clips, self.t5 = [clips.load(name) for name in clips.SIZES], t5.load()
        super().__init__(rank, self._texts)

    def _texts(self, prompts):
        """(states [B, T, C], pooled [B, P]): both CLIPs side by side, then T5 after them."""
        states, pooled = zip(*(clips.encode(clip, prompts) for clip in self.clips))
        beside = torch.cat(states, -1)
        beside = torch.nn.functional.pad(beside, (0, t5.WIDTH - beside.shape[-1]))
        return torch.cat([beside, t5.encode(self.t5, prompts)], 1), torch.cat(pooled, -1)

    @torch.no_grad()
    def draw(self, transformer, prompts, seed=0):
        """Pictures for prompts, as StableDiffusion3Pipeline draws them."""
        scheduler = make_scheduler()
        scheduler.set_timesteps(STEPS_SHOWN)
        texts = [torch.cat([nothing.expand_as(text), text])
                 for nothing, text in zip(self.unconditional, self.encode(prompts))]  # fmt: skip
        latents = torch.randn(len(prompts), *LATENT, generator=torch.Generator().manual_seed(seed))
        for timestep in scheduler.timesteps:
            at = timestep.expand(2 * len(prompts))
            velocity = transformer(torch.cat([latents, latents]), *texts, at).sample
            empty_half, text_half = velocity.chunk(2)
            latents = scheduler.step(empty_half + GUIDANCE * (text_half - empty_half), timestep, latents).prev_sample
        return self.to_pictures(latents)


def train():
    made = Examples(int(os.environ.get("RANK", 0)))
    torch.manual_seed(40)
    transformer = make()
    matrices = [p for n, p in transformer.named_parameters() if p.ndim == 2 and n.startswith("transformer_blocks")]
    chosen = set(map(id, matrices))
    others = [p for p in transformer.parameters() if id(p) not in chosen]
    training = Training("transformer", transformer, matrices, others, 2e-3, 2e-3, STEPS, 0.6, save_every=50)
    for _, rng in training.each_step():
        latents, near, texts = made.batch(training.step, rng)
        uniform = torch.rand(len(latents))
        sigmas = SHIFT * uniform / (1 + (SHIFT - 1) * uniform)
        noise, at = torch.randn_like(latents), sigmas.view(-1, 1, 1, 1)
        with quick_arithmetic():
            predicted = transformer((1 - at) * latents + at * noise, *texts, 1000 * sigmas).sample.float()
        error = (predicted - (noise - latents)) ** 2
        text = ((error * near).sum() / near.sum() / LATENT[0]).item()
        training.update((error * (1 + 3 * near)).mean(), text=text)
        if training.rank == 0 and training.step % examples.EVALUATE_EVERY == 0:
            examples.show(training, made.draw)


def load():
    transformer = make()
    transformer.load_state_dict(torch.load(work_folder() / "transformer.pt", weights_only=True))
    return transformer.eval().requires_grad_(False)


if __name__ == "__main__":
    train()
