import csv
import io
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.data.examples import Columns
from tests.data.examples.written_files import read, refusal

REVIEWS = Columns(text="review", label="stars")


def table(rows, delimiter=","):
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(rows)
    return file.getvalue()


def test_cells_are_taken_as_they_are(tmp_path):
    lines = (
        "\ufeffid, label ,text\r\n"
        '1,pos,"Neat ""plot"".\r\n\r\nGreat, acting."\r\n'
        "\r\n"
        '2, neg , a|b\u2028c "d" \r\n'
        '"3","neg","x"'
    )
    assert read(tmp_path, "a.csv", lines) == [
        ('Neat "plot".\n\nGreat, acting.', ("pos",), "a.csv:2"),
        (' a|b\u2028c "d" ', ("neg",), "a.csv:6"),
        ("x", ("neg",), "a.csv:7"),
    ]


def test_tabs(tmp_path):
    lines = 'label\ttext\n1\ta, b\n2\t"c\td"\n'
    assert read(tmp_path, "a.TSV", lines) == [("a, b", ("1",), "a.TSV:2"), ("c\td", ("2",), "a.TSV:3")]


def test_several_labels_only_where_asked_for(tmp_path):
    lines = "text,label\na,x | y\nb,\nc,z\n"
    assert [labels for _, labels, _ in read(tmp_path, "a.csv", lines, multi_label=True)] == [("x", "y"), (), ("z",)]
    assert read(tmp_path, "b.csv", "text,label\na,x | y\n")[0][1] == ("x | y",)
    assert refusal(tmp_path, "a.csv", "text,label\na,x||y\n", multi_label=True) == (
        "a.csv:2: the label is empty; write one, or leave the example out"
    )


def test_without_labels(tmp_path):
    assert read(tmp_path, "a.csv", 'text\na\n" "\n', labelled=False) == [("a", (), "a.csv:2"), (" ", (), "a.csv:3")]
    assert read(tmp_path, "a.csv", "label,text\n\x1b,a\n", labelled=False) == [("a", (), "a.csv:2")]


def test_other_encodings(tmp_path):
    raw = "text,label\nété,ß\n"
    assert read(tmp_path, "a.csv", raw.encode("utf-16"), encoding="utf-16")[0][:2] == ("été", ("ß",))
    assert read(tmp_path, "a.csv", raw.encode("latin-1"), encoding="latin-1")[0][:2] == ("été", ("ß",))
    assert refusal(tmp_path, "a.csv", raw.encode("latin-1")) == (
        "a.csv: byte 0xe9 at offset 11 is not utf-8; try --encoding latin-1"
    )


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("\n\n", "a.csv: no header, only blank lines; begin with the names of the columns"),
        ("text,label\n\n", "a.csv: it holds no examples; give a file that does"),
        (
            ",text,label\n0,a,b\n",
            "a.csv:1: column 1 of the header has no name; name it, or leave it out (pandas: index=False)",
        ),
        ("\ntext,x,text\n", 'a.csv:2: two columns are called "text"; rename one of them'),
        (
            "texts,label\na,b\n",
            'a.csv:1: no column "text"; did you mean "texts"? the columns are texts, label',
        ),
        ("text,x\x1b\na,b\n", 'a.csv:1: no column "label"; the columns are text, x\\x1b'),
        (
            "text;label\na;b\n",
            (
                'a.csv:1: no column "text", but only "text;label"; separate columns with a comma (csv) or a tab (tsv), '
                "not ';'"
            ),
        ),
        ("text,label\na\n", "a.csv:2: 1 cells where the header has 2; quote cells that hold the separator"),
        (
            'text,label\n"a\nb",c\n\nx,y,z\n',
            "a.csv:5: 3 cells where the header has 2; quote cells that hold the separator",
        ),
        (
            'text,label\na,b\n"c\nd,e\nf,g\n',
            'a.csv:3: a quote that opens in this row is never closed; close it with "',
        ),
        (
            'text,label\na,b\n"c\nd,e\n"f",g\n',
            (
                "a.csv:3: a closing quote in line 5 is not followed by a separator; "
                'write "" for a quote inside a quoted cell'
            ),
        ),
        ("text,label\na,\n", "a.csv:2: the label is empty; write one, or leave the example out"),
        ("text,label\n a,b\n  ,b\n", "a.csv:3: the text is empty; write one, or leave the example out"),
        (
            'text,label\n"a\nb","c\nd"\n',
            'a.csv:2: the label "c\\nd" holds a character that cannot be printed; rename it',
        ),
        (
            f"text,label\na,b\n{'x' * 131073},c\n",
            "a.csv:3: a cell has more than 131,072 characters; close its quote, or use JSONL, which has no such limit",
        ),
    ],
)
def test_refusals(tmp_path, lines, message):
    assert refusal(tmp_path, "a.csv", lines) == message


def test_a_cell_of_131_072_characters_is_read(tmp_path):
    assert len(read(tmp_path, "a.csv", f"text,label\n{'é' * 131072},c\n")[0][0]) == 131072


