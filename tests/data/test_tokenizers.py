import re
import unicodedata
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from rnncli.data.tokenizers import TOKENIZERS, Level, TokenizerSpec, recut, tokenize

MARKS = "".join(c for c in map(chr, range(0x20000)) if unicodedata.category(c)[0] == "M")
WORD = rf"\w[\w{MARKS}\u200c\u200d]*"
PLAIN_WORDS = re.compile(rf" ?(?:{WORD}(?:['’\-‐‑]{WORD})*|\S)|\s")
levels = pytest.mark.parametrize("level", list(TOKENIZERS))
texts = st.one_of(st.text(), st.text(" \n\tab'-’.,_é\u0301\u200dक\u093f😀<>", max_size=40))


def test_every_level_can_be_named():
    assert list(TOKENIZERS) == list(get_args(Level))
    check = TypeAdapter(TokenizerSpec).validate_python
    assert check({"level": "word", "max_size": 3}) == TokenizerSpec("word", max_size=3)
    for wrong in ({"level": "bytes"}, {"min_count": 0}, {"max_size": 0}):
        with pytest.raises(ValidationError):
            check(wrong)


@levels
@settings(max_examples=100, deadline=None)
@given(text=texts)
def test_split_and_join_lose_nothing(level, text):
    tokenizer = TOKENIZERS[level]
    tokens = tokenizer.split(text)
    assert tokenizer.join(tokens) == text
    decoder = tokenizer.decoder()
    assert "".join([*map(decoder.feed, tokens), decoder.close()]) == text


@levels
@settings(max_examples=100, deadline=None)
@given(text=texts, position=st.integers(0, 60))
def test_cuts_tear_no_token(level, text, position):
    tokenizer = TOKENIZERS[level]
    cut = tokenizer.cut(text, position)
    assert min(position, len(text)) <= cut <= len(text)
    assert [*tokenizer.split(text[:cut]), *tokenizer.split(text[cut:])] == list(tokenizer.split(text))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The cat, the  dog.\n", ["The", " cat", ",", " the", " ", " dog", ".", "\n"]),
        (
            "don't well-known 'tis dogs' it’s e--f",
            ["don't", " well-known", " '", "tis", " dogs", "'", " it’s", " e", "-", "-", "f"],
        ),
        ("(a) \t b\u00a0c\r\n", ["(", "a", ")", " ", "\t", " b", "\u00a0", "c", "\r", "\n"]),
        ("Größe ΑΣ ёж 3.14", ["Größe", " ΑΣ", " ёж", " 3", ".", "14"]),
        ("हिन्दी में", ["हिन्दी", " में"]),
        ("e\u0301te\u0301 می\u200cخواهم", ["e\u0301te\u0301", " می\u200cخواهم"]),
        ("hi 😀😀 <unk>", ["hi", " 😀", "😀", " <", "unk", ">"]),
        ("", []),
    ],
)
def test_words(text, tokens):
    assert list(TOKENIZERS["word"].split(text)) == tokens


def test_bytes():
    tokenizer = TOKENIZERS["byte"]
    assert list(tokenizer.split("é\n")) == ["\xc3", "\xa9", "\n"]
    assert tokenizer.join("\xff\xc3\xa9\xc3") == "\ufffdé\ufffd"
    raw = bytes(range(256))
    assert tokenizer.split(raw.decode("utf-8", "surrogateescape")) == raw.decode("latin-1")
    assert tokenizer.split("\ud800") == "\xed\xa0\x80"


def test_an_emoji_split_over_four_tokens_comes_out_whole():
    decoder = TOKENIZERS["byte"].decoder()
    assert [decoder.feed(token) for token in TOKENIZERS["byte"].split("a😀é")] == ["a", "", "", "", "😀", "", "é"]
    assert decoder.close() == ""
    assert [decoder.feed("\xf0"), decoder.feed("\x9f"), decoder.feed("x"), decoder.feed("\xc3")] == [
        "",
        "",
        "\ufffdx",
        "",
    ]
    assert decoder.close() == "\ufffd"


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.text(" \nab'-’.,_é\u0301\u200dक\u093f😀\U0001e8d0x9", max_size=30)))
def test_words_are_those_of_the_plain_pattern(text):
    assert TOKENIZERS["word"].split(text) == PLAIN_WORDS.findall(text)


@levels
@pytest.mark.parametrize("lowercase", [False, True])
@settings(max_examples=100, deadline=None)
@given(pieces=st.lists(st.text(" \nabΣσΑ.'é\u0301", max_size=9), max_size=9))
def test_tokens_do_not_depend_on_the_pieces(level, lowercase, pieces):
    text = "".join(pieces)
    blocks = tokenize(pieces, TokenizerSpec(level, lowercase))
    assert [token for block in blocks for token in block] == list(
        TOKENIZERS[level].split(text.lower() if lowercase else text)
    )


@pytest.mark.parametrize("level", ["character", "byte"])
@settings(max_examples=500, deadline=None)
@given(pieces=st.lists(st.text("aAb1ΣΣσΑαʰⅰ \n.'’:\xad\xb7^_é\u0301\u0345\u200d中\ud800", max_size=6), max_size=9))
def test_lower_case_does_not_depend_on_the_pieces(level, pieces):
    blocks = tokenize(pieces, TokenizerSpec(level, lowercase=True))
    assert "".join("".join(block) for block in blocks) == TOKENIZERS[level].split("".join(pieces).lower())


def test_lower_case_cuts_between_any_two_characters_are_safe():
    def lower(*pieces):
        return "".join("".join(block) for block in tokenize(pieces, TokenizerSpec(lowercase=True)))

    for character in map(chr, [*range(0x20000), *range(0xE0000, 0xE0200)]):  # in between, ideographs
        assert lower(f"AΣ{character}{character}", "A") == f"AΣ{character}{character}A".lower()
        assert lower(f"A{character}{character}", "Σ") == f"A{character}{character}Σ".lower()


@pytest.mark.parametrize(
    ("pieces", "blocks"),
    [
        (["ACGT", "ACGT", "AC"], ["acg", "tacg", "ta", "c"]),
        (["中中中", "文文"], ["中中", "中文", "文"]),
        (["ΑΒΣ", "Α", "Σ. "], ["α", "βσας.", " "]),
        (["AB'", "C D"], ["a", "b'c", " d"]),
    ],
)
def test_text_without_white_space_is_not_held_to_its_end(pieces, blocks):
    found = ["".join(block) for block in tokenize(pieces, TokenizerSpec(lowercase=True))]
    assert found == blocks
    assert "".join(found) == "".join(pieces).lower()


def test_blocks_end_where_a_cut_is_allowed():
    assert list(recut(["ab c", "de", "", "f g h", "i"], TOKENIZERS["word"].last_cut)) == ["ab", " cdef g", " hi"]
    assert list(recut(["ab", "c"], TOKENIZERS["character"].last_cut)) == ["ab", "c"]
    assert list(recut([], len)) == []
