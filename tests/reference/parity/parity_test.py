"""model/ against diffusers: the same checkpoint, prompt and seed must give the same latents and the same picture.

The checkpoints are small and random, and made here, scaled as parity.py says; a test below takes each module away.
"""

import json
import shutil

import diffusers
import pytest
import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from parity import (BETAS, BUNDLED, NEGATIVE, OTHER_PROMPT, PROMPT, TOLERANCE, V, ZERO_SNR, case, check_bundled,
                    check_single_layers, check_whole_routes, compare, cross_attention_layers, difference, edit_tensors, generate,
                    run_cases, save, scale_weights, silent_modules)

CROSS, PLAIN = "CrossAttn{}Block2D", "{}Block2D"


def unet(channels=(32, 64), plain_last=True, **options):
    kinds = [CROSS] * len(channels)
    if plain_last:
        kinds[-1] = PLAIN
    return dict(block_out_channels=channels, layers_per_block=1, norm_num_groups=8, sample_size=8, attention_head_dim=4,
                down_block_types=tuple(k.format("Down") for k in kinds),
                up_block_types=tuple(k.format("Up") for k in reversed(kinds)), **options)


def sd2(**options):
    return unet(use_linear_projection=True, **options)


# What each checkpoint is made of, and what is asked of it. `published` writes the key names and the configuration keys
# of the first releases, `call` goes to both pipelines.
CONFIGURATIONS = {
    "sd1 ddim leading": dict(unet=unet(), scheduler=("DDIMScheduler", BETAS)),
    "sd1 pndm published": dict(unet=unet((32, 32, 64, 64)), published="matrix",
                               scheduler=("PNDMScheduler", dict(BETAS, skip_prk_steps=True, steps_offset=1))),
    "sd1 pndm steps_offset 0": dict(unet=unet(), published="conv",
                                    scheduler=("PNDMScheduler", dict(BETAS, skip_prk_steps=True))),
    "sd1 euler leading, 2 seeds": dict(unet=unet(), seeds=[3, 4],
                                       scheduler=("EulerDiscreteScheduler", dict(BETAS, timestep_spacing="leading"))),
    "sd1 euler linspace, fp16 file": dict(unet=unet(), half=True, scheduler=("EulerDiscreteScheduler", BETAS)),
    "sd1 dpm linspace": dict(unet=unet(), scheduler=("DPMSolverMultistepScheduler", BETAS)),
    "sd1 dpm leading, odd latents": dict(unet=unet((32, 32, 64)), call=dict(height=40, width=104),
                                         scheduler=("DPMSolverMultistepScheduler",
                                                    dict(BETAS, timestep_spacing="leading", steps_offset=1))),
    "sd1 pndm asked for euler": dict(unet=unet(), ask_scheduler="EulerDiscreteScheduler",
                                     scheduler=("PNDMScheduler", dict(BETAS, skip_prk_steps=True))),
    "sd1 ddim odd options": dict(
        unet=dict(unet((24, 48), plain_last=False), layers_per_block=[1, 2], attention_head_dim=[2, 6], freq_shift=1,
                  flip_sin_to_cos=False, downsample_padding=0, transformer_layers_per_block=2, norm_eps=1e-4),
        vae=dict(block_out_channels=(16, 24, 32), mid_block_add_attention=False, use_quant_conv=False,
                 use_post_quant_conv=False), call=dict(height=32, width=32), shards=True,
        scheduler=("DDIMScheduler", dict(BETAS, set_alpha_to_one=False, timestep_spacing="linspace"))),
    "sd2 ddim v": dict(unet=sd2(), text=dict(hidden_act="gelu"), scheduler=("DDIMScheduler", dict(BETAS, **V))),
    "sd2 ddim v zero-snr, 8x16": dict(unet=dict(sd2(), sample_size=[8, 16], attention_head_dim=[2, 8]),
                                      text=dict(hidden_act="gelu"),
                                      scheduler=("DDIMScheduler", dict(BETAS, **V, **ZERO_SNR))),
    "sd2 pndm v published": dict(unet=dict(sd2(), upcast_attention=True), text=dict(hidden_act="gelu"),
                                 published="matrix",
                                 scheduler=("PNDMScheduler", dict(BETAS, skip_prk_steps=True, steps_offset=1, **V))),
    "sd2 euler v trailing": dict(unet=sd2(), text=dict(hidden_act="gelu"),
                                 scheduler=("EulerDiscreteScheduler", dict(BETAS, timestep_spacing="trailing", **V))),
    "sd2 euler v zero-snr": dict(unet=sd2(), scheduler=("EulerDiscreteScheduler", dict(BETAS, **V, **ZERO_SNR))),
    "sd2 dpm v trailing, 2 seeds": dict(unet=sd2(), seeds=[0, 12345678901234], half=True,
                                        scheduler=("DPMSolverMultistepScheduler",
                                                   dict(BETAS, timestep_spacing="trailing", **V))),
    "sd2 dpm eps, three levels": dict(unet=sd2(channels=(32, 64, 64)),
                                      scheduler=("DPMSolverMultistepScheduler", BETAS)),
    "sd1 ddim unguided": dict(unet=unet(), call=dict(guidance_scale=1.0), scheduler=("DDIMScheduler", BETAS)),
}


