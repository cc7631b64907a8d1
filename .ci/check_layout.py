#!/usr/bin/env python3
"""Checks what the layout promises: who may include whom, and how long a file, a function and a folder may be.

    .ci/check_layout.py [FOLDER]     the checkout, or another tree

Prints each offence as `file:line: what (rule)` and exits with 1 if there is one. The rules are the tables below."""

import bisect
import fnmatch
import os
import pathlib
import re
import sys

# The folders of the program, and the folders that each may include besides itself.
FOLDERS = {
    "base": [],
    "lexicon": ["base"],
    "policy": ["base", "lexicon"],
    "model": ["base"],
    "guard": ["base", "lexicon", "policy", "model"],
    "daemon": ["base", "lexicon", "policy", "model", "guard"],
}

# The rooms of each folder: name, files, and the rooms of the same folder that it may include besides itself. A pattern
# that ends in / means all files below; one without / means files at the folder's root. The first room that fits counts.
ROOMS = {
    "base": [("base", ["*"], [])],
    "lexicon": [
        ("contract", ["finding.*", "categories.*", "steps.*", "tables.*"], []),
        ("text", ["text/"], ["contract", "words"]),
        ("words", ["words/"], []),
        ("channel", ["channel/"], ["contract", "text"]),
        ("matching", ["matching/"], ["contract", "text", "words", "channel"]),
        ("written", ["written/"], ["contract", "text", "matching"]),
        ("lists", ["lists/"], ["contract", "text", "matching", "written"]),
        ("reading", ["reading/"], ["contract", "text", "words", "channel", "matching"]),
        ("facade", ["lexicon.*"],
         ["contract", "text", "words", "channel", "matching", "written", "lists", "reading", "parts"]),
        ("parts", ["*"], ["contract", "text", "words", "channel", "matching", "lists", "reading"]),
    ],
    "policy": [
        ("decision", ["decision.*"], []),
        ("toml", ["toml/"], ["decision"]),
        ("rules", ["rules.*"], ["decision", "toml"]),
        ("substitution", ["substitution.*", "word_list.*"], ["decision", "toml", "rules"]),
        ("facade", ["policy.*"], ["decision", "toml", "rules", "substitution"]),
        ("cases", ["cases.*"], ["decision", "toml", "rules", "substitution", "facade"]),
    ],
    "model": [
        ("contract", ["*"], []),
        ("checkpoint", ["checkpoint/"], ["contract"]),
        ("tokenizers", ["tokenizers/"], ["contract", "checkpoint"]),
        ("schedulers", ["schedulers/"], ["contract", "checkpoint"]),
        ("networks", ["networks/"], ["contract", "checkpoint", "tokenizers", "schedulers"]),
        ("families", ["families/"], ["contract", "checkpoint", "tokenizers", "schedulers", "networks"]),
    ],
    "guard": [
        ("contract", ["request.*", "finding_json.*"], []),
        ("reading", ["reading/"], ["contract"]),
        ("audit", ["audit/"], ["contract"]),
        ("facade", ["guard.*"], ["contract", "reading", "audit", "parts"]),
        ("reply", ["reply_json.*"], ["contract", "facade"]),
        ("parts", ["*"], ["contract", "reading", "audit"]),
    ],
    "daemon": [
        ("service", ["service/"], []),
        ("http contract", ["http/exchange.h", "http/api_error.*", "http/field_reader.*"], ["service"]),
        ("http server", ["http/http_server.*"], ["service", "http contract"]),
        ("http", ["http/"], ["service", "http contract", "http server"]),
        ("facade", ["daemon.*", "glyphwardd.cc"], ["service", "http contract", "http server", "http"]),
        ("cli/generate", ["cli/generate/"], ["service", "cli"]),
        ("cli/models", ["cli/models/"], ["service", "cli"]),
        ("cli/policy", ["cli/policy/"], ["service", "cli"]),
        ("cli/bench", ["cli/bench/"], ["service", "cli", "cli/models", "cli/policy"]),
        ("cli", ["cli/"], ["service", "http contract"]),
        ("glyphward", ["glyphward.cc"], ["cli"]),
    ],
}

