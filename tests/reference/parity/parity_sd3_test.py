"""Stable Diffusion 3 and 3.5 against diffusers' StableDiffusion3Pipeline, and the routing of joint attention against hooks.
The checkpoints are the published configurations in small, and variations of them; parity.py says how their weights are made."""

import shutil

import diffusers
import pytest
import torch
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, CLIPTokenizer, T5Config, T5EncoderModel, T5Tokenizer

import t5_tokenizer_test
from parity import (BUNDLED, BUNDLED_3, NEGATIVE, OTHER_PROMPT, PROMPT, TOLERANCE, case, check_bundled, compare, difference,
                    generate, make, published, run_cases, save, scale_weights, silent_modules, uncovered, write_published)

MEDIUM, MEDIUM_35, LARGE_35 = "stable-diffusion-3-medium-diffusers", "stable-diffusion-3.5-medium", "stable-diffusion-3.5-large"
TRANSFORMER = dict(attention_head_dim=8, num_attention_heads=4, caption_projection_dim=32, num_layers=4, joint_attention_dim=64,
                   pooled_projection_dim=40, pos_embed_max_size=16, sample_size=8)
TEXT = dict(vocab_size=514, hidden_size=24, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4,
            max_position_embeddings=128, projection_dim=16)
TEXT_2 = dict(TEXT, hidden_size=32, projection_dim=24)
TEXT_3 = dict(d_model=64, d_ff=96, d_kv=8, num_heads=4, num_layers=3, num_decoder_layers=3, vocab_size=2128)
VAE = dict(block_out_channels=[8, 16, 16, 24], layers_per_block=1, norm_num_groups=8, sample_size=64)

# `transformer`: over the published options; `call`: what both pipelines are asked.
CONFIGURATIONS = {
    "3-medium published": dict(checkpoint=MEDIUM, published=True),
    "3-medium without T5, 2 seeds": dict(checkpoint=MEDIUM, t5=False, seeds=[3, 4]),
    "3.5-medium published, 80x48": dict(checkpoint=MEDIUM_35, published=True, transformer=dict(dual_attention_layers=[0, 1, 2]),
                                        call=dict(height=80, width=48)),
    "3.5-medium fp16 files, 2 seeds 48x96": dict(checkpoint=MEDIUM_35, transformer=dict(dual_attention_layers=[0, 2]), half=True,
                                                 seeds=[1, 2**40], call=dict(height=48, width=96)),
    "3.5-large published": dict(checkpoint=LARGE_35, published=True, seeds=[7]),
    "3.5-large unguided, odd positions": dict(checkpoint=LARGE_35, transformer=dict(pos_embed_max_size=13),
                                              call=dict(guidance_scale=1.0, height=80, width=112)),
    "3-medium shift 1, empty negative": dict(checkpoint=MEDIUM, scheduler=dict(shift=1.0), call=dict(negative_prompt="")),
    "3-medium 28 steps, shards": dict(checkpoint=MEDIUM, transformer=dict(patch_size=1, sample_size=8), shards=True,
                                      call=dict(num_inference_steps=28)),
}


def configs_of(spec):
    checkpoint = spec["checkpoint"]
    return {"transformer": published(checkpoint, "transformer", **TRANSFORMER) | spec.get("transformer", {}),
            "text_encoder": published(checkpoint, "text_encoder", **TEXT),
            "text_encoder_2": published(checkpoint, "text_encoder_2", **TEXT_2),
            "text_encoder_3": published(checkpoint, "text_encoder_3", **TEXT_3),
            "vae": published(checkpoint, "vae", **VAE),
            "scheduler": published(checkpoint, "scheduler") | spec.get("scheduler", {})}


def make_pipeline(spec, configs, generator, spiece):
    text = make((CLIPTextConfig, CLIPTextModelWithProjection), configs["text_encoder"])
    text_2 = make((CLIPTextConfig, CLIPTextModelWithProjection), configs["text_encoder_2"])
    text_3 = make((T5Config, T5EncoderModel), configs["text_encoder_3"])
    transformer = make((None, diffusers.SD3Transformer2DModel), configs["transformer"])
    vae = make((None, diffusers.AutoencoderKL), configs["vae"])
    for module in (text, text_2, text_3, transformer, vae):
        scale_weights(module, generator)
        module.eval()
    text_3.shared.weight.copy_(torch.randn(text_3.shared.weight.shape, generator=generator))
    pipe = diffusers.StableDiffusion3Pipeline(
        transformer=transformer, vae=vae, text_encoder=text, text_encoder_2=text_2,
        text_encoder_3=text_3 if spec.get("t5", True) else None,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler.from_config(configs["scheduler"]),
        tokenizer=CLIPTokenizer.from_pretrained(BUNDLED / "tokenizer"),
        tokenizer_2=CLIPTokenizer.from_pretrained(BUNDLED / "tokenizer", pad_token="!"),
        tokenizer_3=T5Tokenizer.from_pretrained(spiece) if spec.get("t5", True) else None)
    states, _, pooled, _ = pipe.encode_prompt(PROMPT, PROMPT, PROMPT, device="cpu", do_classifier_free_guidance=False)
    noise = torch.randn((1, 16, 8, 8), generator=generator)
    predicted = transformer(noise, states, pooled, torch.tensor([500.0]))[0]
    transformer.proj_out.weight /= predicted.std()
    transformer.proj_out.bias *= 0
    vae.decoder.conv_out.weight *= 0.5 / vae.decode(noise / vae.config.scaling_factor)[0].std()
    if spec.get("half"):
        for module in (text, text_2, text_3, transformer, vae):
            module.half().float()
    return pipe