def make_pipeline(spec, generator):
    text = CLIPTextModel(CLIPTextConfig(vocab_size=514, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
                                        num_attention_heads=4, max_position_embeddings=128, bos_token_id=512,
                                        eos_token_id=513, pad_token_id=513, **spec.get("text", {})))
    vae_options = dict(block_out_channels=(8, 16, 16, 24), layers_per_block=1, norm_num_groups=8, latent_channels=4,
                       sample_size=64)
    vae_options.update(spec.get("vae", {}))
    levels = len(vae_options["block_out_channels"])
    vae = diffusers.AutoencoderKL(down_block_types=("DownEncoderBlock2D",) * levels,
                                  up_block_types=("UpDecoderBlock2D",) * levels, **vae_options)
    unet = diffusers.UNet2DConditionModel(cross_attention_dim=32, **spec["unet"])
    for module in (text, vae, unet):
        scale_weights(module, generator)
        module.eval()
    states = text(torch.randint(0, 512, (2, 128), generator=generator))[0]
    noise = torch.randn((2, 4, 16, 16), generator=generator)
    unet.conv_out.weight /= unet(noise, 500, states)[0].std()
    vae.decoder.conv_out.weight *= 0.5 / vae.decode(noise / vae.config.scaling_factor)[0].std()
    if spec.get("half"):
        for module in (text, vae, unet):
            module.half().float()
    name, options = spec["scheduler"]
    return diffusers.StableDiffusionPipeline(
        vae=vae, text_encoder=text, unet=unet, tokenizer=CLIPTokenizer.from_pretrained(BUNDLED / "tokenizer"),
        scheduler=getattr(diffusers, name)(**options), safety_checker=None, feature_extractor=None,
        requires_safety_checker=False)


