"""model/clip_tokenizer against transformers' CLIPTokenizer: the same ids for thousands of prompts.

The vocabularies are trained here, so that nothing is downloaded; the bundled model's own is compared too. Special
tokens typed as text are plain text in Glyphward: transformers does the same with split_special_tokens=True.
"""

import json
import os
import pathlib
import subprocess
import unicodedata

import pytest
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, trainers
from tokenizers.models import BPE
from transformers import CLIPTokenizer

from prompts import WORDS, library_text, prompts

BUILD = pathlib.Path(os.environ["GLYPHWARD_BUILD_DIR"])
SOURCE = pathlib.Path(os.environ["GLYPHWARD_SOURCE_DIR"])
BUNDLED = SOURCE / "model/bundled/stable-diffusion/tokenizer"


def test_every_character_that_all_know():
    """Letter, number, space or other, and its lower case: each assigned character between neighbours of each kind."""
    points = [p for p in range(0x20000) if unicodedata.category(chr(p)) not in ("Cn", "Cs", "Co")]
    texts = [f"a{c}a1{c}1.{c}." for c in map(chr, points)]
    reference = CLIPTokenizer.from_pretrained(BUNDLED, split_special_tokens=True)
    expected = reference(texts, padding="max_length", truncation=True, max_length=128).input_ids
    wrong = [hex(p) for p, line, ids in zip(points, ours(BUNDLED, texts), expected, strict=True) if line["ids"] != ids]
    assert not wrong


def train(folder, merges, window, **special):
    """A vocabulary of CLIP's kind, learned from many words and from English."""
    corpus = [" ".join(WORDS)] * 5 + library_text("diffusers")[::4] + prompts(300, 1)
    model = Tokenizer(BPE(unk_token="<|endoftext|>", continuing_subword_prefix="", end_of_word_suffix="</w>"))
    model.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    model.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), behavior="removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False)])
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    model.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=512 + merges, initial_alphabet=alphabet, end_of_word_suffix="</w>", show_progress=False))
    learned = json.loads(model.to_str())["model"]
    # CLIP's order: bytes, bytes with </w>, merges, the two ends.
    tokens = alphabet + [c + "</w>" for c in alphabet]
    known, rules = set(tokens), []
    for rule in learned["merges"]:
        left, right = rule if isinstance(rule, list) else rule.split(" ")
        if left in known and right in known:
            rules.append((left, right))
            if left + right not in known:
                known.add(left + right)
                tokens.append(left + right)
    vocab = {token: i for i, token in enumerate(tokens + ["<|startoftext|>", "<|endoftext|>"])}
    assert len(rules) > merges // 4
    CLIPTokenizer(vocab=vocab, merges=rules, model_max_length=window, **special).save_pretrained(folder)
    return vocab, rules


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    return folder, *train(folder, 48894, 77)


def ours(folder, texts):
    run = subprocess.run([BUILD / "tokenizer_ids", folder], input=json.dumps(texts), capture_output=True, text=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def compare(folder, texts):
    reference = CLIPTokenizer.from_pretrained(folder, split_special_tokens=True)
    got = ours(folder, texts)
    assert len(got) == len(texts)
    for text, line in zip(texts, got):
        expected = reference(text, padding="max_length", truncation=True, max_length=reference.model_max_length).input_ids
        assert line["ids"] == expected, ascii(text)
        whole = len(reference(text, padding=False, truncation=False).input_ids)
        assert line["tokens"] == whole, ascii(text)
        kept = text.encode()[: line["bytes_kept"]]
        if whole <= reference.model_max_length:
            assert len(kept) == len(text.encode())
        else:
            # What is kept fits, and is the beginning of what the encoder reads.
            ids = reference(kept.decode(), padding=False, truncation=False).input_ids
            assert len(ids) <= reference.model_max_length and ids[:-1] == expected[: len(ids) - 1], ascii(text)


def test_trained_vocabulary_from_tokenizer_json(trained):
    folder, _, _ = trained
    assert (folder / "tokenizer.json").exists() and not (folder / "vocab.json").exists()
    compare(folder, prompts(5000, 2))


def test_trained_vocabulary_from_vocab_and_merges(trained, tmp_path):
    folder, vocab, rules = trained
    (tmp_path / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
    (tmp_path / "merges.txt").write_text("#version: 0.2\n" + "\n".join(" ".join(rule) for rule in rules) + "\n")
    (tmp_path / "tokenizer_config.json").write_text((folder / "tokenizer_config.json").read_text())
    compare(tmp_path, prompts(2000, 3))


def test_older_tokenizer_json_writes_a_merge_as_one_string(trained, tmp_path):
    folder, _, rules = trained
    saved = json.loads((folder / "tokenizer.json").read_text())
    saved["model"]["merges"] = [" ".join(rule) for rule in rules]
    (tmp_path / "tokenizer.json").write_text(json.dumps(saved))
    (tmp_path / "tokenizer_config.json").write_text((folder / "tokenizer_config.json").read_text())
    compare(tmp_path, prompts(300, 4))


def test_bundled_model(tmp_path):
    compare(BUNDLED, prompts(2000, 5))
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        (tmp_path / name).write_text((BUNDLED / name).read_text())
    texts = prompts(500, 6)
    assert ours(tmp_path, texts) == ours(BUNDLED, texts)


def test_pad_token_of_its_own_stands_for_itself(tmp_path):
    """Stable Diffusion 2 and SDXL's second encoder pad with "!", which transformers then finds in the text too."""
    train(tmp_path, 400, 40, pad_token="!")
    reference = CLIPTokenizer.from_pretrained(tmp_path)
    texts = ["", "hello!", "hello!world", "!!", "a ! b", "wow! e!\u0301", "!" * 60] + [p for p in prompts(600, 7) if "<|" not in p]
    for text, line in zip(texts, ours(tmp_path, texts)):
        assert line["ids"] == reference(text, padding="max_length", truncation=True, max_length=40).input_ids, ascii(text)


def test_special_tokens_typed_as_text_are_plain_text(trained):
    folder, vocab, _ = trained
    texts = ["<|endoftext|>", "a <|endoftext|> b", "<|startoftext|>x<|endoftext|>!!", "!<|endoftext|>", "<|ENDOFTEXT|>", "<|endoftext|><|endoftext|>"]
    compare(folder, texts)
    end = vocab["<|endoftext|>"]
    for line in ours(folder, texts):
        assert line["ids"].index(end) == line["tokens"] - 1