def test_a_quote_that_swallows_the_file_is_found_where_it_opens(tmp_path):
    lines = 'text,label\na,b\n"c,d\n' + "e,f\n" * 50_000
    assert refusal(tmp_path, "a.csv", lines).startswith("a.csv:3: a cell has more than 131,072 characters; close its")


def test_a_long_list_of_columns_is_cut(tmp_path):
    message = refusal(tmp_path, "a.csv", ",".join(f"column{i}" for i in range(500)) + "\n")
    assert message.startswith('a.csv:1: no column "text"; the columns are column0, column1, ')
    assert message.endswith(", …")


def test_what_many_columns_or_keys_have_twice_is_found_at_once(tmp_path):
    names = [f"c{i}" for i in range(100_000)]
    start = time.perf_counter()
    assert refusal(tmp_path, "a.csv", ",".join([*names, names[-1]]) + "\n") == (
        'a.csv:1: two columns are called "c99999"; rename one of them'
    )
    line = ", ".join(f'"{name}": 0' for name in [*names, names[-1]])
    assert refusal(tmp_path, "a.jsonl", f"{{{line}}}") == ('a.jsonl:1: the key "c99999" comes twice; keep one of them')
    assert time.perf_counter() - start < 5


texts = st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"])).filter(str.strip)
labels = st.text("ab|é ,\"'\t").map(str.strip).filter(lambda label: label.isprintable() and label)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(labels, st.text('x\n"'), texts), min_size=1), st.sampled_from([("csv", ","), ("tsv", "\t")]))
def test_round_trip(tmp_path_factory, rows, kind):
    suffix, delimiter = kind
    lines = table([("stars", "note", "review"), *rows], delimiter)
    found = read(tmp_path_factory.getbasetemp(), f"a.{suffix}", lines, REVIEWS)
    assert [(label, text) for text, (label,), _ in found] == [(label, text) for label, _, text in rows]
    line = 2
    for (_, _, where), (_, note, text) in zip(found, rows, strict=True):
        assert where == f"a.{suffix}:{line}"
        line += 1 + (note + text).count("\n")


def test_a_row_of_numbers_is_a_sequence_of_one_step(tmp_path):
    lines = "hours,label,id,attendance\n1.5,fail,a, 2\n-3e2,pass,b,\t+.25\n"
    columns = Columns(vector=("attendance", "hours"))
    (first, labels, where), (second, *_) = read(tmp_path, "a.csv", lines, columns)
    assert (labels, where) == (("fail",), "a.csv:2")
    assert first.dtype == np.float32
    assert first.tolist() == [[2, 1.5]]
    assert second.tolist() == [[0.25, -300]]


def test_patterns_of_columns_never_take_the_label(tmp_path):
    lines = "t,p10,p2,q,label,p_id\n0,1,2,3,4,5\n"

    def vector(*names):
        columns = Columns(vector=names, sequence="p_id", time="t")
        return read(tmp_path, "a.csv", lines, columns, labelled=False)[0][0].tolist()

    assert vector("q", "p*") == [[3, 1, 2]]
    assert vector("*") == [[1, 2, 3]]
    assert vector("p*", "p2", "q") == [[1, 2, 3]]
    literally = read(tmp_path, "c.csv", "p1,p*,label\n1,2,x\n", Columns(vector=("p*",)))
    assert literally[0][0].tolist() == [[2]]
    assert refusal(tmp_path, "b.csv", lines, Columns(vector=("x*",))) == (
        'b.csv:1: no column "x*"; the columns are t, p10, p2, q, label, p_id'
    )


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("nan", '"nan" is not a finite number'),
        ("-inf", '"-inf" is not a finite number'),
        ("1e999", '"1e999" is not a finite number'),
        ("1_000", '"1_000" is not a finite number'),
        ("12;5", '"12;5" is not a finite number'),
        ("\x1b[0m", '"\\x1b[0m" is not a finite number'),
        ('""', "no number"),
        ("  ", "no number"),
    ],
)
def test_cells_that_are_no_numbers(tmp_path, cell, fault):
    for columns in (Columns(vector=("a", "b")), Columns(vector=("b",))):
        assert refusal(tmp_path, "a.csv", f"a,b,label\n1,2,x\n3,{cell},y\n", columns) == (
            f'a.csv:3: column "b": {fault}; write one, or leave the row out'
        )


def test_numbers_beyond_float32(tmp_path):
    lines = "a,b,label\n1,3.4e38,x\n1,-3.5e38,x\n"
    assert refusal(tmp_path, "a.csv", lines, Columns(vector=("a", "b"))) == (
        "a.csv:3: a number is beyond 3.4e38, the largest float32; use another unit"
    )


def test_tables_whose_quotes_are_no_quotes(tmp_path):
    assert refusal(tmp_path, "a.tsv", 'text\tlabel\n"Tis good\tb\n') == (
        'a.tsv:2: a quote that opens in this row is never closed; close it with ", '
        'and write """ for one that begins a cell and quotes nothing; that cell ends with ", too'
    )
    assert [text for text, *_ in read(tmp_path, "a.tsv", 'text\tlabel\n"""Tis good"\tb\n6" nail\tb\n')] == [
        '"Tis good',
        '6" nail',
    ]
