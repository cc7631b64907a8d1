"""What a denoiser is trained on, whatever its kind: latents of stage 1, texts as the family encodes them, and how much
each cell of the picture weighs; and how a training is watched."""

import functools
import random
import zlib

import numpy as np
import torch

from . import autoencoder
from .captions import caption
from .reading import exact, letters_right, read_with_tesseract
from .scenes import HEIGHT, PITCH, WIDTH, random_scene, render
from .sheet import save_sheet
from .training import work_folder
from .words import held_out, random_text

LATENT = (autoencoder.LATENT_CHANNELS, HEIGHT // 8, WIDTH // 8)
FRESH, AGAIN = 8, 2  # pictures made for a step; earlier steps whose pictures it sees again, with other noise
MEMORY = 300  # how far back
EVALUATE_EVERY = 250


@torch.no_grad()
def scaling_factor(vae):
    """Brings the latents to unit variance."""
    rng = random.Random(3)
    pictures = autoencoder.to_tensor([render(random_text(rng), random_scene(rng), rng)[0] for _ in range(128)])
    return 1 / torch.cat([vae.encode(part).latent_dist.mean for part in pictures.split(16)]).std().item()


class Examples:
    """Pictures made for a step; those of late steps are kept. `encode` turns prompts into a tuple of tensors, [B, ...]
    each."""

    def __init__(self, rank, encode):
        self.rank, self.vae, self._encode = rank, autoencoder.load(), encode
        self.scale = scaling_factor(self.vae)
        self.unconditional = self.encode([""])
        self.of_step = functools.lru_cache(MEMORY + 50)(self._make)

    @torch.no_grad()
    def encode(self, prompts):
        return self._encode(prompts)

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
        return posterior.mean * self.scale, posterior.std * self.scale, weights, *self.encode(prompts)

    def batch(self, step, rng):
        """Latents [B, C, h, w], weights [B, 1, h, w], and the texts, of which one in ten is empty."""
        steps = [step] + [max(0, step - rng.randrange(1, MEMORY)) for _ in range(AGAIN)]
        mean, std, weights, *texts = (torch.cat(part) for part in zip(*map(self.of_step, steps)))
        dropped = torch.tensor([rng.random() < 0.1 for _ in range(len(mean))])
        texts = [torch.where(dropped.view(-1, *[1] * (text.ndim - 1)), nothing, text)
                 for text, nothing in zip(texts, self.unconditional)]  # fmt: skip
        return mean + std * torch.randn_like(mean), weights, texts

    @torch.no_grad()
    def to_pictures(self, latents):
        return autoencoder.to_pictures(self.vae.decode(latents / self.scale).sample)


def watch_set():
    """36 held-out words in stated scenes: what is drawn and read now and then while training."""
    rng, words = random.Random(7), sorted(held_out())
    chosen = [[word] for word in rng.sample(words, 24)] + [rng.sample(words, 2) for _ in range(12)]
    chosen = [lines if not all(map(str.isdigit, lines)) else lines[:1] for lines in chosen]
    return chosen, [caption(lines, rng, plain=True)[0] for lines in chosen]


def show(training, draw):
    """Reads what stands where the words should stand: quick, and a trend. `evaluate` is the measure."""
    chosen, prompts = watch_set()
    pictures = np.concatenate([draw(training.average, prompts[i : i + 12], seed=i) for i in (0, 12, 24)])
    frames = []
    for picture, lines in zip(pictures, chosen):
        wide, high = max(map(len, lines)) * PITCH // 2 + 10, (19 if len(lines) == 1 else 33)
        frames.append(picture[HEIGHT // 2 + 2 - high : HEIGHT // 2 + 2 + high,
                              max(0, WIDTH // 2 - wide) : WIDTH // 2 + wide])  # fmt: skip
    read = read_with_tesseract(frames)
    right = exact(read, chosen)
    training.say(f"{training.stage} {training.step}: exact {right.mean():.2f} (one line {right[:24].mean():.2f}), letters "
                 f"{letters_right(read, chosen):.2f}  "
                 + "  ".join(f"{'/'.join(lines)}={r}" for lines, r in zip(chosen[:8], read)))  # fmt: skip
    save_sheet(pictures, work_folder() / f"{training.stage}_{training.step:05d}.png", columns=4)