@pytest.fixture(scope="module")
def spiece(tmp_path_factory):
    return t5_tokenizer_test.train(tmp_path_factory.mktemp("spiece"), vocab_size=2000)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory, spiece):
    """Name -> (folder, diffusers' pipeline)."""
    root = tmp_path_factory.mktemp("checkpoints")
    made = {}
    for number, (name, spec) in enumerate(CONFIGURATIONS.items()):
        configs = configs_of(spec)
        pipe = make_pipeline(spec, configs, torch.Generator().manual_seed(number), spiece)
        folder = root / str(number)
        save(pipe, folder, spec, "transformer")
        if spec.get("t5", True):
            shutil.copy(spiece / "spiece.model", folder / "tokenizer_3")
        if spec.get("published"):
            write_published(folder, spec["checkpoint"], configs)
        made[name] = (folder, pipe)
    yield made
    shutil.rmtree(root)


def call_arguments(spec):
    return dict(dict(num_inference_steps=10, guidance_scale=5.0, negative_prompt=NEGATIVE), **spec.get("call", {}))


def reference_picture(pipe, seeds, prompt=PROMPT, **call):
    return generate(pipe, seeds, prompt=prompt, num_images_per_prompt=len(seeds), **call)


def test_latents_and_pictures_equal_diffusers(checkpoints, tmp_path):
    cases = [case(checkpoints[name][0], tmp_path / f"{number}.safetensors", spec.get("seeds", [number])) | call_arguments(spec)
             for number, (name, spec) in enumerate(CONFIGURATIONS.items())]
    results, _ = run_cases(cases, tmp_path)
    rows = [(name, ours, reference_picture(checkpoints[name][1], one["seeds"], **call_arguments(spec)))
            for one, ours, (name, spec) in zip(cases, results, CONFIGURATIONS.items())]
    assert not compare("SD3", rows)


@pytest.mark.parametrize("checkpoint", [MEDIUM, MEDIUM_35, LARGE_35])
def test_every_published_option_is_covered(checkpoints, checkpoint):
    folders = [checkpoints[name][0] for name, spec in CONFIGURATIONS.items() if spec["checkpoint"] == checkpoint and spec.get("t5", True)]
    tokenizer = [line for line in uncovered(checkpoint, folders) if not line.startswith("tokenizer")]
    assert tokenizer == []


def test_every_module_counts(checkpoints, tmp_path):
    """With any one module's tensors zero, the picture is another one: no module is left out on our side."""
    folder, pipe = checkpoints["3.5-medium published, 80x48"]
    call = dict(num_inference_steps=2, guidance_scale=5.0, negative_prompt=NEGATIVE)
    components = ["text_encoder", "text_encoder_2", "text_encoder_3", "transformer", "vae"]
    # The last block's text queries lead nowhere; T5's embedding has two names.
    unused = {("vae", "encoder"), ("text_encoder_3", "encoder.embed_tokens"),
              ("transformer", "transformer_blocks.3.attn.add_q_proj"), ("transformer", "transformer_blocks.3.attn.norm_added_q")}
    silent, count = silent_modules(folder, pipe, reference_picture(pipe, [0], **call), components, unused, tmp_path, **call)
    print(f"\nSD3: {count} modules, each taken away in turn")
    assert not silent


# ---- Routing -----------------------------------------------------------------------------------

BLOCKS = 4
STEPS = 4
ROUTE_CALL = dict(num_inference_steps=STEPS, guidance_scale=5.0, height=64, width=80, negative_prompt=NEGATIVE)


