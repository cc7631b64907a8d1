"""Stable Diffusion 3, stage 5: the text encoders learn what people put around letters, and in between.

captions.py writes words bare. Prompts have "Hello!", " hello " and "héllo", and characters that nobody sees slipped into a
word to hide it; what draws, which is trained by now, made two garbled lines of that. So each encoder is given such a
prompt and held to the states that it had for the bare one, token by token, and its pooled embedding: the bare word is
drawn, in the same scene. Half of the prompts are bare, and keep their states."""

import contextlib
import functools
import sys

import torch

from ..data import tokens
from ..data.captions import LAYOUT, placed_caption
from ..data.words import random_text
from ..loop.muon import encoder_matrices
from ..loop.stock import Stock, Supply
from ..loop.training import Training, load_encoder, quick_arithmetic, sized
from . import clips, t5, text_encoder

BATCH = sized(32, 256)
STEPS = sized(1000, 1500)
SHORT = 96  # of T5's tokens, what it is given at first
SUPPLY = sized(Supply(BATCH), Supply(1024, every=8, first=8, held=32))
PREFIX = "refined_"  # of the stages' names, before the encoder's

AFTER = ["!", "!", "?", ".", ",", "!!", "?!", "...", ":", ";", "…", "*", "~", "-"]
BEFORE = ["#", "*", "@", "-", "~", "(", "¡", "¿", "..."]
WITHIN = ["-", "'", ".", "*", "_", "’", "/"]
UNSEEN = ["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad"]  # zero-width space to soft hyphen
ACCENTED = {"a": "áàâäãå", "c": "ç", "e": "éèêë", "i": "íìîï", "n": "ñ", "o": "óòôöõ", "u": "úùûü", "y": "ýÿ"}


def disguised(prompt, lines, starts, rng):
    """The prompt with something put around its words, or into them; and for each of its characters the index of the bare
    prompt's that it stands for: a new one for what stands before the first word."""
    characters, before = list(prompt), starts[0] - 1
    new = {}  # what is put before the character of an index
    kinds = rng.sample(["padding", "after", "before", "within", "unseen", "accent"], rng.choice([1, 1, 1, 2]))
    if "padding" in kinds:
        around = rng.choice([(" ", " "), (" ", " "), ("  ", " "), (" ", ""), ("", " ")])
        new[starts[0]], new[starts[-1] + len(lines[-1])] = around
    for line, start in zip(lines, starts):
        inside, end = range(start + 1, start + len(line)), start + len(line)
        if "after" in kinds and rng.random() < 0.7:
            new[end] = rng.choice(AFTER) + new.get(end, "")
        if "before" in kinds:
            new[start] = new.get(start, "") + rng.choice(BEFORE)
        for kind, choice in (("within", WITHIN), ("unseen", UNSEEN)):
            if kind in kinds:
                new[rng.choice(inside)] = rng.choice(choice)
        if "accent" in kinds:
            for k in rng.sample(range(start, end), min(len(line), rng.choice([1, 1, 2]))):
                accented = rng.choice(ACCENTED.get(characters[k].lower(), characters[k].lower()))
                characters[k] = accented.upper() if characters[k].isupper() and accented != "ÿ" else accented
    text, source = "", []
    for index, character in enumerate([*characters, ""]):
        piece = new.get(index, "")
        text += piece + character
        source += [before] * len(piece) + [index] * len(character)
    return text, source


def clip_places(text):
    """For each of CLIP's tokens but the end's the index of its character."""
    return [place for _, place in tokens.placed_tokens(text)[:-1]]


def t5_places(text):
    """For each of T5's tokens the index of its character; a space's comes with the letter after it, and the first letter's
    with that."""
    counts = [len(ids) for ids in t5.processor().encode([text[: k + 1] for k in range(len(text))], num_threads=1)]
    found = []
    for place, count in enumerate(counts):
        if place and count - len(found) > 1 and (text[place - 1].isspace() or text[place - 1] in UNSEEN):
            found.append(place - 1)
        found += [place] * (count - len(found))
    return found


def positions(places, source, bare_places, length, layout):
    """For each position of the disguised prompt's window that of the bare one's: the last token at or before the character
    that it stands for; the end's for the end's; behind it, and from `layout` on, where a position has a meaning, the same."""
    last = {-1: 0}
    for position, place in enumerate(bare_places):
        last[place] = position
    for place in range(max(last)):
        last.setdefault(place, last.get(place - 1, 0))
    found = [last[source[place]] if place >= 0 else 0 for place in places] + [len(bare_places)]
    return found[:layout] + list(range(min(len(found), layout), length))


def make_pairs(encoder, rng, count, done):
    """Token ids of `count` prompts, those that they are held to, and at which positions."""
    places, ids_of, length, layout = ((t5_places, t5.ids_of, t5.LENGTH, t5.LENGTH) if encoder == "t5" else
                                      (clip_places, text_encoder.ids_of, tokens.LENGTH, LAYOUT))  # fmt: skip
    prompts, bare, index = [], [], []
    for _ in range(count):
        lines = random_text(rng)
        prompt, _, starts = placed_caption(lines, rng)
        text, source = prompt, list(range(len(prompt)))
        if rng.random() < 0.5:
            text, source = disguised(prompt, lines, starts, rng)
        prompts.append(text)
        bare.append(prompt)
        index.append(positions(places(text), source, places(prompt), length, layout))
    return ids_of(prompts), ids_of(bare), torch.tensor(index).clamp(max=length - 1)


def reader_of(encoder):
    return t5.Reader() if encoder == "t5" else clips.Reader(encoder)


def outputs(encoder, network, ids):
    """The transformer is given the states [B, length, width] and, from a CLIP, the pooled embedding [B, width]."""
    return (t5.encode(network, ids),) if encoder == "t5" else clips.encode(network, ids)


class Refined(torch.nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.encoder = load_encoder(reader_of(encoder), encoder).requires_grad_(True)


def train(stage):
    encoder = stage.removeprefix(PREFIX)
    model, held_to = Refined(encoder), load_encoder(reader_of(encoder), encoder)
    matrices = encoder_matrices(model.encoder)

    def compute(ids, bare, index):
        with quick_arithmetic() if encoder == "t5" else contextlib.nullcontext():  # bfloat16 makes CLIP's step no quicker
            found = outputs(encoder, model.encoder, ids)
            with torch.no_grad():
                wanted = outputs(encoder, held_to, bare)
        there = wanted[0].gather(1, index[..., None].expand(wanted[0].shape))
        figures = {}
        for name, have, want in zip(("states", "pooled"), found, (there, *wanted[1:])):
            figures[name] = (have.float() - want.float()).pow(2).mean() / want.float().pow(2).mean()
        return sum(figures.values()), figures

    training = Training(stage, model, matrices, 1e-3, 1e-3, STEPS, 0.3)
    stock = Stock(training, functools.partial(make_pairs, encoder), SUPPLY)
    for done in training.each_step():
        ids, bare, index = stock.batch(training.step, BATCH)
        if encoder == "t5" and done < t5.SHORT_UNTIL:
            ids, bare, index = (tensor[:, :SHORT].contiguous() for tensor in (ids, bare, index))
            index = index.clamp(max=SHORT - 1)
        training.run(compute, ids, bare, index)


def load(encoder):
    return load_encoder(reader_of(encoder), PREFIX + encoder)


if __name__ == "__main__":
    train(sys.argv[1])
