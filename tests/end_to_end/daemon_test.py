"""glyphwardd and glyphward as an operator meets them: the real programs, the bundled model, real faults."""
import base64
import concurrent.futures
import contextlib
import csv
import http.client
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time

import pytest

from daemon_support import (BUILD, CLEAN, MODEL, PATIENCE_S, SOURCE, TOXIC, Daemon, UnixConnection, ask,  # noqa: E402
                            eventually, run)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    with Daemon(tmp_path_factory.mktemp("daemon")) as running:
        yield running


def test_the_main_job(daemon, tmp_path):
    made = run("generate", "-o", tmp_path / "guarded.png", TOXIC, socket_path=daemon.socket)
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "guarded.png").read_bytes().startswith(b"\x89PNG\r\n")
    assert "substitute" in made.stdout and "bitch" not in made.stdout.lower()
    newest = daemon.rows()[0]
    assert newest["action"] == "substitute" and newest["outcome"] == "answered"
    shown = run("audit", "show", newest["sequence"], "--state-dir", daemon.state)
    assert shown.returncode == 0 and newest["request_id"] in shown.stdout
    assert daemon.verify().returncode == 0


def test_clean_pictures_leave_bit_equal_to_unguarded_ones(daemon, tmp_path):
    assert run("generate", "-n", 2, "-o", tmp_path / "g.png", CLEAN, socket_path=daemon.socket).returncode == 0
    assert run("generate", "--local", "--unguarded", "-n", 2, "-o", tmp_path / "u.png", CLEAN).returncode == 0
    for i in range(2):
        assert (tmp_path / f"g-{i}.png").read_bytes() == (tmp_path / f"u-{i}.png").read_bytes()


def test_local_runs_the_same_guard_and_records(tmp_path):
    made = run("generate", "--local", "--json", "-o", tmp_path / "a.png", TOXIC, state_home=tmp_path / "home")
    assert made.returncode == 0, made.stderr
    report = json.loads(made.stdout)
    assert report["action"] == "substitute" and report["files"] == [str(tmp_path / "a.png")]
    listed = run("audit", "list", "--json", "--state-dir", tmp_path / "home" / "glyphward")
    assert json.loads(listed.stdout)["endpoint"] == "local"


@pytest.mark.parametrize("guard", [[], ["--unguarded"]])
def test_tensors_are_written_before_rounding(tmp_path, guard):
    from safetensors.numpy import load_file
    made = run("generate", "--local", *guard, "-n", 2, "-o", tmp_path / "a.safetensors", CLEAN, state_home=tmp_path)
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


def test_the_client_tells_refusals_and_bad_input_apart(daemon, tmp_path):
    for arguments, status in [(["--guidance-scale", "0.5", CLEAN], 2), ([""], 2), (["--model", "other", CLEAN], 2)]:
        failed = run("generate", "-o", tmp_path / "x.png", *arguments, socket_path=daemon.socket)
        assert failed.returncode == status, failed.stderr
    assert not (tmp_path / "x.png").exists()


def test_a_prompt_whose_word_the_window_would_cut_is_refused_by_name(daemon):
    reply = daemon.generate("a very " * 60 + CLEAN)
    assert reply.status == 400 and reply.error["param"] == "prompt"
    assert "tokens" in reply.error["message"]


@pytest.mark.parametrize("body, param", [
    ({"prompt": ""}, "prompt"),
    ({"prompt": "a" * 32_001}, "prompt"),
    (b'{"prompt": "\xff\xfe"}', "prompt"),
    (b'{"prompt": "a', None),
    ({"prompt": "a", "model": "dall-e-3"}, "model"),
    ({"prompt": "a", "n": 0}, "n"),
    ({"prompt": "a", "n": 11}, "n"),
    ({"prompt": "a", "size": "1x1"}, "size"),
    ({"prompt": "a", "size": "100000x64"}, "size"),
    ({"prompt": "a", "width": 65}, "width"),
    ({"prompt": "a", "guidance_scale": 0.99}, "guidance_scale"),
])
def test_bad_input_is_a_4xx_that_names_its_field(daemon, body, param):
    reply = ask(daemon.socket, "POST", "/v1/images/generations", body)
    assert 400 <= reply.status < 500
    assert reply.error["param"] == param and reply.error["message"] and reply.error["type"]
    assert reply.headers["x-request-id"].startswith("req_")


