import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.pairs.written_pairs import read, refusal

LEAVE_OUT = "write one, or leave the pair out"
SEPARATE = "separate columns with a comma (csv) or a tab (tsv), not ';'"
BOTH = "or set data.source and data.target"
SET = "separate source and target by a tab; or set data.source, data.target"


def test_lines_of_tatoeba_work_as_they_are(tmp_path):
    lines = 'Go.\tVe.\tCC-BY 2.0\n\n"Go," he said.\t«Ve», dijo.\tCC-BY "2.0\r\n'
    assert read(tmp_path, {"spa.txt": lines}) == [
        ("Go.", "Ve.", "spa.txt:1"),
        ('"Go," he said.', "«Ve», dijo.", "spa.txt:3"),
    ]


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({}, ("a", "b")),
        ({"source": 3, "target": 1}, ("c", "a")),
        ({"source": -1}, ("c", "b")),
        ({"target": -2}, ("a", "b")),
        ({"source": 2, "target": 2}, ("b", "b")),
    ],
)
def test_columns_by_their_numbers(tmp_path, columns, found):
    assert read(tmp_path, {"x.tsv": "a\tb\tc\n"}, **columns) == [(*found, "x.tsv:1")]


@pytest.mark.parametrize(
    ("header", "columns", "found"),
    [
        ("target\tid\tsource", {}, ("c", "a")),
        ("en\tid\tes", {"source": "en", "target": "es"}, ("a", "c")),
        ("en\tsource\ttarget", {"source": 1, "target": -1}, ("a", "c")),
        ("source\ten\ttarget", {"source": "en"}, ("b", "c")),
    ],
)
def test_columns_by_their_names(tmp_path, header, columns, found):
    assert read(tmp_path, {"x.tsv": f"{header}\na\tb\tc\n"}, **columns) == [(*found, "x.tsv:2")]


def test_a_row_of_csv_may_hold_commas_quotes_and_lines(tmp_path):
    text = 'id,source,target\n1,"a, ""b""","c\nd"\n\n2,e,f\n'
    assert read(tmp_path, {"x.csv": text}) == [('a, "b"', "c\nd", "x.csv:2"), ("e", "f", "x.csv:5")]
    assert read(tmp_path, {"x.csv": text}, source="target", target=1)[1] == ("f", "2", "x.csv:5")


@pytest.mark.parametrize(("name", "mark"), [("x.csv", ","), ("x.tsv", "\t")])
def test_columns_of_numbers_are_a_vector(tmp_path, name, mark):
    lines = "p1,target,p2,label\n1,a b,-2.5,x\n3e2, c,4,y\n".replace(",", mark)
    (one, *first), (two, *second) = read(tmp_path, {name: lines}, vector=("label*", "p*")[1:])
    assert one.tolist() == [[1, -2.5]]
    assert two.tolist() == [[300, 4]]
    assert one.dtype == np.float32
    assert (first, second) == (["a b", f"{name}:2"], [" c", f"{name}:3"])
    every = f"p1{mark}target{mark}p2\n1{mark}5{mark}2\n"
    assert read(tmp_path, {name: every}, vector=("*",))[0][0].tolist() == [[1, 2]]
    assert read(tmp_path, {name: lines}, vector=("p2",), target="label")[0][0].tolist() == [[-2.5]]


