"""Labelled sequences, and parts of them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.data.labelled import step_place
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


def tagged(sizes, outputs=None, *, lines=True):
    """The same with a target for each step, their lines, words by their numbers, and unknown labels here and there."""
    examples = examples_of(sizes)
    N = int(examples.starts[-1])
    targets = np.arange(200, 200 + N * (outputs or 1)).reshape(*([outputs] if outputs else []), N)
    tokens = [f"w{step}" for step in range(N)]
    return replace(
        examples,
        targets=targets,
        places=[f"file:{start + 7}" for start in examples.starts[:-1].tolist()],
        of_steps=True,
        unknown=np.arange(N) % 3 == 1,
        lines=np.arange(7, 7 + N, dtype=np.uint32) if lines else None,
        words=np.arange(N)[::-1],
        tokens=lambda i: tokens[examples.starts[i] : examples.starts[i + 1]],
    )


class TestTargetsOfSteps:
    def test_a_part_by_hand(self):
        part = tagged([2, 1, 3]).part(np.array([2, 0]))
        assert part.targets.tolist() == [203, 204, 205, 200, 201]
        assert part.unknown.tolist() == [False, True, False, False, True]
        assert part.lines.tolist() == [10, 11, 12, 7, 8]
        assert part.words.tolist() == [2, 1, 0, 5, 4]
        assert [part.tokens(i) for i in range(2)] == [["w3", "w4", "w5"], ["w0", "w1"]]
        assert part.of_steps

    @settings(max_examples=60, deadline=None)
    @given(st.data())
    def test_a_part_has_those_of_its_sequences(self, data):
        sizes = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=9))
        examples = tagged(sizes, data.draw(st.none() | st.integers(1, 3)), lines=data.draw(st.booleans()))
        numbers = np.array(data.draw(st.lists(st.integers(0, len(sizes) - 1), max_size=9)), data.draw(DTYPES))
        part = examples.part(numbers)
        assert part.targets.shape == (*examples.targets.shape[:-1], len(part.values))
        assert part.unknown is None or part.unknown.any()
        for i, number in enumerate(numbers.tolist()):
            own, others = slice(*part.starts[i : i + 2]), slice(*examples.starts[number : number + 2])
            assert np.array_equal(part.targets[..., own], examples.targets[..., others])
            assert np.array_equal(part.words[own], examples.words[others])
            assert part.tokens(i) == examples.tokens(number)
            unknown = examples.unknown[others].tolist()
            assert ([False] * sizes[number] if part.unknown is None else part.unknown[own].tolist()) == unknown
            for step in range(sizes[number]):
                assert part.sequence_of(own.start + step) == i
                assert part.place(own.start + step) == examples.place(others.start + step)

    def test_a_step_is_on_its_own_line_or_in_its_sequence(self):
        sizes = [2, 1, 3]
        assert [tagged(sizes).place(step) for step in range(6)] == [f"file:{line}" for line in range(7, 13)]
        inside = ["file:7, step 0", "file:7, step 1", "file:9, step 0", *(f"file:10, step {t}" for t in range(3))]
        assert [tagged(sizes, lines=False).place(step) for step in range(6)] == inside
        assert [tagged(sizes).sequence_of(step) for step in range(6)] == [0, 0, 1, 2, 2, 2]
        of_arrays = replace(tagged([2, 1], lines=False), places=["a.npz: sequence 0", "a.npz: sequence 1"])
        assert of_arrays.place(1) == "a.npz: sequence 0, step 1"
        none_of_its_own = replace(tagged([2]), lines=np.zeros(2, np.uint32))
        assert none_of_its_own.place(1) == "file:7, step 1"

    def test_of_whole_sequences_a_place_is_theirs(self):
        assert examples_of([2, 1, 3]).place(2) == "file:2"

    @pytest.mark.parametrize(
        ("sequence", "line", "step", "place"),
        [("a:3", 5, 2, "a:5"), ("a:b.conll:3", 4, 1, "a:b.conll:4"), ("a:3", 0, 2, "a:3, step 2")],
    )
    def test_where_a_step_stands(self, sequence, line, step, place):
        assert step_place(sequence, line, step) == place

    def test_a_part_is_a_copy_and_of_a_part_another_part(self):
        examples = tagged([1, 2, 1])
        part = examples.part(np.array([2, 1])).part(np.array([1]))
        assert (part.targets.tolist(), part.lines.tolist(), part.tokens(0)) == ([201, 202], [8, 9], ["w1", "w2"])
        part.targets[:] = part.words[:] = part.lines[:] = 0
        assert examples.targets.tolist() == [200, 201, 202, 203]
        assert examples.words.tolist() == [3, 2, 1, 0]

    def test_what_is_not_there_is_not_in_a_part(self):
        bare = replace(tagged([1, 2]), lines=None, words=None, tokens=None, unknown=None, places=())
        part = bare.part(np.array([1]))
        assert part.lines is part.words is part.tokens is part.unknown is part.spellings is None
        assert part.places == ()
