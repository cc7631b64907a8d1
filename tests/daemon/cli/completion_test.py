"""The shells complete every option that a command has; bash, no other."""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

BUILD = pathlib.Path(os.environ["GLYPHWARD_BUILD_DIR"])
COMPLETION = pathlib.Path(os.environ["GLYPHWARD_SOURCE_DIR"]) / "docs/completion"
COMMANDS = ["generate", "check", "status", "localize", "models inspect", "policy check", "policy test", "policy explain",
            "policy diff", "audit list", "lexicon lookup", "lexicon import", "lexicon lint", "bench lexicon",
            "bench bundled"]  # fmt: skip
PROMPT = "=#= "
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def options_of(command):
    run = subprocess.run([BUILD / "glyphward", *command.split(), "--help"], capture_output=True, text=True, check=True)
    declared = [line.split("  ")[1] for line in run.stdout.splitlines() if re.match("  -", line)]
    return {option for line in declared for option in OPTION.findall(line)} - {"--help", "--version"}


def in_bash(command):
    script = ('source "$0"; COMP_WORDS=("$@" --); COMP_CWORD=$#; COMPREPLY=(); _glyphward; '
              'printf "%s\\n" "${COMPREPLY[@]}"')  # fmt: skip
    run = subprocess.run(["bash", "-c", script, COMPLETION / "glyphward.bash", "glyphward", *command.split()],
                         capture_output=True, text=True, check=True)  # fmt: skip
    return set(run.stdout.split()) - {"--help"}


class Zsh:
    """A shell on a terminal of its own: completion works nowhere else."""

    def __init__(self, home):
        (home / ".zshrc").write_text(f"fpath=({COMPLETION} $fpath)\nautoload -Uz compinit; compinit -u -D\n"
                                     f"LISTMAX=0; PS1='{PROMPT}'; bindkey '^I' list-choices; unsetopt zle_bracketed_paste\n"
                                     "stty columns 200 rows 100\n")  # fmt: skip
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(home)
            os.execvpe("zsh", ["zsh", "-i"], {**os.environ, "TERM": "dumb", "HOME": str(home), "ZDOTDIR": str(home)})
        self.says("print READ''Y\r", "READY")

    def says(self, keys, end):
        """What the terminal shows until `end` and the prompt behind it: before, keys are not the shell's yet."""
        os.write(self.terminal, keys.encode())
        said, until = "", time.monotonic() + 60
        while PROMPT not in said.partition(end)[2]:
            assert time.monotonic() < until, said
            if select.select([self.terminal], [], [], 0.2)[0]:
                said += os.read(self.terminal, 65536).decode(errors="replace")
        return said

    def completes(self, command):
        said = self.says(f"glyphward {command} --\t\x15print DO''NE\r", "DONE")
        assert "_arguments" not in said, said
        return set(OPTION.findall(said.split("--", 1)[1]))

    def close(self):
        os.write(self.terminal, b"exit\r")
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


@pytest.fixture(scope="module")
def zsh(tmp_path_factory):
    if not shutil.which("zsh"):
        pytest.skip("zsh is not installed")
    shell = Zsh(tmp_path_factory.mktemp("zsh"))
    yield shell
    shell.close()


@pytest.mark.parametrize("command", COMMANDS)
def test_bash_completes_its_options(command):
    assert in_bash(command) == options_of(command)


@pytest.mark.parametrize("command", COMMANDS)
def test_zsh_completes_its_options(zsh, command):
    assert zsh.completes(command) >= options_of(command)
