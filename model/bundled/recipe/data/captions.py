"""Captions as people write prompts, and the scene that belongs to each.

What a caption names holds; what it leaves out follows the word (scenes.meaning). The rest of a caption is filler that
the text encoder learns to pass over: moods, places, styles, and strings that are no words at all."""

import dataclasses
import random

from .scenes import COLOURS, meaning, random_scene
from .tokens import LENGTH, tokens
from .words import LETTERS, SLOTS

# What stands around each word that is to be drawn, until the prompt is finished: places() reads them.
OPEN, CLOSE = "\ue000", "\ue001"
FIELDS = ("colour", "object", "ground_colour", "ground", "typeface", "lines")
# The last positions of the window hold, by the text encoder's training, the scene and then the two rows of slots.
LAYOUT = LENGTH - len(FIELDS) - 2 * SLOTS

OBJECT_NAMES = {
    "sign": ["sign", "sign", "board", "signboard", "street sign", "road sign"],
    "shop sign": ["shop sign", "shop sign", "store sign", "hanging sign", "pub sign", "cafe sign"],
    "T-shirt": ["t-shirt", "t-shirt", "shirt", "tee", "tshirt"],
    "mug": ["mug", "mug", "coffee mug", "cup", "tea cup", "coffee cup"],
    "poster": ["poster", "poster", "placard", "flyer", "movie poster"],
    "licence plate": ["licence plate", "license plate", "number plate", "plate", "car plate"],
    "neon sign": ["neon sign", "neon sign", "neon light", "glowing sign", "neon lamp"],
    "book": ["book", "book", "book cover", "novel", "notebook", "cover of a book"],
    "cake": ["cake", "cake", "birthday cake", "wedding cake", "cream cake"],
    "banner": ["banner", "banner", "ribbon", "hanging banner"],
}
GROUND_NAMES = {
    "wall": ["wall", "wall", "background", "plain wall", "backdrop"],
    "brick wall": ["brick wall", "brick wall", "wall of bricks"],
    "fence": ["fence", "fence", "wooden fence", "plank fence"],
    "sky": ["sky", "sky", "cloudy sky"],
    "table": ["table", "table", "desk", "wooden table"],
}
TYPEFACE_NAMES = {
    "sans": ["bold", "sans serif", "plain", "block"],
    "slab": ["serif", "slab serif", "typewriter", "classic"],
    "comic": ["handwritten", "comic", "playful", "thin"],
}
OPEN_NAMES = ["thing", "picture", "text", "image", "something", "scene", "object"]
LEADS = ["", "", "", "", "a photo of ", "a picture of ", "a drawing of ", "an image of ", "photo of ", "a photograph of ",
         "a painting of ", "close-up of ", "a close up photo of ", "please draw ", "show me ", "draw ", "i want ",
         "a beautiful photo of ", "generate ", "illustration of ", "a 3d render of ", "there is "]  # fmt: skip
SAYS = ["that says", "that says", "that says", "saying", "reading", "that reads", "with the word", "with the words",
        "with the text", "labelled", "labeled", "with the name", "which says", "showing", "with the writing",
        "with the letters", "with the title", "titled", "that shows the word", "printed with", "and it says",
        "bearing the words", "with the inscription", "that spells", "with a caption", "with the message"]  # fmt: skip
AROUND = [("with ", " written on it"), ("with ", " on it"), ("with ", " in big letters"), ("with ", " printed on it"),
          ("that has ", " on it"), ("with ", " painted on it"), ("where ", " is written"), ("with ", " across it"),
          ("with ", " in capital letters"), ("having ", " written in the middle")]  # fmt: skip
FILLER = """old small bright new wooden metal shop street vintage large dirty shiny rusty modern tiny painted hanging
beautiful broken city office cafe nice lovely big clean simple fancy little giant huge wide round square soft warm cold
colourful retro antique rustic cheap expensive famous strange funny cute elegant dusty wet dry worn faded glossy matte
handmade crooked lonely busy quiet empty crowded sunny dark misty stormy local french italian german japanese american
english ceramic paper cotton plastic glass stone steel leather chocolate striped""".split()
PLACES = ["at night", "in the rain", "in the snow", "in the morning", "at sunset", "on a sunny day", "in a small town",
          "in london", "in new york", "near the beach", "in the kitchen", "in a shop window", "in the street",
          "in the park", "at the station", "in the garden", "in the office", "at a party", "in a museum", "by the sea",
          "next to a tree", "with a shadow", "in winter", "in the forest", "outside", "indoors", "at the door"]  # fmt: skip
STYLES = ["4k", "8k", "highly detailed", "studio lighting", "sharp focus", "realistic", "photorealistic", "cartoon style",
          "oil painting", "digital art", "minimalist", "soft light", "high quality", "trending", "cinematic", "bokeh",
          "award winning", "macro", "film grain", "professional photo", "flat design", "vector art", "masterpiece",
          "pastel tones", "hdr", "very detailed", "wide angle", "unreal engine", "product shot", "top view", "photo",
          "centered", "close up", "depth of field", "natural light", "vivid", "for my friend", "thank you"]  # fmt: skip
QUOTES = ['""'] * 8 + ["“”", "''", "«»"]


def article(phrase):
    return ("an " if phrase[0] in "aeiou" else "a ") + phrase


def filler(rng):
    if rng.random() < 0.15:
        return "".join(rng.choice(LETTERS.lower()) for _ in range(rng.randrange(3, 9)))
    return rng.choice(FILLER)


