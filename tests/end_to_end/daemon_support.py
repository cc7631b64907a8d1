"""What the end-to-end tests of the two programs share: a daemon in a folder of its own, and a client for its sockets."""
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

BUILD = pathlib.Path(os.environ["GLYPHWARD_BUILD_DIR"])
SOURCE = pathlib.Path(os.environ["GLYPHWARD_SOURCE_DIR"])
MODEL = SOURCE / "model" / "bundled" / "stable-diffusion"
CLEAN = 'a red sign on a blue wall that says "hello"'
TOXIC = 'a red sign on a blue wall that says "bitch"'
# Where what the picture looks like does not matter.
QUICK = {"num_inference_steps": 1, "width": 96, "height": 48}
PATIENCE_S = 120  # for whatever a slow and busy machine may take


def eventually(holds, patience_s=PATIENCE_S):
    """The first true value of holds(), or its last one when the time is up."""
    end = time.monotonic() + patience_s
    while True:
        value = holds()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.05)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=PATIENCE_S):
        super().__init__("glyphward", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = json.loads(response.read())

    @property
    def error(self):
        return self.body.get("error", {})


def ask(path, method, target, body=None):
    connection = UnixConnection(path)
    try:
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        connection.request(method, target, data, {"Content-Type": "application/json"})
        return Reply(connection.getresponse())
    finally:
        connection.close()


def run(*arguments, socket_path=None, **options):
    """The command line, with its exit status and what it printed."""
    environment = dict(os.environ, OMP_NUM_THREADS="1", XDG_STATE_HOME=str(options.pop("state_home", "/nonexistent")))
    environment.pop("GLYPHWARD_SOCKET", None)
    if socket_path is not None:
        environment["GLYPHWARD_SOCKET"] = str(socket_path)
    environment.update(options.pop("environment", {}))
    return subprocess.run([BUILD / "glyphward", *map(str, arguments)], capture_output=True, text=True,
                          env=environment, timeout=600, **options)


class Daemon:
    def __init__(self, folder, *arguments, environment=None, command=None, pass_fds=(), wait=True,
                 state=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket = self.folder / "service.sock"
        self.admin = self.folder / "service.sock.admin"
        self.state = state or self.folder / "state"
        self.log = self.folder / "log"
        full = [*(command or []), BUILD / "glyphwardd", "--socket", self.socket, "--state-dir", self.state, *arguments]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([str(word) for word in full], stdout=log, stderr=log, pass_fds=pass_fds,
                                            env=dict(os.environ, OMP_NUM_THREADS="1", **(environment or {})))
        if wait:
            self.wait_until_ready()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def readiness(self):
        try:
            return ask(self.socket, "GET", "/readyz")
        except OSError:
            return None

    def wait_until_ready(self):
        def ready():
            assert self.process.poll() is None, self.log.read_text()
            reply = self.readiness()
            return reply is not None and reply.status == 200
        assert eventually(ready), self.log.read_text()

    def wait_until_failed(self, part, *words):
        """The reason that /readyz gives once the part has failed, and the reason has these words."""
        def failed():
            assert self.process.poll() is None, self.log.read_text()
            reply = self.readiness()
            reasons = reply.body.get("reason", "").split("\n") if reply is not None else []
            return next((r for r in reasons if r.startswith(part + ": ") and r != part + ": loading"
                         and all(word in r for word in words)), None)
        reason = eventually(failed)
        assert reason, self.log.read_text()
        return reason

    def generate(self, prompt, **fields):
        return ask(self.socket, "POST", "/v1/images/generations", {"prompt": prompt, **fields})

    def status(self):
        return ask(self.admin, "GET", "/v1/status").body

    def rows(self):
        """The log's rows, newest first: through the admin socket while the daemon answers, by the command afterwards."""
        if self.process.poll() is None:
            return ask(self.admin, "GET", "/v1/decisions?limit=500").body["data"]
        listed = run("audit", "list", "--state-dir", self.state, "--limit", 1000, "--json")
        assert listed.returncode == 0, listed.stderr
        return [json.loads(line) for line in listed.stdout.splitlines()]

    def verify(self):
        return run("audit", "verify", "--state-dir", self.state)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE_S)
