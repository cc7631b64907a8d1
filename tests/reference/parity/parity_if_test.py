"""DeepFloyd IF against diffusers' IFPipeline, alone and with IFSuperResolutionPipeline after it, both without clean_caption.
The checkpoints are the published configurations in small, and variations of them; parity.py says how their weights are made."""

import shutil

import diffusers
import pytest
import torch
from transformers import T5Config, T5EncoderModel, T5Tokenizer

import t5_tokenizer_test
from parity import (NEGATIVE, OTHER_PROMPT, TOLERANCE, case, compare, difference, generate, give_other_prompt, make, published, run_cases, save,
                    scale_weights, silent_modules, uncovered, write_published)

PROMPT = 'A Red SIGN on a wall that says "hello"'  # IF lowers it
STAGE_1, STAGE_2 = "IF-I-XL-v1.0", "IF-II-L-v1.0"
TEXT = dict(d_model=64, d_ff=96, d_kv=8, num_heads=4, num_layers=3, num_decoder_layers=3, vocab_size=2128)
UNET_1 = dict(block_out_channels=[16, 16, 32, 32], norm_num_groups=2, attention_head_dim=8, cross_attention_dim=32, encoder_hid_dim=64,
              layers_per_block=1, sample_size=16)
UNET_2 = dict(block_out_channels=[16, 16, 16, 32, 32], norm_num_groups=2, attention_head_dim=8, cross_attention_dim=32, encoder_hid_dim=64,
              layers_per_block=[1, 1, 1, 2, 1], sample_size=32, time_embedding_dim=48)

# `unet`, `unet_2`: over the published options; `call`: what both are asked; `deviation`: of what the networks predict at first.
CONFIGURATIONS = {
    "stage I published": dict(published=True),
    "stage I, 2 seeds 16x32": dict(seeds=[3, 4], call=dict(height=16, width=32)),
    "stage I unguided": dict(call=dict(guidance_scale=1.0, negative_prompt=None)),
    "stage I fixed variance, empty negative": dict(scheduler=dict(variance_type="fixed_large", thresholding=False),
                                                   call=dict(negative_prompt="")),
    "stages I and II published": dict(published=True, two=True),
    "stages I and II, 2 seeds 32x64": dict(two=True, seeds=[5, 2**40], half=True, call=dict(height=32, width=64)),
    "stages I and II, self-attention": dict(two=True, unet=dict(layers_per_block=[1, 2, 1, 1], class_embed_type=None, freq_shift=1),
                                            unet_2=dict(only_cross_attention=False, mid_block_only_cross_attention=True, flip_sin_to_cos=False),
                                            shards=True),
    "stages I and II unguided, v": dict(two=True, unet=dict(only_cross_attention=True, resnet_skip_time_act=True, time_embedding_act_fn="gelu"),
                                        scheduler=dict(prediction_type="v_prediction", variance_type="fixed_small", timestep_spacing="trailing"),
                                        call=dict(guidance_scale=1.0), deviation=1.3),
}


def configs_of(spec, stage):
    checkpoint, sizes, over = (STAGE_1, UNET_1, "unet") if stage == 1 else (STAGE_2, UNET_2, "unet_2")
    return {"unet": published(checkpoint, "unet", **sizes) | spec.get(over, {}),
            "text_encoder": published(checkpoint, "text_encoder", **TEXT),
            "scheduler": published(checkpoint, "scheduler") | spec.get("scheduler", {})}


def make_unet(config, generator, deviation):
    unet = make((None, diffusers.UNet2DConditionModel), config)
    scale_weights(unet, generator)
    unet.eval()
    # What a trained network predicts is nearly its input, so that errors of the input cancel, and the two halves of guidance
    # are nearly alike; a random one multiplies errors at each step, and by the guidance, until they are pictures of their own.
    # So here the picture and the text are the lesser part of what the network sees.
    share = 0.1 if config["in_channels"] == 3 else 0.02
    unet.conv_in.weight *= share
    unet.conv_in.bias.copy_(torch.randn(unet.conv_in.bias.shape, generator=generator))
    unet.add_embedding.norm2.weight *= share
    for name, tensor in unet.named_parameters():
        if name.endswith(("add_v_proj.weight", "add_v_proj.bias")):
            tensor *= share
    size = config["sample_size"]
    noise = torch.randn((1, config["in_channels"], size, size), generator=generator)
    states = torch.randn((1, 77, 64), generator=generator)
    labels = dict(class_labels=torch.tensor([250])) if config["class_embed_type"] else {}
    predicted = unet(noise, 500, states, **labels)[0]
    unet.conv_out.weight *= deviation / predicted[:, :3].std()
    # Where the variance lies in its range: within -1 and 1, as trained ones stay; the noise grows as its exponential.
    unet.conv_out.weight[3:] *= 0.3
    return unet


