"""model/t5_tokenizer against transformers' T5Tokenizer: the same ids for thousands of prompts.

The vocabulary is trained here by sentencepiece, so that nothing is downloaded. Special tokens typed as text are plain text
in Glyphward; transformers still finds "</s>", "<pad>" and "<unk>", which are pieces of its table.
"""

import io
import json
import subprocess

import pytest
import sentencepiece
from transformers import T5Tokenizer

from prompts import WORDS, prompts
from tokenizer_test import BUILD, SOURCE

SPECIAL = ("</s>", "<pad>", "<unk>", "<extra_id_0>", "<extra_id_99>")


def train(folder, **options):
    """A vocabulary of T5's kind: <pad>, </s>, <unk>, then unigrams."""
    text = [" ".join(WORDS)] * 20 + [line for path in sorted(SOURCE.rglob("*.h")) for line in path.read_text(errors="replace").splitlines()]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text), model_writer=model, model_type="unigram", pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
        hard_vocab_limit=False, minloglevel=2, **dict(dict(vocab_size=8000, character_coverage=0.9995), **options))
    (folder / "spiece.model").write_bytes(model.getvalue())
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train(tmp_path_factory.mktemp("t5"))


def ours(folder, texts, length=77):
    run = subprocess.run([BUILD / "t5_tokenizer_ids", folder, str(length)], input=json.dumps(texts), capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def compare(folder, texts, length):
    reference = T5Tokenizer.from_pretrained(folder, split_special_tokens=True)
    pieces = reference.vocab_size - 100  # less the sentinels
    unknown = 0
    for text, line in zip(texts, ours(folder, texts, length), strict=True):
        expected = reference(text, padding="max_length", truncation=True, max_length=length).input_ids
        assert line["ids"] == expected, ascii(text)
        assert line["count"] == min(length, line["tokens"])
        whole = reference(text, padding=False, truncation=False).input_ids
        assert line["tokens"] == len(whole), ascii(text)
        assert max(whole) < pieces
        kept = text.encode()[: line["bytes_kept"]]
        if len(whole) <= length:
            assert len(kept) == len(text.encode())
        else:
            # What is kept fits, and is the beginning of what the encoder reads.
            ids = reference(kept.decode(), padding=False, truncation=False).input_ids
            assert len(ids) <= length and ids[:-1] == expected[: len(ids) - 1], ascii(text)
        unknown += 2 in whole
    print(f"\n{len(texts)} prompts, {unknown} with unknown characters, {pieces} pieces, window {length}: identical")


@pytest.mark.parametrize("length", [77, 256])
def test_trained_vocabulary(trained, length):
    texts = [text for text in prompts(5100, length) if not any(special in text for special in SPECIAL)]
    assert len(texts) >= 5000
    compare(trained, texts[:5000], length)


def test_without_normalization(tmp_path):
    compare(train(tmp_path, normalization_rule_name="identity", vocab_size=2000), prompts(500, 9), 77)


def test_special_tokens_typed_as_text_are_plain_text(trained):
    texts = [*SPECIAL, "a </s> b", "sign</s>", "<extra_id_0>word<extra_id_1>", "<pad><pad>"]
    for text, line in zip(texts, ours(trained, texts)):
        ids = line["ids"][: line["count"]]
        # The end is once there, at the end; nothing of the text is padding or a sentinel.
        assert ids.index(1) == len(ids) - 1 and 0 not in ids, (text, ids)
        assert max(ids) < T5Tokenizer.from_pretrained(trained).vocab_size - 100
        assert len(ids) > 3, (text, ids)


def test_says_what_is_missing_or_damaged(trained, tmp_path):
    def error(folder):
        run = subprocess.run([BUILD / "t5_tokenizer_ids", folder, "77"], input="[]", capture_output=True, text=True)
        assert run.returncode == 1
        return run.stderr

    T5Tokenizer.from_pretrained(trained).save_pretrained(tmp_path)
    assert (tmp_path / "tokenizer.json").exists() and not (tmp_path / "spiece.model").exists()
    assert "spiece.model" in error(tmp_path) and "tokenizer.json alone" in error(tmp_path)
    whole = (trained / "spiece.model").read_bytes()
    cut, pieces = 0, 0
    while pieces < 300:  # field 1 of the message, with its length: a piece
        assert whole[cut] == 0x0A
        cut, pieces = cut + 2 + whole[cut + 1], pieces + 1
    for end in (cut, cut + 1, 5000, len(whole) - 1):
        (tmp_path / "spiece.model").write_bytes(whole[:end])
        assert "spiece.model" in error(tmp_path), end
    (tmp_path / "spiece.model").write_bytes(whole[:cut])
    assert "cut short" in error(tmp_path)
    (tmp_path / "spiece.model").write_bytes(b"")
    assert "spiece.model" in error(tmp_path)
