import copy
import json
import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.data import vocabulary as module
from rnncli.data.tokenizers import TOKENIZERS, TokenizerSpec
from rnncli.data.vocabulary import Vocabulary
from rnncli.errors import DataError
from tests.data.small_vocabularies import built

CHARACTER, BYTE, WORD = (TokenizerSpec(level) for level in ("character", "byte", "word"))
levels = pytest.mark.parametrize("level", list(TOKENIZERS))
texts = st.one_of(st.text(min_size=1), st.text(" \nab'-.é😀<unk>", min_size=1, max_size=40))


def refused(call, *arguments):
    with pytest.raises(DataError) as caught:
        call(*arguments)
    return str(caught.value)


@levels
@settings(max_examples=60, deadline=None)
@given(text=texts, items=st.booleans())
def test_round_trips(level, text, items):
    vocabulary = built([text], TokenizerSpec(level), items=items)
    ids = vocabulary.encode(text)
    assert vocabulary.decode(ids) == text
    assert [vocabulary.tokens[i] for i in ids] == list(vocabulary.tokenizer.split(text))
    assert vocabulary.unknown_positions(text) == []
    assert np.array_equal(vocabulary.encode_prime(text), ids)
    assert Vocabulary.from_plain(json.loads(json.dumps(vocabulary.to_plain()))) == vocabulary


@levels
@settings(max_examples=60, deadline=None)
@given(seen=texts, text=texts)
def test_encoding_is_a_plain_look_up(level, seen, text):
    vocabulary = built([seen], TokenizerSpec(level), items=True)
    first = 2 if level == "byte" else 3
    ids = {token: i for i, token in enumerate(vocabulary.tokens[first:], first)}
    assert vocabulary.encode(text).tolist() == [ids.get(token, 0) for token in vocabulary.tokenizer.split(text)]


def test_order_is_falling_count_then_code_point():
    vocabulary = built(["abcb", "dda😀"], CHARACTER, items=False)
    assert vocabulary.tokens == ("<unk>", "a", "b", "d", "c", "😀")
    assert vocabulary.counts == (0, 2, 2, 2, 1, 1)
    assert (vocabulary.unknown_id, vocabulary.begin_id, vocabulary.end_id) == (0, None, None)
    assert vocabulary.encode("a😀\U0010ffffz").tolist() == [1, 5, 0, 0]


def test_items_add_begin_and_end():
    vocabulary = built(["ab", "b", "c"], CHARACTER, items=True)
    assert vocabulary.tokens == ("<unk>", "<bos>", "<eos>", "b", "a", "c")
    assert vocabulary.counts == (0, 3, 3, 2, 1, 1)
    assert (vocabulary.unknown_id, vocabulary.begin_id, vocabulary.end_id) == (0, 1, 2)
    assert vocabulary.decode(np.array([1, 4, 0, 3, 2])) == "a<unk>b"


def test_bytes_are_all_known():
    vocabulary = built(["éé\x00"], TokenizerSpec("byte", min_count=9, max_size=1), items=True)
    assert len(vocabulary) == 258
    assert vocabulary.tokens[:6] == ("<bos>", "<eos>", "\xa9", "\xc3", "\x00", "\x01")
    assert vocabulary.counts[:6] == (1, 1, 2, 2, 1, 0)
    assert (vocabulary.unknown_id, vocabulary.begin_id, vocabulary.end_id) == (None, 0, 1)
    assert vocabulary.dtype == np.uint16
    assert built(["a"], BYTE, items=False).dtype == np.uint8
    raw = bytes(range(256)).decode("utf-8", "surrogateescape")
    assert "".join(vocabulary.tokens[i] for i in vocabulary.encode(raw)).encode("latin-1") == bytes(range(256))


