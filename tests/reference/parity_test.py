"""model/ against diffusers: the same checkpoint, prompt and seed must give the same latents and the same picture.

The checkpoints are small and random, and made here. A random network says almost nothing, so its weights are scaled:
every layer passes about unit variance on, and what the UNet predicts has a standard deviation near 1 at every step, as
a trained one's has. Otherwise most modules could be missing and nobody would notice; a test below takes each away.
"""

import json
import os
import pathlib
import shutil
import subprocess
import warnings

import diffusers
import numpy as np
import pytest
import safetensors.torch
import torch
import transformers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

BUILD = pathlib.Path(os.environ["GLYPHWARD_BUILD_DIR"])
SOURCE = pathlib.Path(os.environ["GLYPHWARD_SOURCE_DIR"])
EMBEDDED = SOURCE / "model/embedded/stable-diffusion"

TOLERANCE = 1e-4
PROMPT = 'a red sign on a wall that says "hello"'
OTHER_PROMPT = 'a blue banner that says "goodbye now"'
NEGATIVE = "blurry"

diffusers.logging.set_verbosity_error()
diffusers.logging.disable_progress_bar()
transformers.logging.disable_progress_bar()
warnings.filterwarnings("ignore", category=FutureWarning)
torch.set_grad_enabled(False)

BETAS = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
ZERO_SNR = dict(rescale_betas_zero_snr=True, timestep_spacing="trailing")
V = dict(prediction_type="v_prediction")
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


def scale_weights(module, generator):
    """Matrices with unit gain, norms near 1, biases that matter."""
    for name, tensor in module.named_parameters():
        noise = torch.randn(tensor.shape, generator=generator)
        if "embedding.weight" in name and tensor.dim() == 2:
            tensor.copy_(noise)
        elif tensor.dim() >= 2:
            tensor.copy_(noise / tensor[0].numel() ** 0.5)
        elif name.endswith("weight"):
            tensor.copy_(1 + 0.2 * noise)
        else:
            tensor.copy_(0.1 * noise)


