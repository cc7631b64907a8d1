"""CLIP's byte-level tokenizer without a single merge: every letter is a token, so that any word can be spelled.

Ids: 256 bytes, the same 256 bytes at the end of a word, and two specials. `export` writes the same vocabulary for
transformers' CLIPTokenizer and compares the two."""

import re

LENGTH = 128  # positions of the text encoder
BOS, EOS = 512, 513
VOCABULARY = 514

_BYTES = [*range(33, 127), *range(161, 173), *range(174, 256)]  # printable ones first, as in GPT-2
_BYTES += [b for b in range(256) if b not in _BYTES]
_RANK = {b: i for i, b in enumerate(_BYTES)}
_PIECES = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|[^\s\w]+|_+")


def placed_tokens(text):
    """Each token's id and the index of its character, -1 for the first."""
    found = [(BOS, -1)]
    for piece in _PIECES.finditer(text.lower()):
        *inner, (byte, place) = [(b, piece.start() + k) for k, character in enumerate(piece[0]) for b in character.encode()]
        found += [(_RANK[b], k) for b, k in inner] + [(_RANK[byte] + 256, place)]
    return found + [(EOS, len(text))]


def tokens(text):
    return [token for token, _ in placed_tokens(text)]


def padded(text):
    """LENGTH ids: cut before the last, which ends the text, or filled up with ends."""
    ids = tokens(text)[:-1][: LENGTH - 1]
    return ids + [EOS] * (LENGTH - len(ids))


def vocabulary():
    """The vocab.json of a CLIPTokenizer that gives these ids."""
    names, spare = {}, 256
    for byte in _BYTES:
        if 33 <= byte < 127 or 161 <= byte < 173 or byte >= 174:
            names[byte] = chr(byte)
        else:
            names[byte], spare = chr(spare), spare + 1
    ids = {names[b]: i for i, b in enumerate(_BYTES)} | {names[b] + "</w>": i + 256 for i, b in enumerate(_BYTES)}
    return ids | {"<|startoftext|>": BOS, "<|endoftext|>": EOS}
