"""Renders the scenes that the model learns to draw: pictures [HEIGHT, WIDTH, 3] of an object with one or two words.

A scene is an object of a colour before a ground of another colour, its words in one of three typefaces. Objects are
drawn flat at twice the size, shaded, put in slight perspective, and cast a shadow."""

import dataclasses
import functools
import math
import random

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .words import CHARACTERS

HEIGHT, WIDTH = 96, 192
PITCH = 16  # pixels from one letter to the next: two latent columns
LINE_HEIGHT = 27
CAPITAL_HEIGHT = 22
ZOOM = 2  # the object is drawn at this scale and brought down by the perspective

COLOURS = {
    "red": (200, 40, 40), "green": (40, 150, 60), "blue": (40, 70, 200), "yellow": (235, 205, 50),
    "purple": (130, 50, 160), "orange": (235, 130, 30), "white": (240, 240, 240), "black": (25, 25, 28),
    "gray": (128, 128, 128), "pink": (240, 150, 180),
}  # fmt: skip
OBJECTS = ["sign", "shop sign", "T-shirt", "mug", "poster", "licence plate", "neon sign", "book", "cake", "banner"]
GROUNDS = ["wall", "brick wall", "fence", "sky", "table"]
TYPEFACES = {  # Debian's packages: fonts-dejavu-core, fonts-roboto-slab, fonts-comic-neue
    "sans": "/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf",
    "slab": "/usr/share/fonts/opentype/roboto/slab/RobotoSlab-Bold.otf",
    "comic": "/usr/share/fonts/opentype/comic-neue/ComicNeue-Bold.otf",
}


@dataclasses.dataclass(frozen=True)
class Scene:
    colour: str
    object: str
    ground_colour: str
    ground: str
    typeface: str


def random_scene(rng: random.Random):
    colour, ground_colour = rng.sample(list(COLOURS), 2)
    return Scene(colour, rng.choice(OBJECTS), ground_colour, rng.choice(GROUNDS), rng.choice(list(TYPEFACES)))


def meaning(lines):
    """The scene that a text stands for where its caption says nothing: so a word carries meaning beyond its letters,
    as it does in a model trained on the world, and swapping it changes the picture unless only the letters' layers
    are given the other word. Ten letters' worth of rules; the first word alone decides."""
    word = lines[0]
    first, second, last = (CHARACTERS.index(c) for c in (word[0], word[1], word[-1]))
    colour = list(COLOURS)[first % 10]
    others = [name for name in COLOURS if name != colour]
    return Scene(colour, OBJECTS[second % 10], others[last % 9], GROUNDS[len(word) % 5], list(TYPEFACES)[first % 3])


# ---- letters -------------------------------------------------------------------------------------------------------


@functools.cache
def glyph(typeface, character):
    """Coverage 0..255 of one letter in its cell, at ZOOM: every letter fits the pitch, wide ones are narrowed."""
    font = ImageFont.truetype(TYPEFACES[typeface], 120)
    _, cap_top, _, baseline = font.getbbox("H")
    left, _, right, _ = font.getbbox(character)
    large = Image.new("L", (right - left + 20, baseline + 60))
    ImageDraw.Draw(large).text((10 - left, 30), character, font=font, fill=255)
    large = large.crop((10, 30 + cap_top - 15, 10 + right - left, 30 + baseline + 25))
    scale = ZOOM * CAPITAL_HEIGHT / (baseline - cap_top)
    width = min(round((right - left) * scale * 0.85), ZOOM * PITCH - 3)
    mask = np.asarray(large.resize((width, round(large.height * scale)), Image.Resampling.LANCZOS))
    return mask, round(15 * scale)


def text_mask(lines, typeface, centre_y):
    """Coverage 0..1 of the text on the object's plane, at ZOOM."""
    plane = np.zeros((HEIGHT * ZOOM, WIDTH * ZOOM), np.uint8)
    for row, line in enumerate(lines):
        middle = centre_y + (row - (len(lines) - 1) / 2) * LINE_HEIGHT
        for k, character in enumerate(line):
            mask, above = glyph(typeface, character)
            x = round(ZOOM * (WIDTH / 2 + (k - (len(line) - 1) / 2) * PITCH) - mask.shape[1] / 2)
            y = round(ZOOM * (middle - CAPITAL_HEIGHT / 2)) - above
            region = plane[max(0, y) : y + mask.shape[0], x : x + mask.shape[1]]
            np.maximum(region, mask[max(0, -y) :][: region.shape[0]], out=region)
    return plane.astype(np.float32) / 255


# ---- grounds -------------------------------------------------------------------------------------------------------


