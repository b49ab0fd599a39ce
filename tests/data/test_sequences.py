import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.data.batching import Items, Streams, Windows
from rnncli.data.sequences import NOTHING, Descriptor, DiskArray, Sequences
from rnncli.errors import DataError
from tests.data.small_sequences import bracketed, joined


def on_disk(array, folder, before=0):
    """The array in a file, after some bytes of something else."""
    path = folder / f"array{array.dtype}"
    path.write_bytes(bytes(before) + array.tobytes())
    with path.open("rb") as file:
        return DiskArray(Descriptor(file.fileno()), array.dtype, before, len(array))


@pytest.mark.parametrize("dtype", ["u1", "<u2", "<u4", "<i8"])
def test_an_array_on_disk_is_read_as_one_in_memory(tmp_path, dtype):
    array = np.random.default_rng(0).integers(0, 200, 1000).astype(dtype)
    stored = on_disk(array, tmp_path, before=24)
    assert len(stored) == 1000
    assert stored.dtype == array.dtype
    for key in (slice(None), slice(5, 70), slice(-25, None), slice(990, 2000), slice(7, 3), slice(5, 6)):
        assert np.array_equal(stored[key], array[key])


def test_a_slice_is_read_whole_when_the_system_reads_less_at_a_time(tmp_path, monkeypatch):
    array = np.arange(1000)
    stored = on_disk(array, tmp_path, before=24)
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda file, size, offset: pread(file, min(size, 300), offset))
    assert np.array_equal(stored[7:990], array[7:990])
    os.truncate(tmp_path / "arrayint64", 4000)
    with pytest.raises(DataError, match="was cut off while it was in use"):
        stored[7:990]


def test_the_file_is_closed_with_the_last_array(tmp_path):
    stored = on_disk(np.arange(9), tmp_path)
    number = stored._file.number
    assert os.fstat(number).st_size == 72
    del stored
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


def test_a_file_that_is_cut_off_in_use(tmp_path):
    stored = on_disk(np.arange(9), tmp_path)
    os.truncate(tmp_path / "arrayint64", 60)
    assert stored[:7].tolist() == list(range(7))
    with pytest.raises(DataError, match="was cut off while it was in use"):
        stored[:8]


def test_batches_of_an_array_on_disk_are_those_of_one_in_memory(tmp_path):
    ids = np.random.default_rng(0).integers(0, 200, 5000).astype(np.uint8)
    items = joined([bracketed(part) for part in np.split(ids, np.arange(3, 4000, 7))])
    stored = Sequences(on_disk(items.ids, tmp_path), on_disk(items.starts, tmp_path))
    for make in (
        lambda part: Streams(part.ids, 7, 13),
        lambda part: Windows(part.ids, 7, 13, 5),
        lambda part: Items(part, 9),
        lambda part: Items(part, 9, 3),
    ):
        batches = [make(part).epoch(np.random.default_rng(1)) for part in (items, stored)]
        for ours, theirs in zip(*batches, strict=True):
            assert np.array_equal(ours.inputs, theirs.inputs)
            assert np.array_equal(ours.targets, theirs.targets)
            assert ours.carry == theirs.carry
            assert (ours.mask is None) == (theirs.mask is None)


@given(st.lists(st.integers(2, 9), max_size=12), st.data())
def test_tokens_come_with_the_places_where_sequences_begin(lengths, data):
    ids = np.arange(sum(lengths))
    part = Sequences(ids, np.cumsum([0, *lengths]))
    begins = np.zeros(len(ids) + 1, bool)
    begins[np.cumsum([0, *lengths])] = True
    start = data.draw(st.integers(0, len(ids)))
    stop = data.draw(st.integers(start, len(ids)))
    tokens, first = part.read(start, stop)
    begins[start] = True
    assert tokens.tolist() == list(range(start, stop))
    assert first.tolist() == begins[start:stop].tolist()


def test_nothing():
    assert not NOTHING
    assert NOTHING.size == 0
    assert [array.tolist() for array in NOTHING.read(0, 0)] == [[], []]
