#!/usr/bin/env python3
"""Writes words.txt, the ordinary words with their costs, from the frequencies of the PyPI package wordfreq, the word
lists of Debian's wamerican-large and wbritish-large, and, for languages that wordfreq has not, from how often each word
stands in the messages of Debian's libreoffice-l10n packages, unpacked into one folder.

    pip install wordfreq==3.1.1
    apt-get download $(lexicon/words/make_words.py --packages) && for f in *.deb; do dpkg -x $f unpacked; done
    lexicon/words/make_words.py lexicon/words/words.txt unpacked

A word's cost is -ln of its frequency in its language and of the share that the language has in what is drawn, the least
over its languages. A second section of a language, "+ sv", has what its frequent words cost in a text of that language
alone. `compile_words.cc` says how the file reads."""

import collections
import gettext
import math
import pathlib
import re
import sys
import unicodedata

# language: (share of all text that is drawn, least frequency that is kept)
LANGUAGES = {
    "en": (0.45, 1e-7), "de": (0.09, 5e-7), "fr": (0.09, 5e-7), "es": (0.09, 5e-7), "pt": (0.07, 6e-7),
    "ru": (0.06, 7e-7), "zh": (0.03, 1e-6), "ja": (0.03, 1e-6), "ko": (0.03, 1e-6), "it": (0.02, 8e-7),
    "nl": (0.015, 1e-6), "pl": (0.015, 2e-6), "sv": (0.015, 1e-6), "id": (0.01, 1e-6), "tr": (0.01, 4e-6),
    "ar": (0.006, 4e-6), "fa": (0.006, 4e-6), "el": (0.006, 4e-6), "he": (0.006, 4e-6), "hi": (0.006, 4e-6),
    "uk": (0.006, 4e-6), "ro": (0.006, 4e-6), "vi": (0.006, 1e-6), "fi": (0.005, 4e-6), "da": (0.005, 4e-6),
    "nb": (0.005, 4e-6), "cs": (0.005, 4e-6), "hu": (0.005, 4e-6), "ca": (0.005, 4e-6), "fil": (0.005, 4e-6),
    "ms": (0.004, 4e-6), "bg": (0.003, 4e-6), "sh": (0.003, 4e-6), "sk": (0.003, 4e-6), "sl": (0.003, 4e-6),
    "lt": (0.002, 4e-6), "lv": (0.002, 4e-6), "is": (0.002, 4e-6), "mk": (0.002, 4e-6),
}
# Lists without frequencies: what a word of them costs that has none.
LISTS = {"american-english-large": ("en", 17.0), "british-english-large": ("en", 17.0)}
# Languages of LibreOffice's messages: what its package calls them, and what BCP 47 does. They tell what language a text
# is in; what it says, messages of a program tell too little of.
CATALOGUES = {code: code for code in (
    "af ast be bn br cy eo et eu ga gd gl kk mn mr ne nn nr nso oc om rw ss st szl tg tn ts ug uz ve xh zu").split()}
CATALOGUES |= {"gug": "gn", "kmr": "ku"}
CATALOGUE_SHARE, CATALOGUE_WORDS, CATALOGUE_COUNT_MIN = 0.0005, 600, 4
LETTERS_MAX = 24
# From this frequency on a language's words have a cost in it.
FREQUENT = 3e-5
COST_MIN, COST_STEP, COST_CODES = 3.0, 0.2, 94


def fold(word):
    """As lexicon/text/normalization.h folds a term."""
    word = unicodedata.normalize("NFKC", word).casefold().replace("’", "'").replace("ё", "е")
    return "".join(chr(ord(c) - 0x60) if "ァ" <= c <= "ヶ" else c for c in word)


def is_word(word):
    return 0 < len(word) <= LETTERS_MAX and all(c.isalpha() or unicodedata.category(c)[0] == "M" or c == "'" for c in word)


