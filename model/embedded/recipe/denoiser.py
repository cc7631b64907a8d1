"""Stage 3: the denoiser (UNet2DConditionModel), on the latents of stage 1 and the text states of stage 2.

Text is read at two scales: at the coarsest (3 x 6, where a cell is two letters wide), and, on the way up, at the finest
(12 x 24, a letter's half cell). Nothing says which layer reads what; its attention is not supervised."""

import os

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor

from . import examples, text_encoder
from .examples import LATENT
from .training import Training, quick_arithmetic, work_folder

STEPS = 5000
STEPS_SHOWN, GUIDANCE = 12, 2.0  # the shipped defaults


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


class Examples(examples.Examples):
    def __init__(self, rank):
        encoder = text_encoder.load()
        super().__init__(rank, lambda prompts: (text_encoder.encode(encoder, prompts),))

    @torch.no_grad()
    def draw(self, unet, prompts, seed=0, swapped=None, layers=()):
        """Pictures for prompts, as StableDiffusionPipeline draws them. The cross-attention layers named in `layers`
        read the prompts `swapped` in the conditional half."""
        scheduler = make_scheduler()
        scheduler.set_timesteps(STEPS_SHOWN)
        empty = self.unconditional[0].expand(len(prompts), -1, -1)
        states, hooks = torch.cat([empty, *self.encode(prompts)]), []
        if swapped:
            other = torch.cat([empty, *self.encode(swapped)])
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
        return self.to_pictures(latents)


def train():
    made = Examples(int(os.environ.get("RANK", 0)))
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
        latents, near, (states,) = made.batch(training.step, rng)
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
        if training.rank == 0 and training.step % examples.EVALUATE_EVERY == 0:
            examples.show(training, made.draw)


def load():
    unet = make()
    unet.load_state_dict(torch.load(work_folder() / "denoiser.pt", weights_only=True))
    return unet.eval().requires_grad_(False)


if __name__ == "__main__":
    train()
