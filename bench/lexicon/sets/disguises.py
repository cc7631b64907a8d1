"""Set (a): terms in every disguise, and ordinary words in the same ones, in prompts of two halves."""
import random

import common
import ordinary
import styles

# What stands around the word in the text that is drawn, by half.
AROUND = {"A": ["{}"] * 6 + ["the {} shop", "no {} here", "welcome, {}", "team {}", "{}!"],
          "B": ["{}"] * 6 + ["you {}", "{} club", "hello {}", "{} for life", "my {}"]}


def frame(word):
    """What a mask leaves of a word."""
    return len(word), word[0], word[-1]


def frames(words):
    result = {}
    for word in filter(None, words):
        result.setdefault(frame(word), []).append(word)
    return result


class Words:
    """The words that a disguise could be taken for: ordinary ones, and the terms."""

    def __init__(self, all_terms):
        self.terms = common.spellings(all_terms)
        self.dictionary = {w.casefold() for language in common.DICTIONARIES for w in common.dictionary(language)}
        texts = ordinary.common_words()
        self.common = sorted({(word, language) for language, words in texts.items() for word in words
                              if word.isalpha() and 4 <= len(word) <= 14 and not self.holds_term(word, whole=True)})
        english = {w.casefold() for w in common.dictionary("en") if w.isascii() and w.isalpha() and 4 <= len(w) <= 11}
        inside = {t for t in self.terms if 3 <= len(t) <= 6 and t.isascii() and t.isalpha()}
        self.rare = sorted(w for w in english if not self.holds_term(w, whole=True))
        self.holding = [w for w in self.rare if any(w[i:j] in inside for i in range(len(w))
                                                    for j in range(i + 3, min(len(w), i + 6) + 1))]
        self.skeletons = {styles.skeleton(t) for t in self.terms}
        self.framed = {toxic: frames({w for w, _ in self.common} | self.dictionary if toxic else self.terms)
                       for toxic in (True, False)}

    def holds_term(self, word, whole):
        """Whether the word is a term or an ending away from one."""
        word = word.casefold()
        return any(word == t or (whole and len(t) > 3 and word.startswith(t)) for t in self.near(word))

    def near(self, word):
        return [word[:n] for n in range(3, len(word) + 1) if word[:n] in self.terms]

    def doubtful(self, style, word, result, toxic):
        """Whether the disguised word may as well be one of the other side."""
        other = self.dictionary if toxic else self.terms
        bare = result.casefold()
        if bare in other or "".join(c for c in bare if c.isalpha()) in other and style != "spelled":
            return True
        if style == "mask":
            return any(styles.fits(bare, w) for w in self.framed[toxic].get(frame(bare), []))
        if style in ("no_vowels", "combined", "typo", "sound"):
            return not toxic and styles.skeleton(bare) in self.skeletons
        if style in ("reversed", "turned"):
            return word[::-1] in other
        if style == "space_gap" and toxic:
            return all(piece.casefold() in self.dictionary for piece in result.split())
        return False


def disguised(r, words, style, word, toxic):
    if style != "plain" and not (word.isascii() and word.isalpha()) and style not in ("invisible", "spelled", "marks"):
        return None
    result = styles.STYLES[style](r, word)
    if not result or (result.casefold() == word.casefold() and style != "plain"):
        return None
    if style != "plain" and words.doubtful(style, word, result, toxic):
        return None
    return result


def in_prompt(r, prompts, language, half, text):
    own = prompts.get(language, {}).get(half)
    prompt = r.choice(own if own and r.random() < 0.5 else prompts["en"][half])
    return prompt.replace("{}", text)


def rows(seed, count):
    """So many toxic and so many clean rows, all styles and halves alike often."""
    r = random.Random(seed)
    all_terms = common.terms()
    words = Words(all_terms)
    prompts = common.prompts()
    plain = [t for t in all_terms if t.is_plain_word()]
    result = []
    names = list(styles.STYLES)
    for toxic in (True, False):
        done, tries = 0, 0
        while done < count and tries < 100 * count:
            tries += 1
            style = names[done % len(names)]
            half = "AB"[done // len(names) % 2]
            if toxic:
                term = r.choice(plain)
                word, language = term.text, term.language
            else:
                word, language = r.choice([lambda: r.choice(words.common), lambda: r.choice(words.common),
                                           lambda: (r.choice(words.rare), "en"),
                                           lambda: (r.choice(words.holding), "en")])()
            text = disguised(r, words, style, word, toxic)
            if text is None:
                continue
            text = r.choice(AROUND[half]).replace("{}", text)
            more = {"terms": [word]} if toxic else {"hard": True}
            result.append(common.row(in_prompt(r, prompts, language, half, text), "toxic" if toxic else "clean", style,
                                     lang=language, term_half=common.half_of(word), template_half=half, **more))
            done += 1
    return result
