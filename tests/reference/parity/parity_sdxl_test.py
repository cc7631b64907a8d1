"""SDXL against diffusers' StableDiffusionXLPipeline. The checkpoints are the published configuration in small, and
variations of it; parity.py says how their weights are made."""

import json
import shutil

import diffusers
import pytest
import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from parity import (BETAS, BUNDLED, NEGATIVE, OTHER_PROMPT, PROMPT, TOLERANCE, V, ZERO_SNR, case, check_single_layers,
                    check_whole_routes, compare, cross_attention_layers, difference, edit_tensors, generate, make, published,
                    run_cases, save, scale_weights, silent_modules, uncovered, write_published)

CHECKPOINT = "stable-diffusion-xl-base-1.0"
UNET = dict(block_out_channels=[16, 32, 48], attention_head_dim=[1, 2, 4], norm_num_groups=8, cross_attention_dim=56,
            addition_time_embed_dim=8, projection_class_embeddings_input_dim=72, sample_size=8,
            transformer_layers_per_block=[1, 1, 2])
TEXT = dict(vocab_size=514, hidden_size=24, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4,
            max_position_embeddings=128)
TEXT_2 = dict(TEXT, hidden_size=32, projection_dim=24)
VAE = dict(block_out_channels=[8, 16, 16, 24], layers_per_block=1, norm_num_groups=8, sample_size=64)
# SSD-1B gives each layer a depth of its own, and up blocks theirs.
DEPTHS = dict(transformer_layers_per_block=[[1, 1], [2, 1], [1, 3]],
              reverse_transformer_layers_per_block=[[3, 1, 2], [2, 1, 1], [1, 1, 1]])

# `unet`, `text`, `text_2`: over the published options; `call`: what both pipelines are asked.
CONFIGURATIONS = {
    "published": dict(published=True),
    "fp16 files, 2 seeds": dict(half=True, seeds=[3, 4]),
    "no negative prompt: zeros": dict(call=dict(negative_prompt=None)),
    "no negative prompt: encodes nothing": dict(zeros=False, call=dict(negative_prompt=None)),
    "empty negative prompt, 80x48": dict(call=dict(negative_prompt="", height=80, width=48)),
    "a depth for each layer, ends at 513": dict(unet=DEPTHS, text_2=dict(eos_token_id=513)),
    "no mid block, ddim, 2 seeds 48x96": dict(unet=dict(mid_block_type=None), seeds=[1, 2**40],
                                              scheduler=("DDIMScheduler", dict(BETAS, clip_sample=False)),
                                              call=dict(height=48, width=96)),
    "ddim that clips": dict(scheduler=("DDIMScheduler", BETAS)),
    "euler trailing, unguided": dict(scheduler=("EulerDiscreteScheduler", dict(BETAS, timestep_spacing="trailing")),
                                     call=dict(guidance_scale=1.0, negative_prompt=None)),
    "dpm v zero-snr, shards": dict(scheduler=("DPMSolverMultistepScheduler", dict(BETAS, **V, **ZERO_SNR)), shards=True),
    "heads and depth alike": dict(unet=dict(attention_head_dim=2, transformer_layers_per_block=1, use_linear_projection=False),
                                  text_2=dict(hidden_act="quick_gelu"), text=dict(hidden_act="gelu")),
}


def configs_of(spec):
    return {"unet": published(CHECKPOINT, "unet", **UNET) | spec.get("unet", {}),
            "text_encoder": published(CHECKPOINT, "text_encoder", **TEXT) | spec.get("text", {}),
            "text_encoder_2": published(CHECKPOINT, "text_encoder_2", **TEXT_2) | spec.get("text_2", {}),
            "vae": published(CHECKPOINT, "vae", **VAE),
            "scheduler": published(CHECKPOINT, "scheduler")}


def make_pipeline(spec, configs, generator):
    text = make((CLIPTextConfig, CLIPTextModel), configs["text_encoder"])
    text_2 = make((CLIPTextConfig, CLIPTextModelWithProjection), configs["text_encoder_2"])
    unet = make((None, diffusers.UNet2DConditionModel), configs["unet"])
    vae = make((None, diffusers.AutoencoderKL), configs["vae"])
    for module in (text, text_2, unet, vae):
        scale_weights(module, generator)
        module.eval()
    name, options = spec.get("scheduler", ("EulerDiscreteScheduler", configs["scheduler"]))
    pipe = diffusers.StableDiffusionXLPipeline(
        vae=vae, text_encoder=text, text_encoder_2=text_2, unet=unet, scheduler=getattr(diffusers, name).from_config(options),
        tokenizer=CLIPTokenizer.from_pretrained(BUNDLED / "tokenizer"),
        tokenizer_2=CLIPTokenizer.from_pretrained(BUNDLED / "tokenizer", pad_token="!"),
        force_zeros_for_empty_prompt=spec.get("zeros", True), add_watermarker=False)
    states, _, pooled, _ = pipe.encode_prompt(PROMPT, device="cpu", do_classifier_free_guidance=False)
    noise = torch.randn((1, 4, 16, 16), generator=generator)
    times = torch.tensor([[64.0, 64, 0, 0, 64, 64]])
    predicted = unet(noise, 500, states, added_cond_kwargs=dict(text_embeds=pooled, time_ids=times))[0]
    unet.conv_out.weight /= predicted.std()
    vae.decoder.conv_out.weight *= 0.5 / vae.decode(noise / vae.config.scaling_factor)[0].std()
    if spec.get("half"):
        for module in (text, text_2, unet, vae):
            module.half().float()
    return pipe


