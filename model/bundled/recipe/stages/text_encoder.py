"""Stage 2: the text encoder (CLIPTextModel) learns, by an auxiliary task, to read a prompt; then it is frozen.

Its last positions are taught to hold what is to be drawn: one for each part of the scene, then two rows of slots, each
with the letter that stands at that half-cell step of the upper or the lower line. Mostly these positions are padding;
in long prompts text runs into them, and they are taught the same. The denoiser gets no such help: which of its layers
look there is its own affair."""

import torch
from transformers import CLIPTextConfig, CLIPTextModel

from ..data.captions import FIELDS, LAYOUT, caption
from ..data.scenes import COLOURS, GROUNDS, OBJECTS, TYPEFACES
from ..data.tokens import BOS, EOS, LENGTH, VOCABULARY, padded
from ..data.words import EMPTY, random_text, slot_targets
from ..loop.muon import encoder_matrices
from ..loop.stock import Stock, Supply
from ..loop.training import DEVICE, Training, load_encoder, quick_arithmetic, sized

WIDTH = 128
BATCH = sized(48, 256)
STEPS = sized(2400, 3000)
SUPPLY = sized(Supply(BATCH), Supply(1024, every=8, first=8, held=64))
FIRST_SLOT = LAYOUT + len(FIELDS)  # of both rows; up to the window's end
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

    def forward(self, ids):
        states = encode(self.encoder, ids)
        fields = {name: self.fields[name](states[:, LAYOUT + i]) for i, name in enumerate(FIELDS)}
        return fields, self.slot(states[:, FIRST_SLOT:])


def ids_of(prompts):
    """[B, LENGTH]"""
    return torch.tensor([padded(prompt) for prompt in prompts])


def encode(encoder, ids):
    """[B, LENGTH, WIDTH]"""
    return encoder(input_ids=ids).last_hidden_state


def field_targets(all_lines, scenes):
    """Classes of the scene's parts, [B, fields]."""
    parts = [{**vars(scene), "lines": len(lines)} for lines, scene in zip(all_lines, scenes)]
    return torch.tensor([[CLASSES[name].index(part[name]) for name in FIELDS] for part in parts])


def row_targets(all_lines):
    """Classes of both rows' slots, [B, 2 * SLOTS]."""
    return torch.tensor([upper + lower for upper, lower in map(slot_targets, all_lines)])


def plain_share(done):
    return max(0.0, 0.8 * (1 - done / PLAIN_UNTIL))


def make_captions(rng, count, done):
    """Token ids, and the classes of what they say."""
    all_lines = [random_text(rng) for _ in range(count)]
    prompts, scenes = zip(*(caption(lines, rng, plain=rng.random() < plain_share(done)) for lines in all_lines))
    return ids_of(prompts), field_targets(all_lines, scenes), row_targets(all_lines)


def field_losses(found, wanted):
    """The summed loss, and for each part of the scene the share that is right."""
    loss, right = 0.0, {}
    for i, name in enumerate(FIELDS):
        loss = loss + torch.nn.functional.cross_entropy(found[name].float(), wanted[:, i])
        right[name] = (found[name].argmax(-1) == wanted[:, i]).float().mean()
    return loss, right


def row_losses(found, wanted):
    """The weighted loss of the slots, and the share of letters and of whole texts that are right."""
    weights = torch.ones(EMPTY + 1, device=found.device)
    weights[EMPTY:].fill_(0.4)  # most slots are empty; a GPU records the step, so no number may come from the processor
    loss = 4 * torch.nn.functional.cross_entropy(found.float().flatten(0, 1), wanted.flatten(), weights)
    drawn, same = wanted != EMPTY, found.argmax(-1) == wanted
    return loss, {"letters": (same & drawn).sum() / drawn.sum(), "words": same.all(-1).float().mean()}


def train():
    torch.manual_seed(2)
    reader = Reader()
    matrices = encoder_matrices(reader.encoder)

    def compute(ids, wanted, wanted_rows):
        with quick_arithmetic():
            fields, rows = reader(ids)
        loss, right = field_losses(fields, wanted)
        rows_loss, rows_right = row_losses(rows, wanted_rows)
        return loss + rows_loss, right | rows_right

    training = Training("text_encoder", reader, matrices, 4e-3, 2e-3, STEPS, 0.5)
    stock = Stock(training, make_captions, SUPPLY)
    for _ in training.each_step():
        training.run(compute, *stock.batch(training.step, BATCH))


def load():
    return load_encoder(Reader(), "text_encoder")


if __name__ == "__main__":
    train()