def make_pipelines(spec, generator, spiece):
    """Stage I, and stage II or None."""
    configs = configs_of(spec, 1)
    text = make((T5Config, T5EncoderModel), configs["text_encoder"])
    scale_weights(text, generator)
    text.eval()
    text.shared.weight.copy_(torch.randn(text.shared.weight.shape, generator=generator))
    tokenizer = T5Tokenizer.from_pretrained(spiece)
    parts = dict(tokenizer=tokenizer, text_encoder=text, safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    deviation = spec.get("deviation", 1.5)
    unet = make_unet(configs["unet"], generator, deviation)
    stage_1 = diffusers.IFPipeline(unet=unet, scheduler=diffusers.DDPMScheduler.from_config(configs["scheduler"]), watermarker=None, **parts)
    stage_2 = None
    if spec.get("two"):
        configs = configs_of(spec, 2)
        noising = diffusers.DDPMScheduler.from_config(published(STAGE_2, "image_noising_scheduler"))
        stage_2 = diffusers.IFSuperResolutionPipeline(unet=make_unet(configs["unet"], generator, deviation), image_noising_scheduler=noising,
                                                      scheduler=diffusers.DDPMScheduler.from_config(configs["scheduler"]), watermarker=None, **parts)
    if spec.get("half"):
        for module in [text, unet] + ([stage_2.unet] if stage_2 else []):
            module.half().float()
    return stage_1, stage_2


def save_stage(pipe, folder, spec, checkpoint, configs, spiece):
    save(pipe, folder, spec)
    shutil.copy(spiece / "spiece.model", folder / "tokenizer")
    if spec.get("published"):
        write_published(folder, checkpoint, configs)


@pytest.fixture(scope="module")
def spiece(tmp_path_factory):
    return t5_tokenizer_test.train(tmp_path_factory.mktemp("spiece"), vocab_size=2000)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory, spiece):
    """Name -> (folder, diffusers' pipelines)."""
    root = tmp_path_factory.mktemp("checkpoints")
    made = {}
    for number, (name, spec) in enumerate(CONFIGURATIONS.items()):
        pipes = make_pipelines(spec, torch.Generator().manual_seed(number), spiece)
        folder = root / str(number)
        save_stage(pipes[0], folder, spec, STAGE_1, configs_of(spec, 1), spiece)
        if pipes[1]:
            save_stage(pipes[1], folder / "stage_2", spec, STAGE_2, configs_of(spec, 2), spiece)
            shutil.rmtree(folder / "stage_2" / "text_encoder")  # it is the same as stage I's, and not read
        made[name] = (folder, pipes)
    yield made
    shutil.rmtree(root)


def call_arguments(spec):
    arguments = dict(dict(num_inference_steps=10, guidance_scale=4.0, negative_prompt=NEGATIVE), **spec.get("call", {}))
    return {key: value for key, value in arguments.items() if value is not None}


