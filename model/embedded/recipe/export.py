"""Writes the trained parts as a diffusers checkpoint in half precision, with its glyphward.json.

    python -m recipe.export FOLDER"""

import json
import pathlib
import sys
import tempfile

import torch
from diffusers import StableDiffusionPipeline
from transformers import CLIPTokenizer

from . import autoencoder, denoiser, evaluate, text_encoder
from .scenes import HEIGHT, WIDTH
from .tokens import LENGTH, padded, vocabulary


def make_tokenizer():
    """A CLIPTokenizer with our vocabulary, checked against ours on every prompt of the evaluation."""
    with tempfile.TemporaryDirectory() as folder:
        vocab, merges = pathlib.Path(folder) / "vocab.json", pathlib.Path(folder) / "merges.txt"
        vocab.write_text(json.dumps(vocabulary(), ensure_ascii=False))
        merges.write_text("#version: 0.2\n")
        tokenizer = CLIPTokenizer(str(vocab), str(merges), model_max_length=LENGTH)
    prompts = [case[2] for cases in evaluate.SETS.values() for case in cases()]
    for prompt in prompts + ["it's “café” no. 42!", "x" * 200, ""]:
        ids = tokenizer(prompt, padding="max_length", truncation=True, max_length=LENGTH).input_ids
        if ids != padded(prompt):
            raise AssertionError(f"the tokenizers differ on: {prompt}")
    return tokenizer


def export(folder):
    vae = autoencoder.load()
    vae.register_to_config(scaling_factor=denoiser.scaling_factor(vae))
    pipeline = StableDiffusionPipeline(
        vae=vae,
        text_encoder=text_encoder.load().encoder,
        tokenizer=make_tokenizer(),
        unet=denoiser.load(),
        scheduler=denoiser.make_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.to(torch.float16).save_pretrained(folder)
    folder = pathlib.Path(folder)
    # An fp16 text encoder stays so when the pipeline is loaded in fp32, unless its config says otherwise.
    config = folder / "text_encoder/config.json"
    settings = json.loads(config.read_text())
    settings["dtype"] = "float32"
    config.write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n")
    defaults = {"num_inference_steps": denoiser.STEPS_SHOWN, "guidance_scale": denoiser.GUIDANCE,
                "height": HEIGHT, "width": WIDTH}  # fmt: skip
    (folder / "glyphward.json").write_text(json.dumps({"defaults": defaults}, indent=2) + "\n")
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(f"{folder}: {size / 1e6:.1f} MB", file=sys.stderr)


if __name__ == "__main__":
    export(sys.argv[1])
