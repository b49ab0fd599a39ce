from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.data import Items
from rnncli.data.conditioned import ConditionedSequences, one_hot
from rnncli.training.workers import share_of
from tests.data.small_sequences import bracketed, joined

SIZES = (3, 2)  # the values of two conditions


def conditioned(lengths, seed=0):
    """Items that spell their own number, so that a batch tells which ones it holds; and their values."""
    items = joined([bracketed(np.full(length, 10 + i), begin=1, end=2) for i, length in enumerate(lengths)])
    rng = np.random.default_rng(seed)
    values = np.stack([rng.integers(SIZES[0], size=len(lengths)), SIZES[0] + rng.integers(SIZES[1], size=len(lengths))])
    return ConditionedSequences(items.ids, items.starts, values, sum(SIZES)), values


def test_values_stand_one_under_the_other():
    expected = [[0, 1], [1, 0], [0, 0], [1, 0], [0, 1]]
    found = one_hot(np.array([[1, 0], [3, 4]]), 5)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.float32
    assert one_hot(np.zeros((0, 3), int), 0).shape == (0, 3)


def test_sequences_without_conditions_have_none():
    items = joined([bracketed(np.array([5, 6]))])
    assert items.condition(np.array([0])) is None
    (batch,) = Items(items, 3).epoch(np.random.default_rng(0))
    assert batch.condition is None


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 7), min_size=1, max_size=40), st.integers(1, 9), st.none() | st.integers(1, 4))
def test_each_item_of_a_batch_keeps_its_condition(lengths, batch_size, window):
    items, values = conditioned(lengths)
    batches, seen = Items(items, batch_size, window), []
    for batch in batches.epoch(np.random.default_rng(1)):
        if not batch.carry:
            numbers = batch.targets[0] - 10
            seen += numbers.tolist()
        np.testing.assert_array_equal(batch.condition, one_hot(values[:, numbers], sum(SIZES)))
        assert batch.condition.shape == (sum(SIZES), batch.inputs.shape[1])
    assert sorted(seen) == list(range(len(lengths)))


@pytest.mark.parametrize("workers", [2, 3])
def test_workers_have_the_conditions_of_their_shares(workers):
    items, values = conditioned([3] * 8)
    (batch,) = Items(items, 8).epoch(np.random.default_rng(1))
    for worker in range(workers):
        share = share_of(batch, worker, workers)
        numbers = share.targets[0] - 10
        np.testing.assert_array_equal(share.condition, one_hot(values[:, numbers], sum(SIZES)))
        assert share.condition.flags.c_contiguous
    assert share_of(replace(batch, condition=None), 1, 2).condition is None
