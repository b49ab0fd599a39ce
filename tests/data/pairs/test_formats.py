import pytest

from rnncli.data.pairs import format_of
from tests.data.pairs.written_pairs import read, refusal, written

NO_COLUMNS = "parallel files have no columns: a line is a source, or a target"
KNOWN = "put a tab between source and target, give two parallel files, or name it .csv, .tsv or .jsonl"


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"a.TSV": "x"}, "tsv"),
        ({"a.csv": "x", "b.csv": "y"}, "csv"),
        ({"a.jsonl": "x"}, "jsonl"),
        ({"a.ndjson": "x"}, "jsonl"),
        ({"a.npz": "x", "b.txt": "x"}, "arrays"),
        ({"a.npy": "x", "b.csv": "x"}, "arrays"),
        ({"a.txt": "x\ty\n"}, "tsv"),
        ({"a.txt": "\n\r\nx\ty\n"}, "tsv"),
        ({"a.txt": "x\ty\n", "b": "x\ty"}, "tsv"),
        ({"a.txt": "x\ty\n".encode("utf-16")}, "tsv"),
        ({"a": '{"source": "x\\ty"}\n'}, "jsonl"),
        ({"a": '\n{"source": "x\\ty"}\n'.encode("utf-16")}, "jsonl"),
        ({"a.en": "x", "a.es": "y"}, "parallel"),
        ({"a.en": "x\ty", "a.es": "y"}, "parallel"),
        ({"a.en": "x\n1\t2", "a.es": "y"}, "parallel"),
        ({"a": "x", "b": "x", "c": "x", "d": "x"}, "parallel"),
    ],
)
def test_formats_are_known_by_names_or_first_lines(tmp_path, files, name):
    assert format_of(written(tmp_path, files)) == name


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.txt": "x\n"}, f"a.txt: it is in no format of pairs; {KNOWN}"),
        ({"a": "x", "b": "x", "c": "x"}, f"a: it is in no format of pairs; {KNOWN}"),
        ({"a.txt": ""}, "a.txt: the file is empty"),
        ({"a": "x\ty\n", "b": "x\ty\n", "c": ""}, "c: the file is empty"),
        ({"a": "x", "b": "x", "c": "\n \r\n"}, f"a: it is in no format of pairs; {KNOWN}"),
        ({"a.txt": "\n \r\n"}, "a.txt: it holds no pairs; give a file that does"),
        ({"a.txt": "\n\r\n ".encode("utf-16")}, "a.txt: it holds no pairs; give a file that does"),
        ({"a.txt": "\n" * 70_000 + "x"}, f"a.txt: it is in no format of pairs; {KNOWN}"),
        ({"a.csv": "x", "b.tsv": "x"}, "b.tsv is tsv, but a.csv is csv; give files of one format"),
        ({"a.csv": "x", "b": "x"}, "b is in no format of pairs, but a.csv is csv; give files of one format"),
        ({"a.csv": "x", "b.npz": "x"}, "b.npz is arrays, but a.csv is csv; give files of one format"),
    ],
)
def test_what_is_in_no_format_or_in_two(tmp_path, files, message):
    assert refusal(tmp_path, files) == message


@pytest.mark.parametrize(
    ("name", "columns", "message"),
    [
        ("parallel", {"source": 1}, f"{NO_COLUMNS}; leave data.source, data.target and data.columns out"),
        ("jsonl", {"target": 2}, "jsonl has keys, and no columns with numbers; name keys in data.source, data.target"),
    ],
)
def test_columns_that_a_format_does_not_have(tmp_path, name, columns, message):
    assert refusal(tmp_path, {"a": "x\n", "b": "x\n"}, name, **columns) == message


def test_files_follow_each_other_and_are_reported_together(tmp_path):
    seen = []
    found = read(tmp_path, {"a.tsv": "a\tb\n", "b.tsv": "source\ttarget\nc\td\n"}, report=seen.append)
    assert found == [("a", "b", "a.tsv:1"), ("c", "d", "b.tsv:2")]
    assert seen[-1] == 4 + 18
    assert seen == sorted(seen)


@pytest.mark.parametrize("name", ["x.tsv", "x.csv", "x.jsonl"])
def test_a_file_without_pairs_among_others(tmp_path, name):
    empty = {"x.tsv": "source\ttarget\n", "x.csv": "source,target\n", "x.jsonl": "\n"}[name]
    full = {
        "x.tsv": "a\tb\n",
        "x.csv": "source,target\na,b\n",
        "x.jsonl": '{"source": "a", "target": "b"}\n',
    }[name]
    assert refusal(tmp_path, {f"1{name}": full, name: empty}) == f"{name}: it holds no pairs; give a file that does"


FILES = [
    ("a.tsv", "a{}\tb\n"),
    ("a.csv", "source,target\na{},b\n"),
    ("a.jsonl", '{{"source": "a{}", "target": "b"}}\n'),
    ("a.en", "a{}\n"),
]


def side_by_side(name, content):
    return {name: content} | ({"a.es": b"b\n"} if name == "a.en" else {})


@pytest.mark.parametrize(("name", "line"), FILES)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_marks_ends_of_lines_and_separators_of_lines(tmp_path, name, line, mark):
    content = (mark + line.format("\u2028\u0085é").replace("\n", "\r\n")).encode()
    ((source, target, _),) = read(tmp_path, side_by_side(name, content))
    assert (source, target) == ("a\u2028\u0085é", "b")


@pytest.mark.parametrize(("name", "line"), FILES)
def test_bytes_that_are_no_text(tmp_path, name, line):
    message = refusal(tmp_path, side_by_side(name, line.format("\0").encode()))
    assert message.startswith(f"{name}: looks like a binary file (NUL byte at offset ")
    message = refusal(tmp_path, side_by_side(name, line.format("é").encode("latin-1")))
    assert message.startswith(f"{name}: byte 0xe9 at offset ")
    assert message.endswith(" is not utf-8; try --encoding latin-1")
    found = read(tmp_path, side_by_side(name, line.format("é").encode("latin-1")), encoding="latin-1")
    assert found[0][0] == "aé"


def test_a_file_that_changes_while_it_is_read(tmp_path):
    def append(_):
        with (tmp_path / "a.tsv").open("a") as file:
            file.write("c\td\n")

    assert refusal(tmp_path, {"a.tsv": "a\tb\n"}, report=append) == (
        "a.tsv: it changed while it was read; try again when nothing writes it"
    )
