"""Latent diffusion against diffusers' LDMTextToImagePipeline. The checkpoints are the published configuration in small,
and variations of it; parity.py says how their weights are made."""

import shutil

import diffusers
import pytest
import torch
from diffusers.pipelines.latent_diffusion.pipeline_latent_diffusion import LDMBertConfig, LDMBertModel
from transformers import BertTokenizer

from parity import (BETAS, OTHER_PROMPT, PROMPT, PUBLISHED, V, case, check_single_layers, check_whole_routes, compare,
                    cross_attention_layers, generate, make, published, run_cases, save, scale_weights, silent_modules,
                    uncovered, write_published)

CHECKPOINT = "ldm-text2im-large-256"
UNET = dict(block_out_channels=[16, 32, 32, 48], attention_head_dim=4, layers_per_block=1, norm_num_groups=8,
            cross_attention_dim=24, sample_size=8)
BERT = dict(vocab_size=120, d_model=24, encoder_ffn_dim=48, encoder_layers=3, encoder_attention_heads=3, head_dim=4)
VAE = dict(block_out_channels=[8, 16, 16, 24], layers_per_block=1, norm_num_groups=8, sample_size=64)
# Letters, and what the prompts say of them.
WORDS = "a red sign on wall that says hello blue banner goodbye now blur ##ry".split()
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *'"!,.', *"bcdefghijklmnopqrstuvwxyz",
              *("##" + c for c in "abcdefghijklmnopqrstuvwxyz")]

CONFIGURATIONS = {
    "published": dict(published=True),
    "published, guided, 2 seeds": dict(published=True, seeds=[3, 4], call=dict(guidance_scale=6.0)),
    "fp16 files, 80x48": dict(half=True, call=dict(guidance_scale=7.5, height=80, width=48)),
    "ddim that clips, ends below one": dict(call=dict(guidance_scale=5.0),
                                            scheduler=("DDIMScheduler", dict(BETAS, set_alpha_to_one=False, steps_offset=1))),
    "pndm, unguided, 2 seeds 48x96": dict(scheduler=("PNDMScheduler", dict(BETAS, skip_prk_steps=True)), seeds=[1, 2**40],
                                          call=dict(height=48, width=96)),
    "pndm, guided": dict(scheduler=("PNDMScheduler", dict(BETAS, skip_prk_steps=True, steps_offset=1)),
                         call=dict(guidance_scale=6.0)),
    "ddim v, linear projections, shards": dict(unet=dict(use_linear_projection=True), shards=True, call=dict(guidance_scale=4.0),
                                               scheduler=("DDIMScheduler", dict(BETAS, clip_sample=False, **V))),
    "one wide head": dict(bert=dict(encoder_attention_heads=1, head_dim=40), call=dict(guidance_scale=6.0)),
}


def configs_of(spec):
    return {"unet": published(CHECKPOINT, "unet", **UNET) | spec.get("unet", {}),
            "bert": published(CHECKPOINT, "bert", **BERT) | spec.get("bert", {}),
            "vqvae": published(CHECKPOINT, "vqvae", **VAE),
            "scheduler": published(CHECKPOINT, "scheduler")}


def make_pipeline(spec, configs, generator):
    bert = make((LDMBertConfig, LDMBertModel), configs["bert"])
    unet = make((None, diffusers.UNet2DConditionModel), configs["unet"])
    vae = make((None, diffusers.AutoencoderKL), configs["vqvae"])
    for module in (bert, unet, vae):
        scale_weights(module, generator)
        module.eval()
    tokenizer = BertTokenizer(vocab={token: i for i, token in enumerate(VOCABULARY)})
    states = bert(tokenizer(PROMPT, padding="max_length", max_length=77, return_tensors="pt").input_ids)[0]
    noise = torch.randn((1, 4, 16, 16), generator=generator)
    unet.conv_out.weight /= unet(noise, 500, states)[0].std()
    vae.decoder.conv_out.weight *= 0.5 / vae.decode(noise / vae.config.scaling_factor)[0].std()
    if spec.get("half"):
        for module in (bert, unet, vae):
            module.half().float()
    name, options = spec.get("scheduler", ("DDIMScheduler", configs["scheduler"]))
    return diffusers.LDMTextToImagePipeline(vqvae=vae, bert=bert, tokenizer=tokenizer, unet=unet,
                                            scheduler=getattr(diffusers, name).from_config(options))


def publish(folder, configs):
    """As the first release wrote them: the published keys alone, and the vocabulary as a list."""
    write_published(folder, CHECKPOINT, configs)
    (folder / "tokenizer/tokenizer.json").unlink()
    (folder / "tokenizer/vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
    shutil.copy(PUBLISHED / CHECKPOINT / "tokenizer/tokenizer_config.json", folder / "tokenizer")


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """Name -> (folder, diffusers' pipeline)."""
    assert len(VOCABULARY) <= BERT["vocab_size"]
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


def reference_picture(pipe, seeds, **call):
    return generate(pipe, seeds, prompt=[PROMPT] * len(seeds), **call)


def test_latents_and_pictures_equal_diffusers(checkpoints, tmp_path):
    cases = []
    for number, (name, spec) in enumerate(CONFIGURATIONS.items()):
        # diffusers' pipeline leads away from an empty text, and knows no negative prompt.
        one = case(checkpoints[name][0], tmp_path / f"{number}.safetensors", spec.get("seeds", [number]), num_inference_steps=10,
                   **spec.get("call", {}))
        del one["negative_prompt"]
        cases.append(one)
    results, _ = run_cases(cases, tmp_path)
    rows = [(name, ours, reference_picture(checkpoints[name][1], one["seeds"], num_inference_steps=10, **spec.get("call", {})))
            for one, ours, (name, spec) in zip(cases, results, CONFIGURATIONS.items())]
    assert not compare("latent diffusion", rows)


def test_every_published_option_is_covered(checkpoints):
    assert uncovered(CHECKPOINT, [folder for folder, _ in checkpoints.values()]) == []


def test_every_module_counts(checkpoints, tmp_path):
    """With any one module's tensors zero, the picture is another one: no module is left out on our side."""
    folder, pipe = checkpoints["published"]
    # At 64 pixels the mid block has one token, whose self-attention has nothing to choose.
    call = dict(num_inference_steps=3, guidance_scale=6.0, height=128, width=128)
    unused = {("vqvae", "encoder"), ("vqvae", "quant_conv"), ("bert", "to_logits")}
    reference = reference_picture(pipe, [0], **call)
    silent, count = silent_modules(folder, pipe, reference, ["bert", "unet", "vqvae"], unused, tmp_path,
                                   **call, negative_prompt="")
    print(f"\nlatent diffusion: {count} modules, each taken away in turn")
    assert not silent


def test_routes(checkpoints, tmp_path):
    folder, pipe = checkpoints["published, guided, 2 seeds"]
    arguments = dict(num_inference_steps=10, guidance_scale=6.0, height=64, width=80, negative_prompt="")
    ids = pipe.tokenizer(OTHER_PROMPT, padding="max_length", max_length=77, return_tensors="pt").input_ids
    call = dict(num_inference_steps=10, guidance_scale=6.0, height=64, width=80, prompt=[PROMPT] * 2)
    check_single_layers(folder, pipe, pipe.bert(ids)[0], arguments, call, tmp_path)
    check_whole_routes(folder, cross_attention_layers(pipe.unet), arguments, tmp_path)
