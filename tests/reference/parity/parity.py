"""What the parity tests share: small random checkpoints whose numbers mean something, and running glyphward on them.

A random network says almost nothing, so its weights are scaled: every layer passes about unit variance on, and what the
denoiser predicts has a standard deviation near 1 at every step, as a trained one's has. Otherwise most modules could be
missing and nobody would notice.
"""

import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import warnings

import diffusers
import numpy as np
import safetensors.torch
import torch
import transformers

BUILD = pathlib.Path(os.environ["GLYPHWARD_BUILD_DIR"])
SOURCE = pathlib.Path(os.environ["GLYPHWARD_SOURCE_DIR"])
BUNDLED = SOURCE / "model/bundled/stable-diffusion"
BUNDLED_3 = SOURCE / "model/bundled/stable-diffusion-3"
PUBLISHED = SOURCE / "tests/data/configs"

# GLYPHWARD_TEST_DEVICE=cuda runs glyphward's side on a GPU, whose kernels add in another order.
DEVICE = os.environ.get("GLYPHWARD_TEST_DEVICE", "cpu")
TOLERANCE = 1e-4 if DEVICE == "cpu" else 2e-3
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


# The keys of a published configuration that a test makes small; every other option stays as published.
SIZES = {"block_out_channels", "cross_attention_dim", "attention_head_dim", "norm_num_groups", "addition_time_embed_dim",
         "projection_class_embeddings_input_dim", "sample_size", "transformer_layers_per_block", "layers_per_block",
         "hidden_size", "intermediate_size", "num_attention_heads", "num_hidden_layers", "projection_dim", "vocab_size",
         "max_position_embeddings", "model_max_length", "d_model", "encoder_attention_heads", "encoder_ffn_dim",
         "encoder_layers", "head_dim", "d_ff", "d_kv", "num_heads", "num_layers", "num_decoder_layers", "caption_projection_dim",
         "joint_attention_dim", "pooled_projection_dim", "pos_embed_max_size", "dual_attention_layers", "encoder_hid_dim",
         "time_embedding_dim", "latent_channels", "in_channels", "out_channels"}
# What a library notes about a file; no option.
NOTES = {"torch_dtype", "dtype", "transformers_version", "architectures"}


def published(checkpoint, component, **sizes):
    """A published component's configuration with these sizes in place of its own."""
    file = next((PUBLISHED / checkpoint / component).glob("*.json"))
    config = json.loads(file.read_text())
    assert sizes.keys() <= SIZES & config.keys()
    return config | sizes


def options(config):
    return {key: value for key, value in config.items() if not key.startswith("_") and key not in NOTES}


def make(classes, config, **more):
    """A diffusers or transformers module, in eval mode, of such a configuration."""
    config_class, module_class = classes
    values = {key: value for key, value in (options(config) | more).items()}
    return module_class(config_class(**values)) if config_class else module_class.from_config(values)


def write_published(folder, checkpoint, configs):
    """Gives a saved checkpoint the published files' configurations: their keys and no more, in these sizes."""
    for component, config in configs.items():
        name = "scheduler_config.json" if component.endswith("scheduler") else "config.json"
        assert (folder / component / name).exists()
        (folder / component / name).write_text(json.dumps(config))
    index = json.loads((PUBLISHED / checkpoint / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index))


def uncovered(checkpoint, folders):
    """The published options that no one of these saved checkpoints has: a size must be there, anything else be equal."""
    missing = []
    for path in (PUBLISHED / checkpoint).rglob("*.json"):
        file = path.relative_to(PUBLISHED / checkpoint)
        found = [json.loads((folder / file).read_text()) for folder in folders]
        for key, value in options(json.loads(path.read_text())).items():
            same = (lambda other: type(other) is type(value)) if key in SIZES else (lambda other: other == value)
            if not any(key in config and same(config[key]) for config in found):
                missing.append(f"{file}: {key} = {value}")
    return missing


def scale_weights(module, generator):
    """Matrices with unit gain, norms near 1, biases that matter."""
    for name, tensor in module.named_parameters():
        noise = torch.randn(tensor.shape, generator=generator)
        if re.search(r"embed(ding|_tokens|_positions)\.weight$", name):
            tensor.copy_(noise)
        elif tensor.dim() >= 2:
            tensor.copy_(noise / tensor[0].numel() ** 0.5)
        elif name.endswith("weight"):
            tensor.copy_(1 + 0.2 * noise)
        else:
            tensor.copy_(0.1 * noise)


def edit_tensors(path, edit):
    safetensors.torch.save_file(edit(safetensors.torch.load_file(path)), path)


