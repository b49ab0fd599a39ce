import io

import pytest

from rnncli.data.files import find_sources
from rnncli.data.tagged import FORMATS, SUFFIXES, TagColumns, check_columns, format_of, format_of_text
from rnncli.errors import DataError, SpecError
from tests.data.examples.written_files import write
from tests.data.tagged.test_conllu import word

CONLL = "-DOCSTART- -X- O\n\nI PRON\nlike VERB\n\nred ADJ\n"
CONLLU = f"{word(1, 'I')}\n{word(2, 'like')}\n\n"


def found(folder, files, stdin=None):
    for name, content in files.items():
        write(folder, name, content)
    return format_of(find_sources([str(folder / name) for name in files] or ["-"], stdin))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.conll", "conll"),
        ("a.BIO", "conll"),
        ("a.iob", "conll"),
        ("a.iob2", "conll"),
        ("a.bioes", "conll"),
        ("a.b.conllu", "conllu"),
        ("a.csv", "csv"),
        ("a.tsv", "tsv"),
        ("a.jsonl", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a.npz", "npz"),
    ],
)
def test_of_a_name(tmp_path, name, expected):
    assert found(tmp_path, {name: "x"}) == expected
    assert set(SUFFIXES.values()) == {*FORMATS, "npz"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CONLL, "conll"),
        ("# a comment\nI\tPRON\n\n# a longer one now\nlike\tVERB\n", "conll"),
        ("I PRON\n \nyou PRON", "conll"),
        ("I PRON\n\n", "conll"),
        ("I PRON\nyou PRON\n", ""),
        ("I PRON\nyou PRON", ""),
        ("I PRON\nNew York PROPN\n\n", ""),
        ("I PRON\n" * 9 + "New York PROPN\n\n", "conll"),
        ("I PRON\n" * 8 + "New York PROPN\n\n", ""),
        ("I\nyou\n\nhe\n", ""),
        (CONLLU, "conllu"),
        (word("1-2", "I") + "\n", "conllu"),
        (word("0.1", "I") + "\n", "conllu"),
        (f"# x\n{CONLLU}", "conllu"),
        ("# sent_id = 7\nx\n", "conllu"),
        ("\n# newdoc id = 7\n", "conllu"),
        ("# text = 7\n", "conllu"),
        (CONLLU.replace("\t", " "), "conll"),
        (word("I", "x") + "\n\n", "conll"),
        ("\r\n" + CONLLU.replace("\n", "\r\n"), "conllu"),
        ('\n{"tokens": []}', "jsonl"),
        ("", ""),
        ("\n-DOCSTART-\n# x", ""),
        ("a,b\nc,d\n\n", ""),
    ],
)
def test_of_content(tmp_path, text, expected):
    assert format_of_text(text) == expected
    for raw in (text.encode(), b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16")):
        if expected:
            assert found(tmp_path, {"a.txt": raw}) == expected
            assert found(tmp_path, {}, io.BytesIO(raw)) == expected
            continue
        with pytest.raises(DataError) as caught:
            found(tmp_path, {"a.txt": raw})
        assert str(caught.value) == (
            f"{tmp_path}/a.txt: it is in no format of tagged sequences; "
            "name it .conll, .conllu, .csv, .tsv, .jsonl or .npz, or set data.format"
        )


def test_of_a_large_file(tmp_path):
    """Only its beginning is looked at, and no line that is cut."""
    assert found(tmp_path, {"a.txt": "New PROPN\n\n" * 20_000 + "x y z\n" * 50_000}) == "conll"
    with pytest.raises(DataError, match="it is in no format of tagged sequences"):
        found(tmp_path, {"b.txt": "New PROPN\n" * 20_000 + "\n"})
    assert found(tmp_path, {"c.txt": f"a {'b' * 3}\n\n" + f"a {'b c' * 30_000}\n"}) == "conll"


def test_of_several(tmp_path):
    with pytest.raises(DataError) as caught:
        found(tmp_path, {"a.csv": "", "b.csv": "", "c.txt": CONLL})
    assert str(caught.value) == f"{tmp_path}/c.txt is conll, but {tmp_path}/a.csv is csv; give files of one format"


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("conll", TagColumns(1, -1)),
        ("conll", TagColumns("2", "-3")),
        ("conllu", TagColumns("lemma", "Feats")),
        ("conllu", TagColumns(10, -10)),
        ("csv", TagColumns("x", 2, sequence="id", time="t")),
        ("tsv", TagColumns(None, "x", ("a", "b"), None, "t")),
        ("jsonl", TagColumns("words", "tags")),
        ("npz", TagColumns()),
    ],
)
def test_columns_that_fit(name, columns):
    check_columns(name, columns)


@pytest.mark.parametrize(
    ("name", "columns", "message"),
    [
        (
            "conll",
            TagColumns(0),
            (
                "data.token is 0, which conll does not have; "
                "give the number of a column, from 1 on, or from the end -1, -2, …"
            ),
        ),
        (
            "conll",
            TagColumns(None, "ner"),
            ("data.label is 'ner', which conll does not have; "
            "give the number of a column, from 1 on, or from the end -1, -2, …"),
        ),
        (
            "npz",
            TagColumns(None, "y"),
            ("data.label is 'y', which npz does not have; "
            "its arrays are x, lengths, y and labels: leave data.token and data.label out"),
        ),
        ("csv", TagColumns("x", "x"), "data.token and data.label are both 'x'; name two columns"),
        (
            "conllu",
            TagColumns(sequence="id"),
            "conllu has no columns that are named so; leave data.columns, data.sequence and data.time out, or use csv",
        ),
        (
            "conll",
            TagColumns(time="id"),
            "conll has no columns that are named so; leave data.columns, data.sequence and data.time out, or use csv",
        ),
        (
            "npz",
            TagColumns(vector=("x",)),
            "npz has no columns that are named so; leave data.columns, data.sequence and data.time out, or use csv",
        ),
    ],
)  # fmt: skip
def test_columns_that_do_not_fit(name, columns, message):
    with pytest.raises(SpecError) as caught:
        check_columns(name, columns)
    assert str(caught.value) == message
