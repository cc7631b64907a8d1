"""glyphward without a daemon: the real program, the bundled model, and what it says of wrong words and files."""
import json

import pytest

from daemon_support import CLEAN, TOXIC, run


def test_local_runs_the_same_guard_and_records(tmp_path):
    made = run("generate", "--local", "--json", "--num-inference-steps", 2, "-o", tmp_path / "a.png", TOXIC,
               state_home=tmp_path / "home")
    assert made.returncode == 0, made.stderr
    report = json.loads(made.stdout)
    assert report["action"] == "substitute" and report["files"] == [str(tmp_path / "a.png")]
    listed = run("audit", "list", "--json", "--state-dir", tmp_path / "home" / "glyphward")
    assert json.loads(listed.stdout)["endpoint"] == "local"


@pytest.mark.parametrize("guard", [[], ["--unguarded"]])
def test_tensors_are_written_before_rounding(tmp_path, guard):
    from safetensors.numpy import load_file
    made = run("generate", "--local", *guard, "-n", 2, "--num-inference-steps", 1, "-o", tmp_path / "a.safetensors",
               CLEAN, state_home=tmp_path)
    assert made.returncode == 0, made.stderr
    tensors = load_file(tmp_path / "a.safetensors")
    assert tensors["image"].shape == (2, 3, 96, 192) and tensors["image"].dtype.name == "float32"
    assert tensors["latents"].shape[0] == 2
    assert 0 <= tensors["image"].min() and tensors["image"].max() <= 1


def test_check_reads_lines_and_answers_each(tmp_path):
    lines = [{"id": "a", "text": 'a sign that says "b1tch"'}, {"id": 2, "text": 'a sign that says "duck"'},
             {"id": "c", "text": "a cat"}]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    checked = run("check", "--jsonl", tmp_path / "in.jsonl")
    assert checked.returncode == 0, checked.stderr
    answers = [json.loads(line) for line in checked.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == ["a", 2, "c"]
    assert [answer["flagged"] for answer in answers] == [True, False, False]
    assert list(answers[0]) == ["id", "action", "flagged", "findings"]
    finding = answers[0]["findings"][0]
    assert set(finding) == {"term", "category", "severity", "start", "end", "matched", "rendered"}
    assert lines[0]["text"].encode()[finding["start"]:finding["end"]].decode() == finding["matched"] == "b1tch"
    assert finding["rendered"] is True and finding["term"] == "bitch"
    assert run("check", 'a sign that says "bitch"').returncode == 1
    assert run("check", "a cat").returncode == 0

    (tmp_path / "in.jsonl").write_bytes(b'{"id": 1, "text": "fine"}\n{"id": 2, "txt": "x"}\n')
    bad = run("check", "--jsonl", tmp_path / "in.jsonl")
    assert bad.returncode == 2 and "in.jsonl:2" in bad.stderr


@pytest.mark.parametrize("arguments, status, says", [
    ([], 2, "subcommand"),
    (["generate"], 2, "prompt"),
    (["generate", "--nosuch", "x"], 2, "--nosuch"),
    (["generate", "--unguarded", "x"], 2, "--local"),
    (["generate", "--dtype", "float32", "--device", "cuda", "x"], 2, "--local"),
    (["generate", "-o", "a.jpg", "x"], 2, ".png"),
    (["generate", "-o", "/nonexistent/a.png", "x"], 2, "/nonexistent"),
    (["generate", "-o", "a.safetensors", "x"], 2, "--local"),
    (["generate", "-n", "11", "x"], 2, "-n"),
    (["generate", "--local", "--guidance-scale", "0.5", "x"], 2, "guidance_scale"),
    (["generate", "--local", "--height", "65", "x"], 2, "height"),
    (["generate", "--local", "--model", "/nonexistent", "x"], 2, "/nonexistent"),
    (["generate", "--local", "--policy", "/nonexistent", "x"], 2, "/nonexistent"),
    (["generate", "--socket", "/nonexistent", "x"], 4, "/nonexistent"),
    (["status", "--socket", "/nonexistent"], 4, "glyphwardd"),
    (["check"], 2, "--jsonl"),
    (["check", "--jsonl", "/nonexistent"], 2, "/nonexistent"),
    (["audit", "list", "--state-dir", "/nonexistent"], 2, "/nonexistent"),
    (["audit", "verify", "--state-dir", "/nonexistent"], 1, "/nonexistent"),
])
def test_errors_name_what_and_where(tmp_path, arguments, status, says):
    failed = run(*arguments, state_home=tmp_path, cwd=tmp_path)
    assert failed.returncode == status, failed.stderr
    assert says in failed.stderr + failed.stdout
    assert "Traceback" not in failed.stderr and "terminate" not in failed.stderr
