#!/usr/bin/env python3
"""How deep the default list goes in each language: a table of terms and spellings by language and category.

    bench/lexicon/depth.py"""
import collections
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "sets"))
import common  # noqa: E402

CATEGORIES = ["profanity", "sexual", "insult", "racial", "religious", "lgbtq", "ableist", "hate", "violence",
              "self_harm", "threat", "drugs"]


def main():
    by_language = collections.defaultdict(list)
    for term in common.terms():
        by_language[term.language].append(term)
    print("| language | terms | spellings | severity 5 and more | " + " | ".join(CATEGORIES) + " |")
    print("|---|" + "---|" * (len(CATEGORIES) + 3))
    for language, terms in sorted(by_language.items()):
        counts = collections.Counter(term.category for term in terms)
        spellings = sum(1 + len(term.forms) for term in terms)
        grave = sum(term.severity >= 5 for term in terms)
        print(f"| {language} | {len(terms)} | {spellings} | {grave} | "
              + " | ".join(str(counts[c]) for c in CATEGORIES) + " |")


if __name__ == "__main__":
    main()
