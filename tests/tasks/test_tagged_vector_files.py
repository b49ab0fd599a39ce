import io
import zipfile

import numpy as np
import pytest

from rnncli.data.files import find_sources
from rnncli.errors import DataError
from rnncli.tasks.tagged_vector_files import arrays_with, read_every_array, read_tagged_vectors

X = np.arange(12.0).reshape(6, 2)
LENGTHS = [1, 2, 3]
PADDED = np.arange(24.0).reshape(2, 3, 4)
PARTS = [[[0, 1]], [[2, 3], [4, 5]], [[6, 7], [8, 9], [10, 11]]]
TEXTS = ["a", "b", " c ", "d", "e", "f"]

FILE = "a.npz"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.npz"


def read(path, *, labelled=True, multi_label=False, **arrays):
    np.savez(path, **arrays)
    source = find_sources([str(path)])[0]
    return list(read_tagged_vectors(source, labelled=labelled, multi_label=multi_label))


def words(found):
    """The labels of each sequence, each step's as a word."""
    return [["|".join(names) for names in example.labels] for example in found]


def test_labels_of_the_steps_of_sequences_one_after_the_other(path):
    found = read(path, x=X, lengths=LENGTHS, y=TEXTS, id=[[1]])
    assert [example.steps.tolist() for example in found] == PARTS
    assert words(found) == [["a"], ["b", "c"], ["d", "e", "f"]]
    assert [example.where for example in found] == [f"{path}: sequence {i}" for i in range(3)]
    assert found[2].place(1) == f"{path}: sequence 2, step 1"
    assert all(example.lines == () and example.layout is None for example in found)
    assert all(example.steps.dtype == np.float32 for example in found)


def test_labels_of_padded_sequences(path):
    x = PADDED.copy()
    x[0, 1:] = np.nan  # padding is not looked at
    y = [["a", "", "\x1b"], ["b", "c", "d"]]
    found = read(path, x=x, lengths=[1, 3], y=y)
    assert [example.steps.tolist() for example in found] == [x[0, :1].tolist(), x[1].tolist()]
    assert words(found) == [["a"], ["b", "c", "d"]]
    assert words(read(path, x=PADDED, y=np.arange(6).reshape(2, 3))) == [["0", "1", "2"], ["3", "4", "5"]]


@pytest.mark.parametrize(
    ("y", "labels", "expected"),
    [
        (np.array([3, -1, 0, 3, 3, 3], "i2"), None, ["3", "-1", "0", "3", "3", "3"]),
        ([True, False] * 3, None, ["true", "false"] * 3),
        ([0.0, 1, -2, 0, 0, 0], None, ["0.0", "1.0", "-2.0", "0.0", "0.0", "0.0"]),
        (np.array([1, 0, 2, 0, 0, 1], "u1"), ["p", "q", " r"], ["q", "p", "r", "p", "p", "q"]),
        (np.array([1, 0, 1, 0, 0, 1]), [10, 20], ["20", "10", "20", "10", "10", "20"]),
    ],
)
def test_labels_that_are_no_texts(path, y, labels, expected):
    arrays = {} if labels is None else {"labels": labels}
    found = read(path, x=X, lengths=LENGTHS, y=y, **arrays)
    assert words(found) == [expected[:1], expected[1:3], expected[3:]]


@pytest.mark.parametrize("dtype", ["i8", "b1", "f4"])
def test_several_labels(path, dtype):
    y = np.array([[1, 0], [1, 1], [0, 0], [0, 1], [1, 0], [1, 1]], dtype)
    found = read(path, x=X, lengths=LENGTHS, y=y, labels=["p", "q"], multi_label=True)
    assert [example.labels for example in found] == [(("p",),), (("p", "q"), ()), (("q",), ("p",), ("p", "q"))]
    y = np.array([[[1], [7], [7]], [[0], [1], [0]]])  # 7: padding
    found = read(path, x=PADDED, lengths=[1, 3], y=y, labels=["p"], multi_label=True)
    assert [example.labels for example in found] == [(("p",),), ((), ("p",), ())]


def test_without_labels(path):
    found = read(path, x=X, lengths=LENGTHS, y=["\x1b"], labels=[[1]], labelled=False)
    assert [(example.steps.tolist(), example.labels) for example in found] == [(part, ()) for part in PARTS]


