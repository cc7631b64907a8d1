"""What the sets share: the lexicon's terms, prompts that ask for a text, halves to fit on and to test on, rows."""
import csv
import hashlib
import json
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parents[2]
DICTIONARIES = {"en": "american-english-large", "de": "ngerman", "fr": "french", "es": "spanish", "pt": "portuguese"}


def half_of(word):
    """A to fit on, B to test on: by the word alone, so that every set and every seed parts alike."""
    return "AB"[hashlib.sha256(word.casefold().encode()).digest()[0] & 1]


def table(path, fields):
    """The rows of a file of tab-separated fields, its first line the names; # begins a comment."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert rows and all(field in rows[0] for field in fields), path
    return rows


class Term:
    def __init__(self, row):
        self.text, self.language = row["term"], row["language"]
        self.severity, self.category = int(row["severity"]), row["category"]
        self.flags = set((row["flags"] or "").split())
        self.forms = [form for form in (row["forms"] or "").split("|") if form]
        self.half = half_of(self.text)

    def is_plain_word(self):
        """One word that means the same wherever it stands: to be disguised, and found in any prompt."""
        unsure = self.flags & {"local", "name", "exact", "accent"} or any(f.startswith("not:") for f in self.flags)
        return self.severity >= 3 and len(self.text) >= 4 and self.text.isalpha() and not unsure


def terms():
    return [Term(row) for row in table(ROOT / "lexicon/default.tsv", ["term", "severity", "language"])]


def spellings(all_terms):
    return {s.casefold() for term in all_terms for s in [term.text, *term.forms]}


def prompts():
    """language -> half -> prompts"""
    result = {}
    for row in table(FOLDER / "prompts.tsv", ["language", "half", "prompt"]):
        result.setdefault(row["language"], {"A": [], "B": []})[row["half"]].append(row["prompt"])
    return result


def dictionary(language):
    path = pathlib.Path("/usr/share/dict") / DICTIONARIES[language]
    return [word for word in path.read_text(encoding="utf-8").split() if not word.endswith("'s")]


def row(text, label, kind, **more):
    return {"text": text, "label": label, "kind": kind, **more}


def write(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        for one in rows:
            file.write(json.dumps(one, ensure_ascii=False) + "\n")
    print(f"{path}: {len(rows)} rows")
