import io
import os
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rnncli.errors import CheckpointError, RnncliError
from rnncli.storage import npz as npz_module
from rnncli.storage import read_arrays, write_arrays
from tests.storage.hostile_files import BOMBS, HONEST, TABLE, pickles
from tests.storage.refusals import assert_refused
from tests.storage.zip_builder import Member, npz

DTYPES = ["<f4", "<f8", "<i4", "<i8", "<u8", "|u1", "|b1"]


def written(arrays):
    file = io.BytesIO()
    write_arrays(file, arrays)
    return file.getvalue()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("npz") / "arrays.npz"


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.from_regex(r"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}\Z"),
        st.sampled_from(DTYPES).flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0))),
        min_size=1,
        max_size=4,
    )
)
def test_round_trip(path, arrays):
    path.write_bytes(written(arrays))
    read = read_arrays(path)
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        assert (read[name].dtype, read[name].shape) == (array.dtype, array.shape)
        assert read[name].tobytes() == array.tobytes()  # NaN and -0.0 too
        assert read[name].flags.writeable
        assert read[name].flags.c_contiguous


def test_bytes_are_those_of_numpy_savez_and_know_no_clock(path, monkeypatch):
    arrays = {"recurrent.0.weight_ih": np.arange(6.0).reshape(2, 3), "n": np.array(7), "none": np.empty((0, 3), bool)}
    first = written(arrays)
    by_numpy = io.BytesIO()
    np.savez(by_numpy, **arrays)
    assert first == by_numpy.getvalue()
    later = time.time() + 1e8
    monkeypatch.setattr(time, "time", lambda: later)
    assert written(arrays) == first


def test_other_memory_orders_are_stored_in_c_order(path):
    square = np.arange(12, dtype="f4").reshape(3, 4)
    path.write_bytes(written({"transposed": square.T, "every_second": square[:, ::2], "reversed": square[::-1]}))
    read = read_arrays(path)
    np.testing.assert_array_equal(read["transposed"], square.T)
    np.testing.assert_array_equal(read["every_second"], square[:, ::2])
    np.testing.assert_array_equal(read["reversed"], square[::-1])


def test_names_of_the_arguments_of_savez_are_names(path):
    path.write_bytes(written({"file": np.zeros(1), "allow_pickle": np.ones(1)}))
    assert {name: array[0] for name, array in read_arrays(path).items()} == {"file": 0.0, "allow_pickle": 1.0}


@pytest.mark.parametrize("dtype", [">f4", "<f2", "<c16", "O", "<U3", "<i2", "<M8[s]", "V4"])
def test_dtypes_that_would_not_be_read_are_not_written(dtype):
    with pytest.raises(RnncliError, match="cannot store W as"):
        write_arrays(io.BytesIO(), {"W": np.zeros(2).astype(dtype) if dtype != "<M8[s]" else np.zeros(2, dtype)})


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "../a", "é", "a b", "a\n", "\x1b[31m", "x" * 201])
def test_names_that_would_not_be_read_are_not_written(name):
    with pytest.raises(RnncliError, match="under the name") as caught:
        write_arrays(io.BytesIO(), {name: np.zeros(2)})
    assert str(caught.value).isprintable()


def test_counts_and_sizes_that_would_not_be_read_are_not_written(monkeypatch, path):
    for count in (0, 4097):
        with pytest.raises(RnncliError, match=f"cannot store {count} arrays"):
            write_arrays(io.BytesIO(), {f"W{i}": np.zeros(1) for i in range(count)})
    path.write_bytes(written({f"{i:0200}": np.empty(0) for i in range(4096)}))
    assert len(read_arrays(path)) == 4096
    size = len(written({"W": np.zeros(100)}))
    monkeypatch.setattr(npz_module, "MAX_BYTES", size)
    assert len(written({"W": np.zeros(100)})) == size
    with pytest.raises(RnncliError, match="more than"):
        written({"W": np.zeros(101)})


def test_limit_counts_the_bytes_of_the_file(path):
    path.write_bytes(HONEST)
    assert list(read_arrays(path, limit=len(HONEST))) == ["W", "recurrent.0.weight_ih"]
    error = assert_refused(lambda path: read_arrays(path, limit=len(HONEST) - 1), path)
    assert f"has {len(HONEST)} bytes, more than {len(HONEST) - 1}" in str(error)


def test_file_beyond_the_memory_is_refused(path, monkeypatch):
    def exhausted(*_):
        raise MemoryError

    path.write_bytes(HONEST)
    monkeypatch.setattr(np, "empty", exhausted)
    assert "does not fit in memory" in str(assert_refused(read_arrays, path))


@pytest.mark.parametrize(("reason", "case"), [(reason, case) for reason, files in TABLE.items() for case in files])
def test_hostile_file_is_refused(path, reason, case):
    path.write_bytes(TABLE[reason][case])
    assert f"arrays.npz: {reason}; " in str(assert_refused(read_arrays, path))


@pytest.mark.parametrize("case", BOMBS)
def test_bomb_is_refused_without_inflating(path, case):
    path.write_bytes(BOMBS[case]())
    assert_refused(read_arrays, path)


def test_nothing_is_unpickled(path, tmp_path):
    marker = tmp_path / "marker"
    files = list(pickles(marker))
    assert len(files) == 20
    for file in files:
        path.write_bytes(file)
        assert_refused(read_arrays, path)
    assert not marker.exists()


def test_honest_file_made_by_hand_is_read(path):
    """The builder of the hostile files is sound: without a lie its files are read."""
    path.write_bytes(npz(Member(), Member(name=b"V.npy", local={"extra": bytes(20)})))
    assert {name: array.tolist() for name, array in read_arrays(path).items()} == {"W": [0, 0], "V": [0, 0]}


@pytest.mark.parametrize("kind", ["folder", "FIFO", "device", "dangling link", "link in a circle", "NUL", "no folder"])
def test_special_file_is_refused_at_once(tmp_path, kind):
    path = tmp_path / "special.npz"
    if kind == "folder":
        path.mkdir()
    elif kind == "FIFO":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "dangling link":
        path.symlink_to(tmp_path / "nothing")
    elif kind == "link in a circle":
        path.symlink_to(path)
    elif kind == "NUL":
        path = tmp_path / "a\0b\\special.npz"
        with pytest.raises(CheckpointError, match="is damaged"):
            read_arrays(path)
        return
    else:
        path = tmp_path / "missing" / "special.npz"
    error = assert_refused(read_arrays, path)
    assert ("is not a regular file" in str(error)) == (kind in ("FIFO", "device"))


def test_unreadable_file_is_refused(path):
    path.write_bytes(HONEST)
    path.chmod(0)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)
        error = assert_refused(read_arrays, path)
    finally:
        os.seteuid(user)
        path.chmod(0o600)
    assert "Permission denied" in str(error)


def test_long_and_unprintable_paths_make_printable_messages(tmp_path):
    folder = tmp_path / ("x" * 200) / "\x1b[31m\n\u202e\udcff"
    with pytest.raises(CheckpointError) as caught:
        read_arrays(folder / "last.npz")
    text = str(caught.value)
    assert text.isprintable()
    assert len(text) <= 200
    assert "\\x1b[31m\\n\\u202e\\udcff/last.npz: cannot be read: No such file or directory" in text
