"""Stage 1: the autoencoder (AutoencoderKL), [3, 96, 192] to 8 channels of 12 x 24, 16 for Stable Diffusion 3. Letters
weigh more than the rest."""

import numpy as np
import torch
from diffusers import AutoencoderKL

from ..data.scenes import HEIGHT, WIDTH, random_scene, render
from ..data.words import random_text
from ..loop.stock import Stock, Supply
from ..loop.training import MODEL, Training, load_trained, sized

BATCH = sized(16, 64)
CROP = 64
LATENT_CHANNELS = {"sd": 8, "sd3": 16}[MODEL]
STEPS = sized(2800, 4000)
SUPPLY = sized(Supply(BATCH), Supply(256, every=60, first=8, held=80))
CROPS_UNTIL = 0.86  # the network is convolutional: it learns on crops, three times as fast, and last on whole pictures


def make():
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 24, 64, 96),
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=8,
        sample_size=HEIGHT,
        mid_block_add_attention=False,
    )


def to_tensor(pictures):
    """uint8 [B, H, W, 3] to float [B, 3, H, W] in -1..1."""
    return pictures.permute(0, 3, 1, 2).float().div(127.5).sub(1)


def to_pictures(tensor):
    return tensor.clamp(-1, 1).add(1).mul(127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def near_text(covers):
    """1 on the text and 5 pixels around it, else 0: [B, 1, H, W], from coverage 0..255 [B, H, W]."""
    return (torch.nn.functional.max_pool2d(covers[:, None].float(), 11, 1, 5) > 25).float()


def make_pictures(rng, count, done):
    """Pictures uint8 [count, H, W, 3] and their text's coverage, uint8 [count, H, W]."""
    drawn = [render(random_text(rng), random_scene(rng), rng) for _ in range(count)]
    return np.stack([picture for picture, _ in drawn]), np.stack([np.uint8(255 * cover) for _, cover in drawn])


def train():
    torch.manual_seed(1)
    vae = make()
    matrices = [p for p in vae.parameters() if p.ndim == 4 and min(p.shape[0], p[0].numel()) >= 8]

    def compute(pictures, weight):
        posterior = vae.encode(pictures).latent_dist
        error = vae.decode(posterior.sample()).sample - pictures
        reconstruction = ((0.5 * error.abs() + error**2) * weight).mean()
        divergence = 0.5 * (posterior.mean**2 + posterior.var - 1 - posterior.logvar).mean()
        return reconstruction + 2e-4 * divergence, {"squared": (error**2).mean(), "kl": divergence}

    training = Training("autoencoder", vae, matrices, 2e-3, 2e-3, STEPS, 0.3)
    stock = Stock(training, make_pictures, SUPPLY)
    for done in training.each_step():
        pictures, covers = stock.batch(training.step, BATCH)
        pictures, weight = to_tensor(pictures), 1 + 2 * near_text(covers)
        if done < CROPS_UNTIL:
            x, y = (int(torch.randint(size - CROP + 1, ())) for size in (WIDTH, HEIGHT))
            pictures, weight = (of[..., y : y + CROP, x : x + CROP].contiguous() for of in (pictures, weight))
        training.run(compute, pictures, weight)


def load():
    """The trained autoencoder, with the factor that brings its latents to unit variance."""
    return load_trained(make(), "autoencoder")


if __name__ == "__main__":
    train()
