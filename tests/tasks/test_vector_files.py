import io

import numpy as np
import pytest

from rnncli.data.files import find_sources
from rnncli.errors import DataError
from rnncli.tasks.vector_files import read_vectors

X = np.arange(12.0).reshape(6, 2)
PARTS = [[[0, 1]], [[2, 3], [4, 5]], [[6, 7], [8, 9], [10, 11]]]
LENGTHS = [1, 2, 3]
SAVE = "save it with numpy.savez(file, x=vectors, lengths=lengths, y=labels)"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.npz"


def read(path, *, save=np.savez, labelled=True, multi_label=False, values=None, **arrays):
    save(path, **arrays)
    found = list(read_vectors(find_sources([str(path)])[0], labelled=labelled, multi_label=multi_label, values=values))
    assert all(example.input.dtype == np.float32 for example in found)
    return found


def refusal(path, **options):
    with pytest.raises(DataError) as caught:
        read(path, **options)
    line = str(caught.value)
    assert line.isprintable()
    assert caught.value.hint
    return line.removeprefix(f"{path}: ")


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
    assert [example.labels for example in read(path, x=X, lengths=LENGTHS, y=y)] == [(label,) for label in labels]


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
    found = read(path, x=X, lengths=LENGTHS, y=[[0.5, 1], [1, 1], [-2, 1e-9]])
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


def with_step(value):
    x = X.copy()
    x[3, 1] = value
    return x


