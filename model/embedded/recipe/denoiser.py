"""Stage 3: the denoiser (UNet2DConditionModel), on the latents of stage 1 and the text states of stage 2.

Text is read at two scales: at the coarsest (3 x 6, where a cell is two letters wide), and, on the way up, at the finest
(12 x 24, a letter's half cell). Nothing says which layer reads what; its attention is not supervised."""

import functools
import os
import pathlib
import random
import zlib

import numpy as np
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor

from . import autoencoder, text_encoder
from .captions import caption
from .reading import exact, letters_right, read_with_tesseract
from .scenes import HEIGHT, PITCH, WIDTH, random_scene, render
from .sheet import save_sheet
from .training import Training, work_folder
from .words import held_out, random_text

LATENT = (8, HEIGHT // 8, WIDTH // 8)
FRESH, AGAIN = 8, 2  # pictures made for a step; earlier steps whose pictures it sees again, with other noise
MEMORY = 300  # how far back
STEPS = 5000
STEPS_SHOWN, GUIDANCE = 12, 2.0  # the shipped defaults
EVALUATE_EVERY = 250


def make():
    return UNet2DConditionModel(
        sample_size=LATENT[1:],
        in_channels=LATENT[0],
        out_channels=LATENT[0],
        block_out_channels=(80, 96, 128),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=text_encoder.WIDTH,
        attention_head_dim=4,  # the number of heads, in spite of its name
        norm_num_groups=8,
    )


def make_scheduler():
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,  # the first step sees pure noise, as generation does
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,  # what StableDiffusionPipeline writes over it; trailing steps do not use it
    )


@torch.no_grad()
def scaling_factor(vae):
    """Brings the latents to unit variance."""
    rng = random.Random(3)
    pictures = autoencoder.to_tensor([render(random_text(rng), random_scene(rng), rng)[0] for _ in range(128)])
    return 1 / torch.cat([vae.encode(part).latent_dist.mean for part in pictures.split(16)]).std().item()


class Examples:
    """Latents, text states and text weights of the pictures made for a step; those of late steps are kept."""

    def __init__(self, rank):
        self.rank, self.vae, self.encoder = rank, autoencoder.load(), text_encoder.load().encoder
        self.scale = scaling_factor(self.vae)
        self.unconditional = self.encode([""])
        self.of_step = functools.lru_cache(MEMORY + 50)(self._make)

    @torch.no_grad()
    def encode(self, prompts):
        return text_encoder.encode(self.encoder, prompts)

    @torch.no_grad()
    def _make(self, step):
        rng = random.Random(zlib.crc32(f"examples {self.rank} {step}".encode()))
        prompts, pictures, covers = [], [], []
        for _ in range(FRESH):
            lines = random_text(rng)
            prompt, scene = caption(lines, rng)
            picture, cover = render(lines, scene, rng)
            prompts.append(prompt)
            pictures.append(picture)
            covers.append(cover)
        posterior = self.vae.encode(autoencoder.to_tensor(pictures)).latent_dist
        weights = torch.nn.functional.avg_pool2d(autoencoder.near_text(covers), 8)
        return posterior.mean * self.scale, posterior.std * self.scale, self.encode(prompts), weights

    def batch(self, step, rng):
        steps = [step] + [max(0, step - rng.randrange(1, MEMORY)) for _ in range(AGAIN)]
        mean, std, states, weights = (torch.cat(part) for part in zip(*map(self.of_step, steps)))
        dropped = torch.tensor([rng.random() < 0.1 for _ in states])[:, None, None]
        states = torch.where(dropped, self.unconditional, states)
        return mean + std * torch.randn_like(mean), states, weights

    @torch.no_grad()
    def draw(self, unet, prompts, seed=0, swapped=None, layers=()):
        """Pictures for prompts, as StableDiffusionPipeline draws them. The cross-attention layers named in `layers`
        read the prompts `swapped` in the conditional half."""
        scheduler = make_scheduler()
        scheduler.set_timesteps(STEPS_SHOWN)
        empty = self.unconditional.expand(len(prompts), -1, -1)
        states, hooks = torch.cat([empty, self.encode(prompts)]), []
        if swapped:
            other = torch.cat([empty, self.encode(swapped)])
            for name, module in unet.named_modules():
                if name in layers:
                    hooks.append(module.register_forward_pre_hook(
                        lambda module, args, kwargs: (args, {**kwargs, "encoder_hidden_states": other}),
                        with_kwargs=True))  # fmt: skip
        latents = torch.randn(len(prompts), *LATENT, generator=torch.Generator().manual_seed(seed))
        for timestep in scheduler.timesteps:
            empty_half, text_half = unet(torch.cat([latents, latents]), timestep, states).sample.chunk(2)
            latents = scheduler.step(empty_half + GUIDANCE * (text_half - empty_half), timestep, latents).prev_sample
        for hook in hooks:
            hook.remove()
        return autoencoder.to_pictures(self.vae.decode(latents / self.scale).sample)


