import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.data.batching import Items, Streams, Windows
from tests.data.small_sequences import bracketed, joined


def rng(seed=0):
    return np.random.default_rng(seed)


def items_of(arrays, *settings, **named):
    return Items(joined([bracketed(array) for array in arrays]), *settings, **named)


def real(batch):
    return np.ones(batch.inputs.shape[-2:], bool) if batch.mask is None else batch.mask


def assert_sound(batches):
    """The number of batches, the mask, the padding, and resuming at every batch."""
    epoch = list(batches.epoch(rng()))
    assert len(epoch) == len(batches)
    for batch in epoch:
        mask = real(batch)
        assert batch.mask is None or not mask.all()
        assert batch.tokens == mask.sum() > 0
        assert batch.inputs.dtype == batch.targets.dtype == np.intp
        assert batch.inputs.shape == batch.targets.shape == mask.shape
        assert not batch.inputs[~mask].any()
        assert not batch.targets[~mask].any()
    for k in range(len(epoch) + 1):
        generator = rng()
        tail = list(batches.epoch(generator, start=k))
        assert len(tail) == len(epoch) - k
        for a, b in zip(tail, epoch[k:], strict=True):
            assert np.array_equal(a.inputs, b.inputs)
            assert np.array_equal(a.targets, b.targets)
            assert np.array_equal(real(a), real(b))
            assert a.carry == b.carry
        before = rng()
        list(batches.epoch(before))
        assert generator.bit_generator.state == before.bit_generator.state
    return epoch


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_streams_predict_each_token_once_in_order(data):
    n = data.draw(st.integers(2, 80))
    B = data.draw(st.integers(1, n - 1))
    streams = Streams(np.arange(n, dtype=np.uint8), B, data.draw(st.integers(1, 20)))
    epoch = assert_sound(streams)
    assert [batch.carry for batch in epoch] == [k > 0 for k in range(len(epoch))]
    assert all(batch.mask is None for batch in epoch[:-1])
    assert all(len(batch.inputs) == streams.length for batch in epoch[:-1])
    inputs, targets, mask = (
        np.concatenate(blocks) for blocks in zip(*((b.inputs, b.targets, real(b)) for b in epoch), strict=True)
    )
    columns = [targets[mask[:, i], i] for i in range(B)]
    assert np.concatenate(columns).tolist() == list(range(1, n))
    assert [column[0] for column in columns] == [i * (n - 1) // B + 1 for i in range(B)]
    assert np.array_equal(inputs[mask] + 1, targets[mask])


def test_streams_by_hand():
    first, last = Streams(np.array([5, 6, 7, 8, 9, 4], np.uint8), 2, 2).epoch(rng())
    assert first.inputs.tolist() == [[5, 7], [6, 8]]
    assert first.targets.tolist() == [[6, 8], [7, 9]]
    assert (first.mask, first.carry, first.tokens) == (None, False, 4)
    assert (last.inputs.tolist(), last.targets.tolist()) == ([[0, 9]], [[0, 4]])
    assert last.mask is not None
    assert (last.mask.tolist(), last.carry, last.tokens) == ([[False, True]], True, 1)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_windows_start_at_the_strides_and_reach_the_end(data):
    n = data.draw(st.integers(2, 60))
    length, stride, B = data.draw(st.integers(1, n - 1)), data.draw(st.integers(1, 30)), data.draw(st.integers(1, 9))
    epoch = assert_sound(Windows(np.arange(n, dtype=np.uint8), B, length, stride))
    assert all(batch.inputs.shape == (length, B) for batch in epoch[:-1])
    assert not any(batch.carry or batch.mask is not None for batch in epoch)
    rows = np.concatenate([batch.inputs.T for batch in epoch])
    assert np.array_equal(rows, rows[:, :1] + np.arange(length))
    assert np.array_equal(np.concatenate([batch.targets.T for batch in epoch]), rows + 1)
    last = n - 1 - length
    assert sorted(rows[:, 0].tolist()) == sorted({*range(0, last + 1, stride), last})


def test_windows_are_shuffled_anew():
    windows, generator = Windows(np.arange(999), 8, 10, 10), rng()
    one, two = ([b.inputs[0].tolist() for b in windows.epoch(generator)] for _ in range(2))
    assert one != two
    assert one != sorted(one)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_items_come_once_an_epoch(data):
    sizes = data.draw(st.lists(st.integers(0, 12), min_size=1, max_size=40))
    length, B = data.draw(st.none() | st.integers(1, 8)), data.draw(st.integers(1, 9))
    starts = np.cumsum([3, *sizes])
    items = [np.arange(a, a + n, dtype=np.uint16) for a, n in zip(starts, sizes, strict=False)]
    batches = items_of(items, batch_size=B, length=length)
    seen, open_rows = [], []
    for batch in [*assert_sound(batches), None]:
        if batch is None or not batch.carry:
            seen += open_rows
            open_rows = [([], []) for _ in range(batch.inputs.shape[1])] if batch else []
        if batch:
            assert length is None or len(batch.inputs) <= length
            for row, x, y, mask in zip(open_rows, batch.inputs.T, batch.targets.T, real(batch).T, strict=True):
                row[0].extend(x[mask].tolist())
                row[1].extend(y[mask].tolist())
    expected = [([1, *item.tolist()], [*item.tolist(), 2]) for item in items]
    assert sorted(seen) == sorted(expected)
    assert len(list(batches.epoch(rng(1)))) == len(batches)


def test_items_by_hand():
    (batch,) = items_of([np.array([7, 8], np.uint8), np.array([], np.uint8)], batch_size=4).epoch(rng())
    assert batch.inputs.tolist() == [[1, 1], [0, 7], [0, 8]]
    assert batch.targets.tolist() == [[2, 7], [0, 8], [0, 2]]
    assert batch.mask is not None
    assert batch.mask.tolist() == [[True, True], [False, True], [False, True]]
    assert batch.tokens == 4


def test_items_of_similar_length_share_a_batch():
    sizes = rng(1).integers(2, 16, 20_000)
    items = items_of([np.full(n, 3, np.uint8) for n in sizes], batch_size=32)
    generator = rng()
    epoch = list(items.epoch(generator))
    positions = sum(batch.inputs.size for batch in epoch)
    assert positions < 1.05 * sum(batch.tokens for batch in epoch)  # unsorted, it is 1.7
    lengths = [len(batch.inputs) for batch in epoch]
    assert np.count_nonzero(np.diff(lengths) < 0) > 200  # of 624; in the order of the 13 pools, it is 12
    assert lengths != [len(batch.inputs) for batch in items.epoch(generator)]


def test_items_make_as_many_batches_in_every_epoch():
    sizes = rng(1).integers(0, 40, 1000)  # ten pools
    batches = items_of([np.full(n, 3, np.uint8) for n in sizes], batch_size=2, length=3)
    assert [len(list(batches.epoch(rng(seed)))) for seed in range(3)] == [len(batches)] * 3


@pytest.mark.parametrize(
    "make",
    [
        lambda ids: Streams(ids, 3, 5),
        lambda ids: Streams(ids, 0, 5),
        lambda ids: Streams(ids, 2, 0),
        lambda ids: Streams(ids[:0], 1, 1),
        lambda ids: Windows(ids, 1, 3, 1),
        lambda ids: Windows(ids, 0, 2, 1),
        lambda ids: Windows(ids, 1, 2, 0),
        lambda ids: Windows(ids, 1, 0, 1),
        lambda ids: items_of([], 1),
        lambda ids: items_of([ids], 0),
        lambda ids: items_of([ids], 1, length=0),
    ],
)
def test_sizes_that_make_no_batch(make):
    with pytest.raises(ValueError, match=r"ids do not fill|no batches"):
        make(np.arange(3))
