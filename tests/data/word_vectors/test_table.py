import gzip

import pytest

from tests.data.word_vectors.given_files import read, refusal, words

TABLE = "word,royal,female,animal\nking,0.99,0.03,.5\n\nqueen,0.97,0.98,0\n"
FOUND = {"king": [0.99, 0.03, 0.5], "queen": [0.97, 0.98, 0]}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", TABLE),
        ("a.CSV", "\ufeff" + TABLE.replace("\n", "\r\n").strip()),
        ("a.tsv", TABLE.replace(",", "\t")),
        ("a.csv.gz", gzip.compress(TABLE.encode(), mtime=0)),
        ("a.csv", TABLE.replace("word,", ",").replace(",", " , ").replace(" ,", ",")),  # an index of pandas
    ],
)
def test_dimensions_have_names(tmp_path, name, content):
    found, dimensions, notices = read(tmp_path, name, content)
    assert found == {word: pytest.approx(row) for word, row in FOUND.items()}
    assert dimensions == ("royal", "female", "animal")
    assert notices == []


def test_words_may_hold_anything_that_is_quoted(tmp_path):
    table = 'w,a\n"a, ""b""\nc",1\n New York ,2\n\xa0,3\n'
    assert words(tmp_path, "a.csv", table) == {'a, "b"\nc': [1], " New York ": [2], "\xa0": [3]}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("w,a,b\nx,1,2\ny,1\n", "a.csv:3: a vector of 1 number, where the header names 2 dimensions"),
        ('w,a,b\n"x\n",1,2\ny,1,2,3\n', "a.csv:4: a vector of 3 numbers, where the header names 2 dimensions"),
        ("w,a, a\nx,1,2\n", 'a.csv:1: two dimensions are called "a"'),
        ("\nw,a,\nx,1,2\n", "a.csv:2: column 3 of the header has no name"),
        ("w\nx\n", "a.csv:1: the header names no dimension; write word,royal,female with a comma"),
        ("w\ta\nx\t1\n", "a.csv:1: the header names no dimension; write word,royal,female with a comma"),
        ("w,a\nx,one\n", 'a.csv:2: column "a": "one" is not a finite number'),
        ("w,a\nx,nan\n", 'a.csv:2: column "a": "nan" is not a finite number'),
        ("w,a\nx,1_0\n", 'a.csv:2: column "a": "1_0" is not a finite number'),
        ("w,a\nx,1e39\n", 'a.csv:2: number 1 of the vector of "x" is 1e+39, not a finite float32'),
        ("w,a\n,1\n", "a.csv:2: a vector without a word"),
        ('w,a\nx,1\n"y,2\nz,3\n', "a.csv:3: a row that cannot be read as a table"),
        ("w,a\n" + "x" * 200_000 + ",1\n", "a.csv:2: a row that cannot be read as a table"),
        ("w,a\n", "a.csv: no vectors"),
        ("\n\n", "a.csv: no vectors"),
        ("", "a.csv: the file is empty"),
    ],
    ids=lambda value: value[:30],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, table, message):
    assert refusal(tmp_path, "a.csv", table).startswith(message)


def test_more_dimensions_than_are_possible(tmp_path):
    header = "w," + ",".join(f"{i:x}" for i in range(1_000_001))
    assert refusal(tmp_path, "a.csv", header + "\n").startswith("a.csv:1: 1,000,001 dimensions, where 1,000,000 are")


def test_words_that_are_not_utf8_or_come_again_and_rows_that_nobody_wants(tmp_path):
    table = b"w,a\nx,1\n\xff,2\nx,3\nz,none\n"
    found, _, notices = read(tmp_path, "a.csv", table, wanted={"x"})
    assert found == {"x": [1]}
    assert notices == [
        "words that come again, whose first vector counts: 1, the first a.csv:4",
        "words that are not UTF-8, passed over: 1, the first a.csv:3",
    ]