def make_pipeline(spec, generator):
    text = CLIPTextModel(CLIPTextConfig(vocab_size=514, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
                                        num_attention_heads=4, max_position_embeddings=96, bos_token_id=512,
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
    states = text(torch.randint(0, 512, (2, 96), generator=generator))[0]
    noise = torch.randn((2, 4, 16, 16), generator=generator)
    unet.conv_out.weight /= unet(noise, 500, states)[0].std()
    vae.decoder.conv_out.weight *= 0.5 / vae.decode(noise / vae.config.scaling_factor)[0].std()
    if spec.get("half"):
        for module in (text, vae, unet):
            module.half().float()
    name, options = spec["scheduler"]
    return diffusers.StableDiffusionPipeline(
        vae=vae, text_encoder=text, unet=unet, tokenizer=CLIPTokenizer.from_pretrained(EMBEDDED / "tokenizer"),
        scheduler=getattr(diffusers, name)(**options), safety_checker=None, feature_extractor=None,
        requires_safety_checker=False)


def edit_tensors(path, edit):
    safetensors.torch.save_file(edit(safetensors.torch.load_file(path)), path)


def publish(folder, form):
    """Rewrites a folder as the first releases were: key names, and no configuration keys of later years."""
    def clip(tensors):
        tensors = {"text_model." + key.removeprefix("text_model."): value for key, value in tensors.items()}
        tensors["text_model.embeddings.position_ids"] = torch.arange(96).unsqueeze(0)
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


def save(pipe, folder, spec):
    if spec.get("half"):
        pipe.to(torch.float16)
    pipe.save_pretrained(folder, variant="fp16" if spec.get("half") else None,
                         max_shard_size="200KB" if spec.get("shards") else "10GB")
    if spec.get("half"):
        pipe.to(torch.float32)
    if spec.get("shards"):
        assert (folder / "unet/diffusion_pytorch_model.safetensors.index.json").exists()
    if "published" in spec:
        publish(folder, spec["published"])


def call_arguments(spec):
    return dict(dict(num_inference_steps=10, guidance_scale=7.5), **spec.get("call", {}))


def generate_with_diffusers(pipe, seeds, prompt=PROMPT, **call):
    """Latents, the picture 0..1, its bytes, and the standard deviation of what the UNet predicted at each step."""
    deviations, latents = [], []
    hook = pipe.unet.register_forward_hook(lambda module, inputs, output: deviations.append(output[0].std().item()))
    pipe.set_progress_bar_config(disable=True)
    image = pipe(prompt, negative_prompt=NEGATIVE, num_images_per_prompt=len(seeds),
                 generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds], output_type="pt",
                 callback_on_step_end=lambda p, i, t, kwargs: latents.append(kwargs["latents"]) or {}, **call).images
    hook.remove()
    pixels = (image.permute(0, 2, 3, 1).numpy() * 255).round().astype("uint8")
    return dict(latents=latents[-1], image=image, pixels=pixels, deviations=deviations)


def run_cases(cases, folder):
    """Runs glyphward's side of many cases in one process."""
    path = folder / "cases.json"
    path.write_text(json.dumps(cases))
    run = subprocess.run([BUILD / "glyphward_generate_reference", path], capture_output=True, text=True, check=True,
                         timeout=600)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(answers) == len(cases), run.stderr
    for answer in answers:
        assert "error" not in answer, answer
    return [safetensors.torch.load_file(case["output"]) for case in cases], answers


def case(checkpoint, output, seeds, prompt=PROMPT, **more):
    return dict(dict(checkpoint=str(checkpoint), output=str(output), seeds=seeds, negative_prompt=NEGATIVE,
                     streams=[dict(name="prompt", text=prompt), dict(name="other", text=OTHER_PROMPT)]), **more)


def difference(ours, reference):
    assert ours.shape == reference.shape
    return (ours - reference).abs().max().item()


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """Name -> (folder, diffusers' pipeline)."""
    root = tmp_path_factory.mktemp("checkpoints")
    made = {}
    for number, (name, spec) in enumerate(CONFIGURATIONS.items()):
        pipe = make_pipeline(spec, torch.Generator().manual_seed(number))
        folder = root / name.replace(" ", "-").replace(",", "")
        save(pipe, folder, spec)
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

    failures = []
    print(f"\n{'configuration':32} {'latents':>9} {'image':>9} {'levels':>6}   predicted std   largest latent")
    for one, ours, (name, spec) in zip(cases, results, CONFIGURATIONS.items()):
        reference = generate_with_diffusers(checkpoints[name][1], one["seeds"], **call_arguments(spec))
        latents = difference(ours["latents"], reference["latents"])
        image = difference(ours["image"], reference["image"])
        levels = np.abs(ours["pixels"].numpy() - reference["pixels"].astype("float32")).max()
        low, high = min(reference["deviations"]), max(reference["deviations"])
        largest = reference["latents"].abs().max().item()
        print(f"{name:32} {latents:9.1e} {image:9.1e} {levels:6.0f}   {low:.2f} to {high:.2f}    {largest:6.1f}")
        # A picture of one colour would agree with everything.
        if latents > TOLERANCE or image > TOLERANCE or levels > 1 or low < 0.5 or high > 2 or reference["image"].std() < 0.1:
            failures.append(name)
    assert not failures


def leaf_modules(pipe):
    for component in ("text_encoder", "unet", "vae"):
        for name, module in getattr(pipe, component).named_modules():
            if list(module.parameters(recurse=False)):
                yield component, name


@pytest.mark.parametrize("name", ["sd1 ddim leading", "sd2 ddim v"])
def test_every_module_counts(checkpoints, tmp_path, name):
    """With any one module's tensors zero, the picture is another one: no module is left out on our side."""
    folder, pipe = checkpoints[name]
    call = dict(num_inference_steps=3, guidance_scale=7.5)
    reference = generate_with_diffusers(pipe, [0], **call)
    cases, modules = [], []
    for component, module in leaf_modules(pipe):
        if component == "vae" and (module.startswith("encoder") or module == "quant_conv"):
            continue  # generation runs the decoder alone
        changed = tmp_path / f"without_{len(modules)}"
        changed.mkdir()
        for entry in folder.iterdir():
            if entry.name != component:
                (changed / entry.name).symlink_to(entry)
        (changed / component).mkdir()
        shutil.copy(folder / component / "config.json", changed / component)
        file = "model.safetensors" if component == "text_encoder" else "diffusion_pytorch_model.safetensors"
        tensors = safetensors.torch.load_file(folder / component / file)
        own = [key for key in tensors if key.removeprefix("text_model.").rsplit(".", 1)[0] == module.removeprefix("text_model.")]
        assert own, module
        for key in own:
            tensors[key] = torch.zeros_like(tensors[key])
        safetensors.torch.save_file(tensors, changed / component / file)
        cases.append(case(changed, tmp_path / f"{len(modules)}.safetensors", [0], **call))
        modules.append(f"{component}.{module}")
    results, _ = run_cases([case(folder, tmp_path / "whole.safetensors", [0], **call)] + cases, tmp_path)
    assert difference(results[0]["image"], reference["image"]) < TOLERANCE
    silent = [module for module, ours in zip(modules, results[1:])
              if not difference(ours["image"], reference["image"]) > TOLERANCE]
    print(f"\n{name}: {len(modules)} modules, each taken away in turn")
    assert not silent


def give_other_prompt(pipe, layers, from_step, states):
    """Hooks that let some cross-attention layers read other text states in the conditional half. Returns the hooks."""
    calls = []
    hooks = [pipe.unet.register_forward_pre_hook(lambda module, inputs: calls.append(1))]
    for layer in layers:
        def swap(module, args, kwargs):
            if len(calls) - 1 >= from_step:
                text = kwargs["encoder_hidden_states"].clone()
                text[text.shape[0] // 2:] = states
                kwargs["encoder_hidden_states"] = text
            return args, kwargs
        hooks.append(pipe.unet.get_submodule(layer).register_forward_pre_hook(swap, with_kwargs=True))
    return hooks


def test_routed_layers_read_the_other_prompt(checkpoints, tmp_path):
    folder, pipe = checkpoints["sd1 euler leading, 2 seeds"]
    other, _ = pipe.encode_prompt(OTHER_PROMPT, "cpu", 1, False)
    names = [name for name, _ in pipe.unet.named_modules() if name.endswith(".attn2")]
    # Forward order: modules list down, up, mid.
    names.sort(key=lambda name: ("down", "mid", "up").index(name.split("_")[0]))
    routes = [([name], 0) for name in names] + [(names[:1], 4), (names[1:], 7), (names, 0), (names, 3)]
    call = dict(num_inference_steps=10, guidance_scale=7.5)
    cases = [case(folder, tmp_path / f"{i}.safetensors", [5, 6], **call,
                  layers=[dict(layer=layer, stream="other", from_step=from_step) for layer in layers])
             for i, (layers, from_step) in enumerate(routes)]
    results, answers = run_cases(cases, tmp_path)
    assert answers[0]["attention_layers"] == names
    plain = generate_with_diffusers(pipe, [5, 6], **call)
    print()
    for (layers, from_step), ours in zip(routes, results):
        hooks = give_other_prompt(pipe, layers, from_step, other)
        reference = generate_with_diffusers(pipe, [5, 6], **call)
        for hook in hooks:
            hook.remove()
        latents = difference(ours["latents"], reference["latents"])
        moved = difference(plain["latents"], reference["latents"])
        print(f"{len(layers)} layers from step {from_step}: difference {latents:.1e}, moved by {moved:.2f}  {layers[0]}")
        assert latents <= TOLERANCE
        assert moved > 100 * TOLERANCE  # the reference itself must show the route


def test_embedded_model_draws_what_diffusers_draws(tmp_path):
    pipe = diffusers.StableDiffusionPipeline.from_pretrained(EMBEDDED, torch_dtype=torch.float32, safety_checker=None)
    prompts = ['a red sign on a blue wall that says "hello"', 'a thing that says "GARDEN"', "a yellow plate on a fence",
               'a green banner that says "w\u00e9lcome"']
    seeds = [[0], [7, 8], [2**40], [3]]
    # Steps, guidance and size are those of its glyphward.json.
    cases = [case(EMBEDDED, tmp_path / f"{i}.safetensors", s, prompt) for i, (prompt, s) in enumerate(zip(prompts, seeds))]
    results, _ = run_cases(cases, tmp_path)
    for prompt, s, ours in zip(prompts, seeds, results):
        reference = generate_with_diffusers(pipe, s, prompt, num_inference_steps=12, guidance_scale=2.0, height=64, width=192)
        levels = np.abs(ours["pixels"].numpy() - reference["pixels"].astype("float32"))
        latents = difference(ours["latents"], reference["latents"])
        print(f"\nembedded {s}: latents {latents:.1e}, pixels that differ {int((levels > 0).sum())} of {levels.size}")
        assert levels.max() <= 1
        assert latents <= TOLERANCE
        assert reference["pixels"].std() > 20
