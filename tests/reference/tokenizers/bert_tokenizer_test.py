"""model/bert_tokenizer against transformers' BertTokenizer: the same ids for thousands of prompts.

The vocabulary is trained here, in BERT's size. Special tokens typed as text are plain text in Glyphward: transformers does
the same with split_special_tokens=True.
"""

import json
import os
import pathlib
import subprocess
import unicodedata

import pytest
from tokenizers import Tokenizer, normalizers, pre_tokenizers, trainers
from tokenizers.models import WordPiece
from transformers import BertTokenizer

from prompts import WORDS, library_text, prompts

BUILD = pathlib.Path(os.environ["GLYPHWARD_BUILD_DIR"])
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WINDOW = 77
CHINESE = ["你好世界", "a漢b", "日本語のテキスト", "\U00020000\U0002A6D6", "\U0002B820x\U0002B920", "豈更", "한국어"]


def train(vocab_size, lowercase=True):
    model = Tokenizer(WordPiece(unk_token="[UNK]"))
    model.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    model.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    corpus = library_text("diffusers")[::4] + [" ".join(WORDS)] * 5 + prompts(500, 1)
    trainer = trainers.WordPieceTrainer(vocab_size=vocab_size, special_tokens=SPECIAL, show_progress=False, limit_alphabet=2000)
    model.train_from_iterator(corpus, trainer)
    # What training finds last depends on the order of a hash table, the order of the ids too.
    tokens = SPECIAL + sorted(set(model.get_vocab()) - set(SPECIAL))
    return {token: i for i, token in enumerate(tokens)}


@pytest.fixture(scope="module")
def vocabulary():
    made = train(30522)
    assert len(made) > 15000
    return made


def ours(folder, texts):
    run = subprocess.run([BUILD / "tokenizer_ids", folder, str(WINDOW)], input=json.dumps(texts), capture_output=True, text=True,
                         check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def compare(folder, texts):
    reference = BertTokenizer.from_pretrained(folder, split_special_tokens=True)
    padded = reference(texts, padding="max_length", truncation=True, max_length=WINDOW).input_ids
    whole = reference(texts).input_ids
    for text, line, expected, all_ids in zip(texts, ours(folder, texts), padded, whole, strict=True):
        assert line["ids"] == expected, ascii(text)
        assert line["tokens"] == len(all_ids), ascii(text)
        kept = text.encode()[: line["bytes_kept"]]
        if len(all_ids) <= WINDOW:
            assert len(kept) == len(text.encode())
        else:
            # What is kept fits, and is the beginning of what the encoder reads.
            ids = reference(kept.decode()).input_ids
            assert len(ids) <= WINDOW and ids[:-1] == expected[: len(ids) - 1], ascii(text)


def write_list(folder, vocabulary, **config):
    """As BERT was published: vocab.txt."""
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(dict(tokenizer_class="BertTokenizer", do_lower_case=True, **config)))


def test_vocabulary_from_vocab_txt(vocabulary, tmp_path):
    write_list(tmp_path, vocabulary)
    compare(tmp_path, prompts(5000, 2) + CHINESE)


def test_vocabulary_from_tokenizer_json(vocabulary, tmp_path):
    BertTokenizer(vocab=vocabulary).save_pretrained(tmp_path)
    assert (tmp_path / "tokenizer.json").exists() and not (tmp_path / "vocab.txt").exists()
    compare(tmp_path, prompts(2000, 3) + CHINESE)


def test_every_character_that_all_know(vocabulary, tmp_path):
    """Control, space, punctuation, Chinese or letter, its accents and its lower case: each between neighbours of each kind."""
    write_list(tmp_path, vocabulary | {f"##{c}": len(vocabulary) + i for i, c in enumerate("ab1.")})
    points = [p for p in range(0x30000) if unicodedata.category(chr(p)) not in ("Cn", "Cs", "Co")
              and unicodedata.ucd_3_2_0.category(chr(p)) != "Cn"]
    compare(tmp_path, [f"a{c}b {c} .{c}1" for c in map(chr, points)])


@pytest.mark.parametrize("options", [dict(do_lower_case=False), dict(strip_accents=False), dict(tokenize_chinese_chars=False),
                                     dict(do_lower_case=False, strip_accents=True)], ids=str)
def test_options(vocabulary, tmp_path, options):
    BertTokenizer(vocab=vocabulary, **options).save_pretrained(tmp_path)
    compare(tmp_path, prompts(500, 4) + CHINESE)


def test_special_tokens_typed_as_text_are_plain_text(vocabulary, tmp_path):
    write_list(tmp_path, vocabulary)
    texts = ["[SEP]", "a [SEP] b", "[CLS][PAD]", "[MASK]ed", "[unk]", "[sep]", "x[SEP]y" * 30]
    compare(tmp_path, texts)
    for line in ours(tmp_path, texts):
        assert line["ids"].index(vocabulary["[SEP]"]) == min(line["tokens"], WINDOW) - 1


def test_a_word_of_more_than_100_characters_is_unknown(vocabulary, tmp_path):
    write_list(tmp_path, vocabulary)
    texts = ["a" * 100, "a" * 101, "é" * 100, "é" * 101, "\u0300" * 300 + "a" * 100]
    compare(tmp_path, texts)
    assert [line["tokens"] == 3 for line in ours(tmp_path, texts)] == [False, True, False, True, False]