def test_the_log_is_listed_and_exported(daemon, tmp_path):
    daemon.generate(TOXIC, num_inference_steps=2)
    daemon.generate(CLEAN, num_inference_steps=2)
    rows = daemon.rows()
    assert [row["sequence"] for row in rows] == list(range(len(rows), 0, -1))
    listed = run("audit", "list", "--state-dir", daemon.state, "--action", "substitute", "--limit", 1, "--json")
    assert [json.loads(line)["action"] for line in listed.stdout.splitlines()] == ["substitute"]
    exported = run("audit", "export", "--state-dir", daemon.state)
    assert [json.loads(line) for line in exported.stdout.splitlines()] == rows[::-1]
    assert run("audit", "export", "--format", "csv", "-o", tmp_path / "a.csv", "--state-dir", daemon.state).returncode == 0
    with open(tmp_path / "a.csv", newline="") as opened:
        table = list(csv.DictReader(opened))
    assert [row["prompt"] for row in table] == [row["prompt"] for row in rows[::-1]]
    through_admin = ask(daemon.admin, "GET", "/v1/decisions?limit=500").body["data"]
    assert through_admin == rows


# ---- Faults


def spoil_truncate(folder):
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    with open(file, "r+b") as opened:
        opened.truncate(file.stat().st_size // 2)
    return ["unet/diffusion_pytorch_model.safetensors"]


def spoil_missing(folder):
    (folder / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    return ["vae"]


def spoil_shape(folder):
    file = folder / "unet" / "config.json"
    config = json.loads(file.read_text())
    config["out_channels"] += 1
    file.write_text(json.dumps(config))
    return ["unet", "conv_out", "expected", "found"]


@pytest.mark.parametrize("spoil", [spoil_truncate, spoil_missing, spoil_shape])
def test_a_broken_weight_file_is_named_and_the_daemon_stays_up_not_ready(tmp_path, spoil):
    model = tmp_path / "model"
    shutil.copytree(MODEL, model)
    expected = spoil(model)
    with Daemon(tmp_path / "d", "--model", model, wait=False) as running:
        reason = running.wait_until_failed("model")
        for word in expected:
            assert word in reason
        assert str(model) in reason
        reply = running.generate(CLEAN)
        assert reply.status == 503 and reply.error["code"] == "not_ready" and "data" not in reply.body
        assert ask(running.socket, "GET", "/healthz").status == 200
        failed = run("status", socket_path=running.socket)
        assert failed.returncode == 4 and expected[0] in failed.stdout
        assert run("generate", "-o", tmp_path / "x.png", CLEAN, socket_path=running.socket).returncode == 4
        # Mended, and told so, it serves.
        shutil.rmtree(model)
        shutil.copytree(MODEL, model)
        running.process.send_signal(signal.SIGHUP)
        running.wait_until_ready()


def test_without_ocr_no_picture_leaves(tmp_path):
    with Daemon(tmp_path, environment={"TESSDATA_PREFIX": "/nonexistent"}, wait=False) as running:
        assert "eng" in running.wait_until_failed("ocr")
        reply = running.generate(CLEAN)
        assert reply.status == 503 and "data" not in reply.body


def test_without_an_audit_log_no_picture_leaves(tmp_path):
    (tmp_path / "state").write_text("a file where the folder should be")
    with Daemon(tmp_path, wait=False) as running:
        assert str(running.state) in running.wait_until_failed("audit")
        reply = running.generate(CLEAN)
        assert reply.status == 503 and "data" not in reply.body


@contextlib.contextmanager
def small_disk(folder):
    folder.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip("a small tmpfs cannot be mounted here: " + mounted.stderr.strip())
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_on_a_full_disk_no_picture_leaves(tmp_path):
    with small_disk(tmp_path / "disk") as disk, Daemon(tmp_path, state=disk / "state") as running:
        assert running.generate(CLEAN).status == 200
        filler = disk / "filler"
        with open(filler, "wb", buffering=0) as opened:
            with contextlib.suppress(OSError):
                while opened.write(b"x" * 4096):
                    pass
        refused = [running.generate(CLEAN) for _ in range(3)]
        assert any(reply.status == 503 for reply in refused)
        answered = 1 + sum(reply.status == 200 for reply in refused)
        for reply in refused:
            assert reply.status == 200 or (reply.status == 503 and "data" not in reply.body)
        filler.unlink()
        assert running.generate(CLEAN).status == 200
        assert running.verify().returncode == 0, running.verify().stderr
        assert sum(row["outcome"] == "answered" for row in running.rows()) == answered + 1


def test_kill_in_the_middle_of_fifty_requests_loses_no_answered_decision(tmp_path):
    config = tmp_path / "c.toml"
    config.write_text("[limits]\nqueue_size_max = 64\n")
    answered = set()
    enough = threading.Event()

    with Daemon(tmp_path, "--config", config) as running:
        def one(i):
            with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
                reply = running.generate(TOXIC if i % 2 else CLEAN, seed=i, num_inference_steps=4)
                if reply.status == 200:
                    answered.add(reply.headers["x-request-id"])
                    if len(answered) >= 15:
                        enough.set()

        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            requests = [pool.submit(one, i) for i in range(50)]
            assert enough.wait(PATIENCE_S)
            running.process.send_signal(signal.SIGKILL)
            running.process.wait()
            concurrent.futures.wait(requests)
        assert 15 <= len(answered) < 50
        verified = running.verify()
        assert verified.returncode == 0, verified.stderr
        recorded = {row["request_id"] for row in running.rows() if row["outcome"] == "answered"}
        assert answered <= recorded
        print(f"killed after {len(answered)} answers; {len(recorded)} rows say answered")

    with Daemon(tmp_path) as again:  # the left-over socket is replaced, and the chain goes on
        assert again.generate(CLEAN, num_inference_steps=2).status == 200
        assert again.verify().returncode == 0
        assert len(again.rows()) == len(recorded) + 1


def test_a_client_that_hangs_up_ends_its_job_within_two_steps(daemon):
    connection = UnixConnection(daemon.socket)
    body = json.dumps({"prompt": CLEAN, "num_inference_steps": 1000}).encode()
    connection.request("POST", "/v1/images/generations", body, {"Content-Type": "application/json"})
    assert eventually(lambda: daemon.status()["queue"]["step"] >= 3)
    before = daemon.status()["queue"]["step"]
    connection.close()
    assert eventually(lambda: not daemon.status()["queue"]["working"])
    # Two steps, and those that pass while the status travels.
    after = daemon.status()["queue"]["step"]
    assert after - before <= 5
    row = daemon.rows()[0]
    assert row["outcome"] == "cancelled" and "hung up" in row["reason"]
    print(f"hung up after step {before}, ended at step {after} of 1000")


def test_sigterm_finishes_what_was_accepted(tmp_path):
    with Daemon(tmp_path) as running, concurrent.futures.ThreadPoolExecutor(3) as pool:
        requests = [pool.submit(running.generate, CLEAN, num_inference_steps=20) for _ in range(3)]
        assert eventually(lambda: running.status()["queue"]["waiting"] == 2)
        assert running.terminate() == 0
        assert [request.result().status for request in requests] == [200, 200, 200]
        assert not running.socket.exists() and not running.admin.exists()
        assert running.verify().returncode == 0


def test_sighup_reloads_or_keeps_the_policy(tmp_path):
    policy = tmp_path / "policy.toml"

    def write(action):
        policy.write_text(f'lexicons = ["{SOURCE}/lexicon/default.tsv"]\ndefault_action = "allow"\n'
                          f'[[rule]]\nname = "r"\nseverity_min = 2\nwhere = "rendered"\naction = "{action}"\n')

    write("block")
    with Daemon(tmp_path, "--policy", policy) as running:
        refused = run("generate", "-o", tmp_path / "x.png", TOXIC, socket_path=running.socket)
        assert refused.returncode == 3 and "bitch" not in refused.stderr
        write("nonsense")
        running.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: "nonsense" in running.status()["policy"].get("last_error", ""))
        assert running.generate(TOXIC).status == 400
        write("review")
        running.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: "last_error" not in running.status()["policy"])
        reply = running.generate(TOXIC)
        assert reply.status == 400 and reply.error["code"] == "content_policy_violation"
        assert running.rows()[0]["open_for_review"] is True


