"""Stable Diffusion 3, stage 4: the transformer (SD3Transformer2DModel), on latents of stage 1 and the texts of stages 2
and 3. Flow matching: from noise at 1 to the picture at 0 it predicts noise - picture.

Twelve narrow blocks rather than few wide ones: the text's states move from block to block, and it is the early blocks
that carry the letters.

Attention's cost grows with the square of the tokens, and most of them are padding or scene. So until SHORT_UNTIL only T5's
first SHORT tokens are learned from, where most prompts end (and of the CLIPs' states, whose pooled embedding has the scene, the
rows alone), on the middle of the picture, where the text stands; only each WHOLE_EVERY-th step has the whole picture and all
states, as all have after that.

Every block may read the text, and would, a little each; then no few blocks could be given another word. So that the first
TRUSTED must do with what they read, the later ones are now and then given another example's text while it is learned."""

from unittest import mock

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel

from ..data import tokens
from ..loop.training import DEVICE, ON_GPU, Training, load_trained, quick_arithmetic, sized
from . import clips, examples, t5, text_encoder
from .examples import LATENT

BATCH = sized(16, 256)
WHOLE_BATCH = sized(16, 128)
STEPS = sized(8000, 14700)
SHORT, SHORT_UNTIL, WHOLE_EVERY = 72, sized(0.97, 0.9), sized(16, 6)
TRUSTED, DOUBT = 4, 0.4  # how often another example's text stands in the later blocks
EDGE = 2  # cells around the middle of the picture
RATE = sized(1.2e-3, 2e-3)
SHIFT = 3.0
STEPS_SHOWN, GUIDANCE = 10, 2.0  # the shipped defaults
HEADS, HEAD = 4, 32
SAMPLE = max(LATENT[1:])  # positions are embedded for a square, of which the middle is used


def make():
    return SD3Transformer2DModel(
        sample_size=SAMPLE,
        patch_size=1,
        in_channels=LATENT[0],
        out_channels=LATENT[0],
        num_layers=12,
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


def tokenize(prompts):
    return text_encoder.ids_of(prompts), t5.ids_of(prompts)


def sigmas(count):
    """How much of what is learned from is noise: half of it evenly as the pipeline's steps, half mostly in the first steps,
    where it is settled what is written."""
    uniform = torch.rand(count, device=DEVICE)
    uniform = torch.where(torch.rand(count, device=DEVICE) < 0.5, uniform, 0.5 + 0.5 * uniform**0.7)
    return SHIFT * uniform / (1 + (SHIFT - 1) * uniform)


class Examples(examples.Examples):
    def __init__(self):
        self.clips, self.t5 = [clips.load(name) for name in clips.SIZES], t5.load()
        super().__init__(tokenize, self._texts)

    def batch(self, stock, step, count):
        short = step < SHORT_UNTIL * STEPS and step % WHOLE_EVERY
        latents, near, (states, pooled) = super().batch(stock, step, count if short else WHOLE_BATCH)
        if short:
            clip, t5_states = states.split([tokens.LENGTH, t5.LENGTH], 1)
            states = torch.cat([clip[:, text_encoder.FIRST_SLOT :], t5_states[:, :SHORT]], 1)
            latents, near = (part[..., EDGE:-EDGE, EDGE:-EDGE].contiguous() for part in (latents, near))
        return latents, near, (states, pooled)

    def _texts(self, ids, t5_ids):
        """(states [B, T, C], pooled [B, P]): both CLIPs side by side, then T5 after them."""
        states, pooled = zip(*(clips.encode(clip, ids) for clip in self.clips))
        beside = torch.cat(states, -1)
        beside = torch.nn.functional.pad(beside, (0, t5.WIDTH - beside.shape[-1]))
        return torch.cat([beside, t5.encode(self.t5, t5_ids)], 1), torch.cat(pooled, -1)

    @torch.no_grad()
    def draw(self, transformer, prompts, seed=0):
        """Pictures for prompts, as StableDiffusion3Pipeline draws them."""
        scheduler = make_scheduler()
        scheduler.set_timesteps(STEPS_SHOWN)
        texts = [torch.cat([nothing.expand_as(text), text])
                 for nothing, text in zip(self.unconditional, self.encode(prompts))]  # fmt: skip
        latents = examples.first_latents(len(prompts), seed)
        for timestep in scheduler.timesteps:
            at = timestep.expand(2 * len(prompts)).to(DEVICE)
            velocity = transformer(torch.cat([latents, latents]), *texts, at).sample
            empty_half, text_half = velocity.chunk(2)
            latents = scheduler.step(empty_half + GUIDANCE * (text_half - empty_half), timestep, latents).prev_sample
        return self.to_pictures(latents)


def attention(query, key, value, **_):
    """In the place of PyTorch's fused one, whose way back is slow on a processor."""
    scores = (query * query.shape[-1] ** -0.5) @ key.mT
    return scores.softmax(-1).to(value.dtype) @ value


def quick(transformer):
    """The same, compiled: for a GPU block by block, since they are alike, and a whole step is recorded as a graph there. On a
    processor, with `attention`, 12 whole pictures take 0.71 s of one core, forth and back, instead of 1.09."""
    if ON_GPU:
        torch._dynamo.config.cache_size_limit = 64  # blocks times shapes
        for block in transformer.transformer_blocks:
            block.compile(dynamic=False)
        return transformer
    torch._inductor.config.pattern_matcher = False  # it would put the fused attention back
    compiled = torch.compile(transformer, dynamic=False)

    def call(*inputs):
        with mock.patch.object(torch.nn.functional, "scaled_dot_product_attention", attention):
            return compiled(*inputs)

    return call


def doubt_later_blocks(transformer):
    """While it learns, some examples' text is another's from block TRUSTED on."""

    def exchange(block, args, kwargs):
        text = kwargs["encoder_hidden_states"]
        if torch.is_grad_enabled():
            doubted = torch.rand(len(text), 1, 1, device=text.device) < DOUBT
            text = torch.where(doubted, text.roll(1, 0), text)
        return args, {**kwargs, "encoder_hidden_states": text}

    transformer.transformer_blocks[TRUSTED].register_forward_pre_hook(exchange, with_kwargs=True)


def train():
    made = Examples()
    torch.manual_seed(40)
    transformer = make()
    doubt_later_blocks(transformer)
    matrices = [p for n, p in transformer.named_parameters() if p.ndim == 2 and n.startswith("transformer_blocks")]

    def compute(latents, near, *texts):
        sigma = sigmas(len(latents))
        noise, at = torch.randn_like(latents), sigma.view(-1, 1, 1, 1)
        with quick_arithmetic():
            predicted = predict((1 - at) * latents + at * noise, *texts, 1000 * sigma).sample.float()
        return examples.loss((predicted - (noise - latents)) ** 2, near)

    training = Training("transformer", transformer, matrices, RATE, RATE, STEPS, 0.1)
    predict = quick(transformer)  # after the average is copied from it
    examples.train(training, made, compute, BATCH)


def load():
    return load_trained(make(), "transformer")


if __name__ == "__main__":
    train()