def test_rare_tokens_become_unknown():
    text = "a a a b b c d"
    vocabulary = built([text], TokenizerSpec("word", min_count=2), items=False)
    assert (vocabulary.tokens, vocabulary.counts) == (("<unk>", " a", " b"), (3, 2, 2))
    vocabulary = built([text], TokenizerSpec("character", max_size=2), items=False)
    assert (vocabulary.tokens, vocabulary.counts) == (("<unk>", " ", "a"), (4, 6, 3))
    assert vocabulary.decode(vocabulary.encode("a b")) == "a <unk>"
    assert vocabulary.unknown_positions("ba c") == [(0, "b"), (3, "c")]
    assert vocabulary.encode_prime("ba c").tolist() == [0, 2, 1, 0]


def test_nothing_to_learn():
    for level in TOKENIZERS:
        assert refused(lambda spec: built(["", ""], spec, items=True), TokenizerSpec(level)) == "no text"
    rare = TokenizerSpec("word", min_count=3)
    message = refused(lambda: built(["a b"], rare, items=False))
    assert message == "no word occurs 3 times in the training text; set data.tokenizer.min_count=1"
    assert refused(lambda: built(["\udc80"], CHARACTER, items=False)).startswith("lone surrogates")


def test_a_text_that_spells_a_special_token_is_ordinary_text():
    vocabulary = built(["<unk> <eos>"], WORD, items=True)
    assert not set(vocabulary.encode("<unk><eos>").tolist()) & {0, 1, 2}
    whole = Vocabulary(WORD, items=True, tokens=("<unk>", "<bos>", "<eos>", "<unk>", "<bos>"), counts=(1,) * 5)
    assert whole._look_up(["<unk>", "<bos>", "<eos>"]).tolist() == [3, 4, 0]
    assert Vocabulary.from_plain(whole.to_plain()) == whole


def test_lowercase():
    vocabulary = built(["Äb ÄB"], TokenizerSpec("word", lowercase=True), items=False)
    assert vocabulary.tokens == ("<unk>", " äb", "äb")
    assert vocabulary.decode(vocabulary.encode("ÄB äB")) == "äb äb"
    assert vocabulary.encode_prime("ÄB").tolist() == [2]


def test_prime_names_the_first_unseen_token():
    vocabulary = built(["abc"], CHARACTER, items=False)
    hint = "leave it out, or train with data.tokenizer.level=byte, or with min_count=2 to learn <unk>"
    message = "character 'é' (U+00E9) at position 3 was never seen in training (nor were 2 more)"
    assert refused(vocabulary.encode_prime, "abéxé") == f"{message}; {hint}"
    assert refused(vocabulary.encode_prime, "\u202e").startswith(r"character '\u202e' (U+202E) at position 1 was")
    assert refused(vocabulary.encode_prime, "a\udcff").startswith(r"character '\udcff' (U+DCFF) at position 2 was")
    assert vocabulary.encode_prime("").tolist() == []
    words = built(["I love you, love you"], WORD, items=False)
    assert refused(words.encode_prime, "I hate\x1b").startswith("word 'hate' at position 3 was never")
    assert len(refused(words.encode_prime, "x" * 999)) < 200


def test_prime_takes_a_first_word_as_if_a_space_stood_before_it():
    vocabulary = built(["I love you, love you"], WORD, items=False)
    assert vocabulary.encode_prime("love you").tolist() == vocabulary.encode(" love you").tolist()
    assert refused(vocabulary.encode_prime, "love it").startswith("word 'it' at position 6 was")
    assert vocabulary.encode_prime("I love").tolist() == vocabulary.encode("I love").tolist()


@levels
def test_long_texts_go_block_by_block(level, monkeypatch):
    text = "So it goes: naïve 😀 — \n" * 300
    whole = built([text], TokenizerSpec(level), items=False)
    ids = whole.encode(text)
    tokens = list(whole.tokenizer.split(text))
    assert {t: n for t, n in zip(whole.tokens, whole.counts, strict=True) if n} == Counter(tokens)
    monkeypatch.setattr(module, "_BLOCK", 7)
    assert np.array_equal(whole.encode(text), ids)
    monkeypatch.setattr(module, "_BLOCK", 1501)
    assert np.array_equal(whole.encode(text), ids)


