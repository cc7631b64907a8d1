"""Writes the cases of `glyphward bench bundled`, a JSON object a line: the sets of `evaluate`, with what each reader
makes of the rendered counterpart (slow, and the same for every checkpoint), and the pairs of `localize`.

    python -m recipe.measure.cases FILE"""

import json
import pathlib
import sys

from .evaluate import SETS, readable_as_rendered
from .localize import OPEN_PROMPT, pairs

NAMES = {"one line": "one-line", "two lines": "two-lines", "free prompts": "free"}
PAIRS = 30


def drawn_cases(name):
    return [{"set": NAMES[name], "words": lines, "prompt": prompt, "seed": seed}
            for seed, (lines, _, prompt) in enumerate(SETS[name]())]  # fmt: skip


def swapped_cases():
    """A word and the one that is put in its place."""
    return [{"set": "localization", "words": words, "prompt": OPEN_PROMPT.format(words[0].lower()),
             "swapped_prompt": OPEN_PROMPT.format(words[1].lower()), "seed": seed}
            for seed, words in enumerate(pairs(PAIRS))]  # fmt: skip


def with_readings(name):
    cases, readable = drawn_cases(name), readable_as_rendered(SETS[name]())
    return [{**case, "rendered": {reader: bool(of[i]) for reader, of in readable.items()}}
            for i, case in enumerate(cases)]  # fmt: skip


def main():
    cases = [case for name in SETS for case in with_readings(name)] + swapped_cases()
    pathlib.Path(sys.argv[1]).write_text("".join(json.dumps(case) + "\n" for case in cases))


if __name__ == "__main__":
    main()
