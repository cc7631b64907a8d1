"""Each command, option and list of values that the program has is in both shells' completions and in the man page, and bash
and the man page have no other."""

import functools
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
SOURCE = pathlib.Path(os.environ["GLYPHWARD_SOURCE_DIR"])
COMPLETION = SOURCE / "docs/completion"
PROMPT = "=#= "
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
ALTERNATIVES = re.compile(r"(?:[\w-]+, )+[\w-]+ or [\w-]+")


@functools.cache
def help_of(command):
    return subprocess.run([BUILD / "glyphward", *command.split(), "--help"], capture_output=True, text=True, check=True).stdout


def parts_of(command):
    """The names of the commands below this one."""
    _, _, listed = help_of(command).partition("\nSubcommands:\n")
    return [line.split()[0].rstrip(",") for line in listed.partition("\n\n")[0].splitlines() if re.match(r"  \S", line)]


def paths(command=""):
    return [path for part in parts_of(command) for path in [f"{command} {part}".strip(), *paths(f"{command} {part}".strip())]]


PATHS = paths()
GROUPS = ["", *(path for path in PATHS if parts_of(path))]
COMMANDS = [path for path in PATHS if path not in GROUPS]


def options_of(command):
    declared = [line.split("  ")[1] for line in help_of(command).splitlines() if re.match("  -", line)]
    return {option for line in declared for option in OPTION.findall(line)} - {"--help", "--version"}


def values_of(command):
    """By option, the values that its help lists: {a,b} or "a, b or c"."""
    values = {}
    for line in re.sub(r"\n {20,}", "  ", help_of(command)).splitlines():
        option = OPTION.search(line)
        if not line.startswith("  -") or not option:
            continue
        checked, told, scale = re.search(r":\{(.*?)\}", line), ALTERNATIVES.search(line), re.search(r"(\d) to (\d),", line)
        if checked:
            values[option[0]] = set(checked[1].split(","))
        elif told:
            values[option[0]] = set(re.split(", | or ", told[0]))
        elif scale:
            values[option[0]] = {str(i) for i in range(int(scale[1]), int(scale[2]) + 1)}
    return values


VALUES = [(command, option) for command in COMMANDS for option in values_of(command)]


def in_bash(command, current="--"):
    script = ('source "$0"; COMP_WORDS=("$@" CURRENT); COMP_CWORD=$#; COMPREPLY=(); _glyphward; '
              'printf "%s\\n" "${COMPREPLY[@]}"').replace("CURRENT", f"'{current}'")  # fmt: skip
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

    def lists(self, line):
        said = self.says(f"{line}\t\x15print DO''NE\r", "DONE")
        assert "_arguments" not in said, said
        return said

    def completes(self, command):
        return set(OPTION.findall(self.lists(f"glyphward {command} --").split("--", 1)[1]))

    def parts(self, command):
        listed = self.lists(" ".join(["glyphward", *command.split(), ""]))
        return set(re.findall(r"^([a-z]+) +-- ", listed.replace("\r", ""), re.MULTILINE))

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


@pytest.mark.parametrize("group", GROUPS)
def test_bash_completes_its_commands(group):
    assert in_bash(group, "") - {"--version"} == set(parts_of(group))


@pytest.mark.parametrize("group", GROUPS)
def test_zsh_completes_its_commands(zsh, group):
    assert zsh.parts(group) == set(parts_of(group))


@pytest.mark.parametrize("command, option", VALUES)
def test_bash_completes_its_values(command, option):
    assert in_bash(f"{command} {option}", "") == values_of(command)[option]


@pytest.mark.parametrize("command, option", VALUES)
def test_zsh_completes_its_values(command, option):
    """Read, not asked: what the terminal shows has no clear end."""
    case = re.split(r"^  (?:\w+|\*)\)$", (COMPLETION / "_glyphward").read_text(), flags=re.MULTILINE)
    case = [text for text in case if f"{option}[" in text]
    listed = [values for text in case for values in re.findall(rf"{option}\[[^]]*\]:[^:]*:\(([^)]*)\)", text)]
    assert values_of(command)[option] in [set(values.split()) for values in listed], listed


def test_the_lists_are_found():
    assert len(COMMANDS) >= 17 and len(VALUES) >= 9
    assert "PNDMScheduler" in values_of("generate")["--scheduler"]
    assert "racial" in values_of("lexicon import")["--category"]
    assert "review" in values_of("audit list")["--action"] and "redacted" in values_of("audit list")["--route"]


def test_every_command_file_is_in_the_table():
    """daemon/cli/policy/check_command.cc is `glyphward check`, bundled_bench_command.cc `glyphward bench bundled`."""
    files = sorted((SOURCE / "daemon/cli").rglob("*_command.cc"))
    assert len(files) >= 11
    for file in files:
        name = " ".join(reversed(file.stem.removesuffix("_command").split("_")))
        assert name in PATHS, f"{file} is in no table: see daemon/glyphward.cc"


def man_sections():
    page = (SOURCE / "docs/man/glyphward.1").read_text().replace("\\-", "-")
    page = re.sub(r"\\f[BIR]", "", page)
    sections = re.split(r"^\.SS (.*)\n", page, flags=re.MULTILINE)
    return sections[0], dict(zip(sections[1::2], sections[2::2]))


@pytest.mark.parametrize("command", COMMANDS)
def test_the_man_page_has_it(command):
    synopsis, sections = man_sections()
    name, _, part = command.partition(" ")
    if command in sections:
        section = sections[command]
    else:
        section = sections[name]
        assert re.search(rf"^\.B {part}\b", section, re.MULTILINE), f"{part} has no paragraph under {name}"
    assert re.search(rf"^\.B glyphward {name}\b.*\b{part}", synopsis, re.MULTILINE), "not in the synopsis"
    assert options_of(command) - {"--json"} <= set(OPTION.findall(section)), "--json is told of once, for all"
    for values in values_of(command).values():
        assert {value for value in values if value not in section and not value.isdigit()} == set()


@pytest.mark.parametrize("section", man_sections()[1])
def test_the_man_page_has_no_other_option(section):
    known = {option for command in COMMANDS if command.startswith(section) for option in options_of(command)}
    assert set(OPTION.findall(man_sections()[1][section])) <= known | {"--local"}


def test_older_names_still_work():
    assert help_of("bench embedded") == help_of("bench bundled")
