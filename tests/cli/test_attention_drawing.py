"""Drawings of what a decoder looked at: heads across or downwards, folded, wide characters, no block characters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.cli.attention_drawing import HIGH, alignment, visible
from rnncli.cli.console import columns_of
from rnncli.cli.drawings import Style

PLAIN, ASCII = Style(), Style(blocks=False)
WEIGHTS = np.array([[0.04, 0.05, 0.24, 0.25], [0.49, 0.5, 0.74, 0.75], [1.0, 0.0, 0.95, 0.15]])
HEADS, TARGETS = ["Do", "you", "have", "a", "pet", "?"], ["¿", "Tienes", "una"]


def drawn(width, weights=None, targets=TARGETS, heads=HEADS):
    lines = alignment(np.eye(len(targets), len(heads)) if weights is None else weights, targets, heads, Style(width))
    assert max(map(columns_of, lines)) <= width
    return lines


def test_each_shade_is_a_quarter_and_next_to_nothing_is_a_dot():
    assert alignment(WEIGHTS, ["x", "yz", "<eos>"], [*"abcd"], PLAIN) == [
        "      a b c d",
        "x     · ░ ░ ▒",
        "yz    ▒ ▓ ▓ █",
        "<eos> █ · █ ░",
    ]
    assert alignment(np.array([[np.nan]]), ["x"], ["a"], PLAIN) == ["  a", "x ·"]


def test_without_block_characters_there_are_tenths():
    assert alignment(WEIGHTS, ["x", "yz", "<eos>"], ["a", "bcd", "e", "f"], ASCII) == [
        "      a bcd e f",
        "x     .  1  2 3",
        "yz    5  5  7 8",
        "<eos> 9  .  9 2",
    ]


def test_words_stand_beside_one_another_where_there_is_room():
    assert drawn(26) == [
        "       Do you have a pet ?",
        "¿      ██  ·   ·   ·  ·  ·",
        "Tienes ·  ███  ·   ·  ·  ·",
        "una    ·   ·  ████ ·  ·  ·",
    ]


@pytest.mark.parametrize("width", [18, 19, 25])
def test_else_they_are_written_downwards(width):
    assert drawn(width) == [
        "           h",
        "         y a   p",
        "       D o v   e",
        "       o u e a t ?",
        "¿      █ · · · · ·",
        "Tienes · █ · · · ·",
        "una    · · █ · · ·",
    ]


@pytest.mark.parametrize("width", [11, 15])
def test_letters_stand_even_close_together(width):
    assert drawn(width, targets=[*"abc"], heads=[*"abcdefgh"]) == [
        "  abcdefgh",
        "a █·······",
        "b ·█······",
        "c ··█·····",
    ]


@pytest.mark.parametrize("width", [12, 13])
def test_what_there_is_no_room_for_follows_below(width):
    assert drawn(width) == [
        "           h",
        "         y a",
        "       D o v",
        "       o u e",
        "¿      █ · ·",
        "Tienes · █ ·",
        "una    · · █",
        "",
        "         p",
        "         e",
        "       a t ?",
        "¿      · · ·",
        "Tienes · · ·",
        "una    · · ·",
    ]
    assert drawn(10, targets=["x"], heads=[*"abcdefghijk"]) == ["  abcdefgh", "x █·······", "", "  ijk", "x ···"]


def test_a_long_source_is_drawn_in_parts_whose_words_can_be_read():
    heads = [f"word{number}" for number in range(60)]
    lines = drawn(80, targets=["Tienes", "<eos>"], heads=heads)
    parts = [part.split("\n") for part in "\n".join(lines).split("\n\n")]
    assert [len(part) for part in parts] == [8, 8]
    read = []
    for part in parts:
        columns = range(7, max(map(len, part)), 2)
        assert all(line[column - 1 : column] in ("", " ") for line in part for column in columns)
        read += ["".join(line[column : column + 1] for line in part[:-2]).strip() for column in columns]
    assert read == heads


def test_a_long_head_is_cut_and_so_is_a_long_label():
    heads = ["a" * HIGH, "b" * (HIGH + 1), *"cdef"]
    lines = drawn(20, np.ones((1, 6)), ["x" * 9], heads)
    assert len(lines) == HIGH + 1
    assert lines[HIGH - 1 :] == [" " * 9 + "a … c d e f", "xxxxxxx… █ █ █ █ █ █"]
    assert alignment(np.ones((1, 6)), ["x"], heads, Style(14, blocks=False))[-2:] == ["  a . c d e f", "x 9 9 9 9 9 9"]


def test_wide_characters_and_those_that_combine_take_the_columns_that_they_take():
    targets, heads = ["我", "有", "e\u0301"], ["一只", "e\u0301a", "。"]
    assert drawn(80, targets=targets, heads=heads) == [
        "   一只 e\u0301a 。",
        "我 ████ ·  ·",
        "有  ·   ██ ·",
        "e\u0301   ·   ·  ██",
    ]
    assert drawn(10, targets=targets, heads=heads) == [
        "   一 e\u0301",
        "   只 a 。",
        "我 ██ · ·",
        "有 ·  █ ·",
        "e\u0301  ·  · ██",
    ]


def test_every_token_can_be_seen_and_none_can_command_a_terminal():
    assert [visible(token, PLAIN) for token in (" ", "a b", "\u0301", "\n", "\x1b[", "\u202e")] == [
        *("␣", "a␣b", "◌\u0301", "\\x0a", "\\x1b[", "\\u202e"),
    ]
    assert visible(" ", ASCII) == "_"
    assert alignment(np.eye(2), [" ", "\t"], ["a", " "], PLAIN) == ["     a ␣", "␣    █ ·", "\\x09 · █"]
    assert alignment(np.eye(1), [""], [""], PLAIN) == [" █"]


tokens = st.lists(st.text(st.sampled_from("ab é日\u0301\u200d"), max_size=20), min_size=1, max_size=40)


@given(tokens, tokens, st.integers(20, 120), st.booleans())
def test_nothing_is_wider_than_the_terminal_and_nothing_is_left_out(targets, heads, width, blocks):
    weights = np.ones((len(targets), len(heads)))
    lines = alignment(weights, targets, heads, Style(width, blocks=blocks))
    assert max(map(columns_of, lines)) <= width
    if not blocks:
        assert sum(line.count("9") for line in lines) == weights.size