# Includes that point up all the same: (file, header): reason. There may be two.
EXCEPTIONS = {}
EXCEPTIONS_MAX = 2

# The heavy libraries, by what their includes begin with, and where they may be included.
LIBRARIES = {
    ("torch/", "ATen/", "c10/", "caffe2/"): ["model/schedulers/", "model/networks/", "model/families/"],
    ("boost/asio", "boost/beast"): ["daemon/"],
    ("spdlog/", "systemd/", "CLI/"): ["daemon/"],
    ("sqlite3.h",): ["guard/audit/"],
    ("tesseract/", "leptonica/", "allheaders.h"): ["guard/reading/"],
    ("toml++/",): ["policy/toml/", "daemon/service/"],
    ("sentencepiece",): ["model/tokenizers/"],
    ("re2/",): ["lexicon/"],
}

FILE_LINES_MAX = 600  # of C++, unless it is a table
FUNCTION_LINES_MAX = 80
FOLDER_FILES_MAX = 16  # a folder's own

# Where the number of files is not ours to choose: test data, fuzzing seeds, checkpoints as diffusers lays them out.
DATA = ["tests/data/", "tests/fuzz/corpus/", "model/bundled/stable-diffusion/", "model/bundled/stable-diffusion-3/"]
SKIPPED = {"build", "__pycache__"}  # and what begins with a dot, but .ci
UNFINISHED = "TO" + "DO"
PROSE = {".h", ".cc", ".py", ".cmake", ".md", ".sh", ".in"}
PROSE_NAMES = {"CMakeLists.txt", "dev", "run"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.M)
# What is no code: comments, strings (raw ones first) and characters. 1'000 is a number.
NO_CODE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\''
    r'|^[ \t]*#(?:\\\n|[^\n])*', re.S | re.M)  # fmt: skip
NO_FUNCTION = re.compile(r"(?:(?:inline|static|const|constexpr|typedef)\s+)*(?:namespace|class|struct|union|enum|extern)\b")
TEMPLATE = re.compile(r"^\s*template\s*<[^{}]*?>\s*(?=class|struct|union|[\w:]+[\s<*&])")
MEMBER_SET = re.compile(r"\)\s*(?:noexcept\s*)?:(?!:)")  # a constructor's list of members
ROW = re.compile(r"""\s*(?:\{|"|'|[uUL]8?['"])""")


def files_of(root):
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in SKIPPED and (f[0] != "." or f == ".ci"))
        below = pathlib.Path(folder).relative_to(root).as_posix()
        yield "" if below == "." else f"{below}/", sorted(names)


def blanked(match):
    return re.sub(r"[^\n]", " ", match.group())


class Lines:
    """The line of a place in a text."""

    def __init__(self, text):
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def at(self, place):
        return bisect.bisect_right(self._starts, place)


def is_function(head):
    """Whether the braces after `head`, the code since the last statement or brace, hold a function's body."""
    head = TEMPLATE.sub("", head).strip()
    return ")" in head and head[-1] not in "(=,[<|&?" and not NO_FUNCTION.match(head)


def functions(code):
    """(start, end) of each function that is in no other one; a lambda's lines are its function's."""
    open_braces, start = [], 0  # the brace's kind, where its head begins
    for match in re.finditer(r"[;{}]|\b(?:public|private|protected)\s*:(?!:)", code):
        sign, place = match.group(), match.start()
        inside = any(kind == "function" for kind, _ in open_braces)
        if sign == "{":
            head = code[start:place]
            if not inside and MEMBER_SET.search(head) and re.search(r"[\w>]\s*$", head):
                open_braces.append(("member", start))
                continue
            kind = "function" if not inside and is_function(head) else "other"
            open_braces.append((kind, start + len(head) - len(head.lstrip())))
        elif sign == "}" and open_braces:
            kind, begin = open_braces.pop()
            if kind == "function":
                yield begin, place
            if kind == "member":
                start = begin
                continue
        start = match.end()


