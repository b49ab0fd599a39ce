import numpy as np
import pytest

from rnncli.data.tagged import TagColumns
from rnncli.errors import DataError, SpecError
from tests.data.tagged.tagged_files import NO_COLUMNS, read, refusal, rewritten, tokens

BY_ID = TagColumns(sequence="id")
X = TagColumns(vector=("x",))
TABLE = (
    "\n"
    'id, token ,label,"no\r\nte"\r\n'
    '1,"a ""b"", c","N",\r\n'
    '1,d|e, V ,"x, ""y""\r\n\r\nz"\n'
    "\r\n"
    "\n"
    '2,"f\r\ng",N|V,h"i"\n'
    "\n"
)


def test_a_row_is_a_token(tmp_path):
    assert read(tmp_path, "a.csv", TABLE, BY_ID) == [
        (['a "b", c', "d|e"], [("N",), ("V",)], "a.csv:4", [4, 5]),
        (["f\ng"], [("N|V",)], "a.csv:10", [10]),
    ]
    assert read(tmp_path, "a.tsv", "label\ttoken\nN\ta, b\nV\t\u00a0\n") == [
        (["a, b", "\u00a0"], [("N",), ("V",)], "a.tsv:2", [2, 3])
    ]


def test_columns_by_name_and_number(tmp_path):
    lines = "a,b,3\nx,y,z\n"

    def found(*columns, **options):
        return tokens(tmp_path, "a.csv", lines, TagColumns(*columns), **options)

    assert found("b", "3") == [(["y"], ["z"])]
    assert found(3, -3) == [(["z"], ["x"])]
    assert found(2, 8, labelled=False) == [(["y"], [])]
    assert refusal(tmp_path, "a.csv", lines, TagColumns(4)) == 'a.csv:1: no column "4"; the columns are a, b, 3'


def test_several_labels(tmp_path):
    lines = "token,label\na,x | y\nb, \nc,z\n"
    assert read(tmp_path, "a.csv", lines, multi_label=True)[0][1] == [("x", "y"), (), ("z",)]
    assert rewritten(tmp_path, "a.csv", lines, {"x": "y", "y": "x"}, multi_label=True) == lines
    assert rewritten(tmp_path, "a.csv", lines, {"x": "w"}, multi_label=True) == lines.replace("x | y", "w|y")
    assert rewritten(tmp_path, "a.csv", lines, (), labelled=False, multi_label=True) == "token,label\na,\nb, \nc,\n"
    with pytest.raises(DataError, match=r"a\.csv:2: the label \"a\|b\" cannot be written in a column, where \| separ"):
        rewritten(tmp_path, "a.csv", lines, ("a|b",), labelled=False, multi_label=True)


def test_predictions_replace_labels_and_nothing_else(tmp_path):
    assert rewritten(tmp_path, "a.csv", TABLE, {}, BY_ID) == TABLE
    changed = TABLE.replace('"N"', '"M"').replace(", V ,", ",M,").replace("N|V", "M")
    assert rewritten(tmp_path, "a.csv", TABLE, ("M",), BY_ID, labelled=False) == changed
    assert rewritten(tmp_path, "a.csv", TABLE, {"V": 'x,"'}, BY_ID) == TABLE.replace(" V ", '"x,"""')
    assert rewritten(tmp_path, "a.csv", TABLE, {"N": 'x"'}, BY_ID) == TABLE.replace('"N"', '"x"""')
    for cell, new in (('h"i"', {}), ('"x""|y"', {'x"': "y", "y": 'x"'})):  # as it was, however else it could be written
        lines = f"token,label\na,{cell}\n"
        assert rewritten(tmp_path, "a.csv", lines, new, multi_label=True) == lines
    tabs = 'token\tlabel\na\t"x"\nb\ty\n'
    assert rewritten(tmp_path, "a.tsv", tabs, {"x": "p,q", "y": "p,q"}) == 'token\tlabel\na\t"p,q"\nb\tp,q\n'


def test_a_column_is_added_where_there_is_none(tmp_path):
    lines = 'id,"to\nken"\r\n1,"a,""b"""\r\n\r\n2,c'
    columns = TagColumns("to\nken", 'la"bel', sequence="id")
    assert rewritten(tmp_path, "a.csv", lines, ("x,y",), columns, labelled=False) == (
        'id,"to\nken","la""bel"\r\n1,"a,""b""","x,y"\r\n\r\n2,c,"x,y"'
    )
    assert rewritten(tmp_path, "a.tsv", "token\na\n", ("x,y",), labelled=False) == "token\tlabel\na\tx,y\n"
    assert rewritten(tmp_path, "a.csv", "token\na\n", (), TagColumns(1, 2), labelled=False) == "token,label\na,\n"


FRAMES = "t,y,id,x,label\n3,1,a,2,p\n1,4,a,5,q\n\n2,1e2,a,-1,r\n0,.5,b,7,s\n"
TIMED = TagColumns(vector=("x", "y"), sequence="id", time="t")


