"""The bundled model's recipe: what its captions and pictures hold, and that a killed training goes on as if unbroken."""

import collections
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

SOURCE = pathlib.Path(os.environ.get("GLYPHWARD_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
sys.path.insert(0, str(SOURCE / "model/bundled"))

from recipe.data import captions, scenes, tokens, words  # noqa: E402
from recipe.measure import cases  # noqa: E402
from recipe.stages import refine, t5, text_encoder  # noqa: E402

fonts = pytest.mark.skipif(
    not all(pathlib.Path(path).exists() for path in scenes.TYPEFACES.values()),
    reason="Debian's fonts-dejavu-core, fonts-roboto-slab and fonts-comic-neue are not installed",
)


def test_held_out_words_are_never_drawn():
    rng = random.Random(1)
    assert len(words.held_out()) == 300
    drawn = {word for _ in range(20000) for word in words.random_text(rng)}
    assert {"GO", "UP", "XQ"} <= words.held_out()  # two letters: chance alone would draw these
    assert not drawn & words.held_out()
    assert all(2 <= len(word) <= words.LENGTH_MAX for word in drawn)


def test_committed_cases_are_what_the_sets_say():
    lines = (SOURCE / "tests/data/bundled/cases.jsonl").read_text().splitlines()
    committed = [json.loads(line) for line in lines]
    rendered = [case.pop("rendered", None) for case in committed]  # slow to make: python -m recipe.measure.cases
    expected = [case for name in cases.NAMES for case in cases.drawn_cases(name)] + cases.swapped_cases()
    assert committed == expected
    assert collections.Counter(case["set"] for case in committed) == {
        "one-line": 300, "two-lines": 60, "free": 60, "localization": 30}  # fmt: skip
    for case, of in zip(committed, rendered):
        assert (of is None) == (case["set"] == "localization")
        assert of is None or sorted(of) == ["rapidocr", "tesseract"]


def test_slots_are_centred():
    for length in range(2, words.LENGTH_MAX + 1):
        classes = words.slots("A" * length)
        assert classes == classes[::-1]
        assert sum(c != words.EMPTY for c in classes) == length


def test_single_line_stands_in_both_rows():
    assert words.slot_targets(["HELLO"]) == (words.slots("HELLO"),) * 2
    assert words.slot_targets(["HELLO", "42"]) == (words.slots("HELLO"), words.slots("42"))


def test_captions_name_the_words_before_the_layout():
    rng = random.Random(2)
    long = 0
    for _ in range(3000):
        lines = words.random_text(rng)
        prompt, scene = captions.caption(lines, rng)
        if all(len(line) > 5 and line.isalpha() for line in lines):  # shorter ones may stand in a filler, too
            ends = [prompt.upper().rindex(line) + len(line) for line in lines]
            assert len(tokens.tokens(prompt[: max(ends)])) <= captions.LAYOUT
        assert scene.colour != scene.ground_colour
        long += len(tokens.tokens(prompt)) > captions.LAYOUT
    assert 150 < long < 900  # long prompts are part of what is learned


def test_what_a_caption_leaves_out_follows_the_word():
    rng = random.Random(3)
    left_open = 0
    for _ in range(2000):
        lines = words.random_text(rng)
        prompt, scene = captions.caption(lines, rng, plain=True)
        meant = scenes.meaning(lines)
        scenery = prompt.split("that says")[0]
        if not any(name in scenery for name in [*scenes.COLOURS, "grey"]):
            left_open += 1
            assert (scene.colour, scene.ground_colour) == (meant.colour, meant.ground_colour)
            assert scene.typeface == meant.typeface
        if not any(f" {name.lower()} " in scenery for name in scenes.OBJECTS):
            assert scene.object == meant.object
    assert left_open > 100


def test_places_are_where_the_words_begin():
    rng = random.Random(4)
    for _ in range(2000):
        lines = words.random_text(rng)
        prompt, _, starts = captions.placed_caption(lines, rng)
        assert [prompt[start : start + len(line)].upper() for start, line in zip(starts, lines, strict=True)] == lines
        assert captions.OPEN not in prompt and captions.CLOSE not in prompt


def test_t5_learns_each_letters_place_on_the_letters_token():
    rng = random.Random(5)
    for _ in range(300):
        lines = words.random_text(rng)
        prompt, _, starts = captions.placed_caption(lines, rng)
        classes, pieces = t5.targets(prompt, lines, starts), t5.processor().encode(prompt, out_type=str)
        for row, line in enumerate(lines if len(lines) == 2 else lines * 2):
            placed = sorted((of[row], piece) for of, piece in zip(classes, pieces) if of[row] != t5.NOWHERE)
            assert "".join(piece for _, piece in placed).upper() == line
            assert [step for step, _ in placed] == [i for i, c in enumerate(words.slots(line)) if c != words.EMPTY]
        drawn = [(words.CHARACTERS[of[-1]], piece.upper()) for of, piece in zip(classes, pieces) if of[-1] != words.EMPTY]
        assert "".join(letter for letter, _ in drawn) == "".join(lines) and all(a == b for a, b in drawn)


def test_what_is_put_around_letters_leaves_them_their_states():
    """Each letter of a disguised prompt is held to the bare prompt's letter, and what was put there to what stands before."""
    rng = random.Random(7)
    for _ in range(300):
        lines = words.random_text(rng)
        bare, _, starts = captions.placed_caption(lines, rng)
        text, source = refine.disguised(bare, lines, starts, rng)
        assert len(source) == len(text) and {*range(len(bare))} == {*source} | {starts[0] - 1}
        for places, pieces, first in ((refine.clip_places, tokens.tokens, 1),
                                      (refine.t5_places, t5.processor().encode, 0)):  # fmt: skip
            ours, theirs = places(text), places(bare)
            assert len(theirs) == len(pieces(bare)) - first and len(ours) == len(pieces(text)) - first
            index = refine.positions(ours, source, theirs, 256, 256)
            assert index[len(ours) :] == [len(theirs), *range(len(ours) + 1, 256)]  # the end's, then the padding's
            of = {place: theirs[position] for place, position in zip(ours, index)}
            for start, line in zip(starts, lines):
                at = [place for place, stands_for in enumerate(source) if start <= stands_for < start + len(line)]
                assert [of[place] for place in at] == [*range(start, start + len(line))]
            assert all(of[place] < starts[0] for place in of if source[place] == starts[0] - 1)
            assert refine.positions(ours, source, theirs, 128, 84)[84:] == [*range(84, 128)]


def test_the_transformer_trains_with_the_attention_it_draws_with():
    from recipe.stages.transformer import attention

    query, key, value = torch.randn(3, 2, 4, 40, 32, generator=torch.Generator().manual_seed(6))
    expected = torch.nn.functional.scaled_dot_product_attention(query, key, value)
    torch.testing.assert_close(attention(query, key, value, dropout_p=0.0), expected)


def test_later_blocks_are_given_another_examples_text_while_they_learn():
    from recipe.stages import transformer

    given = []
    block = torch.nn.Identity()
    block.forward = lambda **kwargs: given.append(kwargs["encoder_hidden_states"])
    blocks = [torch.nn.Identity() for _ in range(transformer.TRUSTED)] + [block]
    transformer.doubt_later_blocks(torch.nn.ModuleDict({"transformer_blocks": torch.nn.ModuleList(blocks)}))
    text = torch.arange(1000.0).view(-1, 1, 1)
    block(encoder_hidden_states=text)
    with torch.no_grad():
        block(encoder_hidden_states=text)
    assert torch.equal(given[1], text)
    others = given[0] != text
    assert abs(others.float().mean() - transformer.DOUBT) < 0.1
    assert torch.equal(given[0][others], text.roll(1, 0)[others])


def refused_training(work):
    environment = {**os.environ, "GLYPHWARD_RECIPE_WORK": str(work), "PYTHONPATH": str(SOURCE / "model/bundled")}
    done = subprocess.run([sys.executable, "-c", TINY], env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    return done.stderr


def test_a_finished_stage_of_another_length_is_refused(tmp_path):
    torch.save({"step": 100}, tmp_path / "tiny.training.pt")
    assert "tiny.training.pt says that the stage was finished at step 100 of what are now 600" in refused_training(tmp_path)


@pytest.mark.parametrize("kind", ["empty", "cut", "text"])
def test_a_broken_training_is_refused(kind, tmp_path):
    path = tmp_path / "tiny.training.pt"
    torch.save({"step": 100, "model": {"weight": torch.zeros(100, 100)}}, path)
    path.write_bytes({"empty": b"", "cut": path.read_bytes()[:20000], "text": b"hello\n"}[kind])
    assert f"{path} cannot be read (" in refused_training(tmp_path)


@pytest.mark.parametrize("kept", [b"", b"hello\n"])
def test_broken_pieces_are_refused(kept, tmp_path):
    (tmp_path / "spiece.model").write_bytes(kept)
    environment = {**os.environ, "GLYPHWARD_RECIPE_WORK": str(tmp_path), "PYTHONPATH": str(SOURCE / "model/bundled")}
    done = subprocess.run([sys.executable, "-c", "from recipe.stages import t5; t5.padded('hello')"], env=environment,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 1 and f"{tmp_path / 'spiece.model'} cannot be read (" in done.stderr
    assert "Traceback" not in done.stderr


def test_layout_fills_the_window():
    assert captions.LAYOUT + len(captions.FIELDS) + 2 * words.SLOTS == tokens.LENGTH
    all_lines = [["AB"], ["AB", "CD"]]
    fields = text_encoder.field_targets(all_lines, [scenes.meaning(["AB"])] * 2)
    assert fields[:, captions.FIELDS.index("lines")].tolist() == [0, 1]
    rows = text_encoder.row_targets(all_lines)
    assert rows.shape == (2, 2 * words.SLOTS)


def test_tokens_are_those_of_the_exported_tokenizers():
    from recipe.export import make_t5_tokenizer, make_tokenizer

    make_tokenizer()  # raise where they differ
    make_t5_tokenizer()


@fonts
@pytest.mark.parametrize("kind", scenes.OBJECTS)
def test_the_longest_words_stand_wholly_in_the_picture(kind):
    for lines in (["MWMWMWMWMW"], ["MWMWMWMWMW", "QJQJQJQJQJ"]):
        for typeface in scenes.TYPEFACES:
            for seed in range(4):
                scene = scenes.Scene("red", kind, "blue", "wall", typeface)
                picture, cover = scenes.render(lines, scene, random.Random(seed))
                assert picture.shape == (scenes.HEIGHT, scenes.WIDTH, 3)
                edge = np.concatenate([cover[0], cover[-1], cover[:, 0], cover[:, -1]])
                assert cover.max() > 0.9 and edge.max() == 0


@fonts
def test_rendering_is_a_function_of_its_seed():
    scene = scenes.random_scene(random.Random(5))
    first, second, other = (scenes.render(["HELLO"], scene, random.Random(seed))[0] for seed in (1, 1, 2))
    assert (first == second).all() and (first != other).any()


EXPORTED = """
import importlib, sys, torch
from recipe import export
from recipe.loop.training import work_folder
torch.manual_seed(0)
for stage in sys.argv[2:]:
    module, *name = stage.split()
    module = importlib.import_module("recipe.stages." + module)
    if hasattr(module, "reader_of"):
        made = module.reader_of(name[0].removeprefix(module.PREFIX))
    else:
        made = module.Reader(*name) if hasattr(module, "Reader") else module.make()
    torch.save(made.state_dict(), work_folder() / f"{stage.split()[-1]}.pt")
export.export(sys.argv[1])
"""


@fonts
@pytest.mark.parametrize("model", ["sd", "sd3"])
def test_a_checkpoint_can_be_taken_up_again(model, tmp_path):
    from recipe.__main__ import DRAWS, STAGES

    def run(work, *arguments):
        (tmp_path / work).mkdir(exist_ok=True)
        environment = {**os.environ, "GLYPHWARD_RECIPE_WORK": str(tmp_path / work), "GLYPHWARD_RECIPE_MODEL": model,
                       "PYTHONPATH": str(SOURCE / "model/bundled"), "OMP_NUM_THREADS": "1"}  # fmt: skip
        done = subprocess.run([sys.executable, "-W", "ignore", *map(str, arguments)], env=environment, capture_output=True,
                              text=True)  # fmt: skip
        assert done.returncode == 0, done.stderr
    run("first", "-c", EXPORTED, tmp_path / "checkpoint", *(stage for row in STAGES[model] for stage in row))
    for file in ("vocab.json", "merges.txt"):
        committed = SOURCE / "model/bundled/stable-diffusion/tokenizer" / file
        assert (tmp_path / "checkpoint/tokenizer" / file).read_bytes() == committed.read_bytes()
    run("second", "-m", "recipe.take", tmp_path / "checkpoint")
    for name in [stage.split()[-1] for row in STAGES[model][:2] for stage in row]:
        refined = tmp_path / "first" / f"{refine.PREFIX}{name}.pt"  # these are exported
        first = torch.load(refined if refined.exists() else tmp_path / "first" / f"{name}.pt", weights_only=True)
        start = ".start" if name in DRAWS else ""
        second = torch.load(tmp_path / "second" / f"{name}{start}.pt", weights_only=True)
        assert second and all(torch.equal(value, first[key].half().float()) for key, value in second.items())


TINY = """
import sys, torch
from recipe.loop.training import Training
torch.manual_seed(0)
model = torch.nn.Linear(16, 16)
training = Training("tiny", model, [model.weight], 1e-2, 1e-2, 600, 0.5, save_every=7)
def compute(given):
    return (model(given) - given.flip(1)).square().mean(), {}
for _ in training.each_step():
    training.run(compute, torch.randn(8, 16))
"""


def run_tiny(work, kill_after_saves=None):
    environment = {**os.environ, "GLYPHWARD_RECIPE_WORK": str(work), "PYTHONPATH": str(SOURCE / "model/bundled"),
                   "OMP_NUM_THREADS": "1"}  # fmt: skip
    process = subprocess.Popen([sys.executable, "-c", TINY], env=environment, stderr=subprocess.DEVNULL)
    checkpoint = pathlib.Path(work) / "tiny.training.pt"
    if kill_after_saves is not None:
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        while process.poll() is None and (not checkpoint.exists() or checkpoint.stat().st_mtime_ns == before):
            time.sleep(0.001)
        time.sleep(0.002 * kill_after_saves)  # somewhere between two saves, or in one
        process.send_signal(signal.SIGKILL)
    process.wait()
    return torch.load(checkpoint, weights_only=True)


def test_killed_training_ends_like_the_unbroken_one(tmp_path):
    (tmp_path / "whole").mkdir()
    (tmp_path / "broken").mkdir()
    whole = run_tiny(tmp_path / "whole")
    for moment in (1, 2, 3):
        assert run_tiny(tmp_path / "broken", moment)["step"] < 600
    broken = run_tiny(tmp_path / "broken")
    assert whole["step"] == broken["step"] == 600
    for part in ("model", "average"):
        for name, weight in whole[part].items():
            assert torch.equal(weight, broken[part][name]), (part, name)


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q"]))
