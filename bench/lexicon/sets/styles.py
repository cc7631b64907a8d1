"""The disguises, each a function of (random, word) that gives the word disguised, or None where it cannot be.

What looks like a letter is taken from the names that Unicode gives its characters ("CIRCLED LATIN SMALL LETTER A"), and
not from the lexicon's tables, so that the sets do not test a table against itself."""
import re
import unicodedata

VOWELS = "aeiouy"
LEET = {"a": "4@", "b": "8", "e": "3", "g": "9", "i": "1!", "l": "1|", "o": "0", "s": "5$", "t": "7+", "z": "2"}
DRAWN = {"a": ["/\\", "/-\\"], "b": ["|3"], "c": ["("], "d": ["|)"], "h": ["|-|"], "k": ["|<"], "m": ["|\\/|"],
         "n": ["|\\|"], "u": ["|_|"], "v": ["\\/"], "w": ["\\/\\/"], "x": ["><"]}
# Letters of other scripts that are drawn as ours are.
TWINS = {"a": "аα", "b": "Ьв", "c": "сϲ", "d": "ԁ", "e": "еє", "f": "ғ", "g": "ɡ", "h": "һн", "i": "іι", "j": "ј", "k": "кκ",
         "l": "ӏ", "m": "м", "n": "пո", "o": "оοօ", "p": "рρ", "r": "г", "s": "ѕ", "t": "тτ", "u": "υս", "v": "ѵν", "w": "ԝω",
         "x": "хχ", "y": "уγ"}
SOUND = [("f", "ph"), ("ck", "k"), ("ck", "cc"), ("c", "k"), ("s", "z"), ("er", "a"), ("er", "uh"), ("u", "oo"),
         ("i", "ee"), ("x", "cks"), ("y", "ie"), ("ea", "ee"), ("oo", "u"), ("ph", "f"), ("w", "wh"), ("qu", "kw")]
KEYS = dict(zip("qwertyuiopasdfghjklzxcvbnm",
                ["wa", "qe", "wr", "et", "ry", "tu", "yi", "uo", "ip", "ol", "qs", "ad", "sf", "dg", "fh", "gj", "hk",
                 "jl", "ko", "xa", "zc", "xv", "cb", "vn", "bm", "nk"]))
COMPANIONS = "face head hole bag boy girl man fest land hub lover king queen nation club show team zone house time".split()
ENDINGS = "s s er ers ing y ed".split()
MARKS = [chr(c) for c in (0x300, 0x301, 0x302, 0x303, 0x308, 0x30A, 0x327, 0x336, 0x332, 0x323, 0x304, 0x337)]
INVISIBLE = [chr(c) for c in (0x200B, 0x200C, 0x200D, 0x2060, 0xAD, 0xFEFF, 0x2063, 0x180E, 0x34F)]
SEPARATORS = [" ", "-", ".", "_", "*", "~", "/", "|", "  ", ", ", " - ", "•", "·", "\n", "+", ":", "'", "..", "​ "]
TURNED = dict(zip("abcdefghijklmnopqrtuvwyz", "ɐqɔpǝɟƃɥᴉɾʞlɯuodbɹʇnʌʍʎz"))


def named_letters():
    """letter -> {style: characters}, from Unicode's names."""
    pattern = re.compile(r"^(?:(MATHEMATICAL|FULLWIDTH|CIRCLED|NEGATIVE CIRCLED|SQUARED|NEGATIVE SQUARED|PARENTHESIZED"
                         r"|REGIONAL INDICATOR SYMBOL|LATIN LETTER SMALL CAPITAL|LATIN SMALL LETTER|MODIFIER LETTER SMALL)"
                         r"\b.*?\b(?:LETTER |SMALL |CAPITAL )?)?([A-Z])( WITH .*)?$")
    result = {}
    for code in list(range(0x1D00, 0x2200)) + list(range(0x2460, 0x2500)) + list(range(0xFF00, 0xFF60)) + \
            list(range(0x1D400, 0x1D6A8)) + list(range(0x1F100, 0x1F200)) + list(range(0xC0, 0x2B0)):
        found = pattern.match(unicodedata.name(chr(code), ""))
        if not found or not found[1]:
            continue
        style, letter = found[1], found[2].lower()
        if style == "LATIN SMALL LETTER" and not found[3]:
            continue
        group = {"MATHEMATICAL": "full", "FULLWIDTH": "full", "CIRCLED": "full", "MODIFIER LETTER SMALL": "full",
                 "LATIN LETTER SMALL CAPITAL": "looks", "LATIN SMALL LETTER": "looks", "PARENTHESIZED": "enclosed",
                 "NEGATIVE CIRCLED": "enclosed", "SQUARED": "enclosed", "NEGATIVE SQUARED": "enclosed",
                 "REGIONAL INDICATOR SYMBOL": "emoji"}[style]
        family = unicodedata.name(chr(code)).rsplit(" ", 1)[0] if group != "looks" else "looks"
        result.setdefault(group, {}).setdefault(family, {}).setdefault(letter, []).append(chr(code))
    return result


NAMED = named_letters()


def cased(r, word):
    if r.random() < 0.2:
        return "".join(c.upper() if r.random() < 0.5 else c for c in word)
    return r.choice([word, word, word.upper(), word.capitalize()])


