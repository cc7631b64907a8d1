"""Writes the trained parts as a diffusers checkpoint in half precision, with its glyphward.json.

    python -m recipe.export FOLDER"""

import json
import pathlib
import sys
import tempfile

import torch
from diffusers import StableDiffusion3Pipeline, StableDiffusionPipeline
from transformers import CLIPTokenizer, T5Tokenizer

from .data.scenes import HEIGHT, WIDTH
from .data.tokens import LENGTH, padded, vocabulary
from .loop.training import MODEL
from .measure import evaluate
from .stages import autoencoder
from .stages.examples import scaling_factor


def write_vocabulary(folder):
    """CLIP's two files, which transformers wants before version 5; 5 saves tokenizer.json alone."""
    vocab, merges = pathlib.Path(folder) / "vocab.json", pathlib.Path(folder) / "merges.txt"
    vocab.write_text(json.dumps(vocabulary(), ensure_ascii=False))
    merges.write_text("#version: 0.2\n")
    return str(vocab), str(merges)


def make_tokenizer():
    """A CLIPTokenizer with our vocabulary, checked against ours on every prompt of the evaluation."""
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = CLIPTokenizer(*write_vocabulary(folder), model_max_length=LENGTH)
    prompts = [case[2] for cases in evaluate.SETS.values() for case in cases()]
    for prompt in prompts + ["it's “café” no. 42!", "x" * 200, ""]:
        ids = tokenizer(prompt, padding="max_length", truncation=True, max_length=LENGTH).input_ids
        if ids != padded(prompt):
            raise AssertionError(f"the tokenizers differ on: {prompt}")
    return tokenizer


def make_t5_tokenizer():
    """transformers' T5Tokenizer of our sentencepiece model, checked in the same way."""
    from .stages import t5

    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "spiece.model").write_bytes(t5.pieces())
        tokenizer = T5Tokenizer.from_pretrained(folder)
    for case in [case for cases in evaluate.SETS.values() for case in cases()]:
        ids = tokenizer(case[2], padding="max_length", truncation=True, max_length=t5.LENGTH).input_ids
        if ids != t5.padded(case[2]):
            raise AssertionError(f"the tokenizers differ on: {case[2]}")
    return tokenizer


def stable_diffusion():
    from .stages import denoiser, text_encoder

    vae = autoencoder.load()
    vae.register_to_config(scaling_factor=scaling_factor(vae))
    pipeline = StableDiffusionPipeline(
        vae=vae,
        text_encoder=text_encoder.load(),
        tokenizer=make_tokenizer(),
        unet=denoiser.load(),
        scheduler=denoiser.make_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return pipeline, denoiser.STEPS_SHOWN, denoiser.GUIDANCE


def stable_diffusion_3():
    from .stages import refine, transformer

    vae = autoencoder.load()
    vae.register_to_config(scaling_factor=scaling_factor(vae), shift_factor=0.0)
    pipeline = StableDiffusion3Pipeline(
        vae=vae,
        text_encoder=refine.load("clip"),
        text_encoder_2=refine.load("clip_2"),
        text_encoder_3=refine.load("t5"),
        tokenizer=make_tokenizer(),
        tokenizer_2=make_tokenizer(),
        tokenizer_3=make_t5_tokenizer(),
        transformer=transformer.load(),
        scheduler=transformer.make_scheduler(),
    )
    return pipeline, transformer.STEPS_SHOWN, transformer.GUIDANCE


def export(folder):
    pipeline, steps, guidance = {"sd": stable_diffusion, "sd3": stable_diffusion_3}[MODEL]()
    pipeline.to(torch.float16).save_pretrained(folder)
    folder = pathlib.Path(folder)
    # An fp16 text encoder stays so when the pipeline is loaded in fp32, unless its config says otherwise.
    for config in folder.glob("text_encoder*/config.json"):
        settings = json.loads(config.read_text())
        settings["dtype"] = "float32"
        config.write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n")
    for tokenizer in (folder / name for name in ("tokenizer", "tokenizer_2")):
        if tokenizer.exists():
            write_vocabulary(tokenizer)
    if (folder / "tokenizer_3").exists():
        from .stages import t5

        (folder / "tokenizer_3/spiece.model").write_bytes(t5.pieces())
    defaults = {"num_inference_steps": steps, "guidance_scale": guidance, "height": HEIGHT, "width": WIDTH}
    (folder / "glyphward.json").write_text(json.dumps({"defaults": defaults}, indent=2) + "\n")
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(f"{folder}: {size / 1e6:.1f} MB", file=sys.stderr)


if __name__ == "__main__":
    export(sys.argv[1])
