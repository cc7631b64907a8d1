"""Stable Diffusion 3, stage 3: T5's encoder (T5EncoderModel), which reads the letters.

Its sentencepiece model knows single characters, and folds capitals. By an auxiliary task each letter's token learns
where its letter stands: at which half-cell step of the upper or the lower line, and which letter it is; all other tokens
that they stand nowhere. T5 knows distances only, so it has to count; its buckets are exact up to 16 tokens, more than a
word is long. Then it is frozen.

Which letter it is would be lost among what is taught about its place, if it were not asked for: it was 1 % of the states'
variance, and the transformer could hardly read it. The head that asks is fixed, so that it is the states that must grow."""

import functools
import io
import sys

import sentencepiece
import torch
from transformers import T5Config, T5EncoderModel

from ..data.captions import placed_caption
from ..data.words import CHARACTERS, EMPTY, LENGTH_MAX, SLOTS, random_text
from ..loop.muon import encoder_matrices
from ..loop.stock import Stock, Supply
from ..loop.training import DEVICE, Training, load_encoder, quick_arithmetic, save_bytes, sized, work_folder
from .text_encoder import plain_share

WIDTH = 192  # as wide as both CLIPs side by side
LENGTH = 256  # StableDiffusion3Pipeline's
BATCH = sized(32, 256)
STEPS = sized(2000, 2500)
SUPPLY = sized(Supply(BATCH), Supply(1024, every=12, first=8, held=64))
NOWHERE = SLOTS  # the class of a token that is no letter to be drawn
ROWS = 2
SHORT_UNTIL = 0.8  # padded to the longest of the batch until then: twice as fast, and T5 knows distances only


def kept_pieces():
    return work_folder() / "spiece.model"


@functools.cache
def pieces():
    """The sentencepiece model: printable ASCII and the letters of western Europe, a piece each, capitals folded. Versions of
    sentencepiece put equally frequent pieces in another order, so that the work folder holds the one that was learned."""
    if kept_pieces().exists():
        return kept_pieces().read_bytes()
    text = [chr(c) for c in [*range(33, 127), *range(0xC0, 0x180)]] + list("“”«»’‘–—…•°")
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([" ".join(text)] * 20 + ["a sign that says hello"] * 20), model_writer=model,
        model_type="unigram", max_sentencepiece_length=1, vocab_size=600, hard_vocab_limit=False, character_coverage=1.0,
        normalization_rule_name="nmt_nfkc_cf", pad_id=0, eos_id=1, unk_id=2, bos_id=-1, minloglevel=2,
    )  # fmt: skip
    return model.getvalue()


@functools.cache
def processor():
    read = sentencepiece.SentencePieceProcessor()
    try:
        read.LoadFromSerializedProto(pieces())
        read.get_piece_size()  # of no bytes it says nothing until it is asked
    except RuntimeError as error:
        sys.exit(f"{kept_pieces()} cannot be read ({error}); T5 knows its letters by it: remove both to train it from nothing")
    return read


def padded(prompt):
    """LENGTH ids: the prompt's, the end's, zeros."""
    ids = processor().encode(prompt)[: LENGTH - 1] + [1]
    return ids + [0] * (LENGTH - len(ids))


def make():
    return T5EncoderModel(
        T5Config(
            vocab_size=processor().get_piece_size(),
            d_model=WIDTH,
            d_kv=32,
            d_ff=512,
            num_layers=5,
            num_heads=6,
            relative_attention_num_buckets=64,
            relative_attention_max_distance=128,
            feed_forward_proj="gated-gelu",
            dropout_rate=0.0,
            tie_word_embeddings=False,
        )
    )


class Reader(torch.nn.Module):
    """The encoder and, for its training only, linear heads on every token: a row's step, and the letter."""

    def __init__(self):
        super().__init__()
        self.encoder = make()
        self.slot = torch.nn.Linear(WIDTH, ROWS * (NOWHERE + 1))
        self.register_buffer("letter", torch.nn.init.orthogonal_(torch.empty(EMPTY + 1, WIDTH)))

    def forward(self, ids):
        states = encode(self.encoder, ids)
        return self.slot(states).unflatten(-1, (ROWS, NOWHERE + 1)), states @ self.letter.mT


def ids_of(prompts):
    """[B, LENGTH]"""
    return torch.tensor([padded(prompt) for prompt in prompts])


def encode(encoder, ids):
    """[B, length, WIDTH]. The padding is read, as StableDiffusion3Pipeline has it read."""
    return encoder(ids).last_hidden_state


def targets(prompt, lines, starts):
    """For each token and row, at which step its letter stands, and then which letter it is. A single line stands in both
    rows, as in words.py."""
    classes = [[NOWHERE] * ROWS + [EMPTY] for _ in range(LENGTH)]
    for number, (line, start) in enumerate(zip(lines, starts)):
        rows = range(ROWS) if len(lines) == 1 else [number]
        # Characters are tokens, but for the mark that stands before the first.
        first = len(processor().encode(prompt[: start + 1])) - 1
        for k, character in enumerate(line):
            classes[first + k][ROWS] = CHARACTERS.index(character)
            for row in rows:
                classes[first + k][row] = 2 * k - (len(line) - 1) + LENGTH_MAX - 1
    return classes


def make_captions(rng, count, done):
    """Token ids, and each token's classes."""
    all_lines = [random_text(rng) for _ in range(count)]
    captions = [placed_caption(lines, rng, plain=rng.random() < plain_share(done)) for lines in all_lines]
    wanted = [targets(prompt, lines, starts) for (prompt, _, starts), lines in zip(captions, all_lines)]
    return ids_of([prompt for prompt, _, _ in captions]), torch.tensor(wanted)


def train():
    save_bytes(pieces(), kept_pieces())
    torch.manual_seed(30)
    reader = Reader()
    matrices = encoder_matrices(reader.encoder)
    weights, letter_weights = (torch.ones(count + 1, device=DEVICE) for count in (NOWHERE, EMPTY))
    weights[NOWHERE] = letter_weights[EMPTY] = 0.1  # most tokens

    def compute(ids, wanted):
        with quick_arithmetic():
            found, letter = reader(ids)
        steps, letters = wanted.split([ROWS, 1], -1)
        loss = torch.nn.functional.cross_entropy(found.float().flatten(0, 2), steps.flatten(), weights)
        loss = loss + torch.nn.functional.cross_entropy(letter.float().flatten(0, 1), letters.flatten(), letter_weights)
        same = torch.cat([found.argmax(-1) == steps, letter.argmax(-1, keepdim=True) == letters], -1)
        drawn = letters != EMPTY
        return loss, {"letters": (same & drawn).sum() / drawn.sum() / (ROWS + 1),
                      "words": same.flatten(1).all(-1).float().mean()}  # fmt: skip

    training = Training("t5", reader, matrices, 2e-3, 2e-3, STEPS, 0.5)
    stock = Stock(training, make_captions, SUPPLY)
    for done in training.each_step():
        ids, wanted = stock.batch(training.step, BATCH)
        if done < SHORT_UNTIL:
            longest = int((ids != 0).sum(1).max())
            length = min(LENGTH, -(-longest // 32) * 32)
            ids, wanted = ids[:, :length], wanted[:, :length].contiguous()
        training.run(compute, ids, wanted)


def load():
    return load_encoder(Reader(), "t5")


if __name__ == "__main__":
    train()