@pytest.mark.parametrize(
    ("lines", "columns", "message"),
    [
        (
            "a\tb\nc\n",
            {},
            "x.tsv:2: 1 cells between tabs, where x.tsv:1 has 2; one tab between two cells, and none within",
        ),
        (
            "\na\tb\nc\td\te\n",
            {},
            "x.tsv:3: 3 cells between tabs, where x.tsv:2 has 2; one tab between two cells, and none within",
        ),
        ("a\nb\n", {}, f"x.tsv:1: no column 2: there is 1; {SET}"),
        ("a\tb\n", {"source": 3}, f"x.tsv:1: no column 3: there are 2; {SET}"),
        ("a\tb\n", {"target": -3}, f"x.tsv:1: no column -3: there are 2; {SET}"),
        ("a\tb\n", {"target": 0}, f"x.tsv:1: no column 0: there are 2; {SET}"),
        ("a\tb\n", {"source": 2}, "x.tsv:1: column 2 would be the source and the target; set data.target too"),
        ("a\tb\n", {"target": 1}, "x.tsv:1: column 1 would be the source and the target; set data.source too"),
        ("a\tb\n", {"source": "en"}, f'x.tsv:1: no column "target"; the columns are a, b; {BOTH}'),
        ("a\tb\n", {"source": "en", "target": 2}, 'x.tsv:1: no column "en"; the columns are a, b; or set data.source'),
        (
            "en\tes\n",
            {"source": "en", "target": "fr"},
            'x.tsv:1: no column "fr"; the columns are en, es; or set data.target',
        ),
        ("a\tb\n \tc\n", {}, f"x.tsv:2: an empty source; {LEAVE_OUT}"),
        ("a\tb\nc\t\n", {}, f"x.tsv:2: an empty target; {LEAVE_OUT}"),
        ("source\ttarget\n", {}, "x.tsv: it holds no pairs; give a file that does"),
        ("\n\n", {}, "x.tsv: it holds no pairs; give a file that does"),
        ("", {}, "x.tsv: the file is empty"),
        (
            "p\ttarget\nx\tb\n",
            {"vector": ("p",)},
            'x.tsv:2: column "p": "x" is not a finite number; write one, or leave the row out',
        ),
        (
            "p\ttarget\n1e39\tb\n",
            {"vector": ("p",)},
            "x.tsv:2: a number is beyond 3.4e38, the largest float32; use another unit",
        ),
        ("p\ttarget\n1\t \n", {"vector": ("p",)}, f"x.tsv:2: an empty target; {LEAVE_OUT}"),
        ("p\ttarget\n1\tb\n", {"vector": ("q",)}, 'x.tsv:1: no column "q"; the columns are p, target'),
    ],
)
def test_what_is_refused_in_tsv(tmp_path, lines, columns, message):
    assert refusal(tmp_path, {"x.tsv": lines}, **columns) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("source,other\na,b\n", 'x.csv:1: no column "target"; the columns are source, other; or set data.target'),
        ("other,target\na,b\n", 'x.csv:1: no column "source"; the columns are other, target; or set data.source'),
        ("en,es\na,b\n", f'x.csv:1: no column "target"; the columns are en, es; {BOTH}'),
        ("source\na\n", 'x.csv:1: no column "target"; the columns are source'),
        (
            "source;target\na;b\n",
            f'x.csv:1: no column "target", but only "source;target"; {SEPARATE}',
        ),
        ("source,target\na,b,c\n", "x.csv:2: 3 cells where the header has 2; quote cells that hold the separator"),
        ('source,target\n"a,b\n', 'x.csv:2: a quote that opens in this row is never closed; close it with "'),
        ("source,target\n,b\n", f"x.csv:2: an empty source; {LEAVE_OUT}"),
        ('source,target\na,"\n"\n', f"x.csv:2: an empty target; {LEAVE_OUT}"),
        ("source,source\na,b\n", 'x.csv:1: two columns are called "source"; rename one of them'),
        ("\n", "x.csv: no header, only blank lines; begin with the names of the columns"),
    ],
)
def test_what_is_refused_in_csv(tmp_path, text, message):
    assert refusal(tmp_path, {"x.csv": text}) == message


def test_columns_that_cannot_be_set_are_not_asked_for(tmp_path):
    message = 'x.csv:1: no column "source"; the columns are en, es'
    assert refusal(tmp_path, {"x.csv": "en,es\na,b\n"}, targets=False, can_name_columns=False) == message
    assert refusal(tmp_path, {"x.csv": "en,es\na,b\n"}, targets=False) == f"{message}; or set data.source"
    message = "x.tsv:1: no column 2: there is 1; separate source and target by a tab"
    assert refusal(tmp_path, {"x.tsv": "a\n"}, can_name_columns=False) == message


def test_sources_alone(tmp_path):
    assert read(tmp_path, {"x.csv": "source\na\n"}, targets=False) == [("a", None, "x.csv:2")]
    assert read(tmp_path, {"x.tsv": "a\n"}, targets=False) == [("a", None, "x.tsv:1")]
    assert read(tmp_path, {"x.tsv": "source\tid\na\tb\n"}, targets=False) == [("a", None, "x.tsv:2")]
    assert read(tmp_path, {"x.tsv": "a\t\n"}, targets=False) == [("a", None, "x.tsv:1")]
    assert read(tmp_path, {"x.csv": "p,q\n1,2\n"}, targets=False, vector=("*",))[0][0].tolist() == [[1, 2]]


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\ufeff")).filter(str.strip)
PLAIN = CELLS.filter(lambda text: not set(text) & {"\t", "\n"} and text not in ("source", "target"))


@given(st.lists(st.tuples(PLAIN, PLAIN), min_size=1), st.booleans(), st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]))
@settings(deadline=None, max_examples=40)
def test_tsv_reads_what_was_written(tmp_path_factory, pairs, named, encoding):
    folder = tmp_path_factory.mktemp("pairs")
    lines = "source\ttarget\n" * named + "".join(f"{source}\t{target}\n" for source, target in pairs)
    found = read(folder, {"x.tsv": lines.encode(encoding)}, encoding=encoding)
    assert [pair[:2] for pair in found] == pairs
    assert [int(where.rpartition(":")[2]) for *_, where in found] == [*range(1 + named, 1 + named + len(pairs))]


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1))
@settings(deadline=None, max_examples=40)
def test_csv_reads_what_was_written(tmp_path_factory, pairs):
    folder, file = tmp_path_factory.mktemp("pairs"), io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows([("source", "target"), *pairs])
    assert [pair[:2] for pair in read(folder, {"x.csv": file.getvalue()})] == pairs