@pytest.mark.parametrize(
    ("changed", "message", "hint"),
    [
        ({"x": None, "arr_0": X}, "it holds no array x", SAVE),
        ({"y": None}, "it holds no array y", SAVE),
        (
            {"lengths": None},
            "x is float64 (6, 2), and no lengths say which steps make up a sequence",
            "save lengths too, or x as (S, T, D)",
        ),
        ({"x": ["a"]}, "x is texts (1,)", "save numbers as (N, D) or (S, T, D)"),
        ({"x": np.zeros((1, 1, 1, 1))}, "x is float64 (1, 1, 1, 1)", "save numbers as (N, D) or (S, T, D)"),
        ({"x": 1.0}, "x is float64 ()", "save numbers as (N, D) or (S, T, D)"),
        ({"x": np.zeros((3, 0))}, "x is float64 (3, 0)", "save numbers as (N, D) or (S, T, D)"),
        ({"x": np.zeros((0, 3, 2)), "lengths": None}, "it holds no examples", "give a file that does"),
        ({"x": np.zeros((0, 2)), "lengths": np.zeros(0, int)}, "it holds no examples", "give a file that does"),
        (
            {"lengths": [1.0, 2, 3]},
            "lengths is float64 (3,)",
            "save the number of steps of each sequence as integers (S,)",
        ),
        (
            {"lengths": [[1, 2, 3]]},
            "lengths is int64 (1, 3)",
            "save the number of steps of each sequence as integers (S,)",
        ),
        ({"lengths": [3, 0, 3]}, "sequence 1: its length is 0, not from 1 to 6", "leave an empty one out"),
        ({"lengths": [1, 2, -3]}, "sequence 2: its length is -3, not from 1 to 6", "leave an empty one out"),
        (
            {"lengths": np.array([2**64 - 1, 1, 6], "u8")},
            "sequence 0: its length is 18446744073709551615, not from 1 to 6",
            "leave an empty one out",
        ),
        (
            {"lengths": [1, 2, 2]},
            "the lengths add up to 5 steps, but x has 6",
            "save the number of steps of each sequence",
        ),
        (
            {"lengths": [6, 6, 6]},
            "the lengths add up to 18 steps, but x has 6",
            "save the number of steps of each sequence",
        ),
        ({"x": X.reshape(3, 2, 2), "lengths": [1, 2]}, "2 lengths for 3 sequences in x", "save one each"),
        (
            {"x": X.reshape(3, 2, 2), "lengths": [1, 2, 3]},
            "sequence 2: its length is 3, not from 1 to 2",
            "leave an empty one out",
        ),
        (
            {"x": with_step(np.nan)},
            "sequence 2: step 0, dimension 1 is nan, not finite as float32",
            "mend it, or leave the sequence out",
        ),
        (
            {"x": with_step(-np.inf)},
            "sequence 2: step 0, dimension 1 is -inf, not finite as float32",
            "mend it, or leave the sequence out",
        ),
        (
            {"x": with_step(1e39)},
            "sequence 2: step 0, dimension 1 is 1e+39, not finite as float32",
            "mend it, or leave the sequence out",
        ),
        ({"y": [1, 2]}, "y is int64 (2,) for 3 sequences", "give each of them a label, or a row of them"),
        ({"y": np.zeros((3, 0))}, "y is float64 (3, 0) for 3 sequences", "give each of them a label, or a row of them"),
        ({"y": "a"}, "y is texts () for 3 sequences", "give each of them a label, or a row of them"),
        ({"y": ["a", "", "b"]}, "sequence 1: the label is empty", "write one, or leave the example out"),
        (
            {"y": ["a", "b", "\x1b[0m"]},
            'sequence 2: the label "\\x1b[0m" holds a character that cannot be printed',
            "rename it",
        ),
        ({"y": [0.5, np.nan, 1]}, "sequence 1: y is not a finite number", "write a text or a number"),
        (
            {"y": [[0, 1]] * 3},
            "y is int64 (3, 2), and no labels name its columns",
            "save their names as labels (K,); real values are floats",
        ),
        (
            {"y": [["a", "b"]] * 3},
            "y is texts (3, 2), and no labels name its columns",
            "save their names as labels (K,); real values are floats",
        ),
        (
            {"y": [0, 1, 2], "labels": ["a", "b"]},
            "y is int64 (3,), or holds more than the numbers from 0 to 1",
            "save the number of a label for each sequence, or no labels",
        ),
        (
            {"y": [0, 1, -1], "labels": ["a", "b"]},
            "y is int64 (3,), or holds more than the numbers from 0 to 1",
            "save the number of a label for each sequence, or no labels",
        ),
        (
            {"y": [0.0, 1, 1], "labels": ["a", "b"]},
            "y is float64 (3,), or holds more than the numbers from 0 to 1",
            "save the number of a label for each sequence, or no labels",
        ),
        (
            {"y": [0, 0, 1], "labels": ["a", "b", "a"]},
            'labels holds "a" twice',
            "give each column its own name",
        ),
        ({"y": [0, 0, 1], "labels": [["a", "b"]]}, "labels is texts (1, 2)", "save K names as (K,)"),
        (
            {"y": [0, 0, 1], "labels": [0.5, np.inf]},
            "a name in labels is not a finite number",
            "write a text or a number",
        ),
        (
            {"y": [[0, 1]] * 3, "labels": ["a"]},
            "y is int64 (3, 2) for 1 labels, or holds more than 0 and 1",
            "save a column of 0 and 1 for each label",
        ),
        (
            {"y": [[0, 2]] * 3, "labels": ["a", "b"]},
            "y is int64 (3, 2) for 2 labels, or holds more than 0 and 1",
            "save a column of 0 and 1 for each label",
        ),
        (
            {"y": [["0", "1"]] * 3, "labels": ["a", "b"]},
            "y is texts (3, 2) for 2 labels, or holds more than 0 and 1",
            "save a column of 0 and 1 for each label",
        ),
        (
            {"y": [[1, 0], [1, 1], [0, 1]], "labels": ["a", "b"]},
            "sequence 1: 2 labels where one is expected: a, b",
            "for examples with several labels, or none, set data.multi_label",
        ),
        (
            {"y": [[1, 0], [0, 0], [0, 1]], "labels": ["a", "b"]},
            "sequence 1: no label",
            "for examples with several labels, or none, set data.multi_label",
        ),
        (
            {"y": np.array(["a", "b", "c"], object)},
            "holds y as pickled Python objects",
            "save texts with astype(str), ragged sequences joined and with their lengths",
        ),
    ],
)
def test_refusals(path, changed, message, hint):
    arrays = {"x": X, "lengths": LENGTHS, "y": [1, 2, 3]} | changed
    arrays = {name: array for name, array in arrays.items() if array is not None}
    assert refusal(path, **arrays) == f"{message}; {hint}"
