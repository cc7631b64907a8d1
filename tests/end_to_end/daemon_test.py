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

from daemon_support import (BUILD, CLEAN, MODEL, PATIENCE_S, QUICK, SOURCE, TOXIC, Daemon, UnixConnection, ask,  # noqa: E402
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
    wanted = ["-n", 2, "--num-inference-steps", 3, CLEAN]
    assert run("generate", "-o", tmp_path / "g.png", *wanted, socket_path=daemon.socket).returncode == 0
    assert run("generate", "--local", "--unguarded", "-o", tmp_path / "u.png", *wanted).returncode == 0
    for i in range(2):
        assert (tmp_path / f"g-{i}.png").read_bytes() == (tmp_path / f"u-{i}.png").read_bytes()


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
    daemon.generate(TOXIC, **QUICK)
    daemon.generate(CLEAN, **QUICK)
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
    listed = run("audit", "list", "--state-dir", daemon.state, "--limit", 1000, "--json")
    assert [json.loads(line) for line in listed.stdout.splitlines()] == rows  # which came through the admin socket


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


def test_a_broken_weight_file_is_named_and_the_daemon_stays_up_not_ready(tmp_path):
    model = tmp_path / "model"

    def lay_out(spoil=lambda folder: []):
        shutil.rmtree(model, ignore_errors=True)
        shutil.copytree(MODEL, model)
        return spoil(model)

    expected = lay_out(spoil_truncate)
    with Daemon(tmp_path / "d", "--model", model, wait=False) as running:
        for spoil in [None, spoil_missing, spoil_shape]:
            if spoil is not None:
                expected = lay_out(spoil)
                running.process.send_signal(signal.SIGHUP)
            reason = running.wait_until_failed("model", *expected, str(model))
            reply = running.generate(CLEAN)
            assert reply.status == 503 and reply.error["code"] == "not_ready" and "data" not in reply.body
            assert reason in reply.error["message"]
            assert ask(running.socket, "GET", "/healthz").status == 200
        failed = run("status", socket_path=running.socket)
        assert failed.returncode == 4 and expected[0] in failed.stdout
        assert run("generate", "-o", tmp_path / "x.png", CLEAN, socket_path=running.socket).returncode == 4
        # Mended, and told so, it serves.
        lay_out()
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
        assert running.generate(CLEAN, **QUICK).status == 200
        filler = disk / "filler"
        with open(filler, "wb", buffering=0) as opened:
            with contextlib.suppress(OSError):
                while opened.write(b"x" * 4096):
                    pass
        refused = [running.generate(CLEAN, **QUICK) for _ in range(3)]
        assert any(reply.status == 503 for reply in refused)
        answered = 1 + sum(reply.status == 200 for reply in refused)
        for reply in refused:
            assert reply.status == 200 or (reply.status == 503 and "data" not in reply.body)
        filler.unlink()
        assert running.generate(CLEAN, **QUICK).status == 200
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
                reply = running.generate(TOXIC if i % 5 == 0 else CLEAN, seed=i, **QUICK)
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
        assert again.generate(CLEAN, **QUICK).status == 200
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
        requests = [pool.submit(running.generate, CLEAN, num_inference_steps=10) for _ in range(3)]
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


# tests/daemon/service/config_test.cc has what can be wrong.
@pytest.mark.parametrize("text, flags, says", [
    ("[limits]\nqueue_size_max = 0\n", [], "c.toml:2: limits.queue_size_max: expected"), ("", ["--dtype", "int8"], "--dtype: expected")])
def test_a_wrong_configuration_ends_the_daemon_with_one_line(tmp_path, text, flags, says):
    config = tmp_path / "c.toml"
    config.write_text(text)
    failed = subprocess.run([BUILD / "glyphwardd", "--config", config, *flags], capture_output=True, text=True, timeout=60)
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