def test_from_a_pipe_and_reported():
    file = io.BytesIO()
    np.savez(file, x=X, lengths=LENGTHS, y=TEXTS)
    size, reported = file.tell(), []
    file.seek(0)
    source = find_sources(["-"], file)[0]
    assert [example.where for example in read_tagged_vectors(source, report=reported.append)] == [
        f"standard input: sequence {i}" for i in range(3)
    ]
    assert reported == [size]
    assert read_every_array(source)["x"].tolist() == X.tolist()


SHAPE, EACH = "y is {} for the steps of x, float64 (6, 2)", "give each step a label, or a row of them"
REAL, SAVE = "real values", "save integers or texts, or 0 and 1 and the labels"
COLUMNS = "save a column of 0 and 1 for each label"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"y": None}, "it holds no array y; save it with numpy.savez(file, x=vectors, lengths=lengths, y=labels)"),
        ({"y": TEXTS[:3]}, f"{SHAPE.format('texts (3,)')}; {EACH}"),
        ({"y": [["a"] * 3] * 2}, f"{SHAPE.format('texts (2, 3)')}; {EACH}"),
        ({"y": np.zeros((6, 0))}, f"{SHAPE.format('float64 (6, 0)')}; {EACH}"),
        ({"y": np.zeros((6, 1, 1))}, f"{SHAPE.format('float64 (6, 1, 1)')}; {EACH}"),
        ({"y": np.ones((6, 2))}, f"y is float64 (6, 2): {REAL}; {SAVE}"),
        ({"y": [0, 1, 2, 3, 4, 0.5]}, f"y is float64 (6,): {REAL}; {SAVE}"),
        ({"y": [0, 1, 2, np.nan, 4, 5]}, f"y is float64 (6,): {REAL}; {SAVE}"),
        ({"y": [0, 1, np.inf, 3, 4, 5]}, "sequence 1, step 1: y is not a finite number; write a text or a number"),
        (
            {"y": ["a", "b", "", "d", "e", "f"]},
            "sequence 1, step 1: the label is empty; write one, or leave the example out",
        ),
        (
            {"y": np.ones((6, 2), int)},
            ("sequence 0: y is int64 (1, 2), and no labels name its columns; "
            "save their names as labels (K,); real values are floats"),
        ),
        (
            {"y": [0, 1, 0, 1, 2, 0], "labels": ["a", "b"]},
            ("sequence 2: y is int64 (3,), or holds more than the numbers from 0 to 1; "
            "save the number of a label for each step, or no labels"),
        ),
        (
            {"y": [[0, 1]] * 5 + [[0, 2]], "labels": ["a", "b"]},
            f"sequence 2: y is int64 (3, 2) for 2 labels, or holds more than 0 and 1; {COLUMNS}",
        ),
        (
            {"y": [[0, 1]] * 6, "labels": ["a"]},
            f"sequence 0: y is int64 (1, 2) for 1 labels, or holds more than 0 and 1; {COLUMNS}",
        ),
        (
            {"y": [[0, 1]] * 2 + [[1, 1]] * 4, "labels": ["a", "b"]},
            ("sequence 1, step 1: 2 labels where one is expected: a, b; "
            "for examples with several labels, or none, set data.multi_label"),
        ),
        ({"y": [0] * 6, "labels": ["a", "a"]}, 'labels holds "a" twice; give each column its own name'),
        (
            {"lengths": [1, 2, 2]},
            "the lengths add up to 5 steps, but x has 6; save the number of steps of each sequence",
        ),
        (
            {"x": np.where(X == 7, np.nan, X)},
            "sequence 2: step 0, dimension 1 is nan, not finite as float32; mend it, or leave the sequence out",
        ),
    ],
)  # fmt: skip
def test_refusals(path, changed, message):
    arrays = {"x": X, "lengths": LENGTHS, "y": TEXTS} | changed
    with pytest.raises(DataError) as caught:
        read(path, **{name: array for name, array in arrays.items() if array is not None})
    assert str(caught.value).removeprefix(f"{path}: ") == message


def test_every_array_is_kept(path):
    arrays = {
        "id": np.array([["é", "b"]]),
        "y": np.array([1]),
        "x": X,
        "note.1": np.array(3.5),
        "f": np.asfortranarray(X),
    }
    for save in (np.savez, np.savez_compressed):
        save(path, **arrays)
        found = read_every_array(find_sources([str(path)])[0])
        assert list(found) == list(arrays)
        assert all(
            np.array_equal(found[name], array) and found[name].dtype == array.dtype for name, array in arrays.items()
        )


