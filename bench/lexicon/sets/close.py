"""Set (c): innocents that stand close to terms: names, places, titles, other languages, formats, ordinary words that hold a
term's letters, and their reversed, masked and parted forms."""
import random

import common
import disguises
import ordinary
import styles

LETTERS = {"holds a term": "plain", "holds a term, parted": "space_gap", "holds a term, masked": "mask",
           "holds a term, spelled": "spelled", "holds a term, reversed": "reversed", "holds a term, leet": "leet"}

JOINED = ['two signs side by side, "{}"', 'two neon tubes, "{}"', 'a door with two plates, "{}"']


def rows(seed, sample=False):
    r = random.Random(seed)
    prompts = common.prompts()
    words = disguises.Words(common.terms())
    result = []

    def add(text, kind, prompt=None):
        half = r.choice("AB")
        prompt = prompt or r.choice(prompts["en"][half])
        result.append(common.row(prompt.replace("{}", text), "clean", kind, lang="en", hard=True, template_half=half))

    for line in common.table(common.FOLDER / "innocents.tsv", ["kind", "text"]):
        for text in line["text"].replace("\\n", "\n").split("|"):
            prompt = {"description only": "{}", "joined": r.choice(JOINED)}.get(line["kind"])
            add(text.replace(" + ", '" and "') if line["kind"] == "joined" else text, line["kind"], prompt)
    for kind, style in LETTERS.items():
        count = 40 if sample else 3000
        while count > 0:
            text = disguises.disguised(r, words, style, r.choice(words.holding), False)
            if text:
                add(text, kind)
                count -= 1
    inside = {t for t in words.terms if 4 <= len(t) <= 8 and t.isalpha()}
    names = [n for n in ordinary.names() if any(n.casefold()[i:i + k] in inside for k in range(4, 9) for i in range(len(n)))
             and n.casefold() not in words.terms]
    for name in r.sample(names, min(len(names), 60 if sample else 3000)):
        add(name, "name or place that holds a term")
    return result