def publish(folder, configs):
    """As the first release wrote them: the published keys alone, the text models' names and buffer of then, and the
    vocabularies in two files."""
    def clip(tensors):
        tensors = {key if key.startswith("text_") else "text_model." + key: value for key, value in tensors.items()}
        tensors["text_model.embeddings.position_ids"] = torch.arange(128).unsqueeze(0)
        return tensors
    for component in ("text_encoder", "text_encoder_2"):
        edit_tensors(folder / component / "model.safetensors", clip)
    for component in ("tokenizer", "tokenizer_2"):
        (folder / component / "tokenizer.json").unlink()
        for name in ("vocab.json", "merges.txt"):
            shutil.copy(BUNDLED / "tokenizer" / name, folder / component)
        config = published(CHECKPOINT, component, model_max_length=128)
        (folder / component / "tokenizer_config.json").write_text(json.dumps(config))
    write_published(folder, CHECKPOINT, configs)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """Name -> (folder, diffusers' pipeline)."""
    root = tmp_path_factory.mktemp("checkpoints")
    made = {}
    for number, (name, spec) in enumerate(CONFIGURATIONS.items()):
        configs = configs_of(spec)
        pipe = make_pipeline(spec, configs, torch.Generator().manual_seed(number))
        folder = root / str(number)
        save(pipe, folder, spec)
        if spec.get("published"):
            publish(folder, configs)
        made[name] = (folder, pipe)
    yield made
    shutil.rmtree(root)


def call_arguments(spec):
    return dict(dict(num_inference_steps=10, guidance_scale=5.0, negative_prompt=NEGATIVE), **spec.get("call", {}))


def without_none(arguments):
    return {key: value for key, value in arguments.items() if value is not None}


def reference_picture(pipe, seeds, prompt=PROMPT, **call):
    return generate(pipe, seeds, prompt=prompt, num_images_per_prompt=len(seeds), **call)


def test_latents_and_pictures_equal_diffusers(checkpoints, tmp_path):
    cases = []
    for number, (name, spec) in enumerate(CONFIGURATIONS.items()):
        one = case(checkpoints[name][0], tmp_path / f"{number}.safetensors", spec.get("seeds", [number]))
        cases.append(without_none(one | call_arguments(spec)))
    results, _ = run_cases(cases, tmp_path)
    rows = [(name, ours, reference_picture(checkpoints[name][1], one["seeds"], **call_arguments(spec)))
            for one, ours, (name, spec) in zip(cases, results, CONFIGURATIONS.items())]
    assert not compare("SDXL", rows)


def test_every_published_option_is_covered(checkpoints):
    assert uncovered(CHECKPOINT, [folder for folder, _ in checkpoints.values()]) == []


def test_every_module_counts(checkpoints, tmp_path):
    """With any one module's tensors zero, the picture is another one: no module is left out on our side."""
    folder, pipe = checkpoints["published"]
    call = dict(num_inference_steps=2, guidance_scale=5.0, negative_prompt=NEGATIVE)
    last = "encoder.layers.2."  # what is read of the first encoder is the state before its last layer
    unused = {("vae", "encoder"), ("vae", "quant_conv"), ("text_encoder", "final_layer_norm")}
    unused |= {("text_encoder", name) for name, _ in pipe.text_encoder.named_modules() if name.startswith(last)}
    components = ["text_encoder", "text_encoder_2", "unet", "vae"]
    silent, count = silent_modules(folder, pipe, reference_picture(pipe, [0], **call), components, unused, tmp_path, **call)
    print(f"\nSDXL: {count} modules, each taken away in turn")
    assert not silent


def test_routes(checkpoints, tmp_path):
    folder, pipe = checkpoints["published"]
    arguments = dict(num_inference_steps=6, guidance_scale=5.0, height=64, width=80)
    other, _, _, _ = pipe.encode_prompt(OTHER_PROMPT, device="cpu", do_classifier_free_guidance=False)
    call = dict(arguments, prompt=PROMPT, negative_prompt=NEGATIVE, num_images_per_prompt=2)
    check_single_layers(folder, pipe, other, arguments, call, tmp_path)
    check_whole_routes(folder, cross_attention_layers(pipe.unet), arguments, tmp_path)


def test_pooled_embedding_is_a_stream_of_its_own(checkpoints, tmp_path):
    """The layers read one prompt, the whole network the other's pooled embedding: both ways."""
    folder, pipe = checkpoints["published"]
    arguments = dict(num_inference_steps=10, guidance_scale=5.0)
    embeddings = {}
    for stream, text in (("prompt", PROMPT), ("other", OTHER_PROMPT)):
        embeddings[stream] = pipe.encode_prompt(text, device="cpu", negative_prompt=NEGATIVE)
    routes = [("prompt", "other"), ("other", "prompt")]
    results, _ = run_cases([case(folder, tmp_path / f"{base}.safetensors", [8], **arguments, base=base, pooled=pooled)
                            for base, pooled in routes], tmp_path)
    for (base, pooled), ours in zip(routes, results):
        states, negative, _, negative_pooled = embeddings[base]
        reference, plain = (generate(pipe, [8], **arguments, prompt_embeds=states, negative_prompt_embeds=negative,
                                     pooled_prompt_embeds=embeddings[whose][2], negative_pooled_prompt_embeds=negative_pooled)
                            for whose in (pooled, base))
        moved = difference(reference["latents"], plain["latents"])
        print(f"\nlayers read {base}, pooled {pooled}: {difference(ours['latents'], reference['latents']):.1e}, moved by {moved:.2f}")
        assert difference(ours["latents"], reference["latents"]) <= TOLERANCE
        assert moved > 100 * TOLERANCE