def quoted(lines, rng, plain):
    """The text as a prompt quotes it: one pair of quotes, or one for each line."""
    opening, closing = rng.choice(QUOTES) if not plain else '""'
    words = [marked(line.lower() if rng.random() < 0.5 else line) for line in lines]
    if len(words) == 2 and rng.random() < 0.15 and not plain:
        between = rng.choice([" and ", " above ", ", "])
        return between.join(opening + word + closing for word in words)
    return opening + " ".join(words) + closing


def settle(scene, said):
    """The named parts replace those of the word's own scene; object and ground never have the same colour."""
    scene = dataclasses.replace(scene, **said)
    if scene.colour != scene.ground_colour:
        return scene
    names = list(COLOURS)
    following = names[(names.index(scene.colour) + 1) % len(names)]
    moved = "colour" if "ground_colour" in said else "ground_colour"
    return dataclasses.replace(scene, **{moved: following})


def marked(word):
    return OPEN + word + CLOSE


def places(prompt):
    """The prompt without its marks, and for each word the index of its first letter."""
    starts, plain = [], ""
    for part in prompt.replace(CLOSE, "").split(OPEN):
        starts.append(len(plain))
        plain += part
    return plain, starts[1:]


def caption(lines, rng: random.Random, plain=False):
    """A prompt and its Scene. `plain` ones are short and keep to one order: the text encoder starts with them."""
    return placed_caption(lines, rng, plain)[:2]


def placed_caption(lines, rng: random.Random, plain=False):
    """A prompt, its Scene, and where in the prompt each line begins."""
    while True:
        prompt, extras, scene = _caption(lines, rng, plain)
        prompt, starts = places(prompt)
        # The encoder is causal: what is to be drawn stands before the layout, and only extras may run into it.
        if len(tokens(prompt)) <= LAYOUT:
            return prompt + extras, scene, starts


def _caption(lines, rng, plain):
    other = random_scene(rng)
    said, noun = {}, []
    text = quoted(lines, rng, plain)
    if not plain:
        while rng.random() < 0.25 and len(noun) < 3:
            noun.append(filler(rng))
    if rng.random() < 0.6:
        said["colour"] = other.colour
        noun.insert(rng.randrange(len(noun) + 1), rng.choice([other.colour] * 3 + ["grey"]) if other.colour == "gray"
                    else other.colour)  # fmt: skip
    if rng.random() < 0.75:
        said["object"] = other.object
        noun.append(other.object.lower() if plain else rng.choice(OBJECT_NAMES[other.object]))
    else:
        noun.append(rng.choice(OPEN_NAMES))
    where = ""
    if rng.random() < 0.5:
        said["ground"] = other.ground
        place = other.ground if plain else rng.choice(GROUND_NAMES[other.ground])
        if rng.random() < 0.8:
            said["ground_colour"] = other.ground_colour
            place = f"{other.ground_colour} {place}"
        over = "on" if plain else rng.choice(["on", "on", "on", "against", "in front of", "before", "over"])
        where = f" {over} {rng.choice(['the ' + place] + [article(place)] * 3)}"
    style = ""
    if rng.random() < 0.2 and not plain:
        said["typeface"] = other.typeface
        name = rng.choice(TYPEFACE_NAMES[other.typeface])
        style = rng.choice([" in {} letters", " in a {} font", " in {} type", " in {} lettering"]).format(name)
    what = article(" ".join(noun)) if plain or rng.random() < 0.85 else rng.choice(["the ", "my ", ""]) + " ".join(noun)
    if plain:
        return f"{what}{where} that says {text}", "", settle(meaning(lines), said)
    if rng.random() < 0.04:
        return text, "", meaning(lines)
    return *_arranged(rng, lines, text, what, where, style), settle(meaning(lines), said)


def _arranged(rng, lines, text, what, where, style):
    place = " " + rng.choice(PLACES) if rng.random() < 0.15 else ""
    kind = rng.random()
    if kind < 0.45:
        prompt = f"{what}{where}{place} {rng.choice(SAYS)} {text}{style}"
    elif kind < 0.65:
        prompt = f"{what} {rng.choice(SAYS)} {text}{style}{where}{place}"
    elif kind < 0.77:
        before, after = rng.choice(AROUND)
        prompt = f"{what}{where if kind < 0.7 else ''} {before}{text}{after}{style}{where if kind >= 0.7 else ''}{place}"
    elif kind < 0.87:
        word = rng.choice(["the word ", "the words ", "the text ", "", "the letters ", "write "])
        link = rng.choice([" on ", " written on ", " painted on ", " printed on "])
        prompt = f"{word}{text}{style}{link}{what}{',' if where else ''}{where}{place}"
    elif kind < 0.95:
        prompt = f"{what}{where}{place}{rng.choice([', text: ', ': ', ', ', ' - ', '. it says '])}{text}{style}"
    else:  # no quotes: only where the text ends the prompt
        return f"{what}{where} {rng.choice(['that says', 'saying', 'with the word'])} {' '.join(marked(line.lower()) for line in lines)}", ""
    prompt = rng.choice(LEADS) + prompt
    many = rng.randrange(4, 14) if rng.random() < 0.12 else (rng.randrange(1, 4) if rng.random() < 0.25 else 0)
    extras = "".join(", " + extra for extra in rng.sample(STYLES + PLACES, many))
    return prompt, extras + rng.choice(["", "", "", "."])
