"""Stable Diffusion 3, stage 2: two CLIPs (CLIPTextModelWithProjection), which read the scene; and the second the letters.

By an auxiliary task each learns to say in its pooled, projected embedding what is to be drawn: colours, object, ground,
typeface, number of lines; where the prompt is silent, what the words stand for. The pooled embeddings condition the
whole transformer, so that the scene need not come through the text's tokens.

The second one's last positions hold the two rows of slots, as Stable Diffusion's text encoder has them: T5's tokens say
where a letter stands, but none of them says where there is none. Then they are frozen."""

import sys

import torch
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

from ..data.captions import FIELDS
from ..data.tokens import BOS, EOS, LENGTH, VOCABULARY
from ..data.words import EMPTY
from ..loop.muon import encoder_matrices
from ..loop.stock import Stock
from ..loop.training import Training, load_encoder, quick_arithmetic, sized
from .text_encoder import BATCH, CLASSES, FIRST_SLOT, SUPPLY, field_losses, make_captions, row_losses

STEPS = sized(2400, 3000)
SIZES = {"clip": (64, 4), "clip_2": (128, 6)}  # width and layers, as text_encoder and text_encoder_2 have them
SPELLS = "clip_2"
SMALL = 0.002  # the states' size costs: they stand beside T5's, whose root mean square is 1.5, and grew to 14


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
    """A CLIP and, for its training only, linear heads on its pooled embedding, and on the rows if it spells."""

    def __init__(self, name):
        super().__init__()
        self.encoder, width = make(name), SIZES[name][0]
        self.fields = torch.nn.ModuleDict({f: torch.nn.Linear(width, len(CLASSES[f])) for f in FIELDS})
        self.slot = torch.nn.Linear(width, EMPTY + 1) if name == SPELLS else None

    def forward(self, ids):
        states, pooled = encode(self.encoder, ids)
        fields = {name: head(pooled) for name, head in self.fields.items()}
        if self.slot is None:
            return fields, None, states
        rows = states[:, FIRST_SLOT:]
        return fields, self.slot(torch.nn.functional.layer_norm(rows, rows.shape[-1:])), states


def encode(encoder, ids):
    """(hidden states before the last layer [B, LENGTH, width], pooled [B, width]), as StableDiffusion3Pipeline takes them."""
    output = encoder(ids, output_hidden_states=True)
    return output.hidden_states[-2], output.text_embeds


def train(name):
    torch.manual_seed(sorted(SIZES).index(name) + 20)
    reader = Reader(name)
    matrices = encoder_matrices(reader.encoder)

    def compute(ids, wanted, wanted_rows):
        with quick_arithmetic():
            fields, rows, states = reader(ids)
        loss, right = field_losses(fields, wanted)
        if rows is not None:
            rows_loss, rows_right = row_losses(rows, wanted_rows)
            loss, right = loss + rows_loss, right | rows_right
        size = states.float().pow(2).mean()
        return loss + SMALL * size, {**right, "size": size.detach().sqrt()}

    training = Training(name, reader, matrices, 4e-3, 2e-3, STEPS, 0.5)
    stock = Stock(training, make_captions, SUPPLY)
    for _ in training.each_step():
        training.run(compute, *stock.batch(training.step, BATCH))


def load(name):
    return load_encoder(Reader(name), name)


if __name__ == "__main__":
    train(sys.argv[1])
