"""Prompts that tokenizers must agree on: words of many scripts, odd spaces, emoji, controls, empty and very long ones."""

import random
import unicodedata

WORDS = """a an the sign board banner plate photo of cat dog red green blue wall fence sky that says "hello" 'world'
reading “open” labelled spelling with words café naïve Straße ΣΊΣΥΦΟΣ Ὀδυσσεύς İstanbul ıspanak Привет мир Ёжик
שלום مرحبا नमस्ते สวัสดี 你好 世界 こんにちは カタカナ 한국어 ﬁre ﬀ ǆ Ǆ ß ẞ ſ K Å Ω e\u0301 o\u0308 \u1e9b\u0323 n\u0303
I'm you're they've we'll he'd don't 'still 'tis rock'n'roll L'ÉTÉ 1 23 456 7.89 1,000 ½ ² ③ Ⅷ ٣ 10th 4K h3ll0 f*ck s.h.i.t
!!! ?! ... -- — … @#$% ^&*() <b> [x] {y} ~ ` | \\ / _ snake_case CamelCase 👍 👩‍👩‍👧 🏳️‍🌈 🇩🇪 😀😀 ❤️ © ™ ∑ ≠ → 𝔥𝔢𝔩𝔩𝔬 𝟙𝟚 𐍈 𓀀
zero\u200bwidth soft\u00adhyphen \ufeffbom rtl\u202emark \u0345 ά\u0345 \u0f71\u0f72\u0f74 \u1100\u1161\u11a8 각""".split()
SPACES = [" "] * 12 + ["  ", "\t", "\n", "\r\n", "\u00a0", "\u2003", "\u3000", "\u0085", "\u2028", "\v", "\f", "\x1c"]


def assigned(code_point):
    """ICU 72, the tokenizers library and Python know different Unicode versions: stay with what all of them know. The
    library's NFC is the oldest: it does not put marks in order that came later (U+1DFA)."""
    c = chr(code_point)
    if unicodedata.combining(c) and unicodedata.ucd_3_2_0.category(c) == "Cn":
        return False
    return unicodedata.category(c) not in ("Cn", "Cs", "Co")


def prompts(count, seed):
    r = random.Random(seed)
    made = ["", " ", "\n\t ", "a" * 500, "é" * 300, "'" * 100, "hello" * 2000, "0" * 200, "x " * 400, "\x00", "a\x00b\x07\x1b[0m", "\x7f\x80\x9f"]
    blocks = [(0x20, 0x7F), (0x80, 0x250), (0x250, 0x600), (0x600, 0x1000), (0x1000, 0x2000), (0x2000, 0x2C00), (0x2C00, 0xA800), (0xA800, 0x10000), (0x10000, 0x1F000), (0x1F000, 0x20000)]
    while len(made) < count:
        kind = r.random()
        if kind < 0.5:
            made.append("".join(r.choice(WORDS) + r.choice(SPACES) for _ in range(r.randrange(1, 30))))
        elif kind < 0.7:
            made.append("".join(r.choice(WORDS) for _ in range(r.randrange(1, 6))))
        elif kind < 0.8:
            made.append("".join(chr(r.randrange(0, 0x80)) for _ in range(r.randrange(1, 60))))
        else:
            low, high = r.choice(blocks)
            points = (r.randrange(low, high) for _ in range(r.randrange(1, 40)))
            made.append("".join(chr(p) for p in points if assigned(p)))
    return made


def library_text(name):
    """The source of an installed Python package: much English, many rare words. Nothing is downloaded."""
    import importlib.util
    import pathlib
    root = pathlib.Path(importlib.util.find_spec(name).origin).parent
    return [path.read_text(errors="replace") for path in sorted(root.rglob("*.py"))]