def publish(folder, form):
    """Rewrites a folder as the first releases were: key names, and no configuration keys of later years."""
    def clip(tensors):
        tensors = {"text_model." + key.removeprefix("text_model."): value for key, value in tensors.items()}
        tensors["text_model.embeddings.position_ids"] = torch.arange(128).unsqueeze(0)
        return tensors

    def vae(tensors):
        names = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
        renamed = {}
        for key, value in tensors.items():
            if ".attentions." in key:
                for new, old in names.items():
                    if f".{new}." in key:
                        key = key.replace(f".{new}.", f".{old}.")
                        if form == "conv" and value.dim() == 2:
                            value = value[:, :, None, None].contiguous()
            renamed[key] = value
        assert len(renamed) == len(tensors) and renamed.keys() != tensors.keys()
        return renamed

    edit_tensors(folder / "text_encoder/model.safetensors", clip)
    edit_tensors(folder / "vae/diffusion_pytorch_model.safetensors", vae)
    known = {"unet": ["act_fn", "attention_head_dim", "block_out_channels", "center_input_sample", "cross_attention_dim",
                      "down_block_types", "downsample_padding", "flip_sin_to_cos", "freq_shift", "in_channels",
                      "layers_per_block", "mid_block_scale_factor", "norm_eps", "norm_num_groups", "out_channels",
                      "sample_size", "up_block_types", "use_linear_projection", "upcast_attention",
                      "dual_cross_attention", "num_class_embeds", "only_cross_attention"],
             "vae": ["act_fn", "block_out_channels", "down_block_types", "in_channels", "latent_channels",
                     "layers_per_block", "norm_num_groups", "out_channels", "sample_size", "up_block_types"]}
    for component, keys in known.items():
        path = folder / component / "config.json"
        config = json.loads(path.read_text())
        path.write_text(json.dumps({k: v for k, v in config.items() if k in keys or k == "_class_name"}))
    path = folder / "model_index.json"
    index = json.loads(path.read_text())
    index["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    index["feature_extractor"] = ["transformers", "CLIPFeatureExtractor"]
    path.write_text(json.dumps(index))


def call_arguments(spec):
    return dict(dict(num_inference_steps=10, guidance_scale=7.5), **spec.get("call", {}))


def reference_picture(pipe, seeds, prompt=PROMPT, **call):
    return generate(pipe, seeds, prompt=prompt, negative_prompt=NEGATIVE, num_images_per_prompt=len(seeds), **call)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """Name -> (folder, diffusers' pipeline)."""
    root = tmp_path_factory.mktemp("checkpoints")
    made = {}
    for number, (name, spec) in enumerate(CONFIGURATIONS.items()):
        pipe = make_pipeline(spec, torch.Generator().manual_seed(number))
        folder = root / name.replace(" ", "-").replace(",", "")
        save(pipe, folder, spec)
        if "published" in spec:
            publish(folder, spec["published"])
        if "ask_scheduler" in spec:
            pipe = diffusers.StableDiffusionPipeline.from_pretrained(folder)
            pipe.scheduler = getattr(diffusers, spec["ask_scheduler"]).from_config(pipe.scheduler.config)
        made[name] = (folder, pipe)
    yield made
    shutil.rmtree(root)


def test_latents_and_pictures_equal_diffusers(checkpoints, tmp_path):
    cases = []
    for number, (name, spec) in enumerate(CONFIGURATIONS.items()):
        more = call_arguments(spec)
        if "ask_scheduler" in spec:
            more["scheduler"] = spec["ask_scheduler"]
        cases.append(case(checkpoints[name][0], tmp_path / f"{number}.safetensors", spec.get("seeds", [number]), **more))
    results, _ = run_cases(cases, tmp_path)

    rows = [(name, ours, reference_picture(checkpoints[name][1], one["seeds"], **call_arguments(spec)))
            for one, ours, (name, spec) in zip(cases, results, CONFIGURATIONS.items())]
    failures = compare("stable-diffusion", rows)
    assert not failures


@pytest.mark.parametrize("name", ["sd1 ddim leading", "sd2 ddim v"])
def test_every_module_counts(checkpoints, tmp_path, name):
    """With any one module's tensors zero, the picture is another one: no module is left out on our side."""
    folder, pipe = checkpoints[name]
    call = dict(num_inference_steps=3, guidance_scale=7.5)
    unused = {("vae", "encoder"), ("vae", "quant_conv")}  # generation runs the decoder alone
    silent, count = silent_modules(folder, pipe, reference_picture(pipe, [0], **call), ["text_encoder", "unet", "vae"], unused,
                                   tmp_path, **call)
    print(f"\n{name}: {count} modules, each taken away in turn")
    assert not silent


def test_routed_layers_read_the_other_prompt(checkpoints, tmp_path):
    folder, pipe = checkpoints["sd1 euler leading, 2 seeds"]
    other, _ = pipe.encode_prompt(OTHER_PROMPT, "cpu", 1, False)
    arguments = dict(num_inference_steps=10, guidance_scale=7.5)
    call = dict(arguments, prompt=PROMPT, negative_prompt=NEGATIVE, num_images_per_prompt=2)
    check_single_layers(folder, pipe, other, arguments, call, tmp_path)
    check_whole_routes(folder, cross_attention_layers(pipe.unet), arguments, tmp_path)


@pytest.mark.parametrize("height, width", [(40, 104), (104, 40), (96, 96)])
def test_large_pictures_are_decoded_in_tiles(checkpoints, tmp_path, height, width):
    """As diffusers' enable_tiling() of the autoencoder does it, with tiles smaller than the model was made with."""
    name = "sd1 dpm leading, odd latents"
    folder, pipe = checkpoints[name]
    small = tmp_path / "small"
    shutil.copytree(folder, small)
    config = json.loads((small / "vae/config.json").read_text())
    (small / "vae/config.json").write_text(json.dumps(config | dict(sample_size=32)))
    call = dict(num_inference_steps=2, guidance_scale=7.5, height=height, width=width)
    (whole, tiled), _ = run_cases([case(small, tmp_path / f"{tiling}.safetensors", [1, 2], **call, vae_tiling=tiling)
                                   for tiling in (False, True)], tmp_path)
    pipe = diffusers.StableDiffusionPipeline.from_pretrained(small, safety_checker=None)
    pipe.vae.enable_tiling()
    reference = reference_picture(pipe, [1, 2], **call)
    apart, moved = difference(tiled["image"], reference["image"]), difference(tiled["image"], whole["image"])
    print(f"\n{height} x {width} in tiles of 32: difference {apart:.1e}, apart from the whole {moved:.2f}")
    assert apart <= TOLERANCE
    assert moved > 100 * TOLERANCE


def test_bundled_model_draws_what_diffusers_draws(tmp_path):
    check_bundled(BUNDLED, tmp_path)