def room_of(path):
    """(folder, room's name, rooms that it may include) of a source file, or of a header as it is included."""
    folder, _, below = path.partition("/")
    for name, patterns, others in ROOMS.get(folder, []):
        for pattern in patterns:
            if below.startswith(pattern) if pattern.endswith("/") else fnmatch.fnmatchcase(below, pattern) and (
                    "/" in pattern or "/" not in below):  # fmt: skip
                return folder, name, others
    return folder, None, []


def check_includes(path, text, lines, used):
    folder, room, others = room_of(path)
    if room is None:
        yield 1, f"belongs to no room of {folder}/", "each file has a room: ROOMS in .ci/check_layout.py"
        return
    for include in INCLUDE.finditer(text):
        line, (header, library) = lines.at(include.start()), include.groups()
        for prefixes, places in LIBRARIES.items():
            if library and library.startswith(prefixes) and not path.startswith(tuple(places)):
                yield line, f"includes <{library}>", f"only {', '.join(places)} may"
        if not header or header.split("/")[0] not in FOLDERS:
            continue
        theirs, their_room, _ = room_of(header)
        if theirs != folder and theirs not in FOLDERS[folder]:
            yield line, f"includes {header}", f"{folder}/ may include {', '.join(FOLDERS[folder]) or 'no other folder'}"
        elif theirs == folder and their_room != room and their_room not in others:
            if (path, header) in EXCEPTIONS:
                used.add((path, header))
                continue
            what = "facade" if their_room == "facade" else f"room {their_room}"
            yield line, f"includes {header}, the {what} above it", (
                f"{folder}/'s room {room} may include {', '.join(others) or 'no other room'}")  # fmt: skip


def check_lengths(text, lines):
    rows = text.splitlines()
    code = NO_CODE.sub(blanked, text)
    with_code = [row for row, bare in zip(rows, code.splitlines()) if row.strip() and (bare.strip() or ROW.match(row))]
    is_table = sum(map(bool, map(ROW.match, with_code))) * 3 >= len(with_code) * 2
    if len(rows) > FILE_LINES_MAX and not is_table:
        yield FILE_LINES_MAX + 1, f"has {len(rows)} lines", f"at most {FILE_LINES_MAX}, unless it is a table"
    for start, end in functions(code):
        first, last = lines.at(start), lines.at(end)
        if last - first + 1 > FUNCTION_LINES_MAX:
            yield first, f"a function of {last - first + 1} lines", f"at most {FUNCTION_LINES_MAX}"


def check_file(root, path, used):
    suffix = pathlib.PurePath(path).suffix
    if suffix not in PROSE and pathlib.PurePath(path).name not in PROSE_NAMES:
        return
    text = (root / path).read_text(encoding="utf-8", errors="replace")
    lines = Lines(text)
    for match in re.finditer(rf"\b{UNFINISHED}\b", text):
        yield lines.at(match.start()), f"says {UNFINISHED}", "what is left to do is an issue, not a comment"
    if suffix in {".h", ".cc"}:
        yield from check_lengths(text, lines)
        if path.split("/")[0] in FOLDERS:
            yield from check_includes(path, text, lines, used)


def check(root):
    """All offences of the tree, as lines."""
    found, used = [], set()
    for folder, names in files_of(root):
        if folder.startswith(tuple(DATA)):
            continue
        if len(names) > FOLDER_FILES_MAX:
            found.append(f"{folder}:1: has {len(names)} files (at most {FOLDER_FILES_MAX} in one folder)")
        for name in names:
            for line, what, rule in check_file(root, folder + name, used):
                found.append(f"{folder}{name}:{line}: {what} ({rule})")
    rules = ".ci/check_layout.py:1"
    if len(EXCEPTIONS) > EXCEPTIONS_MAX:
        found.append(f"{rules}: {len(EXCEPTIONS)} exceptions (at most {EXCEPTIONS_MAX})")
    found += [f"{rules}: {file} no longer includes {header} (an exception that is not needed goes)"
              for file, header in sorted(EXCEPTIONS.keys() - used)]  # fmt: skip
    return found


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1]).resolve()
    found = check(root)
    print("\n".join(found) if found else "The layout is as it should be.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
