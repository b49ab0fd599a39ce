import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from rnncli.errors import DataError
from rnncli.storage import read_given_array


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def read(folder, content, **options):
    (folder / "x.npy").write_bytes(content)
    with (folder / "x.npy").open("rb", buffering=0) as file:
        return read_given_array(file, "x.npy", **options)


@given(
    st_numpy.arrays(
        st.sampled_from(["<f2", "<f4", "<f8", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8"]),
        st_numpy.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    ),
    st.booleans(),
)
def test_arrays_come_back_as_they_were(tmp_path_factory, array, fortran):
    found = read(tmp_path_factory.getbasetemp(), saved(np.array(array, order="F" if fortran else "C")))
    assert found.dtype == array.dtype
    assert found.shape == array.shape
    assert found.tobytes() == np.ascontiguousarray(array).tobytes()
    assert found.flags.writeable


def test_truth_values_are_0_and_1_whatever_their_bytes(tmp_path):
    content = saved(np.array([True, False, True]))
    assert read(tmp_path, content).tolist() == [1, 0, 1]
    assert read(tmp_path, content[:-1] + b"\x07").tolist() == [1, 0, 1]


SOUND = saved(np.arange(6.0).reshape(2, 3))


def ragged():
    array = np.empty(2, object)
    array[:] = [[1], [2, 3]]
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not an .npy file; give the path of an .npy file"),
        (b"PK\3\4 and so on", "is not an .npy file; give the path of an .npy file"),
        (b"\x93NUMPY", "holds an array in a form that is not supported; save numbers with numpy.save"),
        (SOUND.replace(b"\1\0", b"\2\0", 1), "holds an array in a form that is not supported; save numbers with"),
        (SOUND[:-1], "has another size than its shape says; use another copy of it"),
        (SOUND + b"\0", "has another size than its shape says; use another copy of it"),
        (SOUND.replace(b"(2, 3)", b"(9, 9)"), "has another size than its shape says; use another copy of it"),
        (SOUND.replace(b"<f8", b">f8"), "holds an array in a form that is not supported; save numbers with numpy.save"),
        (saved(np.array(["a"])), "holds an array in a form that is not supported; save numbers with numpy.save"),
        (saved(np.array([1j])), "holds an array in a form that is not supported; save numbers with numpy.save"),
        (ragged(), "holds an array as pickled Python objects; save numbers, all rows of one length, with numpy.save"),
    ],
)
def test_anything_else_is_refused(tmp_path, content, message):
    with pytest.raises(DataError) as caught:
        read(tmp_path, content)
    assert str(caught.value).startswith(f"x.npy: {message}")


def test_a_file_beyond_the_limit_is_not_read(tmp_path):
    with pytest.raises(DataError, match=r"^x\.npy: has 176 bytes, more than 100; use a smaller file$"):
        read(tmp_path, SOUND, limit=100)


@given(st.integers(0, len(SOUND) - 1), st.integers(1, 255))
def test_a_changed_byte_of_the_header_is_refused_or_changes_nothing_but_the_type(tmp_path_factory, place, change):
    content = bytearray(SOUND)
    content[place] ^= change
    try:
        found = read(tmp_path_factory.getbasetemp(), bytes(content))
    except DataError:
        return
    assert found.nbytes == 48