def reference_picture(pipes, seeds, prompt=PROMPT, prompt_2=None, height=None, width=None, **call):
    """Both stages with the same generators, one after the other, as their authors run them."""
    stage_1, stage_2 = pipes
    generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
    call = dict(call, num_images_per_prompt=len(seeds), clean_caption=False, generator=generators)
    scale = stage_2.unet.config.sample_size // stage_1.unet.config.sample_size if stage_2 else 1
    size = dict(height=height // scale, width=width // scale) if height else {}
    first = generate_with(stage_1, prompt=prompt, **call, **size)
    if not stage_2:
        return first
    call["guidance_scale"] = 4.0 if call["guidance_scale"] > 1 else 1.0
    # Several pictures of one prompt: diffusers wants as many embeddings as pictures.
    states, negative = stage_2.encode_prompt(prompt_2 or prompt, call["guidance_scale"] > 1, num_images_per_prompt=len(seeds), device="cpu",
                                             negative_prompt=call.get("negative_prompt"), clean_caption=False)
    call = {key: value for key, value in call.items() if key not in ("negative_prompt", "num_images_per_prompt")}
    size = dict(height=height, width=width) if height else {}
    second = generate_with(stage_2, image=first["raw"], prompt_embeds=states, negative_prompt_embeds=negative, **call, **size)
    second["deviations"] += first["deviations"]
    return second


def generate_with(pipe, generator, **call):
    reference = generate(pipe, [], generators=generator, **call)
    reference["raw"] = reference["latents"]
    reference["latents"] = reference["image"]  # IF has no latents
    return reference


def test_pictures_equal_diffusers(checkpoints, tmp_path):
    cases = [case(checkpoints[name][0], tmp_path / f"{number}.safetensors", spec.get("seeds", [number]), prompt=PROMPT) | call_arguments(spec)
             for number, (name, spec) in enumerate(CONFIGURATIONS.items())]
    for one, spec in zip(cases, CONFIGURATIONS.values()):
        if "negative_prompt" not in call_arguments(spec):
            del one["negative_prompt"]
    results, _ = run_cases(cases, tmp_path)
    rows = []
    for one, ours, (name, spec) in zip(cases, results, CONFIGURATIONS.items()):
        assert "latents" not in ours
        rows.append((name, dict(ours, latents=ours["image"]), reference_picture(checkpoints[name][1], one["seeds"], **call_arguments(spec))))
    assert not compare("DeepFloyd IF", rows)


def test_every_published_option_is_covered(checkpoints):
    def missing(checkpoint, folders):
        return [line for line in uncovered(checkpoint, folders) if not line.startswith("tokenizer")]
    folder, folder_2 = checkpoints["stage I published"][0], checkpoints["stages I and II published"][0]
    assert missing(STAGE_1, [folder, folder_2]) == []
    shutil.copytree(folder_2 / "text_encoder", folder_2 / "stage_2/text_encoder")
    assert missing(STAGE_2, [folder_2 / "stage_2"]) == []
    shutil.rmtree(folder_2 / "stage_2/text_encoder")


def test_every_module_counts(checkpoints, tmp_path):
    """With any one module's tensors zero, the picture is another one: no module is left out on our side."""
    folder, pipes = checkpoints["stage I published"]
    call = dict(num_inference_steps=3, guidance_scale=4.0, negative_prompt=NEGATIVE)
    silent, count = silent_modules(folder, pipes[0], reference_picture(pipes, [0], **call), ["text_encoder", "unet"],
                                   {("text_encoder", "encoder.embed_tokens")}, tmp_path, prompt=PROMPT, **call)
    print(f"\nDeepFloyd IF: {count} modules, each taken away in turn")
    assert not silent


# ---- Routing -----------------------------------------------------------------------------------

ROUTE_CALL = dict(num_inference_steps=10, guidance_scale=4.0, negative_prompt=NEGATIVE)


def attention_layers(unet):
    names = [name for name, _ in unet.named_modules() if name.split(".")[-2:-1] == ["attentions"]]
    return sorted(names, key=lambda name: ("down", "mid", "up").index(name.split("_")[0]))


def test_routed_layers_read_the_other_prompt(checkpoints, tmp_path):
    """Each layer alone and some sets, with the user's pooled embedding; with stage II, that reads the other prompt."""
    routes = [("stage I published", [name], 0) for name in attention_layers(checkpoints["stage I published"][1][0].unet)]
    names = [route[1][0] for route in routes]
    routes += [("stage I published", names[:1], 4), ("stage I published", names[1:], 7), ("stage I published", names, 0),
               ("stages I and II published", names[-2:-1], 0)]
    cases = [case(checkpoints[name][0], tmp_path / f"{i}.safetensors", [5], prompt=PROMPT, **ROUTE_CALL, pooled="prompt",
                  layers=[dict(layer=layer, stream="other", from_step=from_step) for layer in layers])
             for i, (name, layers, from_step) in enumerate(routes)]
    results, answers = run_cases(cases, tmp_path)
    print()
    for (name, layers, from_step), ours, answer in zip(routes, results, answers):
        pipes = checkpoints[name][1]
        assert answer["attention_layers"] == names
        other, _ = pipes[0].encode_prompt(OTHER_PROMPT, False, device="cpu", clean_caption=False)
        hooks = give_other_prompt(pipes[0], layers, from_step, pipes[0].unet.encoder_hid_proj(other))
        expected = reference_picture(pipes, [5], prompt_2=OTHER_PROMPT, **ROUTE_CALL)
        for hook in hooks:
            hook.remove()
        plain = reference_picture(pipes, [5], **ROUTE_CALL)
        apart, moved = difference(ours["image"], expected["image"]), difference(plain["image"], expected["image"])
        print(f"{name}: {len(layers)} layers from step {from_step}: difference {apart:.1e}, moved by {moved:.2f}  {layers[0]}")
        assert apart <= TOLERANCE
        assert moved > 50 * TOLERANCE  # the reference itself must show the route


@pytest.mark.parametrize("name", ["stage I published", "stages I and II published"])
def test_whole_routes(checkpoints, tmp_path, name):
    """With no layer routed, bit for bit the plain picture; with every layer and the pooled embedding, the other prompt's."""
    folder, pipes = checkpoints[name]

    def route(output, **more):
        return case(folder, tmp_path / f"{output}.safetensors", [5, 6], prompt=PROMPT, **ROUTE_CALL) | more
    every = [dict(layer=layer, stream="other", from_step=0) for layer in attention_layers(pipes[0].unet)]
    (alone, plain, other, swapped, base, offloaded), _ = run_cases(
        [route("alone", streams=[dict(name="prompt", text=PROMPT)]), route("plain"),
         route("other", streams=[dict(name="prompt", text=OTHER_PROMPT)]), route("swapped", layers=every, pooled="other"),
         route("base", base="other"),
         route("offloaded", layers=every, pooled="other", offload_text_encoders=True)], tmp_path)
    assert torch.equal(plain["image"], alone["image"])
    assert torch.equal(swapped["image"], other["image"]) and torch.equal(base["image"], other["image"])
    assert torch.equal(offloaded["image"], swapped["image"])
    assert difference(plain["image"], other["image"]) > 50 * TOLERANCE
