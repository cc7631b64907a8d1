#!/usr/bin/env python3
"""check_layout.py: a tree as it should be passes, and one offence of each kind is found, at its line."""

import pathlib
import tempfile
import unittest

import check_layout

BODY = "  step();\n"


def long_function(lines):
    return "void Thing::work(int) const {\n" + BODY * (lines - 2) + "}\n"


# What is right, and looks like an offence here and there.
CLEAN = {
    "base/file.h": "#pragma once\n",
    "lexicon/finding.h": '#include "base/file.h"\n#include "lexicon/categories.h"\n',
    "lexicon/lexicon.cc": '#include "lexicon/lexicon.h"\n#include "lexicon/lists/list.h"\n',
    "lexicon/table.cc": "const Row kRows[] = {\n" + '    {1, "one"},\n' * 700 + "};\n",
    "policy/cases.h": '#include "policy/policy.h"\n',
    "model/families/open.cc": '#include <torch/torch.h>\n#include "model/networks/layers.h"\n#include "model/pipeline.h"\n',
    "guard/guard.cc": '#include "guard/screen.h"\n#include "model/pipeline.h"\n#include "policy/policy.h"\n',
    "daemon/http/api.h": '#include <boost/asio.hpp>\n#include "daemon/http/http_server.h"\n',
    "daemon/glyphward.cc": '#include "daemon/cli/command.h"\n',
    "guard/long.cc": long_function(80) + "namespace {\n" + BODY * 90 + "}\n"
                     "Thing::Thing(int a) : a_{a}, b_(a) {\n" + BODY * 78 + "}\n"
                     'const char* kText = R"(\n{{{\n)";  // {\n',
    **{f"tests/data/{i}.txt": "" for i in range(20)},
    **{f"model/bundled/stable-diffusion/{i}.json": "" for i in range(20)},
    "build/guard/guard.cc": '#include "daemon/daemon.h"\n',
}

# note, file, its text, the line, and words of what is said.
OFFENCES = [
    ("a folder above", "lexicon/reading/names.cc", '\n#include "policy/decision.h"\n', 2, "lexicon/ may include base"),
    ("from base", "base/sha256.cc", '#include "lexicon/finding.h"\n', 1, "may include no other folder"),
    ("model sees no text", "model/route.cc", '#include "lexicon/finding.h"\n', 1, "model/ may include base"),
    ("policy sees no model", "policy/rules.cc", '#include "model/pipeline.h"\n', 1, "policy/ may include"),
    ("a facade", "lexicon/lists/list.h", '#include "lexicon/lexicon.h"\n', 1, "the facade above it"),
    ("a facade of policy", "policy/substitution.h", '#include "policy/policy.h"\n', 1, "the facade above it"),
    ("parts of guard", "guard/screen.h", '#include "guard/guard.h"\n', 1, "the facade above it"),
    ("a room beside", "guard/audit/rows.h", '#include "guard/reading/ocr.h"\n', 1, "the room reading above it"),
    ("a room above", "model/checkpoint/weights.cc", '#include "model/networks/layers.h"\n', 1, "the room networks above"),
    ("commands know no API", "daemon/cli/client.cc", '#include "daemon/http/api.h"\n', 1, "the room http above it"),
    ("the daemon knows no command", "daemon/daemon.cc", '#include "daemon/cli/command.h"\n', 1, "the room cli above it"),
    ("the server knows no API", "daemon/http/http_server.h", '#include "daemon/http/api.h"\n', 1, "the room http above it"),
    ("no room", "policy/other.cc", "", 1, "belongs to no room of policy/"),
    ("LibTorch in the contract", "model/localize.cc", "#include <torch/torch.h>\n", 1, "includes <torch/torch.h>"),
    ("Asio in guard", "guard/attempts.cc", "\n\n#include <boost/asio/post.hpp>\n", 3, "only daemon/ may"),
    ("a long file", "base/utf8.cc", "int a;\n" * 601, 601, "has 601 lines"),
    ("a long test", "tests/base/utf8_test.cc", "int a;\n" * 601, 601, "has 601 lines"),
    ("a long function", "base/file.cc", "\n\n" + long_function(81), 3, "a function of 81 lines"),
    ("a long test case", "tests/base/file_test.cc", "TEST(File, IsRead) {\n" + BODY * 80 + "}\n", 1, "of 82 lines"),
    ("a long template", "base/result.h", "template <class T>\nvoid f(T t) {\n" + BODY * 80 + "}\n", 1, "of 83 lines"),
    ("after a namespace", "base/config_error.h", "namespace a {\nclass B {\n public:\n  int c() {\n" + BODY * 80 + "  }\n};\n}",
     4, "of 82 lines"),
    ("work left", "docs/POLICY.md", "One\ntwo " + check_layout.UNFINISHED + ": three\n", 2, "is an issue"),
]  # fmt: skip


class Layout(unittest.TestCase):
    def check(self, files):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            exceptions, check_layout.EXCEPTIONS = check_layout.EXCEPTIONS, self.exceptions
            try:
                return check_layout.check(root)
            finally:
                check_layout.EXCEPTIONS = exceptions

    def setUp(self):
        self.exceptions = {}

    def test_a_tree_as_it_should_be_passes(self):
        self.assertEqual(self.check(CLEAN), [])

    def test_each_offence_is_found_at_its_line(self):
        for note, name, text, line, words in OFFENCES:
            with self.subTest(note):
                found = self.check({**CLEAN, name: text})
                self.assertEqual(len(found), 1, found)
                self.assertTrue(found[0].startswith(f"{name}:{line}: "), found)
                self.assertIn(words, found[0])

    def test_a_full_folder_is_found(self):
        for folder in ("docs", "model/bundled/recipe", "tests/fuzz"):
            with self.subTest(folder):
                full = {f"{folder}/{i}.txt": "" for i in range(16)}
                self.assertEqual(self.check({**CLEAN, **full}), [])
                found = self.check({**CLEAN, **full, f"{folder}/one_more.txt": ""})
                self.assertEqual(found, [f"{folder}/:1: has 17 files (at most 16 in one folder)"])

    def test_exceptions_are_few_and_needed(self):
        arrows = {("lexicon/lists/list.h", "lexicon/lexicon.h"): "a reason",
                  ("policy/rules.h", "policy/policy.h"): "a reason",
                  ("guard/screen.h", "guard/guard.h"): "a reason"}  # fmt: skip
        files = {**CLEAN, **{file: f'#include "{header}"\n' for file, header in arrows}}
        self.exceptions = dict(list(arrows.items())[:2])
        self.assertEqual([line.split(":")[0] for line in self.check(files)], ["guard/screen.h"])
        self.exceptions = arrows
        self.assertIn("3 exceptions (at most 2)", self.check(files)[0])
        self.exceptions = dict(list(arrows.items())[:1])
        self.assertIn("lexicon/lists/list.h no longer includes lexicon/lexicon.h", self.check(CLEAN)[0])


if __name__ == "__main__":
    unittest.main()