@pytest.mark.parametrize("text, says", [
    ("soket = 1\n", "soket"), ("[limits]\nqueue_size_max = 0\n", "queue_size_max"), ("socket = [\n", "c.toml:")])
def test_a_wrong_configuration_ends_the_daemon_with_one_line(tmp_path, text, says):
    config = tmp_path / "c.toml"
    config.write_text(text)
    failed = subprocess.run([BUILD / "glyphwardd", "--config", config], capture_output=True, text=True, timeout=60)
    assert failed.returncode == 2 and says in failed.stderr and failed.stderr.count("\n") == 1


# ---- systemd


class FakeSystemd:
    """Holds the sockets, and hears what the daemon tells."""

    def __init__(self, folder):
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(folder / "notify"))
        self.notify.settimeout(0.1)
        self.heard = []
        self.environment = {"NOTIFY_SOCKET": str(folder / "notify")}

    def hear(self, word):
        def listen():
            with contextlib.suppress(TimeoutError):
                self.heard.extend(self.notify.recv(65536).decode().splitlines())
            return any(line.startswith(word) for line in self.heard)
        return eventually(listen)

    def heard_now(self):
        with contextlib.suppress(TimeoutError):
            while True:
                self.heard.extend(self.notify.recv(65536).decode().splitlines())
        return self.heard


