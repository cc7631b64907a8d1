"""Evaluates a checkpoint through diffusers: what is drawn is read by two readers and held against the same scene as
rendered, since a reader that fails on print says nothing of the model.

    python -m recipe.measure.evaluate CHECKPOINT [--limit N] [--out FOLDER]

Writes table.json and contact sheets to the folder, and prints the table."""

import argparse
import json
import pathlib
import random
import resource
import time

import numpy as np
import torch
from diffusers import DiffusionPipeline

from ..data.captions import article
from ..data.scenes import COLOURS, GROUNDS, OBJECTS, TYPEFACES, Scene, meaning, render
from ..data.words import held_out_in_order
from . import reading
from .sheet import save_sheet

BATCH = 10
READERS = ("tesseract", "rapidocr")  # in the order of reading.read
FONT_NAMES = {"sans": "sans serif", "slab": "slab serif", "comic": "handwritten"}


def even_scene(i):
    """Objects, typefaces, colours and grounds in turn, at periods that mix."""
    colours = list(COLOURS)
    return Scene(colours[(i // 10 + 3 * i) % 10], OBJECTS[i % 10], colours[(i // 10 + 3 * i + 1 + i % 9) % 10],
                 GROUNDS[(i // 3) % 5], list(TYPEFACES)[(i // 10 + i) % 3])  # fmt: skip


def prompt_of(lines, scene):
    return (f'{article(scene.colour)} {scene.object} on {article(scene.ground_colour)} {scene.ground} that says '
            f'"{" ".join(lines).lower()}" in {FONT_NAMES[scene.typeface]} letters')  # fmt: skip


def one_line_set():
    cases = [([word], even_scene(i)) for i, word in enumerate(held_out_in_order())]
    return [(lines, scene, prompt_of(lines, scene)) for lines, scene in cases]


def two_line_set():
    rng, cases = random.Random(12), []
    words = [word for word in held_out_in_order() if not word.isdigit()]
    for i in range(60):
        lines, scene = rng.sample(words, 2), even_scene(7 * i + i // 10)
        cases.append((lines, scene, prompt_of(lines, scene)))
    return cases


def free_set():
    cases = []
    for line in (pathlib.Path(__file__).parent / "free_prompts.txt").read_text().split("\n"):
        if line and not line.startswith("#"):
            words, prompt = line.split(" | ", 1)
            cases.append((words.split(), meaning(words.split()), prompt))
    return cases


SETS = {"one line": one_line_set, "two lines": two_line_set, "free prompts": free_set}


def load(checkpoint):
    """The pipeline and the checkpoint's shipped defaults."""
    pipeline = DiffusionPipeline.from_pretrained(checkpoint, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    defaults = json.loads((pathlib.Path(checkpoint) / "glyphward.json").read_text())["defaults"]
    return pipeline, defaults


def draw(pipeline, defaults, prompts, first_seed):
    """Picture i has seed first_seed + i, as the daemon draws them."""
    generators = [torch.Generator().manual_seed(first_seed + i) for i in range(len(prompts))]
    images = pipeline(prompts, generator=generators, output_type="np", **defaults).images
    return (images * 255).round().astype(np.uint8)


def readable_as_rendered(cases):
    """For each reader, which cases it reads exactly when they are rendered; case i with seed i."""
    rendered = [render(lines, scene, random.Random(i))[0] for i, (lines, scene, _) in enumerate(cases)]
    all_lines = [lines for lines, _, _ in cases]
    return {name: reading.exact(readings, all_lines) for name, readings in zip(READERS, reading.read(rendered))}


def evaluate(pipeline, defaults, cases):
    drawn = np.concatenate([draw(pipeline, defaults, [c[2] for c in cases[i : i + BATCH]], i)
                            for i in range(0, len(cases), BATCH)])  # fmt: skip
    all_lines = [lines for lines, _, _ in cases]
    as_rendered = readable_as_rendered(cases)
    figures = {"pictures": len(cases)}
    for reader, of_drawn in zip(READERS, reading.read(drawn)):
        right, readable = reading.exact(of_drawn, all_lines), as_rendered[reader]
        figures[reader] = {
            "rendered_exact": round(float(readable.mean()), 4),
            "exact": round(float(right.mean()), 4),
            "exact_where_rendered_is": round(float(right[readable].mean()), 4) if readable.any() else None,
            "letters": round(reading.letters_right(of_drawn, all_lines), 4),
            "wrong": [f"{''.join(w)}={r}" for w, r, ok in zip(all_lines, of_drawn, right) if not ok][:20],
        }
    return figures, drawn


def seconds_a_picture(pipeline, defaults, prompt):
    """One picture at a time, as a client asks for them; the median of five."""
    taken = []
    for _ in range(5):
        started = time.monotonic()
        draw(pipeline, defaults, [prompt], 0)
        taken.append(time.monotonic() - started)
    return round(sorted(taken)[2], 3)


def table(figures):
    lines = [f"{'':14}{'':11}{'pictures':>9}{'rendered':>10}{'exact':>8}{'paired':>8}{'letters':>9}"]
    for name, of_set in figures["sets"].items():
        for reader in READERS:
            f = of_set[reader]
            lines.append(f"{name:14}{reader:11}{of_set['pictures']:9}{f['rendered_exact']:10.3f}{f['exact']:8.3f}"
                         f"{f['exact_where_rendered_is'] or 0:8.3f}{f['letters']:9.3f}")  # fmt: skip
    lines.append(f"{figures['seconds_a_picture']} s a picture on {figures['threads']} threads, "
                 f"{figures['peak_mib']} MiB at most")  # fmt: skip
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("--limit", type=int, help="pictures of each set (spread over it)")
    parser.add_argument("--out", type=pathlib.Path, help="folder for table.json and contact sheets")
    arguments = parser.parse_args()
    pipeline, defaults = load(arguments.checkpoint)
    figures = {"threads": torch.get_num_threads(), "defaults": defaults, "sets": {}}
    figures["seconds_a_picture"] = seconds_a_picture(pipeline, defaults, one_line_set()[0][2])
    figures["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024  # before the readers are loaded
    for name, cases in SETS.items():
        cases = cases()
        if arguments.limit:
            cases = cases[:: max(1, -(-len(cases) // arguments.limit))]
        figures["sets"][name], drawn = evaluate(pipeline, defaults, cases)
        if arguments.out:
            arguments.out.mkdir(parents=True, exist_ok=True)
            save_sheet(drawn[:60], arguments.out / f"{name.replace(' ', '_')}.png", columns=6)
    if arguments.out:
        (arguments.out / "table.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(table(figures))


if __name__ == "__main__":
    main()
