"""Which cross-attention layers carry the letters, and what swapping them costs: greedily grown sets of layers that are
given another word's prompt, in scenes that the prompt leaves open, where every word has a scene of its own.

    python -m recipe.measure.localize [PAIRS]

A set is grown by what the set reads: a layer that alone only spoils the old word may be the one that is missing."""

import random
import sys

import numpy as np

from ..data.words import held_out_in_order
from ..stages import denoiser
from . import reading

BATCH = 10
OPEN_PROMPT = 'a thing that says "{}"'  # leaves the scene to the word


def pairs(count):
    rng = random.Random(9)
    words = [word for word in held_out_in_order() if word.isalpha() and len(word) >= 3]
    return [rng.sample(words, 2) for _ in range(count)]


def outside(picture, other, boxes):
    """Mean squared difference, 0..1 units, outside of the boxes and 4 pixels around them."""
    keep = np.ones(picture.shape[:2], bool)
    for box in boxes:
        low, high = np.maximum(box.min(0).astype(int) - 4, 0), box.max(0).astype(int) + 5
        keep[low[1] : high[1], low[0] : high[0]] = False
    difference = (picture.astype(np.float64) - other) / 255
    return float((difference[keep] ** 2).mean())


class Bench:
    def __init__(self, count):
        self.examples, self.unet = denoiser.Examples(), denoiser.load()
        self.old, self.new = zip(*pairs(count))
        self.layers = [n for n, _ in self.unet.named_modules() if n.endswith("attn2")]
        order = {"down": 0, "mid_": 1, "up_b": 2}  # forward order, not that of the modules' list
        self.layers.sort(key=lambda name: (order[name[:4]], name))
        self.plain = self._draw(())
        _, _, self.plain_boxes = reading.read(self.plain)

    def _draw(self, layers):
        parts = []
        for i in range(0, len(self.old), BATCH):
            old, new = ([OPEN_PROMPT.format(w.lower()) for w in words[i : i + BATCH]] for words in (self.old, self.new))
            parts.append(self.examples.draw(self.unet, old, seed=i, swapped=new, layers=layers))
        return np.concatenate(parts)

    def measure(self, layers):
        """(share of new words read, letters of the new word, difference outside, pictures without a box)."""
        drawn = self._draw(layers)
        _, read, boxes = reading.read(drawn)
        new = [[word] for word in self.new]
        changed = [outside(a, b, [*x, *y]) for a, b, x, y in zip(self.plain, drawn, self.plain_boxes, boxes)]
        missing = sum(len(box) == 0 for box in boxes)
        figures = reading.exact(read, new).mean(), reading.letters_right(read, new), np.mean(changed), missing
        names = "+".join(name.replace(".transformer_blocks.0.attn2", "") for name in layers)
        print(f"{names or 'none':90} exact {figures[0]:.3f}  letters {figures[1]:.3f}  outside {figures[2]:.4f}  "
              f"no box {missing}", flush=True)  # fmt: skip
        return figures

    def grow(self, size):
        every = self.measure(self.layers)
        chosen = []
        while len(chosen) < size:
            tried = {name: self.measure(self._sorted([*chosen, name])) for name in self.layers if name not in chosen}
            best = max(tried, key=lambda name: tried[name][:2])
            chosen.append(best)
            exact, _, change, _ = tried[best]
            print(f"== {len(chosen)} of {len(self.layers)} layers: {exact / max(every[0], 1e-9):.3f} of the words that "
                  f"all layers change, {change / every[2]:.3f} of their change of scene", flush=True)  # fmt: skip
        return self._sorted(chosen)

    def _sorted(self, names):
        return sorted(names, key=self.layers.index)


if __name__ == "__main__":
    print("\n".join(Bench(int(sys.argv[1]) if len(sys.argv) > 1 else 30).grow(2)))
