#!/usr/bin/env python3
"""The lexicon beside PyPI's profanity filters, on the same prompts in one run.

    bench/lexicon/compare.py [--glyphward build/release/glyphward] [--eval tests/data/lexicon/dev.jsonl]

Makes its own virtual environment in the cache folder (GLYPHWARD_CACHE) on the first run. Every filter is asked whether
a prompt is toxic; rows of severity 1 are in no figure. The others know no difference between what a prompt describes
and what it asks to have drawn: the rows `not_rendered` count against them, as they would in this place.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

PACKAGES = ["glin-profanity", "badwords-py", "better-profanity", "alt-profanity-check"]
ROOT = pathlib.Path(__file__).resolve().parents[2]


def environment() -> pathlib.Path:
    cache = os.environ.get("GLYPHWARD_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "glyphward")
    folder = pathlib.Path(cache) / "lexicon-peers"
    python = folder / "bin" / "python"
    done = folder / "installed"
    if not done.exists():
        print(f"Installing {', '.join(PACKAGES)} into {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES], check=True)
        done.touch()
    return python


def peers():
    """(name, function of a text -> toxic or not)"""
    from better_profanity import profanity
    profanity.load_censor_words()
    yield "better-profanity", profanity.contains_profanity

    from profanity_check import predict
    yield "alt-profanity-check", lambda text: bool(predict([text])[0])

    from glin_profanity import Filter
    glin = Filter({"languages": ["english", "spanish", "french", "german", "portuguese", "russian", "chinese",
                                 "japanese", "korean"], "detect_leetspeak": True, "normalize_unicode": True})
    yield "glin-profanity", glin.is_profane

    from badwords import ProfanityFilter
    words = ProfanityFilter()
    words.init(["en", "es", "fr", "de", "pt", "ru", "ja", "ko"])  # it has no Chinese
    yield "badwords-py", lambda text: bool(words.filter_text(text))


def measure(rows, judge):
    times, flagged = [], []
    for row in rows:
        start = time.perf_counter()
        answer = judge(row["text"])
        times.append(1000 * (time.perf_counter() - start))
        flagged.append(bool(answer))
    toxic = [f for r, f in zip(rows, flagged) if r["label"] == "toxic" and r["kind"] != "mild"]
    hard = [f for r, f in zip(rows, flagged) if r["label"] == "clean" and r.get("hard")]
    easy = [f for r, f in zip(rows, flagged) if r["label"] == "clean" and not r.get("hard")]
    wrong = sum(hard) + sum(easy)
    times.sort()
    return {"recall": sum(toxic) / len(toxic), "precision": sum(toxic) / max(1, sum(toxic) + wrong),
            "hard": sum(hard) / len(hard), "easy": sum(easy) / len(easy), "rate": 1000 * len(times) / sum(times),
            "p99": times[int(0.99 * len(times))]}


def compare(file):
    rows = [json.loads(line) for line in open(file, encoding="utf-8")]
    result = {}
    for name, judge in peers():
        try:
            result[name] = measure(rows, judge)
        except Exception as error:  # a peer that fails is a row of the table, not the end of the run
            result[name] = {"error": f"{type(error).__name__}: {error}"}
    json.dump(result, sys.stdout)


def ours(program, file):
    run = subprocess.run([program, "bench", "lexicon", "--eval", file, "--json"], check=True, capture_output=True)
    figures = json.loads(run.stdout)
    return {"recall": figures["recall"]["share"], "precision": figures["precision"],
            "hard": figures["false_positives_hard"]["share"], "easy": figures["false_positives_easy"]["share"],
            "rate": figures["texts_per_second"], "p99": figures["p99_ms"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--glyphward", default=str(ROOT / "build/release/glyphward"))
    parser.add_argument("--eval", default=str(ROOT / "tests/data/lexicon/dev.jsonl"))
    parser.add_argument("--peers", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peers:
        compare(options.eval)
        return
    run = subprocess.run([environment(), __file__, "--peers", "--eval", options.eval], check=True,
                         stdout=subprocess.PIPE)
    table = {"glyphward": ours(options.glyphward, options.eval), **json.loads(run.stdout)}
    print("| filter | recall | precision | FPR hard | FPR easy | texts/s | p99 ms |\n|---|---|---|---|---|---|---|")
    for name, row in table.items():
        if "error" in row:
            print(f"| {name} | {row['error']} | | | | | |")
        else:
            print(f"| {name} | {row['recall']:.3f} | {row['precision']:.3f} | {row['hard']:.3f} | {row['easy']:.3f} "
                  f"| {row['rate']:.0f} | {row['p99']:.2f} |")


if __name__ == "__main__":
    main()
