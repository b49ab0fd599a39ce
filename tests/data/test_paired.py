"""Pairs and their batches against lists of lists."""

from dataclasses import fields
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.data import BucketedPairs, PairBatch, Pairs, Side, Texts, pair_batch, paired
from rnncli.data.paired import POOL, STRIP

BEGIN, END = 1, 2
IDS = st.lists(st.integers(3, 200), min_size=1, max_size=6)


def side(sequences, dtype=np.uint8):
    return Side(
        np.array([token for ids in sequences for token in ids], dtype),
        np.concatenate(([0], np.cumsum([len(ids) for ids in sequences]))).astype(np.int64),
    )


def pairs_of(sources, targets):
    """Pairs with texts that spell their ids."""
    spelled = [" ".join(map(str, ids)) for ids in targets]
    places = [f"file:{number + 1}" for number in range(len(targets))]
    of_sources = Texts.of(" ".join(map(str, ids)) for ids in sources)
    return Pairs(side(sources), side(targets), Texts.of(places), of_sources, Texts.of(spelled), BEGIN, END)


def with_vectors(vectors, order, targets):
    """Pairs of vectors (S, D), of which several pairs may share one."""
    bounds = np.concatenate(([0], np.cumsum([len(each) for each in vectors])))
    source = Side(np.concatenate(vectors), bounds, np.array(order))
    texts = Texts.of(["x"] * len(targets))
    return Pairs(source, side(targets), texts, None, texts, BEGIN, END)


def column(values, mask, b):
    """The real values of one sequence of a batch."""
    return values[..., b].tolist() if mask is None else values[..., mask[:, b], b].tolist()


@given(st.lists(st.tuples(IDS, IDS), min_size=1), st.data())
def test_a_batch_holds_each_pair_between_begin_and_end(written, data):
    sources, targets = map(list, zip(*written, strict=True))
    numbers = data.draw(st.lists(st.integers(0, len(written) - 1), min_size=1))
    batch = pair_batch(pairs_of(sources, targets), np.array(numbers), single=False)
    for b, number in enumerate(numbers):
        assert column(batch.source, batch.source_mask, b) == sources[number]
        assert column(batch.inputs, batch.mask, b) == [BEGIN, *targets[number]]
        assert column(batch.targets, batch.mask, b) == [*targets[number], END]
    assert batch.source.shape == (max(len(sources[number]) for number in numbers), len(numbers))
    assert batch.inputs.shape == batch.targets.shape == (1 + max(len(targets[n]) for n in numbers), len(numbers))
    for values, mask in ((batch.source, batch.source_mask), (batch.inputs, batch.mask), (batch.targets, batch.mask)):
        assert values.dtype == np.intp
        assert values.flags.c_contiguous
        assert mask is None or (not mask.all() and not values[~mask].any())
    assert not batch.carry


@given(st.lists(st.tuples(IDS, IDS), min_size=1), st.data())
def test_a_part_of_pairs_is_those_pairs(written, data):
    sources, targets = map(list, zip(*written, strict=True))
    numbers = data.draw(st.lists(st.integers(0, len(written) - 1)))
    part = pairs_of(sources, targets).part(np.array(numbers, np.intp))
    assert len(part) == len(numbers)
    for i, number in enumerate(numbers):
        assert part.source.of(i).tolist() == sources[number]
        assert part.target.of(i).tolist() == targets[number]
        assert part.source_text[i] == " ".join(map(str, sources[number]))
        assert part.target_text[i] == " ".join(map(str, targets[number]))
        assert part.place(i) == f"file:{number + 1}"
    assert part.source.lengths.tolist() == [len(sources[number]) for number in numbers]
    assert part.target.values.tolist() == [token for number in numbers for token in targets[number]]
    assert part.target.starts.tolist() == np.cumsum([0, *(len(targets[number]) for number in numbers)]).tolist()
    if numbers:
        longest = max(len(sources[number]) for number in numbers), max(len(targets[number]) for number in numbers)
        assert part.longest == longest


def test_vectors_that_pairs_share():
    rng = np.random.default_rng(0)
    vectors = [rng.standard_normal((length, 3)).astype(np.float32) for length in (2, 4, 1)]
    order, targets = [1, 1, 0, 2, 1], [[5], [6, 7], [8], [9], [3, 4]]
    pairs = with_vectors(vectors, order, targets)
    assert len(pairs) == len(pairs.source) == 5
    assert pairs.source.lengths.tolist() == [4, 4, 2, 1, 4]
    np.testing.assert_array_equal(pairs.source.values, np.concatenate([vectors[k] for k in order]))
    assert pairs.source.starts.tolist() == [0, 4, 8, 10, 11, 15]
    part = pairs.part(np.array([4, 2]))
    assert part.source.stored is pairs.source.stored
    np.testing.assert_array_equal(part.source.values, np.concatenate([vectors[1], vectors[0]]))
    batch = pair_batch(part, np.array([1, 0]), single=False)
    assert batch.source.shape == (3, 4, 2)
    assert batch.source.dtype == np.float32
    np.testing.assert_array_equal(batch.source[:, :2, 0].T, vectors[0])
    np.testing.assert_array_equal(batch.source[:, 2:, 0], np.zeros((3, 2)))
    np.testing.assert_array_equal(batch.source[:, :, 1].T, vectors[1])
    assert batch.source_mask.T.tolist() == [[True, True, False, False], [True] * 4]
    assert column(batch.targets, batch.mask, 0) == [8, END]


