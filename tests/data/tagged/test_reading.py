import io
import os
import threading

import pytest

from rnncli.data.files import find_sources
from rnncli.data.tagged import TagColumns, kept_lines, read_tagged, stream_pieces, tagged_lines, written
from rnncli.errors import DataError, SpecError
from tests.data.examples.written_files import write
from tests.data.tagged.tagged_files import NO_COLUMNS, refusal, rewritten, tokens
from tests.data.tagged.test_conllu import word


def joined(folder, files, new=None, **options):
    """The text of several files one after the other."""
    sources = find_sources([str(write(folder, name, content)) for name, content in files.items()])
    sequences = read_tagged(sources, options.pop("format", "conll"), options.pop("columns", TagColumns()), **options)
    parts = [written(example, [new] * len(example.steps) if new else example.labels) for example in sequences]
    return "".join((*parts, sequences.rest))


def test_files_one_after_the_other(tmp_path):
    files = {
        "1.conll": "a\tO\n\n\n# x\n",
        "2.conll": "b\tO\n",
        "3.conll": "\ufeffc\tO\n\n",
        "4.conll": "-DOCSTART-\nd\tO",
    }
    text = joined(tmp_path, {**files, "5.conll": "e\tO\n\n"}, ("N",), labelled=False)
    assert text == ("a\tO\tN\n\n\n# x\nb\tO\tN\n\nc\tO\tN\n\n-DOCSTART-\nd\tO\tN\n\ne\tO\tN\n\n")
    assert [steps for steps, _ in tokens(tmp_path, "6.conll", text)] == [["a"], ["b"], ["c"], ["d"], ["e"]]
    parts = {"1.conll": "a\tO\n\n# x", "2.conll": "b\tO\n"}
    assert joined(tmp_path, parts, ("N",), labelled=False) == "a\tO\tN\n\n# x\nb\tO\tN\n"
    lines = '{"tokens": "a", "labels": ["x"]}'
    assert joined(tmp_path, {"1": lines, "2": f"{lines}\n", "3": lines}, format="jsonl") == "\n".join([lines] * 3)
    assert joined(tmp_path, {"1": "token,label\na,x", "2": "token,label\nb,y\n"}, format="csv") == (
        "token,label\na,x\ntoken,label\nb,y\n"
    )


def test_reports_are_in_bytes(tmp_path):
    sources = find_sources([str(write(tmp_path, f"{i}.conll", "é O\n\n" * 60_000)) for i in range(2)])
    reported = []
    assert sum(len(example.steps) for example in read_tagged(sources, "conll", report=reported.append)) == 120_000
    assert reported == sorted(set(reported))
    assert len(reported) >= 4
    assert reported[-1] == 720_000


def test_places_of_steps(tmp_path):
    def places(name, content, columns=NO_COLUMNS):
        sources = find_sources([str(write(tmp_path, name, content))])
        found = read_tagged(sources, name.split(".")[-1], columns)
        return [example.place(i).removeprefix(f"{tmp_path}/") for example in found for i in range(len(example.steps))]

    assert places("a.conll", "\na O\nb O\n\nc O\n") == ["a.conll:2", "a.conll:3", "a.conll:5"]
    assert places("a:1.csv", "t,token,label\n2,a,x\n1,b,x\n", TagColumns(time="t")) == ["a:1.csv:3", "a:1.csv:2"]
    assert places("a.jsonl", '\n{"tokens": "ab", "labels": [1, 2]}') == ["a.jsonl:2, step 0", "a.jsonl:2, step 1"]


def test_a_file_that_changes_while_it_is_read(tmp_path):
    path = write(tmp_path, "a.conll", "a O\n\n" * 3)
    sequences = read_tagged(find_sources([str(path)]), "conll")
    next(sequences)
    write(tmp_path, "a.conll", "a O\n\n" * 2)
    with pytest.raises(DataError, match="it changed while it was read; try again when nothing writes it"):
        list(sequences)


def test_what_stands_before_a_fault_is_read(tmp_path):
    sequences = read_tagged(find_sources([str(write(tmp_path, "a.conll", b"a O\n\nb O\nc \xe9\n"))]), "conll")
    assert next(sequences).steps == ("a",)
    with pytest.raises(DataError, match=r"a\.conll:4: byte 0xe9 at offset 11 is not utf-8; try --encoding latin-1"):
        next(sequences)


def test_a_mark_is_kept(tmp_path):
    for name, text in (
        ("a.conllu", word(1, "a") + "\n"),
        ("a.csv", "token,label\na,X\n"),
        ("a.jsonl", '{"tokens": "a", "labels": ["X"]}\n'),
    ):
        assert tokens(tmp_path, name, "\ufeff" + text) == [(["a"], ["X"])]
        assert rewritten(tmp_path, name, "\ufeff\n" + text, {}) == "\ufeff\n" + text
    sequences = tagged_lines([(1, "\ufeff\n")], "a", "conll")
    assert list(sequences) == []
    assert sequences.rest == "\ufeff\n"