def cost_code(cost):
    return min(COST_CODES - 1, max(0, round((cost - COST_MIN) / COST_STEP)))


def write_section(out, rows):
    """Rows of a word's bytes and its cost, as compile_words.cc reads them."""
    before = b""
    for word, cost in sorted(rows):
        keep = 0
        while keep < min(len(word), len(before), 40) and word[keep] == before[keep]:
            keep += 1
        out.write(bytes([48 + keep]) + word[keep:] + bytes([33 + cost_code(cost)]) + b"\n")
        before = word


def message_words(text):
    """The words of a message, without its tags, names of variables and marks of keys."""
    text = re.sub(r"<[^>]*>|%\w+|\$\([^)]*\)|\$\{[^}]*\}|[~_]", "", text)
    text = "".join(c if c in "'’" or unicodedata.category(c)[0] in "LM" else " " for c in text)
    return [fold(word.strip("'’")) for word in text.split()]


def catalogue(folder):
    """How often each word stands in the messages that were translated; English words that were left in them aside."""
    counts = collections.Counter()
    for path in sorted(folder.glob("LC_MESSAGES/*.mo")):
        with open(path, "rb") as file:
            messages = gettext.GNUTranslations(file)._catalog
        for source, message in messages.items():
            source = (source if isinstance(source, str) else source[0]).split("\x04")[-1]
            if source and isinstance(message, str) and message != source:
                english = set(message_words(source))
                counts.update(word for word in message_words(message) if word not in english)
    return counts


def main():
    if sys.argv[1:] == ["--packages"]:
        print(*(f"libreoffice-l10n-{package}" for package in CATALOGUES))
        return
    import wordfreq

    costs = {}
    inside = {language: {} for language in LANGUAGES}

    def put(word, cost, language):
        if is_word(word) and cost < costs.get(word, (math.inf, ""))[0]:
            costs[word] = (cost, language)

    for language, (share, least) in LANGUAGES.items():
        for word, frequency in wordfreq.get_frequency_dict(language, wordlist="best").items():
            if frequency >= least:
                put(fold(word), -math.log(frequency * share), language)
            if frequency >= FREQUENT and language != "en" and is_word(fold(word)):
                known = inside[language].get(fold(word), math.inf)
                inside[language][fold(word)] = min(known, -math.log(frequency))
    for name, (language, cost) in LISTS.items():
        with open("/usr/share/dict/" + name, encoding="utf-8") as file:
            for line in file:
                word = fold(line.strip())
                put(word, cost, language)
                put(word.removesuffix("'s"), cost, language)
    for package, language in CATALOGUES.items():
        [folder] = pathlib.Path(sys.argv[2]).glob(f"**/program/resource/{package}*")
        counts = catalogue(folder)
        inside[language] = {}
        for word, count in sorted(counts.items(), key=lambda row: (-row[1], row[0]))[:CATALOGUE_WORDS]:
            if count >= CATALOGUE_COUNT_MIN and len(word) > 1 and is_word(word):
                inside[language][word] = -math.log(count / counts.total())
                put(word, -math.log(count / counts.total() * CATALOGUE_SHARE), language)
    words = {language: [] for language in inside}
    for word, (cost, language) in costs.items():
        if not word.endswith("'s"):
            words[language].append((word.encode(), cost))
    with open(sys.argv[1], "wb") as out:
        out.write(b"# Ordinary words and their costs. Made by make_words.py from wordfreq 3.1.1 (CC BY-SA 4.0), Debian's word lists and LibreOffice's messages.\n")
        sections = [(b"= ", language, rows) for language, rows in words.items()]
        sections += [(b"+ ", language, [(word.encode(), cost) for word, cost in inside[language].items()]) for language in inside]
        for mark, language, rows in sections:
            out.write(mark + language.encode() + b"\n")
            write_section(out, rows)
    print(len(costs), "words", file=sys.stderr)


if __name__ == "__main__":
    main()