def save(pipe, folder, spec, denoiser="unet"):
    if spec.get("half"):
        pipe.to(torch.float16)
    pipe.save_pretrained(folder, variant="fp16" if spec.get("half") else None,
                         max_shard_size="200KB" if spec.get("shards") else "10GB")
    if spec.get("half"):
        pipe.to(torch.float32)
    if spec.get("shards"):
        assert (folder / denoiser / "diffusion_pytorch_model.safetensors.index.json").exists()


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
    return dict(dict(checkpoint=str(checkpoint), output=str(output), device=DEVICE, seeds=seeds, negative_prompt=NEGATIVE,
                     streams=[dict(name="prompt", text=prompt), dict(name="other", text=OTHER_PROMPT)]), **more)


def difference(ours, reference):
    assert ours.shape == reference.shape
    return (ours - reference).abs().max().item()


class Recorder:
    """What a pipeline's denoiser predicted at each step, and the latents after the last."""

    def __init__(self, pipe):
        self.deviations, self.latents = [], None
        denoiser = getattr(pipe, "transformer", None) or pipe.unet
        self.hook = denoiser.register_forward_hook(lambda module, inputs, output: self.deviations.append(output[0].std().item()))
        self.scheduler, self.step = pipe.scheduler, pipe.scheduler.step

        @functools.wraps(self.step)  # pipelines ask its signature whether it takes a generator
        def step(*args, **kwargs):
            result = self.step(*args, **kwargs)
            self.latents = result[0] if isinstance(result, tuple) else result.prev_sample
            return result
        pipe.scheduler.step = step

    def close(self):
        self.hook.remove()
        del self.scheduler.step