def watch_set():
    """36 held-out words in stated scenes: what is drawn and read now and then while training."""
    rng, words = random.Random(7), sorted(held_out())
    chosen = [[word] for word in rng.sample(words, 24)] + [rng.sample(words, 2) for _ in range(12)]
    chosen = [lines if not all(map(str.isdigit, lines)) else lines[:1] for lines in chosen]
    return chosen, [caption(lines, rng, plain=True)[0] for lines in chosen]


def show(training, examples):
    """Reads what stands where the words should stand: quick, and a trend. `evaluate` is the measure."""
    chosen, prompts = watch_set()
    pictures = np.concatenate([examples.draw(training.average, prompts[i : i + 12], seed=i) for i in (0, 12, 24)])
    frames = []
    for picture, lines in zip(pictures, chosen):
        wide, high = max(map(len, lines)) * PITCH // 2 + 10, (19 if len(lines) == 1 else 33)
        frames.append(picture[HEIGHT // 2 + 2 - high : HEIGHT // 2 + 2 + high,
                              max(0, WIDTH // 2 - wide) : WIDTH // 2 + wide])  # fmt: skip
    read = read_with_tesseract(frames)
    right = exact(read, chosen)
    training.say(f"denoiser {training.step}: exact {right.mean():.2f} (one line {right[:24].mean():.2f}), letters "
                 f"{letters_right(read, chosen):.2f}  "
                 + "  ".join(f"{'/'.join(lines)}={r}" for lines, r in zip(chosen[:8], read)))  # fmt: skip
    save_sheet(pictures, work_folder() / f"denoiser_{training.step:05d}.png", columns=4)


def quick_arithmetic():
    """bfloat16 where the processor multiplies its matrices (AMX): 0.33 s a step instead of 0.58. Others train in
    float32."""
    amx = "amx_bf16" in pathlib.Path("/proc/cpuinfo").read_text()
    return torch.autocast("cpu", torch.bfloat16, enabled=amx)


def train():
    examples = Examples(int(os.environ.get("RANK", 0)))
    torch.manual_seed(4)
    unet = make()
    unet.set_attn_processor(AttnProcessor())  # PyTorch's fused attention takes twice as long backwards, on a CPU
    matrices = [p for n, p in unet.named_parameters() if p.ndim >= 2 and min(p.shape[0], p[0].numel()) >= 16
                and not n.startswith(("conv_in", "conv_out", "time"))]  # fmt: skip
    chosen = set(map(id, matrices))
    others = [p for p in unet.parameters() if id(p) not in chosen]
    training = Training("denoiser", unet, matrices, others, 2e-3, 2e-3, STEPS, 0.6, save_every=50)
    alphas = make_scheduler().alphas_cumprod
    for _, rng in training.each_step():
        latents, states, near = examples.batch(training.step, rng)
        count = len(latents)
        # Most steps at high noise: that is where words are spelled.
        high, low = 650 + 349 * torch.rand(count) ** 0.7, 999 * torch.rand(count)
        timesteps = torch.where(torch.rand(count) < 0.15, low, high).round().long()
        noise = torch.randn_like(latents)
        signal_part = alphas[timesteps].sqrt().view(-1, 1, 1, 1)
        noise_part = (1 - alphas[timesteps]).sqrt().view(-1, 1, 1, 1)
        noisy = signal_part * latents + noise_part * noise
        with quick_arithmetic():
            predicted = unet(noisy, timesteps, states).sample.float()
        error = (predicted - (signal_part * noise - noise_part * latents)) ** 2
        text = ((error * near).sum() / near.sum() / LATENT[0]).item()
        training.update((error * (1 + 3 * near)).mean(), text=text)
        if training.rank == 0 and training.step % EVALUATE_EVERY == 0:
            show(training, examples)


def load():
    unet = make()
    unet.load_state_dict(torch.load(work_folder() / "denoiser.pt", weights_only=True))
    return unet.eval().requires_grad_(False)


if __name__ == "__main__":
    train()