def test_a_single_vector_is_source_and_condition():
    vectors = np.arange(8, dtype=np.float32).reshape(4, 1, 2)
    pairs = with_vectors(list(vectors), [3, 0, 3], [[5], [6, 7], [8, 9]])
    batch = pair_batch(pairs, np.array([2, 1]), single=True)
    assert batch.source.tolist() == batch.condition.tolist() == [[6, 0], [7, 1]]
    assert batch.source_mask is None
    assert batch.mask is None
    assert batch.inputs.tolist() == [[BEGIN, BEGIN], [8, 6], [9, 7]]


def test_every_array_of_a_batch_ends_with_its_pairs():
    batch = pair_batch(pairs_of([[3], [4, 5]], [[6, 7], [8]]), np.arange(2), single=False)
    arrays = [getattr(batch, field.name) for field in fields(PairBatch)]
    assert [array.shape[-1] for array in arrays if isinstance(array, np.ndarray)] == [2] * 5


def epoch(batches, seed, start=0):
    """The numbers of the pairs of each batch."""
    with patch.object(paired, "pair_batch", lambda pairs, numbers, single: numbers.tolist()):
        return [*batches.epoch(np.random.default_rng(seed), start)]


@given(st.lists(st.tuples(IDS, IDS), min_size=1, max_size=40), st.integers(1, 9), st.integers(0, 5), st.booleans())
def test_an_epoch_has_every_pair_once_and_resumes_anywhere(written, size, start, single):
    sources, targets = map(list, zip(*written, strict=True))
    pairs = pairs_of(sources, targets)
    if single:
        pairs = with_vectors([np.ones((1, 2), np.float32)], [0] * len(targets), targets)
    batches = BucketedPairs(pairs, size, single)
    numbers = epoch(batches, 3)
    assert sorted(number for each in numbers for number in each) == [*range(len(written))]
    assert len(numbers) == len(batches)
    assert sorted(map(len, numbers))[1:] == [size] * (len(numbers) - 1)
    assert epoch(batches, 3, start) == numbers[start:]


def many(count, seed=0):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 60, (2, count)).tolist()
    return pairs_of(*([[3] * length for length in side] for side in lengths))


def test_batches_hold_little_padding_on_both_sides_though_their_lengths_have_nothing_to_do_with_each_other():
    batches = [*BucketedPairs(many(4 * POOL), 4).epoch(np.random.default_rng(0))]
    for side in ("source_mask", "mask"):
        masks = [getattr(batch, side) for batch in batches]
        assert np.mean([1 if mask is None else mask.mean() for mask in masks]) > 0.85
    for batch in batches:
        assert batch.source_mask is None or (batch.source_mask[:, :-1] >= batch.source_mask[:, 1:]).all()


def test_strips_are_of_like_targets():
    pairs = many(4 * POOL)
    batches = BucketedPairs(pairs, 4)
    order = batches._sorted(np.arange(4 * POOL))
    lengths = pairs.target.lengths[order].reshape(-1, 4 * STRIP)
    assert (lengths[:-1].min(axis=1) >= lengths[1:].max(axis=1)).all()
    assert (np.diff(pairs.source.lengths[order].reshape(-1, 4 * STRIP)) <= 0).all()


def test_batches_are_others_in_each_epoch_and_in_no_order_of_length():
    batches = BucketedPairs(many(300), 10)
    one, two = (epoch(batches, seed) for seed in (0, 1))
    assert {frozenset(numbers) for numbers in one} != {frozenset(numbers) for numbers in two}
    longest = np.array([batch.targets.shape[0] for batch in batches.epoch(np.random.default_rng(0))])
    assert longest[:STRIP].min() < longest[STRIP:].max()


def test_pairs_of_all_pools_are_drawn_anew():
    count = 2 * POOL * 2
    sets = [{frozenset(numbers) for numbers in epoch(BucketedPairs(many(count), 2), seed)} for seed in (0, 1)]
    assert len(sets[0] & sets[1]) < len(sets[0]) / 4


@pytest.mark.parametrize(("count", "size"), [(0, 1), (1, 0)])
def test_there_are_no_batches_of_nothing(count, size):
    with pytest.raises(ValueError, match=f"no batches: {count} pairs, batch size {size}"):
        BucketedPairs(pairs_of([[3]] * count, [[3]] * count), size)
