"""Labelled sequences, and parts of them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.small_sequences import examples_of

DTYPES = st.sampled_from([np.intp, np.uint32, np.int64])


def test_examples_by_hand():
    examples = examples_of([2, 1, 3])
    assert len(examples) == 3
    assert examples.lengths.tolist() == [2, 1, 3]
    assert [examples.input(i).tolist() for i in range(3)] == [[1, 2], [3], [4, 5, 6]]
    assert examples_of([1, 2], width=2).input(1).tolist() == [[3, 4], [5, 6]]


def test_a_part_by_hand():
    part = examples_of([2, 1, 3]).part(np.array([2, 0]))
    assert part.values.tolist() == [4, 5, 6, 1, 2]
    assert part.starts.tolist() == [0, 3, 5]
    assert part.targets.tolist() == [102, 100]
    assert part.places == ["file:2", "file:0"]
    assert part.unknown is None


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_part_has_what_was_asked_for_in_that_order(data):
    sizes = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=12))
    examples = examples_of(sizes, data.draw(st.none() | st.integers(1, 3)), data.draw(st.none() | st.integers(1, 3)))
    numbers = np.array(data.draw(st.lists(st.integers(0, len(sizes) - 1), max_size=12)), data.draw(DTYPES))
    part = examples.part(numbers)
    assert len(part) == len(numbers)
    assert part.lengths.tolist() == [sizes[number] for number in numbers]
    for i, number in enumerate(numbers):
        assert np.array_equal(part.input(i), examples.input(number))
        assert part.input(i).dtype == examples.values.dtype
        assert np.array_equal(part.targets[..., i], examples.targets[..., number])
        assert part.places[i] == examples.places[number]
    assert part.targets.shape == (*examples.targets.shape[:-1], len(numbers))
    assert part.values.shape[1:] == examples.values.shape[1:]


def test_a_part_is_a_copy_and_of_a_part_another_part():
    examples = examples_of([1, 2, 1])
    part = examples.part(np.array([1, 2])).part(np.array([1]))
    assert (part.values.tolist(), part.targets.tolist(), part.places) == ([4], [102], ["file:2"])
    part.values[:] = part.targets[:] = 0
    assert examples.values.tolist() == [1, 2, 3, 4]
    assert examples.targets.tolist() == [100, 101, 102]


def test_without_places_a_part_has_none():
    assert replace(examples_of([1, 2]), places=()).part(np.array([1])).places == ()


@pytest.mark.parametrize(("numbers", "unknown"), [([0, 2], None), ([2, 1], [False, True]), ([1], [True])])
def test_labels_never_seen_stay_with_their_examples(numbers, unknown):
    examples = replace(examples_of([1, 1, 1]), unknown=np.array([False, True, False]))
    found = examples.part(np.array(numbers)).unknown
    assert (None if found is None else found.tolist()) == unknown