def test_encodings(tmp_path):
    text = f"{word(1, 'é')}\r\n\r\n"
    assert rewritten(tmp_path, "a.conllu", text.encode("utf-16"), {}, encoding="utf-16") == text
    assert tokens(tmp_path, "a.conllu", text.encode("latin-1"), encoding="latin-1") == [(["é"], ["X"])]
    assert refusal(tmp_path, "a.conllu", b"x", encoding="nonsense").startswith("unknown encoding 'nonsense'; try ")
    assert refusal(tmp_path, "a.csv", b"PK\3\4\0\0") == (
        "a.csv:1: looks like a binary file (it holds NUL); give a text file, or name an .npz file so"
    )


def test_columns_are_checked_at_once():
    with pytest.raises(SpecError, match=r"data\.label is 0, which conll does not have"):
        read_tagged([], "conll", TagColumns(None, 0))
    with pytest.raises(SpecError, match=r"data\.label is 0, which conll does not have"):
        tagged_lines([], "a", "conll", TagColumns(None, 0))


STREAMS = {
    "conll": ("# 1 2\na O\nb O\n\nc O\n-DOCSTART-\nd O\n", [4, 6, 7], "# 1 2\na O N\nb O N\n\nc O N\n-DOCSTART-\n"),
    "conllu": (
        f"# x\n{word(1, 'a')}\n{word(2, 'b')}\n\n\n{word(1, 'c')}\n\n{word(1, 'd')}",
        [4, 7, 8],
        f"# x\n{word(1, 'a', 'N')}\n{word(2, 'b', 'N')}\n\n\n{word(1, 'c', 'N')}\n",
    ),
    "jsonl": (
        '{"tokens": "ab"}\n\n{"tokens": ["c"]}\n{"tokens": ["d"]}',
        [1, 3, 4],
        '{"tokens": "ab", "labels": ["N", "N"]}\n\n{"tokens": ["c"], "labels": ["N"]}\n',
    ),
    "csv": ('id,token\n1,a\n1,b\n2,c\n3,"d\n"\n\n', [4, 6, 7], "id,token,label\n1,a,N\n1,b,N\n2,c,N\n"),
}


@pytest.mark.parametrize("name", STREAMS)
def test_a_sequence_comes_with_the_line_that_makes_it_whole(name):
    text, ends, beginning = STREAMS[name]
    taken = []

    def numbered():
        for number, line in enumerate(io.StringIO(text), 1):
            taken.append(number)
            yield number, line

    columns = TagColumns(sequence="id") if name == "csv" else TagColumns()
    found, parts = [], []
    for example, end in zip(tagged_lines(numbered(), "standard input", name, columns), ends, strict=True):
        assert len(taken) == end
        found.append("".join(example.steps).strip())
        parts.append(written(example, [("N",)] * len(example.steps)))
    assert found == ["ab", "c", "d"]
    assert "".join(parts).startswith(beginning)
    assert [part.endswith("\n\n") for part in parts[:2]] == [name in ("conll", "conllu"), name == "conllu"]


def test_a_pipe_is_answered_sentence_by_sentence():
    """The writer goes on only when the sentence before was read: reading ahead would wait for ever."""
    reader, writer = os.pipe()
    answered = threading.Semaphore(1)

    def write_slowly():
        with os.fdopen(writer, "wb", buffering=0) as pipe:
            for i in range(5):
                assert answered.acquire(timeout=20)
                pipe.write(f"# sent_id = {i}\n".encode() + word(1, f"é{i}").encode()[:20])
                pipe.write(word(1, f"é{i}").encode()[20:] + b"\n\n")

    thread = threading.Thread(target=write_slowly)
    thread.start()
    with os.fdopen(reader, "rb") as stream:
        found = []
        for example in tagged_lines(kept_lines(stream_pieces(stream, "a"), "a", "utf-8"), "a", "conllu"):
            found.append(example.steps)
            answered.release()
    thread.join()
    assert found == [(f"é{i}",) for i in range(5)]


def test_labels_of_more_or_fewer_steps(tmp_path):
    (example,) = read_tagged(find_sources([str(write(tmp_path, "a.conll", "a O\nb O\n"))]), "conll")
    with pytest.raises(ValueError, match=r"1 labels for 2 steps at .*a\.conll:1"):
        written(example, [("O",)])
    with pytest.raises(ValueError, match=r"2 labels for 2 steps"):
        written(example._replace(layout=None), [("O",), ("O",)])
