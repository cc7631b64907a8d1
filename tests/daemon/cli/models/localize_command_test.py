"""`glyphward localize` on a copy of the bundled model: what it writes, and what --check says of it."""

import json
import os
import pathlib
import shutil
import struct
import subprocess

import pytest

BUILD = pathlib.Path(os.environ["GLYPHWARD_BUILD_DIR"])
LONG = bool(os.environ.get("GLYPHWARD_LONG"))  # set by the test daemon_long
BUNDLED = pathlib.Path(os.environ["GLYPHWARD_SOURCE_DIR"]) / "model/bundled/stable-diffusion"


def localize(model, *arguments):
    # One thread: OpenMP threads that wait by spinning starve each other on a busy machine.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run([BUILD / "glyphward", "localize", model, *arguments], capture_output=True, text=True, env=environment)


@pytest.fixture
def model(tmp_path):
    return pathlib.Path(shutil.copytree(BUNDLED, tmp_path / "model", copy_function=shutil.copyfile))


def test_the_shipped_profile_fits_the_bundled_model():
    run = localize(BUNDLED, "--check", "--json", *([] if LONG else ["--pairs-count", "8"]))
    report = json.loads(run.stdout)
    assert run.returncode == 0 and report["fits"], report
    plain, every, localized = report["rows"]
    assert len(report["layers"]) <= 3 and localized["layers"] == report["layers"]
    assert plain["old_word"] >= 0.8 and plain["new_word"] == 0 and every["new_word"] >= 0.8
    assert localized["old_word"] == 0
    # The scene stays the user's where the prompt leaves it to the word.
    assert localized["forms"]["open"]["outside_mse"] < 0.5 * every["forms"]["open"]["outside_mse"]


def test_check_refuses_other_weights(model):
    weights = model / "unet/diffusion_pytorch_model.safetensors"
    layer = json.loads((model / "glyphward.json").read_text())["localization"]["layers"][0]
    data = bytearray(weights.read_bytes())
    (length,) = struct.unpack("<Q", data[:8])
    begin, _ = json.loads(data[8 : 8 + length])[layer + ".to_k.weight"]["data_offsets"]
    data[8 + length + begin] ^= 1
    weights.write_bytes(data)
    run = localize(model, "--check")
    assert run.returncode == 1 and "mismatch" in run.stdout and "SHA-256" in run.stdout, run.stdout


def test_check_says_that_there_is_no_profile(model):
    (model / "glyphward.json").write_text('{"defaults": {"num_inference_steps": 12, "guidance_scale": 2, "height": 96, "width": 192}}')
    run = localize(model, "--check", "--json")
    assert run.returncode == 1 and json.loads(run.stdout)["profile"] == "none"


def test_writes_what_it_found_and_keeps_the_defaults(model):
    shipped = json.loads((model / "glyphward.json").read_text())
    (model / "glyphward.json").write_text(json.dumps({"defaults": shipped["defaults"]}))
    pairs = model.parent / "pairs.jsonl"
    pairs.write_text("".join(json.dumps({"source": f'a thing that says "{a}"', "target": f'a thing that says "{b}"', "source_word": a, "target_word": b}) + "\n" for a, b in [("hello", "market")]))
    sheet = model.parent / "sheet.png"
    run = localize(model, "--pairs", pairs, "--contact-sheet", sheet, "--json")
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    written = json.loads((model / "glyphward.json").read_text())
    assert written["defaults"] == shipped["defaults"]
    assert written["localization"]["layers"] == report["layers"]
    assert written["localization"]["sha256"] == report["sha256"]
    assert written["localization"]["evidence"]["pairs"] == 1
    assert written["localization"]["evidence"]["rows"] == report["rows"]
    width, height = struct.unpack(">II", sheet.read_bytes()[16:24])
    assert (width, height) == (3 * 192 + 2 * 4, 96)
    # The engine takes the hash that was written for that of these weights.
    assert json.loads(localize(model, "--check", "--pairs-count", "1", "--json").stdout)["profile"] == "localized"


def test_leaves_the_profile_where_nothing_carries_the_word(model):
    before = (model / "glyphward.json").read_bytes()
    run = localize(model, "--pairs-count", "1", "--layers-max", "1")
    assert run.returncode == 1 and "no set tried" in run.stdout, run.stdout
    assert (model / "glyphward.json").read_bytes() == before


def test_bad_input_is_a_usage_error(model, tmp_path):
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text('{"source": "a"}\n')
    run = localize(model, "--pairs", pairs)
    assert run.returncode == 2 and "pairs.jsonl:1: target" in run.stderr, run.stderr
    run = localize(model, "--languages", "xx")
    assert run.returncode == 2 and "xx" in run.stderr, run.stderr
    (model / "unet/config.json").unlink()
    run = localize(model)
    assert run.returncode == 2 and "config.json" in run.stderr, run.stderr