class KeepingProcessor:
    """diffusers' joint attention, which gives away and takes the text's keys and values of the conditional half."""

    def __init__(self):
        self.kept, self.given = None, None  # (key, value), each [b, heads, T, d]

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, **_):
        def heads(states, norm=None):
            states = states.unflatten(-1, (attn.heads, -1)).transpose(1, 2)
            return norm(states) if norm is not None else states
        query, key, value = heads(attn.to_q(hidden_states), attn.norm_q), heads(attn.to_k(hidden_states), attn.norm_k), heads(attn.to_v(hidden_states))
        text_query = heads(attn.add_q_proj(encoder_hidden_states), attn.norm_added_q)
        text_key = heads(attn.add_k_proj(encoder_hidden_states), attn.norm_added_k)
        text_value = heads(attn.add_v_proj(encoder_hidden_states))
        self.image = (key, value)
        rows = len(text_key) // 2 if len(text_key) > 2 else 0
        self.kept = (text_key[rows:].clone(), text_value[rows:].clone())
        if self.given is not None:
            text_key[-len(self.given[0]):], text_value[-len(self.given[1]):] = self.given
        out = torch.nn.functional.scaled_dot_product_attention(
            torch.cat([query, text_query], 2), torch.cat([key, text_key], 2), torch.cat([value, text_value], 2))
        out = out.transpose(1, 2).flatten(2)
        pixels = hidden_states.shape[1]
        text_out = out[:, pixels:]
        return attn.to_out[0](out[:, :pixels]), text_out if attn.context_pre_only else attn.to_add_out(text_out)


class Reference:
    """The three modes, written with hooks around diffusers' own modules. Two images, guided."""

    def __init__(self, pipe):
        self.pipe, self.transformer = pipe, pipe.transformer
        self.processors = [KeepingProcessor() for _ in self.transformer.transformer_blocks]
        self.before = [block.attn.processor for block in self.transformer.transformer_blocks]
        for block, processor in zip(self.transformer.transformer_blocks, self.processors):
            block.attn.processor = processor
        self.text = {}
        for stream, prompt in (("prompt", PROMPT), ("other", OTHER_PROMPT)):
            states, negative, pooled, negative_pooled = pipe.encode_prompt(
                prompt, prompt, prompt, device="cpu", num_images_per_prompt=2, negative_prompt=NEGATIVE)
            self.text[stream] = (states, pooled)
        self.negative = (negative, negative_pooled)

    def close(self):
        for block, processor in zip(self.transformer.transformer_blocks, self.before):
            block.attn.processor = processor

    def run(self, latents, timestep, stream, pooled, given=None, guided=True):
        """Velocities [uncond, cond] or cond alone, and every block's kept text keys and values of the cond half."""
        states, pooled = self.text[stream][0], self.text[pooled][1]
        if guided:
            states, pooled = torch.cat([self.negative[0], states]), torch.cat([self.negative[1], pooled])
            latents = torch.cat([latents, latents])
        for block, processor in enumerate(self.processors):
            processor.given = (given or {}).get(block)
        out = self.transformer(latents, states, pooled, timestep.expand(len(latents)), return_dict=False)[0]
        return out, [processor.kept for processor in self.processors]

    def side(self, latents, timestep, pooled, blocks):
        """Carries the other text beside the main pass, block by block: what the picture reads of it at `blocks`."""
        transformer = self.transformer
        temb = transformer.time_text_embed(timestep.expand(2), self.text["other"][1])
        states = transformer.context_embedder(self.text["other"][0])
        given = {}
        for block in range(max(blocks) + 1):
            # The picture's keys and values at this block, with what it has read so far.
            self.run(latents, timestep, "prompt", pooled, given)
            key, value = (tensor[2:] for tensor in self.processors[block].image)
            module = transformer.transformer_blocks[block]
            attn = module.attn
            heads = lambda x: x.unflatten(-1, (attn.heads, -1)).transpose(1, 2)
            if module.context_pre_only:
                normed = module.norm1_context(states, temb)
            else:
                normed, gate, shift_mlp, scale_mlp, gate_mlp = module.norm1_context(states, emb=temb)
            norm_q, norm_k = (norm if norm is not None else (lambda x: x) for norm in (attn.norm_added_q, attn.norm_added_k))
            text_key, text_value = norm_k(heads(attn.add_k_proj(normed))), heads(attn.add_v_proj(normed))
            if block in blocks:
                given[block] = (text_key, text_value)
            if module.context_pre_only:
                break
            out = torch.nn.functional.scaled_dot_product_attention(
                norm_q(heads(attn.add_q_proj(normed))), torch.cat([key, text_key], 2), torch.cat([value, text_value], 2))
            states = states + gate.unsqueeze(1) * attn.to_add_out(out.transpose(1, 2).flatten(2))
            normed = module.norm2_context(states) * (1 + scale_mlp[:, None]) + shift_mlp[:, None]
            states = states + gate_mlp.unsqueeze(1) * module.ff_context(normed)
        return given

    def latents(self, mode, blocks, from_step, pooled="prompt"):
        scheduler = self.pipe.scheduler
        scheduler.set_timesteps(STEPS)
        noise = torch.stack([torch.randn((16, 8, 10), generator=torch.Generator("cpu").manual_seed(seed)) for seed in (5, 6)])
        main, other = noise, noise
        guide = lambda velocity: velocity[:2] + 5.0 * (velocity[2:] - velocity[:2])
        for i, timestep in enumerate(scheduler.timesteps):
            step = scheduler.sigmas[i + 1] - scheduler.sigmas[i]
            given = {}
            if mode == "paper":
                velocity, kept = self.run(other, timestep, "other", "other")
                other = other + step * guide(velocity)
                given = {block: kept[block] for block in blocks}
            elif mode == "shared":
                _, kept = self.run(main, timestep, "other", "other", guided=False)
                given = {block: kept[block] for block in blocks}
            elif blocks:
                given = self.side(main, timestep, pooled, blocks)
            velocity, _ = self.run(main, timestep, "prompt", pooled, given if i >= from_step else {})
            main = main + step * guide(velocity)
        return main