def generate(pipe, seeds, generators=None, **call):
    """diffusers' latents, picture 0..1, its bytes, and the standard deviations of what the denoiser predicted."""
    recorder = Recorder(pipe)
    pipe.set_progress_bar_config(disable=True)
    try:
        generators = generators or [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
        image = pipe(generator=generators, output_type="pt", **call).images
    finally:
        recorder.close()
    if isinstance(pipe, (diffusers.IFPipeline, diffusers.IFSuperResolutionPipeline)):
        image = (image / 2 + 0.5).clamp(0, 1)  # "pt" is raw there
    pixels = (image.permute(0, 2, 3, 1).numpy() * 255).round().astype("uint8")
    return dict(latents=recorder.latents, image=image, pixels=pixels, deviations=recorder.deviations)


def compare(family, rows):
    """Prints one line a configuration: (name, our result, diffusers'). Returns the names that differ."""
    failures = []
    print(f"\n{'family':17} {'configuration':40} {'latents':>9} {'image':>9} {'levels':>6}   predicted std   largest latent")
    for name, ours, reference in rows:
        latents = difference(ours["latents"], reference["latents"])
        image = difference(ours["image"], reference["image"])
        levels = np.abs(ours["pixels"].numpy() - reference["pixels"].astype("float32")).max()
        low, high = min(reference["deviations"]), max(reference["deviations"])
        largest = reference["latents"].abs().max().item()
        print(f"{family:17} {name:40} {latents:9.1e} {image:9.1e} {levels:6.0f}   {low:.2f} to {high:.2f}    {largest:6.1f}")
        # A picture of one colour would agree with everything.
        if latents > TOLERANCE or image > TOLERANCE or levels > 1 or low < 0.5 or high > 2 or reference["image"].std() < 0.1:
            failures.append(name)
    return failures


def leaf_modules(pipe, components):
    for component in components:
        for name, module in getattr(pipe, component).named_modules():
            if list(module.parameters(recurse=False)):
                yield component, name


def silent_modules(folder, pipe, reference, components, unused, tmp_path, **arguments):
    """Takes each module's tensors away in turn. Returns those that our picture does not miss, and how many there were."""
    cases, modules = [], []
    for component, module in leaf_modules(pipe, components):
        if (component, module) in unused or (component, module.split(".")[0]) in unused:
            continue
        changed = tmp_path / f"without_{len(modules)}"
        changed.mkdir()
        for entry in folder.iterdir():
            if entry.name != component:
                (changed / entry.name).symlink_to(entry)
        (changed / component).mkdir()
        shutil.copy(folder / component / "config.json", changed / component)
        file = next(path.name for path in (folder / component).glob("*.safetensors"))
        tensors = safetensors.torch.load_file(folder / component / file)
        own = [key for key in tensors if key.removeprefix("text_model.").rsplit(".", 1)[0] == module.removeprefix("text_model.")]
        assert own, module
        for key in own:
            tensors[key] = torch.zeros_like(tensors[key])
        safetensors.torch.save_file(tensors, changed / component / file)
        cases.append(case(changed, tmp_path / f"{len(modules)}.safetensors", [0], **arguments))
        modules.append(f"{component}.{module}")
    results, _ = run_cases([case(folder, tmp_path / "whole.safetensors", [0], **arguments)] + cases, tmp_path)
    assert difference(results[0]["image"], reference["image"]) < TOLERANCE
    silent = [module for module, ours in zip(modules, results[1:])
              if not difference(ours["image"], reference["image"]) > TOLERANCE]
    return silent, len(modules)


def cross_attention_layers(unet):
    """In forward order: modules list down, up, mid."""
    names = [name for name, _ in unet.named_modules() if name.endswith(".attn2")]
    return sorted(names, key=lambda name: ("down", "mid", "up").index(name.split("_")[0]))


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


def check_single_layers(folder, pipe, states, arguments, call, tmp_path, from_steps=(0, 4)):
    """Each layer alone, the last from a later step too, and some sets: ours against hooks in diffusers, whose pooled
    embedding stays the user's."""
    names = cross_attention_layers(pipe.unet)
    routes = [([name], from_steps[0]) for name in names] + [(names[:1], from_steps[1]), (names, 0), (names[1:], 3)]
    cases = [case(folder, tmp_path / f"{i}.safetensors", [5, 6], **arguments, pooled="prompt",
                  layers=[dict(layer=layer, stream="other", from_step=from_step) for layer in layers])
             for i, (layers, from_step) in enumerate(routes)]
    results, answers = run_cases(cases, tmp_path)
    assert answers[0]["attention_layers"] == names
    plain = generate(pipe, [5, 6], **call)
    print()
    for (layers, from_step), ours in zip(routes, results):
        hooks = give_other_prompt(pipe, layers, from_step, states)
        reference = generate(pipe, [5, 6], **call)
        for hook in hooks:
            hook.remove()
        latents = difference(ours["latents"], reference["latents"])
        moved = difference(plain["latents"], reference["latents"])
        print(f"{len(layers)} layers from step {from_step}: difference {latents:.1e}, moved by {moved:.2f}  {layers[0]}")
        assert latents <= TOLERANCE
        assert moved > 100 * TOLERANCE  # the reference itself must show the route


def check_whole_routes(folder, names, arguments, tmp_path):
    """With no layer routed, bit for bit the plain picture; with every layer and the pooled embedding, the other prompt's."""
    def route(output, **more):
        return case(folder, tmp_path / f"{output}.safetensors", [5, 6], **arguments, **more)
    every = [dict(layer=name, stream="other", from_step=0) for name in names]
    (alone, plain, other, swapped, base, offloaded, held), _ = run_cases(
        [route("alone") | dict(streams=[dict(name="prompt", text=PROMPT)]), route("plain"),
         route("other") | dict(streams=[dict(name="prompt", text=OTHER_PROMPT)]),
         route("swapped", layers=every, pooled="other"), route("base", base="other"),
         route("offloaded", layers=every[1:], pooled="other", offload_text_encoders=True),
         route("held", layers=every[1:], pooled="other")], tmp_path)
    assert torch.equal(plain["latents"], alone["latents"]) and torch.equal(plain["image"], alone["image"])
    assert torch.equal(swapped["latents"], other["latents"]) and torch.equal(swapped["image"], other["image"])
    assert torch.equal(base["latents"], other["latents"])
    assert torch.equal(offloaded["latents"], held["latents"]) and torch.equal(offloaded["image"], held["image"])
    assert difference(plain["latents"], other["latents"]) > 100 * TOLERANCE


def check_bundled(folder, tmp_path):
    """A model in the box, with the steps, guidance and size of its glyphward.json."""
    defaults = json.loads((folder / "glyphward.json").read_text())["defaults"]
    pipe = diffusers.DiffusionPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    prompts = ['a thing that says "GARDEN"', 'a green banner on a fence that says "w\u00e9lcome"']
    seeds = [[7, 2**40], [3]]
    cases = [case(folder, tmp_path / f"{i}.safetensors", s, prompt) for i, (prompt, s) in enumerate(zip(prompts, seeds))]
    results, _ = run_cases(cases, tmp_path)
    for prompt, s, ours in zip(prompts, seeds, results):
        reference = generate(pipe, s, prompt=prompt, negative_prompt=NEGATIVE, num_images_per_prompt=len(s), **defaults)
        levels = np.abs(ours["pixels"].numpy() - reference["pixels"].astype("float32"))
        latents = difference(ours["latents"], reference["latents"])
        print(f"\n{folder.name} {s}: latents {latents:.1e}, pixels that differ {int((levels > 0).sum())} of {levels.size}")
        assert levels.max() <= 1
        assert latents <= TOLERANCE
        assert reference["pixels"].std() > 20
