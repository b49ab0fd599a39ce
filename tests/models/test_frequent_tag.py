"""The most frequent tag of each word against its definition, written down one word at a time."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.errors import DataError
from rnncli.models.frequent_tag import frequent_tags

pairs = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 3)), min_size=1, max_size=40)


def plain(train, words):
    """The tag of each word, by counting."""
    overall = Counter(tag for _, tag in train)

    def most(counts):
        return max(counts, key=lambda tag: (counts[tag], overall[tag], -tag))

    of_word = {word: most(Counter(tag for other, tag in train if other == word)) for word, _ in train}
    unseen = most(Counter(of_word.values()))
    return [of_word.get(word, unseen) for word in words]


def fitted(train):
    return frequent_tags((word for word, _ in train), np.array([tag for _, tag in train]), 4)


@given(pairs, st.lists(st.sampled_from("abcdefgh"), max_size=12))
def test_tags_are_those_of_the_definition(train, words):
    assert fitted(train)(iter(words)).tolist() == plain(train, words)


@given(pairs, st.lists(st.sampled_from("abcdefgh"), max_size=12))
def test_words_may_be_numbers(train, words):
    model = frequent_tags(np.array([ord(word) for word, _ in train]), np.array([tag for _, tag in train]), 4)
    numbers = np.array([ord(word) for word in words], np.uint16)
    assert model(numbers).tolist() == plain(train, words)


@given(pairs, st.lists(st.sampled_from("abcdefgh"), max_size=12))
def test_label_sets_are_tags_as_well(train, words):
    """Set number k has the labels of its binary digits, so that their order is that of the tags."""
    bits = np.array([[tag >> 1 & 1, tag & 1] for _, tag in train], bool).T
    found = frequent_tags((word for word, _ in train), bits, 2)(words)
    assert found.dtype == bool
    assert found.shape == (2, len(words))
    assert (2 * found[0] + found[1]).tolist() == plain(train, words)


def test_ties_go_to_the_tag_that_is_more_frequent_over_all_and_then_to_the_lower_number():
    train = [("a", 2), ("a", 1), ("b", 2), ("c", 3), ("c", 0), ("d", 3), ("d", 0)]
    assert fitted(train)("abcd").tolist() == [2, 2, 0, 0]


def test_an_unseen_word_has_the_tag_of_most_words_and_not_of_most_steps():
    often = [("the", 0)] * 9 + [("of", 0)] * 5
    train = [*often, ("apple", 1), ("pear", 1), ("plum", 1), ("plum", 1), ("went", 2), ("went", 2)]
    assert fitted(train)(["the", "pear", "quince"]).tolist() == [0, 1, 1]
    tied = [("a", 1), ("b", 2), ("b", 2), ("c", 0)]
    assert fitted(tied).unseen == 2
    assert fitted(tied[:1] + tied[-1:]).unseen == 0


def test_tags_that_are_not_known_are_passed_over():
    model = frequent_tags(["a", "a", "a", "b", "c"], np.array([-1, -1, 1, -1, 1]), 2)
    assert model(["a", "b", "c"]).tolist() == [1, 1, 1]
    assert frequent_tags(["b", "a", "a"], np.array([-1, 0, 3]), 4)(["b", "a"]).tolist() == [0, 0]


def test_numbers_out_of_range_are_of_unseen_words():
    model = frequent_tags(np.array([2, 2, 5, 6]), np.array([0, 0, 3, 3]), 4)
    assert model(np.array([-1, 0, 2, 3, 5, 7, 99])).tolist() == [3, 3, 0, 3, 3, 3, 3]


def test_many_labels_are_told_apart():
    sets = np.zeros((300, 3), bool)
    sets[[0, 8, 299], [0, 1, 2]] = True
    model = frequent_tags(["a", "b", "c"], sets, 300)
    np.testing.assert_array_equal(model(["c", "a", "b"]), sets[:, [2, 0, 1]])


def test_there_must_be_something_to_learn_from():
    for targets in (np.empty(0, int), np.empty((3, 0), bool)):
        with pytest.raises(DataError, match="there is no example to learn from"):
            frequent_tags([], targets, 3)
    with pytest.raises(DataError, match="there is no example to learn from"):
        frequent_tags(["a"], np.array([-1]), 3)


def test_arrays_that_do_not_belong_together_are_refused():
    for targets in (np.array([0, 1]), np.ones((3, 2), bool)):
        with pytest.raises(ValueError, match="2 targets for 1 words"):
            frequent_tags(["a"], targets, 3)
    with pytest.raises(ValueError, match="ids must be in 0 … 2, the largest is 3"):
        frequent_tags(["a"], np.array([3]), 3)
