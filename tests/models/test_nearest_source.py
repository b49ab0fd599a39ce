"""The nearest source and the most frequent target against their definitions, written down one text at a time."""

from collections import Counter
from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnncli.data import Texts
from rnncli.errors import DataError
from rnncli.models import nearest_source
from rnncli.models.naive_bayes import words
from rnncli.models.nearest_source import most_frequent, nearest_texts, nearest_vectors, trigrams

sentences = st.lists(st.sampled_from(["a", "b", "c", "d", "E", "e.", "f g"]), max_size=7).map(" ".join)
spellings = st.text("abcA", max_size=6)
of_texts = st.tuples(st.lists(sentences, max_size=8), st.lists(sentences, max_size=4)) | st.tuples(
    st.lists(spellings, max_size=8), st.lists(spellings, max_size=4)
)


def nearness(sources, asked):
    """The cosine of a text and each source."""
    split = words if sum(len(text.split()) for text in sources) >= 3 * len(sources) else trigrams
    bags = [Counter(split(text)) for text in sources]
    rarity = {w: log(len(bags) / sum(w in bag for bag in bags)) for bag in bags for w in bag}

    def vector(bag):
        return {w: count * rarity.get(w, 0) for w, count in bag.items()}

    def cosine(one, other):
        norm = sqrt(sum(x**2 for x in one.values()) * sum(x**2 for x in other.values()))
        return sum(x * other.get(w, 0) for w, x in one.items()) / norm if norm else 0.0

    return [cosine(vector(Counter(split(asked))), vector(bag)) for bag in bags]


@given(of_texts)
def test_the_nearest_text_has_the_largest_cosine(case):
    sources, asked = case
    found = nearest_texts(Texts.of(sources), Texts.of(asked)).tolist()
    assert len(found) == len(asked)
    for text, number in zip(asked, found, strict=True):
        if text in sources:
            assert number == sources.index(text)
            continue
        cosines = nearness(sources, text)
        best = max(cosines, default=0)
        if best < 1e-9:
            assert number == -1
        else:
            assert cosines[number] == pytest.approx(best)
            assert number == next(i for i, cosine in enumerate(cosines) if cosine > best - 1e-9)


def test_rare_words_count_more_than_frequent_ones():
    sources = ["this is the cat .", "this is the dog .", "that was a zebra ."]
    assert nearest_texts(sources, ["this is the zebra", "was this the DOG?", "was it a dog?"]).tolist() == [2, 1, 2]


def test_few_words_are_compared_by_their_spelling():
    sources = ["separate", "definitely", "2019-03-05", "ありがとう"]
    assert nearest_texts(sources, ["seperate", "definately", "2018-03-07", "ありがたい", "xyz"]).tolist() == [
        0,
        1,
        2,
        3,
        -1,
    ]
    assert trigrams("Ab") == [" ab", "ab "]
    assert trigrams("x") == [" x "]


def test_three_words_on_average_are_compared_by_words():
    """Spelling would take the second, which has more of the letters in a row."""
    sources = ["my cat sleeps well", "catalogues", "one two three four"]
    assert nearest_texts(sources, ["cat"]).tolist() == [0]
    assert nearest_texts([*sources, "word"], ["catalog"]).tolist() == [1]


def test_the_same_text_is_the_nearest_even_of_words_that_all_have():
    sources = ["a b c", "c b a", "c a b", "c b a"]
    assert nearest_texts(sources, ["c b a", "b c a", "c a b"]).tolist() == [1, -1, 2]


def test_nothing_is_near_to_nothing():
    assert nearest_texts([], ["a"]).tolist() == [-1]
    assert nearest_texts(["a b c"], []).tolist() == []
    assert nearest_texts(["", ""], ["a", ""]).tolist() == [-1, 0]


def test_of_many_pairs_some_are_compared_and_a_text_that_is_the_same_is_found_all_the_same(monkeypatch):
    monkeypatch.setattr(nearest_source, "MOST", 4)
    sources = [f"w{i} x{i} y{i} z{i}" for i in range(10)]  # of which 0, 2, 5, 7 are compared
    asked = ["w5 x5 or so", "w6 x6 or so", "w6 x6 y6 z6", "y7", "y9"]
    assert nearest_texts(sources, asked).tolist() == [5, -1, 6, 7, -1]
    vectors = np.arange(10.0)[:, None]
    assert nearest_vectors(vectors, np.array([[0.4], [2.9], [4.2], [9.0]])).tolist() == [0, 2, 5, 7]


def test_of_a_long_text_the_beginning_counts(monkeypatch):
    monkeypatch.setattr(nearest_source, "LONGEST", 3)
    sources = ["a b c d e", "v w x y z", "q r s t u"]
    assert nearest_texts(sources, ["a d e", "d e", "v w x a b c", "o p l a"]).tolist() == [0, -1, 1, -1]


@given(
    arrays(np.float64, st.tuples(st.integers(1, 9), st.just(3)), elements=st.integers(-50, 50), unique=True),
    arrays(np.float64, st.tuples(st.integers(0, 6), st.just(3)), elements=st.integers(-50, 50)),
    st.sampled_from([1, 20, 1 << 22]),
)
def test_the_nearest_vector_is_at_the_least_distance(vectors, asked, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest_source, "BLOCK", block)
        found = nearest_vectors(vectors.copy(), asked)
    distances = ((asked[:, None] - vectors[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(distances[np.arange(len(asked)), found], distances.min(axis=1), atol=1e-6)


def test_vectors_far_from_zero_are_told_apart_in_single_precision():
    vectors = np.float32([[10_000, 1], [10_000, 2], [10_001, 1]])
    kept = vectors.copy()
    assert nearest_vectors(vectors, vectors + np.float32([[0, 0.25]])).tolist() == [0, 1, 2]
    np.testing.assert_array_equal(vectors, kept)
    assert nearest_vectors(np.float32([[1e30], [2]]), np.float32([[3]])).shape == (1,)
    assert nearest_vectors(np.empty((0, 2)), np.ones((2, 2))).tolist() == [-1, -1]


@given(st.lists(st.sampled_from(["a", "b", "a b", "á", "A"]), min_size=1))
def test_the_most_frequent_text_is_that_of_its_definition(texts):
    number = most_frequent(Texts.of(texts))
    assert texts.count(texts[number]) == max(map(texts.count, texts))
    assert number == min(texts.index(text) for text in texts if texts.count(text) == texts.count(texts[number]))


def test_there_must_be_a_text_to_be_the_most_frequent():
    with pytest.raises(DataError, match="there is no example to learn from"):
        most_frequent([])
