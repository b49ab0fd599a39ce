import numpy as np
import pytest

from tests.tasks.written_vectors import LENGTHS, X, refusal

SAVE = "save it with numpy.savez(file, x=vectors, lengths=lengths, y=labels)"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.npz"


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
        ({"y": [0.5, np.nan, 1], "values": True}, "sequence 1: y is not a finite number", "write a text or a number"),
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