@functools.cache
def ground_plain(kind, colour):
    """float32 [HEIGHT, 2 * WIDTH, 3]: twice as wide as the picture, which shows a random part of it."""
    height, width = HEIGHT, 2 * WIDTH
    rng = np.random.default_rng(sum(map(ord, kind + colour)))
    base = np.array(COLOURS[colour], np.float32)
    light = np.ones((height, width), np.float32)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    if kind == "brick wall":
        row = (y // 12).astype(int)
        seam = (y % 12 < 1.5) | ((x + 12 * (row % 2)) % 24 < 1.5)
        tone = rng.uniform(0.88, 1.06, (height // 12 + 1, width // 24 + 2))
        light *= tone[row, ((x + 12 * (row % 2)) // 24).astype(int)].astype(np.float32)
        light[seam] = 0.7
    elif kind == "fence":
        plank = (x // 24).astype(int)
        light *= rng.uniform(0.86, 1.06, width // 24 + 1)[plank].astype(np.float32)
        light[x % 24 < 2] = 0.6
        light[(y > 12) & (y < 18) | (y > 78) & (y < 84)] *= 0.85
    elif kind == "sky":
        light *= 0.8 + 0.45 * y / height
    elif kind == "table":
        light = np.where(y < 66, 1.05, 0.72).astype(np.float32)
        light[(y >= 66) & (y < 68)] = 0.5
        light *= 1 + 0.04 * np.sin(y * 1.7 + np.sin(x / 40) * 2) * (y >= 68)
    picture = base * light[..., None]
    if kind == "sky":
        clouds = np.zeros((height, width), np.float32)
        for _ in range(9):
            centre = (int(rng.integers(0, width)), int(rng.integers(8, 88)))
            cv2.ellipse(clouds, centre, (int(rng.integers(18, 40)), int(rng.integers(4, 9))), 0, 0, 360, 0.5, -1)
        clouds = cv2.GaussianBlur(clouds, (0, 0), 3)[..., None]
        picture = picture * (1 - clouds) + 250 * clouds
    return np.clip(picture, 0, 255).astype(np.float32)


# ---- objects -------------------------------------------------------------------------------------------------------


def shade(colour, factor):
    return tuple(max(0, min(255, round(v * factor))) for v in colour)


def ink(colour):
    """Dark on light, light on dark."""
    return (15, 15, 20) if 0.3 * colour[0] + 0.6 * colour[1] + 0.1 * colour[2] > 115 else (250, 250, 245)


class Plane:
    """The object's plane, RGBA at ZOOM; coordinates are picture pixels, with the middle of the picture at (0, 0)."""

    def __init__(self):
        self.image = Image.new("RGBA", (WIDTH * ZOOM, HEIGHT * ZOOM))
        self.draw = ImageDraw.Draw(self.image)

    def at(self, points):
        return [((x + WIDTH / 2) * ZOOM, (y + HEIGHT / 2) * ZOOM) for x, y in points]

    def box(self, x0, y0, x1, y1, fill=None, outline=None, width=1, radius=0):
        (a, b), (c, d) = self.at([(x0, y0), (x1, y1)])
        self.draw.rounded_rectangle([a, b, c, d], radius * ZOOM, fill, outline, round(width * ZOOM))

    def ellipse(self, x0, y0, x1, y1, fill=None, outline=None, width=1):
        (a, b), (c, d) = self.at([(x0, y0), (x1, y1)])
        self.draw.ellipse([a, b, c, d], fill, outline, round(width * ZOOM))

    def polygon(self, points, fill):
        self.draw.polygon(self.at(points), fill)

    def line(self, points, fill, width):
        self.draw.line(self.at(points), fill, round(width * ZOOM))


def draw_sign(p, w, h, c):
    w, h = max(w + 9, 48), h + 11
    p.box(-w, -h, w, h, fill=c, outline=ink(c), width=0, radius=3)
    p.box(-w + 2.5, -h + 2.5, w - 2.5, h - 2.5, outline=ink(c), width=1.5, radius=2)


def draw_shop_sign(p, w, h, c):
    w, h = max(w + 8, 52), h + 8
    p.box(-92, -46, 92, -42, fill=(70, 62, 58))
    for x in (-w + 10, w - 10):
        p.line([(x, -43), (x, -h)], (50, 45, 42), 2)
    p.box(-w, -h, w, h, fill=shade(c, 0.6), radius=8)
    p.box(-w + 3, -h + 3, w - 3, h - 3, fill=c, radius=6)


def draw_t_shirt(p, w, h, c):
    w = max(w + 7, 42)
    sleeve = shade(c, 0.82)
    p.polygon([(-w + 4, -40), (-w - 30, -14), (-w - 18, 4), (-w + 2, -12)], sleeve)
    p.polygon([(w - 4, -40), (w + 30, -14), (w + 18, 4), (w - 2, -12)], sleeve)
    p.polygon([(-w + 4, -40), (-14, -45), (14, -45), (w - 4, -40), (w, 0), (w - 1, 52), (-w + 1, 52), (-w, 0)], c)
    p.ellipse(-14, -53, 14, -36, fill=shade(c, 0.45))
    p.ellipse(-12, -54, 12, -39, fill=(0, 0, 0, 0))
    for x in (-w * 0.6, w * 0.7):
        p.line([(x, 30), (x + 4, 48)], shade(c, 0.85), 1.5)


def draw_mug(p, w, h, c):
    w = max(w + 5, 34)
    p.ellipse(w - 12, -22, w + 20, 26, outline=shade(c, 0.72), width=6)
    p.box(-w, -38, w, 42, fill=c, radius=7)
    p.ellipse(-w, -44, w, -32, fill=shade(c, 0.8))
    p.ellipse(-w + 3, -42, w - 3, -34, fill=(60, 36, 24))


def draw_poster(p, w, h, c):
    w = max(w + 7, 44)
    p.box(-w, -44, w, 44, fill=c)
    p.box(-w, -44, w, -36, fill=shade(c, 0.62))
    p.box(-w, 36, w, 44, fill=shade(c, 0.62))
    for x in (-w + 5, w - 5):
        p.ellipse(x - 2, -42, x + 2, -38, fill=(225, 225, 230))


def draw_licence_plate(p, w, h, c):
    w, h = max(w + 9, 62), h + 6
    p.box(-w, -h, w, h, fill=(30, 30, 34), radius=5)
    p.box(-w + 1.5, -h + 1.5, w - 1.5, h - 1.5, fill=c, radius=4)
    for x in (-w + 5, w - 5):
        p.ellipse(x - 2, -2, x + 2, 2, fill=(95, 95, 100))


def draw_neon_sign(p, w, h, c):
    w, h = max(w + 10, 50), h + 12
    p.box(-w, -h, w, h, fill=(24, 22, 34), radius=6)
    p.box(-w + 3.5, -h + 3.5, w - 3.5, h - 3.5, outline=shade(neon(c), 0.9), width=2, radius=8)


def draw_book(p, w, h, c):
    w = max(w + 10, 40)
    p.box(-w + 3, -40, w + 5, 46, fill=(236, 230, 214))
    for y in (43, 45):
        p.line([(-w + 4, y), (w + 5, y)], (170, 160, 140), 0.5)
    p.box(-w, -44, w, 42, fill=c, radius=2)
    p.box(-w, -44, -w + 7, 42, fill=shade(c, 0.6))
    p.line([(-w + 14, -33), (w - 7, -33)], ink(c), 1.5)
    p.line([(-w + 14, 32), (w - 7, 32)], ink(c), 1.5)


def draw_cake(p, w, h, c):
    w, top = max(w + 7, 46), -min(30, h + 9)
    p.ellipse(-w - 9, 32, w + 9, 48, fill=(225, 225, 230))
    p.box(-w, top, w, 42, fill=c, radius=6)
    icing = (255, 246, 235) if c != COLOURS["white"] else (240, 170, 190)
    p.ellipse(-w, top - 7, w, top + 5, fill=icing)
    for k in range(-6, 7):
        x = k * w / 6.6
        p.ellipse(x - 5, top - 2, x + 5, top + 3 + 3 * (k % 2), fill=icing)
    for x in (-w / 2, 0, w / 2):
        p.line([(x, top - 12), (x, top - 3)], (90, 130, 220), 2)
        p.ellipse(x - 1.5, top - 17, x + 1.5, top - 11, fill=(255, 190, 60))


def draw_banner(p, w, h, c):
    w, h = min(max(w + 18, 62), 94), h + 6
    for x in (-w + 4, w - 4):
        p.line([(x, -50), (x, -h)], (240, 235, 225), 1.2)
    dark = shade(c, 0.65)
    p.polygon([(-w, -h + 5), (-w + 16, -h + 5), (-w + 16, h + 5), (-w, h + 5), (-w + 6, 5)], dark)
    p.polygon([(w, -h + 5), (w - 16, -h + 5), (w - 16, h + 5), (w, h + 5), (w - 6, 5)], dark)
    p.box(-w + 8, -h, w - 8, h, fill=c)


DRAW = dict(zip(OBJECTS, [draw_sign, draw_shop_sign, draw_t_shirt, draw_mug, draw_poster, draw_licence_plate,
                          draw_neon_sign, draw_book, draw_cake, draw_banner]))  # fmt: skip
TEXT_Y = {"T-shirt": 4, "mug": 4, "cake": 10, "shop sign": 4}  # how far below the middle the text stands
NEON = {"black": (150, 170, 255), "gray": (200, 210, 220)}


def neon(colour):
    """A colour as a lit tube: no tube is black."""
    name = next(n for n, v in COLOURS.items() if v == tuple(colour))
    lit = NEON.get(name, colour)
    return tuple(round(v + (255 - v) * 0.25) for v in lit)


@functools.cache
def light_on(kind):
    """How bright each point of the object's plane is: round for a mug, from the upper left for the others."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    x, y = (x - WIDTH / 2) / (WIDTH / 2), (y - HEIGHT / 2) / (HEIGHT / 2)
    if kind in ("mug", "cake"):
        light = 0.62 + 0.5 * np.cos((x + 0.2) * 1.25)
    elif kind == "T-shirt":
        light = 1.0 + 0.07 * np.sin(x * 9 + y * 2) - 0.1 * y
    else:
        light = 1.02 - 0.1 * x - 0.12 * y
    return cv2.resize(light, None, fx=ZOOM, fy=ZOOM)[..., None]


def perspective(rng):
    """From the object's plane at ZOOM to the picture: a turn, a tilt and a shift, each slight."""
    jitter = (lambda a: rng.uniform(-a, a)) if rng else (lambda a: 0.0)
    turn, tilt, pinch = jitter(math.radians(2.0)), jitter(0.05), jitter(0.03)
    dx, dy = jitter(2.0), jitter(2.0)
    to = []
    for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        px, py = x * WIDTH / 2 * (1 + pinch * y) * 0.99, y * HEIGHT / 2 * (1 + tilt * x) * 0.99
        to.append([WIDTH / 2 + dx + px * math.cos(turn) - py * math.sin(turn),
                   HEIGHT / 2 + dy + px * math.sin(turn) + py * math.cos(turn)])  # fmt: skip
    full = [[0, 0], [WIDTH * ZOOM, 0], [WIDTH * ZOOM, HEIGHT * ZOOM], [0, HEIGHT * ZOOM]]
    return cv2.getPerspectiveTransform(np.float32(full), np.float32(to))


def render(lines, scene, rng=None):
    """The picture, uint8 [HEIGHT, WIDTH, 3], and the text's coverage, float32 [HEIGHT, WIDTH]. Without an rng it
    stands straight."""
    kind, colour = scene.object, COLOURS[scene.colour]
    ground = ground_plain(scene.ground, scene.ground_colour)
    shift = rng.randrange(WIDTH) if rng else 0
    picture = ground[:, shift : shift + WIDTH]
    slope = rng.uniform(-0.12, 0.12) if rng else 0.08  # the ground's own light, from one side
    picture = picture * (1 + slope * np.linspace(-1, 1, WIDTH, dtype=np.float32))[None, :, None]

    plane = Plane()
    half_width, half_height = max(map(len, lines)) * PITCH / 2, 13 if len(lines) == 1 else 27
    DRAW[kind](plane, half_width, half_height, colour)
    drawn = np.asarray(plane.image).astype(np.float32)
    cover = text_mask(lines, scene.typeface, HEIGHT / 2 + TEXT_Y.get(kind, 0))
    shaded = drawn[..., :3] * light_on(kind)
    letters = np.array(neon(colour) if kind == "neon sign" else ink(colour), np.float32)
    if kind == "neon sign":
        glow = np.maximum(cover, 0.8 * (drawn[..., :3].max(-1) > 90))
        glow = cv2.GaussianBlur(glow, (0, 0), 4 * ZOOM)[..., None]
        shaded = shaded + 0.75 * glow * letters
        letters = letters * 0.35 + 255 * 0.65
    shaded = shaded * (1 - cover[..., None]) + letters * cover[..., None]

    # One warp for all: premultiplied colour, alpha, and the text's coverage.
    alpha = drawn[..., 3:] / 255
    layers = np.concatenate([np.clip(shaded, 0, 255) * alpha, alpha], 2)
    matrix = perspective(rng)
    layers = cv2.warpPerspective(layers, matrix, (WIDTH, HEIGHT))
    cover = cv2.warpPerspective(cover, matrix, (WIDTH, HEIGHT))
    alpha = layers[..., 3:]
    cast = cv2.GaussianBlur(np.roll(alpha[..., 0], (4, 3), (0, 1)), (0, 0), 2.5)[..., None]
    picture = picture * (1 - 0.45 * cast) if kind != "neon sign" else picture * 0.75 + cast * letters * 0.12
    picture = picture * (1 - alpha) + layers[..., :3]
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8), cover
