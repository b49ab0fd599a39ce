import io

import numpy as np
import pytest

from rnncli.data.files import find_sources
from rnncli.tasks.vector_files import read_vectors
from tests.tasks.written_vectors import LENGTHS, X, read, refusal

PARTS = [[[0, 1]], [[2, 3], [4, 5]], [[6, 7], [8, 9], [10, 11]]]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.npz"


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i4", "i8", "u1"])
def test_sequences_one_after_the_other(path, save, dtype):
    found = read(path, save=save, x=X.astype(dtype), lengths=np.array(LENGTHS, "u1"), y=["a", "ü b", " c "], id=[[1]])
    assert [example.input.tolist() for example in found] == PARTS
    assert [example.labels for example in found] == [("a",), ("ü b",), ("c",)]
    assert [example.where for example in found] == [f"{path}: sequence {i}" for i in range(3)]


def test_one_dimension(path):
    found = read(path, x=[1.0, 2.0, 3.0], lengths=[2, 1], y=[0, 1])
    assert [example.input.tolist() for example in found] == [[[1], [2]], [[3]]]
    found = read(path, x=np.array([False, True]), lengths=[2], labelled=False)
    assert [example.input.tolist() for example in found] == [[[0], [1]]]


def test_padded_sequences(path):
    x = np.arange(24.0).reshape(2, 3, 4, order="F")
    assert [example.input.tolist() for example in read(path, x=x, y=[1, 2])] == x.tolist()
    x[0, 1:] = np.nan  # padding is not looked at
    found = read(path, x=x, lengths=[1, 3], y=[1, 2])
    assert [example.input.tolist() for example in found] == [x[0, :1].tolist(), x[1].tolist()]
    assert all(example.input.flags.c_contiguous for example in found)


@pytest.mark.parametrize(
    ("y", "labels"),
    [
        (np.array([3, -1, 0], "i8"), ["3", "-1", "0"]),
        ([True, False, True], ["true", "false", "true"]),
        (np.array([0.1, 2, 1e300]), ["0.1", "2.0", "1e+300"]),
        (np.array([0.5, 2, 1e30], "f4"), ["0.5", "2.0", repr(float(np.float32(1e30)))]),
    ],
)
def test_labels_that_are_no_texts(path, y, labels):
    values = np.asarray(y).dtype.kind == "f"  # which a classifier would refuse
    found = read(path, x=X, lengths=LENGTHS, y=y, values=values)
    assert [example.labels for example in found] == [(label,) for label in labels]


def test_numbers_of_labels(path):
    for names, expected in ((["p", "q"], ["q", "p", "q"]), ([10, 20], ["20", "10", "20"])):
        found = read(path, x=X, lengths=LENGTHS, y=np.array([1, 0, 1], "u1"), labels=names)
        assert [example.labels for example in found] == [(label,) for label in expected]


@pytest.mark.parametrize("dtype", ["i8", "b1", "f4"])
def test_several_labels(path, dtype):
    y = np.array([[1, 0], [1, 1], [0, 0]], dtype)
    found = read(path, x=X, lengths=LENGTHS, y=y, labels=["p", "q"], multi_label=True)
    assert [example.labels for example in found] == [("p",), ("p", "q"), ()]


def test_several_real_values(path):
    found = read(path, x=X, lengths=LENGTHS, y=[[0.5, 1], [1, 1], [-2, 1e-9]], values=True)
    assert [example.labels for example in found] == [("0.5", "1.0"), ("1.0", "1.0"), ("-2.0", "1e-09")]


def test_values_where_they_are_wanted(path):
    arrays = {"x": X, "lengths": LENGTHS, "labels": ["p", "q"]}
    found = read(path, values=True, **arrays, y=[[0.5, 1], [1, 1], [-2, 0]])
    assert [example.labels for example in found] == [("0.5", "1.0"), ("1.0", "1.0"), ("-2.0", "0.0")]


@pytest.mark.parametrize(
    ("y", "described"),
    [([[0.5, 1.0]] * 3, "float64 (3, 2)"), ([0.0, 1.5, 1], "float64 (3,)"), ([[1.0]] * 3, "float64 (3, 1)")],
)
@pytest.mark.parametrize("multi_label", [False, True])
def test_values_where_labels_are_wanted(path, y, described, multi_label):
    assert refusal(path, values=False, multi_label=multi_label, x=X, lengths=LENGTHS, y=y) == (
        f"y is {described}: real values; set task: regression, or save integers or texts"
    )


def test_whole_floats_are_labels_where_those_are_wanted(path):
    found = read(path, values=False, x=X, lengths=LENGTHS, y=[0.0, 1.0, -2.0])
    assert [example.labels for example in found] == [("0.0",), ("1.0",), ("-2.0",)]
    found = read(
        path, values=False, multi_label=True, x=X, lengths=LENGTHS, y=[[0.0, 1], [0, 0], [1, 1]], labels=["p", "q"]
    )
    assert [example.labels for example in found] == [("q",), (), ("p", "q")]
    assert refusal(path, values=False, x=X, lengths=LENGTHS, y=[0.0, np.inf, 1]) == (
        "sequence 1: y is not a finite number; write a text or a number"
    )


def test_without_labels(path):
    found = read(path, x=X, lengths=LENGTHS, y=["\x1b"], labelled=False)
    assert [(example.input.tolist(), example.labels) for example in found] == [(part, ()) for part in PARTS]


def test_from_a_pipe_and_reported():
    file = io.BytesIO()
    np.savez(file, x=X, lengths=LENGTHS, y=[1, 2, 3])
    size, reported = file.tell(), []
    file.seek(0)
    source = find_sources(["-"], file)[0]
    found = list(read_vectors(source, report=reported.append))
    assert [example.where for example in found] == [f"standard input: sequence {i}" for i in range(3)]
    assert reported == [size]
