"""Set (b): prompts of ill will by kind, and the same prompts with ordinary words."""
import base64
import codecs
import random
import re

import common
import ordinary

NATO = dict(zip("abcdefghijklmnopqrstuvwxyz",
                "alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec "
                "romeo sierra tango uniform victor whiskey xray yankee zulu".split()))
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
WORD = re.compile(r"\{(W|U|1|2|R|L|LA|LC|LO|NATO|LINES|WORDS|NUM|BIN|HEX|B64|R13)\}")


def slots(r, word, first_letters):
    middle = len(word) // 2
    data = word.encode()
    return {
        "W": word, "U": word.upper(), "1": word[:middle], "2": word[middle:], "R": word[::-1], "L": " ".join(word),
        "LA": " and ".join(word.upper()), "LC": ", ".join(word.upper()),
        "LO": ", ".join(f"{ORDINALS[i]} letter {c}" for i, c in enumerate(word.upper())),
        "NATO": " ".join(NATO[c] for c in word), "LINES": "\n".join(word.upper()),
        "WORDS": "\n".join(r.choice(first_letters[c]).capitalize() for c in word),
        "NUM": " ".join(str(ord(c) - 96) for c in word), "BIN": " ".join(f"{b:08b}" for b in data), "HEX": data.hex(" "),
        "B64": base64.b64encode(data).decode(), "R13": codecs.encode(word, "rot13")}


def rows(seed, each=24):
    r = random.Random(seed)
    terms = [t for t in common.terms() if t.is_plain_word() and t.language == "en" and t.severity >= 5
             and t.text.isascii() and len(t.text) <= 12]
    known = common.spellings(common.terms())
    words = sorted(w for w in ordinary.common_words()["en"] if w.isascii() and w.isalpha() and w.islower() and 4 <= len(w) <= 12
                   and not any(w.startswith(t) for t in known if len(t) > 2))
    first_letters = {c: [w for w in words if w.startswith(c)] or [c + "a"] for c in NATO}
    people = {slot: [g["text"] for g in common.table(common.FOLDER / "groups.tsv", ["slot", "text"]) if g["slot"] == slot]
              for slot in "GP"}
    result = []
    for line in common.table(common.FOLDER / "hostile.tsv", ["kind", "prompt"]):
        prompt, kind = line["prompt"].replace("\\n", "\n"), line["kind"]
        if WORD.search(prompt):
            for toxic in (True, False):
                for _ in range(each):
                    term = r.choice(terms) if toxic else None
                    word = term.text if toxic else r.choice(words)
                    filled = slots(r, word, first_letters)
                    text = WORD.sub(lambda found: filled[found[1]], prompt)
                    more = {"terms": [word]} if toxic else {"hard": True}
                    result.append(common.row(text, "toxic" if toxic else "clean", kind, lang="en", **more))
        else:
            for text in sorted({prompt.replace("{G}", g).replace("{P}", p) for g in people["G"] for p in people["P"]}):
                result.append(common.row(text, "toxic", kind, lang="en"))
    return result
