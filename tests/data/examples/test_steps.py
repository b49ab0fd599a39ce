import time

import numpy as np
import pytest

from rnncli.data.examples import Columns
from rnncli.errors import SpecError
from tests.data.examples.written_files import read, read_at, refusal, write

LONG = Columns(vector=("x", "y"), sequence="id")
TIMED = Columns(vector=("x",), sequence="id", time="t")


@pytest.fixture
def far_east(monkeypatch):
    """A clock on the wall that times without a zone do not follow: they are of one zone, UTC."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


def test_rows_that_follow_each_other_are_a_sequence(tmp_path):
    lines = "id,x,label,y\nb,1,no,2\nb,3,no,4\n\na,5,yes,6\n"
    (first, *others), (second, *more) = read(tmp_path, "a.csv", lines, LONG)
    assert first.dtype == np.float32
    assert first.tolist() == [[1, 2], [3, 4]]
    assert second.tolist() == [[5, 6]]
    assert others == [("no",), "a.csv:2"]
    assert more == [("yes",), "a.csv:5"]


def test_each_file_has_sequences_of_its_own(tmp_path):
    for name in ("1.csv", "2.csv"):
        write(tmp_path / "parts", name, "id,x,label,y\nb,1,no,2\n")
    assert [where for *_, where in read_at(tmp_path / "parts", LONG)] == ["parts/1.csv:2", "parts/2.csv:2"]


@pytest.mark.parametrize(
    ("times", "order"),
    [
        (["10", "9", " 1e1", "-3"], [3, 1, 0, 2]),
        (["1700000000000000100", "1700000000000000050", "1.5", "1700000000000000075"], [2, 1, 3, 0]),
        (["2024-03-01", "2024-02-29T23:59:59", "20231231", "2024-03-01"], None),
        (["2024-03-01", "2024-02-29T23:59:59", "2023-12-31", "2024-03-01"], [2, 1, 0, 3]),
        (["2024-01-01T10:00+02:00", "2024-01-01T09:00Z", "2024-01-01 08:30", "2023-W01-1"], [3, 0, 2, 1]),
    ],
)
def test_steps_are_sorted_by_time(tmp_path, times, order, far_east):
    lines = "id,t,x,label\n" + "".join(f"a,{time},{i},no\n" for i, time in enumerate(times)) + "b,1,7,no\n"
    if order is None:
        assert refusal(tmp_path, "a.csv", lines, TIMED) == (
            "a.csv:4: a date among numbers, or a number among dates; write all times alike"
        )
        return
    (first, _, where), (second, *_) = read(tmp_path, "a.csv", lines, TIMED)
    assert first[:, 0].tolist() == order
    assert second.tolist() == [[7]]
    assert where == "a.csv:2"


@pytest.mark.parametrize("time", ["", "nan", "1_0", "31.5.2024", "noon"])
def test_times_that_are_none(tmp_path, time):
    assert refusal(tmp_path, "a.csv", f"id,t,x,label\na,1,1,no\na,{time},1,no\n", TIMED) == (
        f'a.csv:3: time "{time}" is neither a number nor an ISO 8601 date; write it as 12.5 or 2024-05-31T12:00'
    )


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            "a,1,no,2\nb,1,no,2\nb,1,no,2\na,1,no,2\n",
            'a.csv:5: sequence "a" goes on after others; it began at a.csv:2; sort the rows by sequence',
        ),
        (
            "a,1,no,2\na,1,no,2\na,1,yes,2\n",
            'a.csv:4: sequence "a" has the label yes here and no at a.csv:2; give all rows of a sequence the same',
        ),
        ("a,1,no,2\na,1,,2\n", "a.csv:3: the label is empty; write one, or leave the example out"),
    ],
)
def test_refusals(tmp_path, lines, message):
    assert refusal(tmp_path, "a.csv", f"id,x,label,y\n{lines}", LONG) == message


def test_several_labels_of_a_sequence(tmp_path):
    lines = "id,x,label,y\na,1,p|q,2\na,1,p|q,2\nb,1,,2\nb,1,p,2\n"
    assert read(tmp_path, "a.csv", "".join(lines.splitlines(keepends=True)[:4]), LONG, multi_label=True)[0][1] == (
        "p",
        "q",
    )
    assert refusal(tmp_path, "a.csv", lines, LONG, multi_label=True) == (
        'a.csv:5: sequence "b" has the label p here and none at a.csv:4; give all rows of a sequence the same'
    )


def test_steps_without_labels(tmp_path):
    found = read(tmp_path, "a.csv", "id,x,y\na,1,2\na,3,4\n", LONG, labelled=False)
    assert [(vectors.tolist(), labels) for vectors, labels, _ in found] == [([[1, 2], [3, 4]], ())]


@pytest.mark.parametrize(
    ("columns", "name", "message"),
    [
        (Columns(sequence="id"), "a.csv", "only rows of vectors are joined to sequences; name the columns of"),
        (Columns(vector=("x",), time="t"), "a.csv", "a column of times, but none of sequences to sort; name it in"),
        (Columns(vector=("x",)), "a.npz", "npz has no columns: the arrays x and lengths say what a sequence is"),
        (Columns(sequence="x"), "a.npz", "npz has no columns"),
        (Columns(vector=("x",)), "a.txt", "fasttext has no columns for vectors; use csv, tsv or jsonl"),
    ],
)
def test_columns_that_do_not_go_together(tmp_path, columns, name, message):
    assert refusal(tmp_path, name, "__label__a b\n", columns, error=SpecError).startswith(message)
