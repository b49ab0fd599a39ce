import io

import pytest

from rnncli.data.examples import FORMATS, SUFFIXES, Columns, format_of, read_examples
from rnncli.data.files import find_sources
from rnncli.errors import DataError
from tests.data.examples.written_files import write

MARKED = "__label__a b\n"


def found(folder, files, *paths, stdin=None):
    for name, content in files.items():
        write(folder, name, content)
    return format_of(find_sources([str(folder / path) if path != "-" else "-" for path in paths or files], stdin))


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", "", "csv"),
        ("a.b.TSV", "", "tsv"),
        ("a.jsonl", "", "jsonl"),
        ("a.ndjson", MARKED, "jsonl"),
        ("a.npz", "", "npz"),
        ("a.txt", MARKED, "fasttext"),
        ("a.train", f"\ufeff \n\t{MARKED}", "fasttext"),
        ("a", MARKED.encode("utf-16"), "fasttext"),
        ("b", MARKED.encode("utf-16-be"), "fasttext"),
    ],
)
def test_of_a_file(tmp_path, name, content, expected):
    assert found(tmp_path, {name: content}) == expected
    assert found(tmp_path / "folder", {name: content}, ".") == expected


def test_of_standard_input(tmp_path):
    assert found(tmp_path, {}, "-", stdin=io.BytesIO(MARKED.encode())) == "fasttext"


def test_of_folders(tmp_path):
    loose = {"README": "x", "list.csv": "x"}
    assert found(tmp_path / "1", {"a/1.txt": "x", "b/2": "y", **loose}, ".") == "folder"
    assert found(tmp_path / "2", {"2020/a.csv": "x", "2021/b.csv": "y"}, ".") == "csv"
    assert found(tmp_path / "3", {"2020/a.csv": "x", "2021/b.txt": "y"}, ".") == "folder"
    assert found(tmp_path / "4", {"a.txt": MARKED, "b.txt": MARKED}, ".") == "fasttext"


@pytest.mark.parametrize("content", ["text\n", "\n", "x __label__a\n", b"\0\0\0"])
def test_of_nothing_known(tmp_path, content):
    with pytest.raises(DataError) as caught:
        found(tmp_path, {"a.txt": content})
    assert str(caught.value) == (
        f"{tmp_path}/a.txt: it is in no format of labelled examples; "
        "name it .csv, .tsv, .jsonl or .npz, begin lines with __label__NAME, or set data.format"
    )


def test_of_an_empty_file(tmp_path):
    with pytest.raises(DataError, match=r"/a\.txt: the file is empty$"):
        found(tmp_path, {"a.txt": ""})


def test_of_several(tmp_path):
    files = {"a.csv": "", "b.csv": "", "c.txt": MARKED}
    with pytest.raises(DataError) as caught:
        found(tmp_path, files)
    assert str(caught.value) == (f"{tmp_path}/c.txt is fasttext, but {tmp_path}/a.csv is csv; give files of one format")
    with pytest.raises(DataError, match=r"a\.csv is csv, but .*/pos/1 is folder;"):
        found(tmp_path, {"labels/pos/1": "x"}, "labels", "a.csv")


def test_every_suffix_has_a_format():
    assert set(SUFFIXES.values()) <= {*FORMATS, "npz"}


def test_files_one_after_the_other(tmp_path):
    write(tmp_path, "1.csv", "text,label\na,b\n")
    write(tmp_path, "2.csv", "label,text\nc,d\n")
    reported = []
    sources = find_sources([f"{tmp_path}/1.csv", f"{tmp_path}/2.csv"])
    examples = read_examples(sources, "csv", Columns(), report=reported.append)
    assert [(text, label) for text, (label,), _ in examples] == [("a", "b"), ("d", "c")]
    assert reported == [15, 30]


def test_reports_are_in_bytes_and_grow(tmp_path):
    path = write(tmp_path, "a.txt", "__label__a ééé\n" * 100_000)
    reported = []
    sources = find_sources([str(path)])
    assert sum(1 for _ in read_examples(sources, "fasttext", report=reported.append)) == 100_000
    assert len(reported) > 5
    assert reported == sorted(set(reported))
    assert reported[-1] == path.stat().st_size


def test_a_file_that_changes_while_it_is_read(tmp_path):
    path = write(tmp_path, "a.txt", MARKED * 3)
    examples = read_examples(find_sources([str(path)]), "fasttext")
    next(examples)
    write(tmp_path, "a.txt", MARKED * 2)
    with pytest.raises(DataError, match="it changed while it was read; try again when nothing writes it"):
        list(examples)


def test_a_file_in_a_folder_that_is_no_text_is_not_skipped(tmp_path):
    write(tmp_path, "parts/1.csv", "text,label\na,b\n")
    write(tmp_path, "parts/2.csv", b"text,label\n\xe9,b\n")
    with pytest.raises(DataError, match=r"parts/2\.csv: byte 0xe9 at offset 11 is not utf-8; try --encoding latin-1"):
        list(read_examples(find_sources([f"{tmp_path}/parts"]), "csv"))
