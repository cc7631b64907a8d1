"""The words that are drawn: which there are, how they are laid out in lines, and what they mean.

A text is one or two lines of 2 to 10 capitals or digits. Each letter fills one cell of `PITCH` pixels, so that a line
of n letters is a choice of n out of `SLOTS` half-cell steps: that is what makes spelling learnable in hours."""

import functools
import pathlib
import random
import string

LETTERS = string.ascii_uppercase
DIGITS = string.digits
CHARACTERS = LETTERS + DIGITS
LENGTH_MAX = 10
SLOTS = 2 * LENGTH_MAX - 1  # half-cell steps at which a letter's centre may stand
EMPTY = len(CHARACTERS)  # the class of a slot with no letter


@functools.cache
def held_out_in_order():
    """Words that no training picture or caption contains: evaluation draws them. First a dictionary's, then random ones."""
    lines = (pathlib.Path(__file__).parent / "held_out_words.txt").read_text().split("\n")
    return tuple(line for line in lines if line and not line.startswith("#"))


@functools.cache
def held_out():
    return frozenset(held_out_in_order())


def random_word(rng: random.Random):
    """Letters drawn evenly (no word is easier than another), or now and then a number."""
    while True:
        if rng.random() < 0.12:
            word = "".join(rng.choice(DIGITS) for _ in range(rng.choice([2, 2, 3, 4, 4, 5, 6])))
        else:
            length = rng.choice([2, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10])
            word = "".join(rng.choice(LETTERS) for _ in range(length))
        if word not in held_out():
            return word


def random_text(rng: random.Random):
    """The lines of one picture."""
    if rng.random() < 0.7:
        return [random_word(rng)]
    first, second = random_word(rng), random_word(rng)
    if first.isdigit() and second.isdigit():  # the tokenizer cannot tell "12 34" from "1234"
        return [first]
    return [first, second]


def slots(line):
    """Class of each half-cell step of a line: letter k of n stands 2k - (n - 1) steps right of the middle."""
    classes = [EMPTY] * SLOTS
    for k, character in enumerate(line):
        classes[2 * k - (len(line) - 1) + LENGTH_MAX - 1] = CHARACTERS.index(character)
    return classes


def slot_targets(lines):
    """Classes of the upper and the lower row of slots. A single line stands in both: whoever draws a part of the
    picture looks at the row of its own half, and need not know first how many lines there are."""
    return slots(lines[0]), slots(lines[-1])