def test_sockets_that_systemd_passes_and_what_it_is_told(tmp_path):
    systemd = FakeSystemd(tmp_path)
    listening = {}
    for name in ["service", "admin"]:
        listening[name] = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening[name].bind(str(tmp_path / f"activated.{name}"))
        listening[name].listen(16)
    # As systemd does it: the sockets stand from descriptor 3 on, and LISTEN_PID is the daemon's own.
    start = ('import fcntl, os, sys; a, b = int(sys.argv[1]), int(sys.argv[2]); a = fcntl.fcntl(a, fcntl.F_DUPFD, 20); '
             'b = fcntl.fcntl(b, fcntl.F_DUPFD, 20); os.dup2(a, 3); os.dup2(b, 4); os.environ["LISTEN_PID"] = os.environ["WATCHDOG_PID"] = str(os.getpid()); '
             'os.execv(sys.argv[3], sys.argv[3:])')
    fds = [listening["admin"].fileno(), listening["service"].fileno()]
    environment = {**systemd.environment, "LISTEN_FDS": "2", "LISTEN_FDNAMES": "admin:service",
                   "WATCHDOG_USEC": "900000"}
    with Daemon(tmp_path / "d", environment=environment, command=[sys.executable, "-c", start, *fds], pass_fds=fds,
                wait=False) as running:
        running.socket, running.admin = tmp_path / "activated.service", tmp_path / "activated.admin"
        # The kernel takes connections before the daemon is up.
        assert systemd.hear("READY=1"), running.log.read_text()
        assert ask(running.socket, "GET", "/readyz").status == 200
        assert running.status()["ready"] is True
        assert ask(running.socket, "GET", "/v1/decisions").status == 404
        assert not (tmp_path / "d" / "service.sock").exists()
        assert systemd.hear("WATCHDOG=1")
        systemd.heard.clear()
        running.process.send_signal(signal.SIGHUP)
        assert systemd.hear("RELOADING=1") and systemd.hear("MONOTONIC_USEC=") and systemd.hear("READY=1")
        running.process.send_signal(signal.SIGTERM)
        assert systemd.hear("STOPPING=1")
        assert running.process.wait(PATIENCE_S) == 0
    assert (tmp_path / "activated.service").exists()  # systemd's, not ours to remove


def test_a_daemon_that_is_not_ready_does_not_say_so(tmp_path):
    systemd = FakeSystemd(tmp_path)
    with Daemon(tmp_path / "d", "--model", tmp_path, environment=systemd.environment, wait=False) as running:
        running.wait_until_failed("model")
        assert systemd.hear("STATUS=not ready: model: " + str(tmp_path))
        time.sleep(0.3)
        assert "READY=1" not in systemd.heard_now()


def test_units_are_what_systemd_expects(tmp_path):
    for unit in ["glyphwardd.service", "glyphwardd.socket", "glyphwardd-admin.socket"]:
        text = (BUILD / "systemd" / unit).read_text()
        lines = [f"ExecStart={BUILD}/glyphwardd" if line.startswith("ExecStart=") else line
                 for line in text.splitlines()]
        (tmp_path / unit).write_text("\n".join(lines) + "\n")
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, tmp_path.glob("glyphwardd*"))],
        capture_output=True, text=True, env=dict(os.environ, SYSTEMD_UNIT_PATH=f"{tmp_path}:/lib/systemd/system"))
    assert verified.returncode == 0, verified.stderr
    assert "glyphwardd" not in verified.stderr


def test_the_admin_socket_is_private(daemon):
    assert stat.S_IMODE(os.stat(daemon.admin).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(daemon.state).st_mode) == 0o700


def test_a_client_of_openais_shape(daemon):
    """What an OpenAI client reads: data[0].b64_json, and the error object of a refusal."""
    reply = daemon.generate(CLEAN, model="stable-diffusion", n=1, size="192x64", response_format="b64_json", user="u1")
    assert reply.status == 200 and set(reply.body) >= {"created", "data"}
    assert base64.b64decode(reply.body["data"][0]["b64_json"]).startswith(b"\x89PNG")
    assert 'user="u1"' in daemon.rows()[0]["client"]
    moderated = ask(daemon.socket, "POST", "/v1/moderations", {"input": TOXIC, "model": "omni-moderation-latest"})
    assert moderated.body["results"][0]["flagged"] is True
    # OpenAI's members, and ours under one name, as in the answer above.
    assert set(moderated.body) == {"id", "model", "results", "glyphward"}
    assert moderated.body["glyphward"] == {"policy_revision": daemon.rows()[0]["policy_revision"]}
