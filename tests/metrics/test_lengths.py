"""Accuracy by length: readable bins that hold each example once."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.metrics import LengthBin, by_length


def edges(lengths):
    return [(part.low, part.high) for part in by_length(lengths, np.ones(len(lengths), bool))]


def test_accuracy_is_that_of_each_bin():
    lengths = np.arange(1, 41)
    correct = (lengths <= 20) | (lengths % 2 == 0)
    assert by_length(lengths, correct) == tuple(
        LengthBin(low, low + 4, 5, share)
        for low, share in ((1, 1), (6, 1), (11, 1), (16, 1), (21, 2 / 5), (26, 3 / 5), (31, 2 / 5), (36, 3 / 5))
    )


def test_bins_are_readable():
    assert edges(np.arange(1, 11)) == [(n, n) for n in range(1, 11)]
    assert edges(np.arange(1, 21)) == [(n, n + 1) for n in range(1, 21, 2)]
    assert edges(np.arange(1, 201)) == [(n, n + 19) for n in range(1, 201, 20)]
    assert edges(np.arange(905, 996)) == [(n, n + 9) for n in range(901, 1000, 10)]
    assert edges(np.array([1, *[11] * 50])) == [(1, 2), (11, 12)]
    assert edges(np.array([7, 7])) == [(7, 7)]
    assert edges(np.array([1, 30])) == [(1, 1), (2, 30)]
    assert edges(np.array([], int)) == []


def test_a_few_long_examples_share_the_last_bin():
    usual = np.arange(1, 101)
    assert edges(np.append(usual, [2_000, 90_000])) == [*edges(usual), (101, 90_000)]
    assert edges(np.append(usual, 105)) == [*edges(usual), (101, 110)]


def test_bins_without_examples_are_left_out_and_empty_texts_have_one_of_their_own():
    assert edges(np.array([0, 0, 1, 99, 100])) == [(0, 0), (1, 10), (91, 100)]
    assert edges(np.array([0])) == [(0, 0)]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint32, np.int64])
def test_the_width_of_the_lengths_does_not_matter(dtype):
    assert edges(np.arange(1, 256, dtype=dtype)) == [*((n, n + 49) for n in range(1, 250, 50)), (251, 300)]


@given(st.lists(st.tuples(st.integers(0, 5000), st.booleans()), min_size=1, max_size=60))
def test_every_example_is_in_one_bin(examples):
    lengths, correct = np.array([n for n, _ in examples]), np.array([right for _, right in examples])
    bins = by_length(lengths, correct)
    assert 1 <= len(bins) <= 12
    assert [part.count for part in bins] == [np.sum((lengths >= part.low) & (lengths <= part.high)) for part in bins]
    assert sum(part.count for part in bins) == len(examples)
    assert sum(part.accuracy * part.count for part in bins) == pytest.approx(correct.sum())
    assert all(low.high < high.low for low, high in pairwise(bins))