ROUTES = [([block], 0) for block in range(BLOCKS)] + [([0], 2), ([1, 3], 0), (list(range(BLOCKS)), 0), ([1, 2], 3)]


@pytest.mark.parametrize("name", ["3-medium published", "3.5-medium published, 80x48"])
@pytest.mark.parametrize("mode", ["paper", "shared", "side"])
def test_routed_layers_read_the_other_prompt(checkpoints, tmp_path, name, mode):
    """Single layers, sets, and later steps, with the user's pooled embedding."""
    folder, pipe = checkpoints[name]
    cases = [case(folder, tmp_path / f"{i}.safetensors", [5, 6], **ROUTE_CALL, pooled="prompt", joint_mode=mode,
                  layers=[dict(layer=f"transformer_blocks.{block}.attn", stream="other", from_step=from_step) for block in blocks])
             for i, (blocks, from_step) in enumerate(ROUTES)]
    results, answers = run_cases(cases, tmp_path)
    assert answers[0]["attention_layers"] == [f"transformer_blocks.{block}.attn" for block in range(BLOCKS)]
    plain = reference_picture(pipe, [5, 6], **ROUTE_CALL)
    reference = Reference(pipe)
    try:
        assert difference(reference.latents("shared", [], 0), plain["latents"]) <= TOLERANCE  # the reference is diffusers
        print()
        for (blocks, from_step), ours in zip(ROUTES, results):
            expected = reference.latents(mode, blocks, from_step)
            apart, moved = difference(ours["latents"], expected), difference(plain["latents"], expected)
            print(f"{mode:6} blocks {blocks} from step {from_step}: difference {apart:.1e}, moved by {moved:.2f}")
            assert apart <= TOLERANCE
            assert moved > 50 * TOLERANCE  # the reference itself must show the route
    finally:
        reference.close()


def test_whole_routes(checkpoints, tmp_path):
    """With no layer routed, bit for bit the plain picture; with every layer and the pooled embedding, in `paper` mode, the
    other prompt's."""
    folder, _ = checkpoints["3.5-medium published, 80x48"]

    def route(output, **more):
        return case(folder, tmp_path / f"{output}.safetensors", [5, 6], **ROUTE_CALL, **more)
    every = [dict(layer=f"transformer_blocks.{block}.attn", stream="other", from_step=0) for block in range(BLOCKS)]
    (alone, plain, side, other, swapped, base, offloaded), _ = run_cases(
        [route("alone") | dict(streams=[dict(name="prompt", text=PROMPT)]), route("plain"), route("side", joint_mode="side"),
         route("other") | dict(streams=[dict(name="prompt", text=OTHER_PROMPT)]),
         route("swapped", layers=every, pooled="other"), route("base", base="other"),
         route("offloaded", layers=every, pooled="other", offload_text_encoders=True)], tmp_path)
    for same in (plain, side):
        assert torch.equal(same["latents"], alone["latents"]) and torch.equal(same["image"], alone["image"])
    assert torch.equal(base["latents"], other["latents"])
    assert torch.equal(offloaded["image"], swapped["image"])
    print(f"\nevery layer and the pooled embedding, paper mode: {difference(swapped['latents'], other['latents']):.1e}")
    assert difference(swapped["latents"], other["latents"]) <= TOLERANCE
    assert difference(plain["latents"], other["latents"]) > 100 * TOLERANCE


def test_bundled_model_draws_what_diffusers_draws(tmp_path):
    check_bundled(BUNDLED_3, tmp_path)