def changed(r, word, options, share):
    """Some letters, at least one, by what `options` gives for a letter."""
    able = [i for i, c in enumerate(word) if options(c.lower())]
    if not able:
        return None
    chosen = [i for i in able if r.random() < share] or [r.choice(able)]
    return "".join(r.choice(options(c.lower())) if i in chosen else c for i, c in enumerate(word))


def family(group):
    def style(r, word):
        letters = r.choice([f for f in NAMED[group].values() if all(c in f for c in word.lower())] or [None])
        if letters is None:
            return None
        between = r.choice(["", " "]) if group == "emoji" else ""
        return between.join(r.choice(letters[c]) for c in word.lower())
    return style


def leet(r, word):
    return changed(r, cased(r, word), lambda c: LEET.get(c), r.choice([0.3, 0.6, 1.0]))


def marks(r, word):
    share, count = r.choice([0.4, 1.0]), r.choice([1, 1, 2, 4])
    return changed(r, cased(r, word), lambda c: [c + "".join(r.choice(MARKS) for _ in range(count))], share)


def invisible(r, word):
    mark = r.choice(INVISIBLE)
    at = {r.randrange(1, len(word))} if r.random() < 0.5 else set(range(1, len(word)))
    return "".join((mark if i in at else "") + c for i, c in enumerate(word))


def irregular(r, word):
    return cased(r, word[0]) + "".join(r.choice([" ", "-", ".", "_", "*", "~", "/"]) + c for c in word[1:])


def gap(marks_between):
    def style(r, word):
        at = r.randrange(2, len(word) - 1) if len(word) > 4 else 2
        return word[:at] + r.choice(marks_between) + word[at:]
    return style


def repeat(r, word):
    return changed(r, cased(r, word), lambda c: [c * r.randrange(3, 6)], r.choice([0.15, 0.15, 1]))


def mask(r, word):
    sign = r.choice("****##_%?.•")
    vowels = [i for i, c in enumerate(word) if c in VOWELS and i]
    if vowels and r.random() < 0.6:
        at = r.choice(vowels)
        return word[:at] + sign + word[at + 1:]
    return word[0] + sign * (len(word) - 2) + word[-1] if len(word) <= 7 else word[:2] + sign * (len(word) - 3) + word[-1]


def sound(r, word):
    rules = [rule for rule in SOUND if rule[0] in word]
    if not rules:
        return None
    old, new = r.choice(rules)
    return cased(r, word.replace(old, new, 1))


def without_vowels(r, word):
    vowels = [i for i, c in enumerate(word) if c in VOWELS and i]
    if not vowels:
        return None
    gone = vowels if r.random() < 0.5 else [r.choice(vowels)]
    result = "".join(c for i, c in enumerate(word) if i not in gone)
    return cased(r, result) if len(result) > 2 else None


def typo(r, word):
    if len(word) < 6:
        return None
    i = r.randrange(1, len(word) - 2)
    key = r.choice(KEYS.get(word[i], "x"))
    return r.choice([word[:i] + word[i + 1] + word[i] + word[i + 2:], word[:i] + key + word[i + 1:],
                     word[:i] + word[i + 1:], word[:i] + key + word[i:]])


def spelled(r, word):
    return r.choice(SEPARATORS).join(cased(r, word))


def turned(r, word):
    word = word.lower()
    return "".join(TURNED[c] for c in reversed(word)) if all(c in TURNED for c in word) else None


STYLES = {
    "plain": cased,
    "leet": leet,
    "drawn": lambda r, w: changed(r, w, lambda c: DRAWN.get(c), 0.4),
    "confusables": lambda r, w: changed(r, cased(r, w), lambda c: TWINS.get(c), r.choice([0.3, 0.6, 1.0])),
    "looks": lambda r, w: changed(r, w, lambda c: NAMED["looks"]["looks"].get(c), r.choice([0.3, 1.0])),
    "enclosed": family("enclosed"),
    "full": family("full"),
    "emoji": family("emoji"),
    "marks": marks,
    "invisible": invisible,
    "spelled": spelled,
    "irregular": irregular,
    "gap": gap("-._/~*|"),
    "space_gap": gap(" "),
    "repeat": repeat,
    "mask": mask,
    "sound": sound,
    "no_vowels": without_vowels,
    "typo": typo,
    "inflected": lambda r, w: cased(r, w + r.choice(ENDINGS)),
    "compound": lambda r, w: cased(r, w + r.choice(COMPANIONS) if r.random() < 0.7 else r.choice(COMPANIONS) + w),
    "reversed": lambda r, w: cased(r, w[::-1]),
    "turned": turned,
}
# What is laid over another disguise, and what may lie below.
OVER = ["leet", "confusables", "marks", "invisible", "spelled", "repeat"]
BELOW = ["sound", "inflected", "compound", "repeat", "leet", "no_vowels"]


def combined(r, word):
    below, over = r.choice(BELOW), r.choice(OVER)
    first = STYLES[below](r, word)
    if not first or below == over:
        return None
    return STYLES[over](r, first.lower())


STYLES["combined"] = combined


def fits(pattern, word):
    """Whether a masked word may be this one."""
    return len(pattern) == len(word) and all(p == w or not p.isalnum() for p, w in zip(pattern, word))


def skeleton(word):
    return "".join(c for c in word if c not in VOWELS)