@pytest.mark.parametrize(
    ("size", "dtype"), [(255, np.uint8), (256, np.uint16), (65_535, np.uint16), (65_536, np.uint32)]
)
def test_ids_are_as_small_as_can_be(size, dtype):
    text = "".join(map(chr, range(0x10000, 0x10000 + size)))  # and <unk>
    vocabulary = built([text], CHARACTER, items=False)
    ids = vocabulary.encode(text)
    assert ids.dtype == vocabulary.encode("").dtype == dtype
    assert np.array_equal(ids, np.arange(1, size + 1))


@pytest.mark.parametrize("level", ["character", "byte"])
def test_a_megabyte_is_encoded_at_once(level):
    text = "To be, or not to be: that is the question.\n" * 25_000
    vocabulary = built([text], TokenizerSpec(level), items=False)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        vocabulary.encode(text)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.05


PLAIN = built(["abba"], CHARACTER, items=True).to_plain()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("tokens", ["<unk>", "<bos>", "<eos>", "a", "a"]),
        ("tokens", ["<bos>", "<unk>", "<eos>", "a", "b"]),
        ("tokens", ["a", "b", "c", "d", "e"]),
        ("tokens", ["<unk>", "<bos>", "<eos>", "a", ""]),
        ("tokens", ["<unk>", "<bos>", "<eos>", "a", "bc"]),
        ("tokens", ["<unk>", "<bos>", "<eos>", "a", 1]),
        ("tokens", ["<unk>", "<bos>", "<eos>", "a", None]),
        ("tokens", ["<unk>", "<bos>", "<eos>", "a", "\ud800"]),
        ("tokens", ["<unk>", "<bos>", "<eos>"]),
        ("tokens", "<unk>"),
        ("counts", [0, 1, 1, 2]),
        ("counts", [0, 1, 1, 2, -1]),
        ("counts", [0, 1, 1, 2, 2.0]),
        ("counts", [0, 1, 1, 2, True]),
        ("counts", [0, 1, 1, 2, 10**30]),
        ("counts", {}),
        ("items", False),
        ("items", 1),
        ("extra", 1),
        ("tokenizer", None),
        ("tokenizer", {**PLAIN["tokenizer"], "level": "byte"}),
        ("tokenizer", {**PLAIN["tokenizer"], "level": "subword"}),
        ("tokenizer", {**PLAIN["tokenizer"], "level": ["word"]}),
        ("tokenizer", {**PLAIN["tokenizer"], "lowercase": 0}),
        ("tokenizer", {**PLAIN["tokenizer"], "min_count": 0}),
        ("tokenizer", {**PLAIN["tokenizer"], "min_count": True}),
        ("tokenizer", {**PLAIN["tokenizer"], "max_size": "9"}),
        ("tokenizer", {**PLAIN["tokenizer"], "extra": 1}),
        ("tokenizer", {"level": "character"}),
    ],
)
def test_from_plain_refuses(key, value):
    plain = copy.deepcopy(PLAIN)
    assert Vocabulary.from_plain(plain).tokens == ("<unk>", "<bos>", "<eos>", "a", "b")
    plain[key] = value
    refused(Vocabulary.from_plain, plain)


@pytest.mark.parametrize("plain", [None, [], "x", {}, {k: v for k, v in PLAIN.items() if k != "counts"}])
def test_from_plain_refuses_what_is_no_vocabulary(plain):
    assert refused(Vocabulary.from_plain, plain).startswith("not a vocabulary")


def test_from_plain_refuses_a_missing_byte():
    plain = built(["a"], BYTE, items=False).to_plain()
    plain["tokens"][7] = "\u0100"
    assert refused(Vocabulary.from_plain, plain) == "not a vocabulary: byte level has 256 tokens of its own"


def test_equality_sees_every_part():
    vocabulary = built(["ab"], CHARACTER, items=False)
    assert vocabulary == built(["ba"], CHARACTER, items=False)
    assert vocabulary != built(["abb"], CHARACTER, items=False)
    assert vocabulary != built(["ab"], TokenizerSpec(min_count=1, lowercase=True), items=False)
