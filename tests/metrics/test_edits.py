"""Edits against the quadratic table of the definition, and the rates made of them."""

import math
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.metrics import character_error_rate, edits, nearest_reference

texts = st.text("abc", max_size=12) | st.text("ab é😀\u0301", max_size=80)
listed = st.lists(st.tuples(st.text("ab", max_size=5), st.lists(st.text("ab", max_size=5), min_size=1, max_size=3)))


def table(one, other):
    """The last number of the table, row by row."""
    row = [*range(len(other) + 1)]
    for i, a in enumerate(one, 1):
        above, row = row, [i]
        for j, b in enumerate(other, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (a != b)))
    return row[-1]


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [
        ("", "", 0),
        ("", "abc", 3),
        ("abc", "abc", 0),
        ("kitten", "sitting", 3),
        ("intention", "execution", 5),
        ("abcd", "bcda", 2),
        ("ñ", "n\u0303", 2),
        ("Aa", "aA", 2),
        ("x" * 300, "x" * 100 + "y" + "x" * 200, 1),
    ],
)
def test_known_numbers(one, other, count):
    assert edits(one, other) == edits(other, one) == count


@given(texts, texts)
def test_edits_are_those_of_the_table(one, other):
    assert edits(one, other) == table(one, other)


@given(texts, texts, texts)
def test_edits_are_a_distance(one, other, third):
    assert edits(one, other) == edits(other, one)
    assert (edits(one, other) == 0) == (one == other)
    assert edits(one, third) <= edits(one, other) + edits(other, third)


def test_the_nearest_reference_needs_fewest_edits_then_is_the_longest_then_the_first():
    assert nearest_reference("abcd", ["xxxx", "abc", "abcde", "bbcd", "abcdd"]) == (2, 1, 5)
    assert nearest_reference("ab", ["zz", "ab", "ab"]) == (1, 0, 2)
    assert nearest_reference("ab", ["xaab"]).rate == 2 / 4
    with pytest.raises(ValueError, match="an answer has one reference at least"):
        nearest_reference("ab", [])


def test_the_rate_is_that_of_all_characters_together():
    assert character_error_rate(["ab", "wxyz"], [["aB"], ["wxyzabcd", "wxyz12"]]) == (1 + 2) / (2 + 6)
    assert character_error_rate(["abcdef"], [["x"]]) == 6
    assert character_error_rate(["a"], [["a"]]) == 0


@given(listed)
def test_the_rate_is_its_definition(pairs):
    total = characters = 0
    for answer, references in pairs:
        fewest, length = min((table(answer, text), -len(text)) for text in references)
        total, characters = total + fewest, characters - length
    found = character_error_rate([answer for answer, _ in pairs], [references for _, references in pairs])
    assert found == (total / characters if characters else math.inf) or (not total and math.isnan(found))


def test_the_order_of_the_references_does_not_matter():
    references = ["abx", "abcx", "ab", "xxxxxxx"]
    assert character_error_rate(["abc"], [references]) == character_error_rate(["abc"], [references[::-1]]) == 1 / 4


def test_nothing_to_compare_is_no_number():
    assert math.isnan(character_error_rate([], []))
    assert math.isnan(character_error_rate([""], [[""]]))
    assert character_error_rate(["a"], [[""]]) == math.inf


def test_answers_and_references_must_belong_together():
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        character_error_rate(["a", "b"], [["a"]])


def test_long_texts_take_no_time():
    """A table of 400 million numbers would take minutes."""
    started = process_time()
    assert edits("ab" * 10_000, "ba" * 10_000) == 2
    assert process_time() - started < 5
