"""What a denoiser is trained on, whatever its kind: latents of stage 1, texts as the family encodes them, and how much
each cell of the picture weighs; and how a training is watched."""

import functools
import random
import shutil

import numpy as np
import torch

from ..data.captions import caption
from ..data.scenes import HEIGHT, PITCH, WIDTH, random_scene, render
from ..data.words import held_out, random_text
from ..loop.stock import Stock, Supply
from ..loop.training import DEVICE, sized, work_folder
from ..measure.reading import exact, letters_right, read_with_tesseract
from ..measure.sheet import save_sheet
from . import autoencoder

LATENT = (autoencoder.LATENT_CHANNELS, HEIGHT // 8, WIDTH // 8)
SUPPLY = sized(Supply(8, every=4, first=32, held=150), Supply(256, every=16, first=24, held=120))
EVALUATE_EVERY = sized(2000, 3000)


@torch.no_grad()
def scaling_factor(vae):
    """Brings the latents to unit variance."""
    rng = random.Random(3)
    pictures = np.stack([render(random_text(rng), random_scene(rng), rng)[0] for _ in range(128)])
    pictures = autoencoder.to_tensor(torch.from_numpy(pictures).to(vae.device))
    return 1 / torch.cat([vae.encode(part).latent_dist.mean for part in pictures.split(16)]).std().item()


def make_examples(tokenize, rng, count, done):
    """Pictures, their text's coverage, and what `tokenize` makes of their captions."""
    prompts, pictures, covers = [], [], []
    for _ in range(count):
        lines = random_text(rng)
        prompt, scene = caption(lines, rng)
        picture, cover = render(lines, scene, rng)
        prompts.append(prompt)
        pictures.append(picture)
        covers.append(np.uint8(255 * cover))
    return np.stack(pictures), np.stack(covers), *tokenize(prompts)


class Examples:
    """`tokenize` turns prompts into a tuple of tensors [B, ...], `encode` those into the family's texts, [B, ...] each."""

    def __init__(self, tokenize, encode):
        self.vae, self._tokenize, self._encode = autoencoder.load(), tokenize, encode
        self.scale = scaling_factor(self.vae)
        self.unconditional = self.encode([""])

    @torch.no_grad()
    def encode(self, prompts):
        return self._encode(*(ids.to(DEVICE) for ids in self._tokenize(prompts)))

    def _prepare(self, pictures, covers, *ids):
        posteriors = [self.vae.encode(autoencoder.to_tensor(part)).latent_dist for part in pictures.split(64)]
        mean, std = (torch.cat([getattr(p, name) for p in posteriors]) * self.scale for name in ("mean", "std"))
        weights = torch.nn.functional.avg_pool2d(autoencoder.near_text(covers), 8)
        return mean, std, weights, *self._encode(*ids)

    def stock(self, training):
        return Stock(training, functools.partial(make_examples, self._tokenize), SUPPLY, self._prepare)

    def batch(self, stock, step, count):
        """Latents [B, C, h, w], weights [B, 1, h, w], and the texts, of which one in ten is empty."""
        mean, std, weights, *texts = stock.batch(step, count)
        dropped = torch.rand(len(mean), device=DEVICE) < 0.1
        texts = [torch.where(dropped.view(-1, *[1] * (text.ndim - 1)), nothing, text)
                 for text, nothing in zip(texts, self.unconditional)]  # fmt: skip
        return mean + std * torch.randn_like(mean), weights, texts

    @torch.no_grad()
    def to_pictures(self, latents):
        return autoencoder.to_pictures(self.vae.decode(latents / self.scale).sample)


def loss(error, near):
    """Text weighs four times as much as the rest. And the error on the text alone, to be watched."""
    return (error * (1 + 3 * near)).mean(), {"text": (error * near).sum() / near.sum() / LATENT[0]}


def train(training, made, compute, count):
    """`compute` takes what Examples.batch gives."""
    stock = made.stock(training)
    for _ in training.each_step():
        latents, weights, texts = made.batch(stock, training.step, count)
        training.run(compute, latents, weights, *texts)
        if training.rank == 0 and training.step % EVALUATE_EVERY == 0:
            show(training, made.draw)


def first_latents(count, seed):
    """The same noise on every device."""
    return torch.randn(count, *LATENT, generator=torch.Generator().manual_seed(seed)).to(DEVICE)


def watch_set():
    """36 held-out words in stated scenes: what is drawn and read now and then while training."""
    rng, words = random.Random(7), sorted(held_out())
    chosen = [[word] for word in rng.sample(words, 24)] + [rng.sample(words, 2) for _ in range(12)]
    chosen = [lines if not all(map(str.isdigit, lines)) else lines[:1] for lines in chosen]
    return chosen, [caption(lines, rng, plain=True)[0] for lines in chosen]


def show(training, draw):
    """Draws the watch set, and reads what stands where the words should stand, if Tesseract is there: quick, and a
    trend. `evaluate` is the measure."""
    chosen, prompts = watch_set()
    pictures = np.concatenate([draw(training.average, prompts[i : i + 12], seed=i) for i in (0, 12, 24)])
    save_sheet(pictures, work_folder() / f"{training.stage}_{training.step:05d}.png", columns=4)
    if not shutil.which("tesseract"):
        return
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
