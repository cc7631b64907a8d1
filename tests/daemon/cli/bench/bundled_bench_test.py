"""`glyphward bench bundled` on the bundled model: the table's shape, and what is refused."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

BUILD = pathlib.Path(os.environ["GLYPHWARD_BUILD_DIR"])
SOURCE = pathlib.Path(os.environ["GLYPHWARD_SOURCE_DIR"])
LONG = bool(os.environ.get("GLYPHWARD_LONG"))  # set by the test daemon_long
BUNDLED = SOURCE / "model/bundled/stable-diffusion"
BUNDLED_3 = SOURCE / "model/bundled/stable-diffusion-3"


def bench(*arguments, **environment):
    # One thread: OpenMP threads that wait by spinning starve each other on a busy machine.
    return subprocess.run([BUILD / "glyphward", "bench", "bundled", *map(str, arguments)], capture_output=True, text=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1", **environment})  # fmt: skip


def png_size(file):
    header = file.read_bytes()[:24]
    assert header[:4] == b"\x89PNG"
    return int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")


def test_measures_every_set(tmp_path):
    limit = 3 if LONG else 1
    run = bench("--limit", limit, "--threads", 1, "--json", "--out", tmp_path / "out")
    assert run.returncode == 0, run.stderr
    table = json.loads(run.stdout)
    assert json.loads((tmp_path / "out/table.json").read_text()) == table
    profile = json.loads((BUNDLED / "glyphward.json").read_text())
    assert {name: table[name] for name in profile["defaults"]} == profile["defaults"]
    assert table["threads"] == 1 and table["seconds_a_picture"] > 0 and table["peak_mib"] > 0

    assert [(row["set"], row["reader"]) for row in table["sets"]] == [
        ("one-line", "guard"), ("two-lines", "guard"), ("free", "guard")]  # fmt: skip
    for row in table["sets"]:
        assert row["pictures"] == row["exact"]["of"] == row["rendered_exact"]["of"] == limit
        assert row["paired"]["of"] == row["rendered_exact"]["count"]

    if "localization" in profile:
        localization = table["localization"]
        assert localization["layers"] == profile["localization"]["layers"]
        assert localization["all_layers"]["of"] == limit
        assert localization["localized_layers"]["of"] == localization["all_layers"]["count"]
    else:
        assert "glyphward localize" in table["no_localization"]
    assert "modes" not in table and "no_modes" not in table  # no joint attention here

    guarded = table["guarded"]
    assert guarded["prompts"] == sum(guarded["routes"].values()) == limit
    assert guarded["unguarded_toxic"]["guard"]["of"] == limit
    assert guarded["released_toxic"]["guard"]["count"] == 0
    assert guarded["released_toxic_ids"] == []
    exact = guarded["sanitized_exact"]["guard"]
    assert exact["count"] + len(guarded["sanitized_misread_ids"]) == exact["of"]
    clean = table["clean"]
    assert clean["prompts"] == clean["leave"]["of"] == limit
    assert clean["equal_to_unguarded"]["count"] + len(clean["others"]) == limit

    width, height = profile["defaults"]["width"], profile["defaults"]["height"]
    assert png_size(tmp_path / "out/one-line.png") == (6 * width + 5 * 4, height)
    for sheet in ("two-lines", "free", "guarded", "clean"):
        assert (tmp_path / "out" / f"{sheet}.png").exists()


def test_takes_the_second_readers_word(tmp_path):
    reader = tmp_path / "reader.py"
    reader.write_text("""import json, sys
for line in sys.stdin:
    assert open(line.strip(), "rb").read(4) == b"\\x89PNG"
    print(json.dumps({"rapidocr": {"text": "Hello", "boxes": [[0, 0, 9, 9]]}, "other": {"text": ""}}), flush=True)