def test_arrays_of_objects_are_refused(path):
    np.savez(path, x=X, lengths=LENGTHS, id=np.array([{}], object))
    with pytest.raises(DataError, match="holds id as pickled Python objects"):
        read_every_array(find_sources([str(path)])[0])
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../x.npy", b"")
    with pytest.raises(DataError, match="holds a member that is not a named array"):
        read_every_array(find_sources([str(path)])[0])


def labels_of(text):
    """Labels of sequences: "a b,c" → [[("a",), ("b",)], [("c",)]]."""
    return [[(name,) for name in part.split()] for part in text.split(",")]


@pytest.mark.parametrize(
    ("before", "new", "y", "labels"),
    [
        ({}, "a,b c,d e f", ["a", "b", "c", "d", "e", "f"], None),
        ({"y": ["old"] * 6}, "a,bcd c,d e f", ["a", "bcd", "c", "d", "e", "f"], None),
        ({"y": [7] * 6}, "1,-2 0,10 5 6", [1, -2, 0, 10, 5, 6], None),
        ({"y": [7] * 6}, "1,-2 00,10 5 6", ["1", "-2", "00", "10", "5", "6"], None),
        ({"y": ["7"] * 6}, "1,2 3,4 5 6", ["1", "2", "3", "4", "5", "6"], None),
        ({"y": [True] * 6}, "true,false true,true true false", [True, False, True, True, True, False], None),
        ({"y": [True] * 6}, "true,false true,true true x", ["true", "false", "true", "true", "true", "x"], None),
        ({"y": [0] * 6, "labels": ["p", "q"]}, "q,p q,q q q", [1, 0, 1, 1, 1, 1], ["p", "q"]),
        ({"y": [0] * 6, "labels": [10, 20]}, "20,10 20,20 20 20", [1, 0, 1, 1, 1, 1], [10, 20]),
        ({"y": [0] * 6, "labels": [10, 20]}, "20,10 z,20 y 20", [1, 0, 2, 1, 3, 1], ["10", "20", "z", "y"]),
        ({"labels": ["p", "q "]}, "q,p q,q q q", [1, 0, 1, 1, 1, 1], ["p", "q "]),
    ],
)
def test_predictions_take_the_form_that_labels_had(path, before, new, y, labels):
    arrays = {"id": np.array([1.5]), "x": X, "lengths": np.array(LENGTHS)} | {k: np.array(v) for k, v in before.items()}
    found = arrays_with(arrays, labels_of(new), ["any"], FILE, multi_label=False)
    assert list(found) == [*dict.fromkeys([*arrays, "y"])]
    assert found["y"].tolist() == y
    assert found.get("labels", np.array(None)).tolist() == labels
    assert all(found[name] is arrays[name] for name in ("id", "x", "lengths"))
    assert words(read(path, **found)) == [[*map("".join, part)] for part in labels_of(new)]


def test_predictions_of_padded_sequences(path):
    found = arrays_with({"x": PADDED, "lengths": np.array([1, 3])}, labels_of("aa,b c d"), [], FILE, multi_label=False)
    assert found["y"].tolist() == [["aa", "", ""], ["b", "c", "d"]]
    assert words(read(path, **found)) == [["aa"], ["b", "c", "d"]]
    found = arrays_with({"x": PADDED, "y": np.full((2, 3), 9)}, labels_of("1 2 3,4 5 6"), [], FILE, multi_label=False)
    assert found["y"].tolist() == [[1, 2, 3], [4, 5, 6]]


def test_several_predictions(path):
    predictions = [[("q",)], [(), ("p", "q")], [("r",), (), ("p",)]]
    for before, columns in (({}, ["q", "r", "p"]), ({"labels": np.array(["p", "z"])}, ["p", "z", "q", "r"])):
        arrays = {"x": X, "lengths": np.array(LENGTHS)} | before
        found = arrays_with(arrays, predictions, ["q", "r", "p"], FILE, multi_label=True)
        assert found["labels"].tolist() == columns
        assert found["y"].dtype == np.uint8
        again = read(path, multi_label=True, **found)
        assert [[set(names) for names in example.labels] for example in again] == [
            [set(names) for names in part] for part in predictions
        ]
    padded = arrays_with(
        {"x": PADDED, "lengths": np.array([1, 2])}, predictions[:2], ["p", "q"], FILE, multi_label=True
    )
    assert padded["y"].tolist() == [[[0, 1], [0, 0], [0, 0]], [[0, 0], [1, 1], [0, 0]]]
