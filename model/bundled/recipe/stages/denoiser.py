"""Stage 3: the denoiser (UNet2DConditionModel), on the latents of stage 1 and the text states of stage 2.

Text is read at two scales: at the coarsest (3 x 6, where a cell is two letters wide), and, on the way up, at the finest
(12 x 24, a letter's half cell). Nothing says which layer reads what; its attention is not supervised."""

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor

from ..loop.training import DEVICE, ON_GPU, Training, load_trained, quick_arithmetic, sized
from . import examples, text_encoder
from .examples import LATENT

BATCH = sized(24, 256)
STEPS = sized(20000, 8000)
STEPS_SHOWN, GUIDANCE = 12, 2.0  # the shipped defaults


def make():
    return UNet2DConditionModel(
        sample_size=LATENT[1:],
        in_channels=LATENT[0],
        out_channels=LATENT[0],
        block_out_channels=(96, 128, 160),
        layers_per_block=(2, 1, 1),
        down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"),
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


def tokenize(prompts):
    return (text_encoder.ids_of(prompts),)


class Examples(examples.Examples):
    def __init__(self):
        encoder = text_encoder.load()
        super().__init__(tokenize, lambda ids: (text_encoder.encode(encoder, ids),))

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
        latents = examples.first_latents(len(prompts), seed)
        for timestep in scheduler.timesteps:
            empty_half, text_half = unet(torch.cat([latents, latents]), timestep, states).sample.chunk(2)
            latents = scheduler.step(empty_half + GUIDANCE * (text_half - empty_half), timestep, latents).prev_sample
        for hook in hooks:
            hook.remove()
        return self.to_pictures(latents)


def noised(latents, alphas):
    """Latents with noise, the v that is to be predicted, and the timesteps, most of them at high noise: that is where
    words are spelled."""
    high, low = (torch.rand(len(latents), device=DEVICE) for _ in range(2))
    timesteps = torch.where(torch.rand_like(low) < 0.15, 999 * low, 650 + 349 * high**0.7).round().long()
    noise = torch.randn_like(latents)
    signal_part = alphas[timesteps].sqrt().view(-1, 1, 1, 1)
    noise_part = (1 - alphas[timesteps]).sqrt().view(-1, 1, 1, 1)
    return signal_part * latents + noise_part * noise, signal_part * noise - noise_part * latents, timesteps


def train():
    made = Examples()
    torch.manual_seed(4)
    unet = make()
    if not ON_GPU:
        unet.set_attn_processor(AttnProcessor())  # PyTorch's fused attention takes twice as long backwards there
    matrices = [p for n, p in unet.named_parameters() if p.ndim >= 2 and min(p.shape[0], p[0].numel()) >= 16
                and not n.startswith(("conv_in", "conv_out", "time"))]  # fmt: skip
    alphas = make_scheduler().alphas_cumprod.to(DEVICE)

    def compute(latents, near, states):
        noisy, wanted, timesteps = noised(latents, alphas)
        with quick_arithmetic():
            predicted = unet(noisy, timesteps, states).sample.float()
        return examples.loss((predicted - wanted) ** 2, near)

    training = Training("denoiser", unet, matrices, 2e-3, 2e-3, STEPS, 0.6)
    examples.train(training, made, compute, BATCH)


def load():
    return load_trained(make(), "denoiser")


if __name__ == "__main__":
    train()
