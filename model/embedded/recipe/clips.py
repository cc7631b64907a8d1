"""Stable Diffusion 3, stage 2: two CLIPs (CLIPTextModelWithProjection), which read the scene.

By an auxiliary task each learns to say in its pooled, projected embedding what is to be drawn: colours, object, ground,
typeface, number of lines; where the prompt is silent, what the words stand for. The pooled embeddings condition the
whole transformer, so that the scene need not come through the text's tokens. Then they are frozen."""

import sys

import torch
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

from .captions import FIELDS
from .stock import Stock
from .text_encoder import BATCH, CLASSES, SUPPLY, field_losses, make_captions
from .tokens import BOS, EOS, LENGTH, VOCABULARY
from .training import Training, load_encoder, quick_arithmetic, sized

STEPS = sized(1600, 2000)
SIZES = {"clip": (64, 4), "clip_2": (128, 5)}  # width and layers, as text_encoder and text_encoder_2 have them


def make(name):
    width, layers = SIZES[name]
    return CLIPTextModelWithProjection(
        CLIPTextConfig(
            vocab_size=VOCABULARY,
            hidden_size=width,
            intermediate_size=4 * width,
            projection_dim=width,
            num_hidden_layers=layers,
            num_attention_heads=width // 16,
            max_position_embeddings=LENGTH,
            bos_token_id=BOS,
            eos_token_id=EOS,
            pad_token_id=EOS,
            attention_dropout=0.0,
        )
    )


class Reader(torch.nn.Module):
    """A CLIP and, for its training only, linear heads on its pooled embedding."""

    def __init__(self, name):
        super().__init__()
        self.encoder = make(name)
        self.fields = torch.nn.ModuleDict({f: torch.nn.Linear(SIZES[name][0], len(CLASSES[f])) for f in FIELDS})

    def forward(self, ids):
        pooled = encode(self.encoder, ids)[1]
        return {name: head(pooled) for name, head in self.fields.items()}


def encode(encoder, ids):
    """(hidden states before the last layer [B, LENGTH, width], pooled [B, width]), as StableDiffusion3Pipeline takes them."""
    output = encoder(ids, output_hidden_states=True)
    return output.hidden_states[-2], output.text_embeds


def train(name):
    torch.manual_seed(sorted(SIZES).index(name) + 20)
    reader = Reader(name)
    matrices = [p for n, p in reader.encoder.named_parameters() if p.ndim == 2 and "embedding" not in n]

    def compute(ids, wanted):
        with quick_arithmetic():
            found = reader(ids)
        return field_losses(found, wanted)

    training = Training(name, reader, matrices, 4e-3, 2e-3, STEPS, 0.5)
    stock = Stock(training, make_captions, SUPPLY)
    for _ in training.each_step():
        ids, wanted, _ = stock.batch(training.step, BATCH)
        training.run(compute, ids, wanted)


def load(name):
    return load_encoder(Reader(name), name)


if __name__ == "__main__":
    train(sys.argv[1])
