"""Stage 2: the text encoder (CLIPTextModel) learns, by an auxiliary task, to read a prompt; then it is frozen.

Its last positions are taught to hold what is to be drawn: one for each part of the scene, then two rows of slots, each
with the letter that stands at that half-cell step of the upper or the lower line. Mostly these positions are padding;
in long prompts text runs into them, and they are taught the same. The denoiser gets no such help: which of its layers
look there is its own affair."""

import torch
from transformers import CLIPTextConfig, CLIPTextModel

from .captions import FIELDS, LAYOUT, caption
from .scenes import COLOURS, GROUNDS, OBJECTS, TYPEFACES
from .tokens import BOS, EOS, LENGTH, VOCABULARY, padded
from .training import Training, load_encoder
from .words import EMPTY, SLOTS, random_text, slot_targets

WIDTH = 128
BATCH = 48
STEPS = 2400
PLAIN_UNTIL = 0.25  # plain captions grow fewer until then
CLASSES = {"colour": list(COLOURS), "object": OBJECTS, "ground_colour": list(COLOURS), "ground": GROUNDS,
           "typeface": list(TYPEFACES), "lines": [1, 2]}  # fmt: skip


def make():
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=VOCABULARY,
            hidden_size=WIDTH,
            intermediate_size=4 * WIDTH,
            projection_dim=WIDTH,
            num_hidden_layers=5,
            num_attention_heads=8,
            max_position_embeddings=LENGTH,
            bos_token_id=BOS,
            eos_token_id=EOS,
            pad_token_id=EOS,
            attention_dropout=0.0,
        )
    )


class Reader(torch.nn.Module):
    """The encoder and, for its training only, linear heads on the layout's positions."""

    def __init__(self):
        super().__init__()
        self.encoder = make()
        self.fields = torch.nn.ModuleDict({name: torch.nn.Linear(WIDTH, len(CLASSES[name])) for name in FIELDS})
        self.slot = torch.nn.Linear(WIDTH, EMPTY + 1)

    def forward(self, prompts):
        states = encode(self.encoder, prompts)
        fields = {name: self.fields[name](states[:, LAYOUT + i]) for i, name in enumerate(FIELDS)}
        return fields, self.slot(states[:, LAYOUT + len(FIELDS) :])


def encode(encoder, prompts):
    return encoder(input_ids=torch.tensor([padded(prompt) for prompt in prompts])).last_hidden_state


def targets(all_lines, scenes):
    fields = {}
    for name in FIELDS:
        values = [len(x) for x in all_lines] if name == "lines" else [getattr(scene, name) for scene in scenes]
        fields[name] = torch.tensor([CLASSES[name].index(value) for value in values])
    rows = torch.tensor([upper + lower for upper, lower in map(slot_targets, all_lines)])
    return fields, rows


def train():
    torch.manual_seed(2)
    reader = Reader()
    matrices = [p for n, p in reader.encoder.named_parameters() if p.ndim == 2 and "embedding" not in n]
    chosen = set(map(id, matrices))
    others = [p for p in reader.parameters() if id(p) not in chosen]
    training = Training("text_encoder", reader, matrices, others, 4e-3, 2e-3, STEPS, 0.5)
    entropy = torch.nn.functional.cross_entropy
    weights = torch.ones(EMPTY + 1)
    weights[EMPTY] = 0.4  # most slots are empty
    for done, rng in training.each_step():
        all_lines = [random_text(rng) for _ in range(BATCH)]
        plain = max(0.0, 0.8 * (1 - done / PLAIN_UNTIL))
        captions = [caption(lines, rng, plain=rng.random() < plain) for lines in all_lines]
        fields, rows = reader([text for text, _ in captions])
        wanted, wanted_rows = targets(all_lines, [scene for _, scene in captions])
        loss = 4 * entropy(rows.flatten(0, 1), wanted_rows.flatten(), weights)
        right = {}
        for name in FIELDS:
            loss = loss + entropy(fields[name], wanted[name])
            right[name] = (fields[name].argmax(-1) == wanted[name]).float().mean()
        drawn = wanted_rows != EMPTY
        right["letters"] = (rows.argmax(-1) == wanted_rows)[drawn].float().mean()
        right["words"] = (rows.argmax(-1) == wanted_rows).all(-1).float().mean()
        training.update(loss, **right)


def load():
    return load_encoder(Reader(), "text_encoder")


if __name__ == "__main__":
    train()