def test_a_row_of_numbers_is_a_step(tmp_path):
    assert read(tmp_path, "a.csv", FRAMES, TIMED) == [
        ([[5, 4], [-1, 100], [2, 1]], [("q",), ("r",), ("p",)], "a.csv:3", [3, 5, 2]),
        ([[7, 0.5]], [("s",)], "a.csv:6", [6]),
    ]
    every = TagColumns(vector=("*",), sequence="id", time="t")
    assert read(tmp_path, "a.csv", FRAMES, every, labelled=False)[1][0] == [[0.5, 7]]


def test_times_order_all_rows_where_there_are_no_sequences(tmp_path):
    columns = TagColumns("id", time="t")
    assert tokens(tmp_path, "a.csv", FRAMES, columns) == [(["b", "a", "a", "a"], ["s", "q", "r", "p"])]
    assert rewritten(tmp_path, "a.csv", FRAMES, {"q": "QQ", "s": "SS"}, columns) == (
        FRAMES.replace(",q", ",QQ").replace(",s", ",SS")
    )


def test_predictions_return_to_their_rows(tmp_path):
    assert rewritten(tmp_path, "a.csv", FRAMES, {"p": "P", "r": "R"}, TIMED) == (
        FRAMES.replace(",p", ",P").replace(",r", ",R")
    )


def test_each_label_is_its_own_row_s(tmp_path):
    lines = "token,label\n" + "".join(f"t{i},{i}\n" for i in range(50))
    new = {str(i): f"<{i}>" for i in range(50)}
    assert rewritten(tmp_path, "a.csv", lines, new) == "token,label\n" + "".join(f"t{i},<{i}>\n" for i in range(50))


@pytest.mark.parametrize(
    ("lines", "columns", "message"),
    [
        ("", NO_COLUMNS, ": the file is empty; give one that holds sequences"),
        ("\n\r\n", NO_COLUMNS, ": no header, only blank lines; begin with the names of the columns"),
        ("token,label\n\n", NO_COLUMNS, ": it holds no sequences; give one that holds sequences"),
        ("token,label\n\n", BY_ID, ':1: no column "id"; the columns are token, label'),
        ("token,tag\na,N\n", NO_COLUMNS, ':1: no column "label"; the columns are token, tag'),
        (
            "tokens,label\na,N\n",
            NO_COLUMNS,
            ':1: no column "token"; did you mean "tokens"? the columns are tokens, label',
        ),
        ("token,label,token\n", NO_COLUMNS, ':1: two columns are called "token"; rename one of them'),
        (
            "token,label\na,N\nb\n",
            NO_COLUMNS,
            ":3: 1 cells where the header has 2; quote cells that hold the separator",
        ),
        (
            "token,label\na,N\n,N\n",
            NO_COLUMNS,
            ':3: column "token", of the token, is empty; write one, or leave the row out',
        ),
        ("token,label\na,N\nb,\n", NO_COLUMNS, ":3: the label is empty; write one, or leave the example out"),
        (
            'token,label\na,N\n"b,N\nc,N\n',
            NO_COLUMNS,
            ':3: a quote that opens in this row is never closed; close it with "',
        ),
        (
            "id,token,label\n1,a,N\n2,a,N\n1,b,N\n",
            BY_ID,
            ':4: sequence "1" goes on after others; it began at a.csv:2; sort the rows by sequence',
        ),
        ("x,label\n1,N\nnan,N\n", X, ':3: column "x": "nan" is not a finite number; write one, or leave the row out'),
        ("x,label\n1,N\n\n1e39,N\n", X, ":4: a number is beyond 3.4e38, the largest float32; use another unit"),
        ("x,label\n1,N\n", TagColumns(vector=("x", "z*")), ':1: no column "z*"; the columns are x, label'),
        (
            "x,t,label\n1,1,N\n1,b,N\n",
            TagColumns(vector=("x",), time="t"),
            ':3: time "b" is neither a number nor an ISO 8601 date; write it as 12.5 or 2024-05-31T12:00',
        ),
    ],
)
def test_refusals(tmp_path, lines, columns, message):
    assert refusal(tmp_path, "a.csv", lines, columns) == f"a.csv{message}"


def test_a_table_without_a_header(tmp_path):
    assert refusal(tmp_path, "a.tsv", "EU\tB-ORG\nrejects\tO\n") == (
        'a.tsv:1: no column "token"; the columns are EU, B-ORG; lines without a header are data.format=conll'
    )


def test_tokens_or_vectors(tmp_path):
    assert refusal(tmp_path, "a.csv", FRAMES, TagColumns("t", vector=("x",)), error=SpecError) == (
        "a token and vectors of numbers; leave data.token or data.columns out"
    )


def test_numbers_are_float32(tmp_path):
    ((values, *_),) = read(tmp_path, "a.csv", "x,label\n0.1,a\n", TagColumns(vector=("x",)))
    assert values == [[float(np.float32(0.1))]]
