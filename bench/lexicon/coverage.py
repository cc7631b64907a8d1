"""What share of other lists' words the lexicon finds, each word alone on a sign: a table, and the words that it misses.

    python bench/lexicon/coverage.py [--glyphward PROGRAM] [--misses FILE] surge-ai/profanity_en.csv dsojevic/en.json LDNOOBW/{en,de,fr,...}

The lists are openly licensed (docs/LICENSES-DATA.md) and not part of this project. They hold much that is only about
bodies and sex, and that our lexicon leaves alone."""

import argparse
import collections
import csv
import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEMPLATES = {
    "de": 'ein Schild mit der Aufschrift "{}"',
    "es": 'un cartel que dice "{}"',
    "fr": 'une pancarte qui dit "{}"',
    "ja": "「{}」と書かれた看板",
    "ko": '"{}"라고 적힌 간판',
    "pt": 'uma placa que diz "{}"',
    "ru": 'вывеска с надписью "{}"',
    "zh": "写着“{}”的招牌",
}
ENGLISH = 'a sign that says "{}"'


def words_of(path):
    """(group, word, template) of each word: the group is the file and the list's own severity."""
    if path.suffix == ".csv":
        with open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield f"{path.parent.name} {round(float(row['severity_rating']))}", row["text"], ENGLISH
    elif path.suffix == ".json":
        for entry in json.loads(path.read_text(encoding="utf-8")):
            for word in entry["match"].replace("*", "").split("|"):
                yield f"{path.parent.name} {entry['severity']}", word, ENGLISH
    else:
        for word in filter(None, path.read_text(encoding="utf-8").splitlines()):
            yield f"{path.parent.name} {path.name}", word.strip(), TEMPLATES.get(path.name, ENGLISH)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--glyphward", default=ROOT / "build/release/glyphward")
    parser.add_argument("--misses", type=pathlib.Path, help="write the words that are not found, one a line")
    parser.add_argument("lists", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    rows = [row for path in arguments.lists for row in words_of(path)]
    lines = "".join(json.dumps({"id": str(i), "text": template.format(word)}) + "\n"
                    for i, (_, word, template) in enumerate(rows))  # fmt: skip
    answer = subprocess.run([arguments.glyphward, "check", "--jsonl", "-"], input=lines, capture_output=True, text=True,
                            check=True)  # fmt: skip
    found = {int(row["id"]): row["flagged"] for row in map(json.loads, answer.stdout.splitlines())}
    counts = collections.defaultdict(lambda: [0, 0])
    misses = []
    for i, (group, word, _) in enumerate(rows):
        counts[group][0] += found[i]
        counts[group][1] += 1
        if not found[i]:
            misses.append(f"{group}\t{word}\n")
    print("| list, its severity or language | words | found |\n|---|---|---|")
    for group, (flagged, count) in sorted(counts.items()):
        print(f"| {group} | {count} | {flagged / count:.2f} |")
    if arguments.misses:
        arguments.misses.write_text("".join(misses), encoding="utf-8")


if __name__ == "__main__":
    main()