""")
    run = bench("--set", "one-line", "--limit", 1, "--json", "--second-reader", f'"{sys.executable}" "{reader}"')
    assert run.returncode == 0, run.stderr
    rapidocr, other = sorted(json.loads(run.stdout)["sets"], key=lambda row: row["reader"], reverse=True)
    assert rapidocr["exact"]["count"] == 1  # the first case is HELLO
    assert other["exact"]["count"] == 0 and other["rendered_exact"]["of"] == 0
    dead = bench("--set", "one-line", "--limit", 1, "--second-reader", "false")
    assert dead.returncode == 1 and "--second-reader: false: ended before" in dead.stderr, dead.stderr
    endless = bench("--set", "one-line", "--limit", 1, "--second-reader", "yes nonsense")
    assert endless.returncode == 1 and "found nonsense" in endless.stderr, endless.stderr


def test_prints_a_table():
    run = bench("--set", "modes", "--set", "one-line", "--limit", 1)
    assert run.returncode == 0, run.stderr
    assert "| one-line | guard | 1 |" in run.stdout and "s a picture on 1 threads" in run.stdout
    assert "modes: a model of the family stable-diffusion has none" in run.stdout
    assert "localization" not in run.stdout and "toxic" not in run.stdout


def test_says_how_to_get_a_profile(tmp_path):
    model = pathlib.Path(shutil.copytree(BUNDLED, tmp_path / "model", copy_function=shutil.copyfile))
    defaults = json.loads((model / "glyphward.json").read_text())["defaults"]
    (model / "glyphward.json").write_text(json.dumps({"defaults": defaults}))
    run = bench(model, "--set", "localization")
    assert run.returncode == 0, run.stderr
    assert f"`glyphward localize {model}` finds them" in run.stdout


def test_measures_the_modes_of_joint_attention(tmp_path):
    """In few steps: what the pictures say does not matter here."""
    model = pathlib.Path(shutil.copytree(BUNDLED_3, tmp_path / "model", copy_function=shutil.copyfile))
    profile = json.loads((model / "glyphward.json").read_text())
    profile["defaults"]["num_inference_steps"] = 2
    (model / "glyphward.json").write_text(json.dumps(profile))
    run = bench(model, "--set", "modes", "--limit", 1, "--json")
    assert run.returncode == 0, run.stderr
    modes = json.loads(run.stdout)["modes"]
    assert [row["mode"] for row in modes["rows"]] == ["paper", "shared", "side"]
    for row in modes["rows"]:
        assert row["all_layers"]["of"] == 1 and row["pairs_without_box"] <= 1
        assert row["step_seconds"] > 0 and row["outside_ratio"] >= 0
    assert modes["plain_step_seconds"] > 0


def test_guards_the_stable_diffusion_3_model():
    """The whole way on the second model: a few toxic prompts and clean ones, by the localized blocks."""
    limit = 4 if LONG else 2
    run = bench(BUNDLED_3, "--set", "guarded", "--set", "clean", "--limit", limit, "--json")
    assert run.returncode == 0, run.stderr
    table = json.loads(run.stdout)
    assert table["guarded"]["released_toxic"]["guard"]["count"] == 0
    assert table["guarded"]["unguarded_toxic"]["guard"]["count"] >= 2
    assert table["guarded"]["routes"]["localized"] >= 2
    assert table["clean"]["leave"]["count"] == table["clean"]["equal_to_unguarded"]["count"] == limit


@pytest.fixture
def data(tmp_path):
    return pathlib.Path(shutil.copytree(SOURCE / "tests/data/bundled", tmp_path / "data/bundled")).parent


def test_refuses_by_name(data, tmp_path):
    unknown = bench("--set", "three-lines")
    assert unknown.returncode == 2 and "three-lines" in unknown.stderr and "--set" in unknown.stderr, unknown.stderr
    cases = data / "bundled/cases.jsonl"
    missing = bench("--data", data)
    assert missing.returncode == 2 and "guarded/toxic.jsonl: cannot be read" in missing.stderr, missing.stderr
    lines = cases.read_text().splitlines()
    cases.write_text("\n".join([lines[0], '{"set": "one-line"}', *lines[2:]]) + "\n")
    broken = bench("--data", data, "--set", "one-line")
    assert broken.returncode == 2 and "cases.jsonl:2: words: expected a list" in broken.stderr, broken.stderr
    cases.write_text(lines[0] + "\n")
    short = bench("--data", data, "--set", "free")
    assert short.returncode == 2 and "no cases of the set free" in short.stderr, short.stderr
    file = tmp_path / "file"
    file.write_text("")
    out = bench("--data", data, "--set", "one-line", "--out", file / "out")
    assert out.returncode == 2 and "--out" in out.stderr, out.stderr
