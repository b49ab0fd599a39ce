"""Sequences as `classify` and `encode` are given them: lines, examples, and what is wrong with them."""

import sys
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rnncli import experiments
from rnncli.cli import sequences
from rnncli.cli.console import Talk
from rnncli.storage import read_checkpoint_file, write_checkpoint_file
from tests.cli.conftest import SMALL, strict_json
from tests.tasks.labelled_runs import EXAMPLES

TEXTS = [text for text, _ in EXAMPLES]
EMPTY = "the text is empty"
SILENT = Talk(quiet=True, color=False)


class Echo:
    """A model that reads every line as it is."""

    task = SimpleNamespace(data=SimpleNamespace(encoding="utf-8"))

    def read_line(self, line, where):
        return np.array([where, line])

    def file_format(self, path):
        return ""


class TestLines:
    TEXT = "good film\r\n\r\n käse\t\r\r\n\ufeff日本\nlast"

    @pytest.mark.parametrize("piece", [1, 2, 3, 7, 1000])
    @pytest.mark.parametrize(
        ("written", "encoding"),
        [
            *((name, name) for name in ("utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32")),
            *((f"{name}-be", name) for name in ("utf-16", "utf-32")),
        ],
    )
    @pytest.mark.parametrize("end", ["", "\n", "\r\n"])
    def test_are_what_stands_between_the_newlines(self, tmp_path, monkeypatch, piece, written, encoding, end):
        monkeypatch.setattr(sequences, "PIECE", piece)
        path = tmp_path / "a.txt"
        mark = "" if written in ("utf-8-sig", "utf-16", "utf-32") else "\ufeff"  # which have it by themselves
        path.write_bytes((mark + self.TEXT + end).encode(written))
        found = [each for batch in sequences.given_sequences(Echo(), [], str(path), encoding, SILENT) for each in batch]
        assert [each.sequence[1] for each in found] == ["good film", "", " käse\t\r", "\ufeff日本", "last"]
        places = [f"{path}:{number}" for number in range(1, 6)]
        assert [each.where for each in found] == [each.sequence[0] for each in found] == places

    def test_of_any_length_take_no_more_memory_than_the_longest(self, tmp_path, monkeypatch):
        monkeypatch.setattr(sequences, "LONGEST", 1000)
        monkeypatch.setattr(sequences, "PIECE", 1000)
        path = tmp_path / "a.txt"
        path.write_bytes(b"a" * 1000 + b"\n" + b"a" * 3_000_000 + b"\nlast")
        tracemalloc.start()
        found = [each for batch in sequences.given_sequences(Echo(), [], str(path), None, SILENT) for each in batch]
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert [each.sequence is None for each in found] == [False, True, False]
        assert peak < 500_000


class TestTyping:
    @pytest.mark.parametrize(
        ("arguments", "what"),
        [
            ("score", "a text"),
            ("score --file -", "a text"),
            ("evaluate -", "a text"),
            ("generate -l 1 -s @-", "the text to continue"),
            ("train - --dry-run", "a text"),
            ("train - --steps 1", "a text"),
            ("train --set data.train='-' --steps 1", "a text"),
            ("data anbn --check -", "a line for each sequence"),
        ],
    )
    def test_is_waited_for_at_a_terminal_only(self, trained, arguments, what):
        words, text = [*arguments.split(), *(SMALL if "train" in arguments else ())], b"The sun is low.\n" * 20
        typed, piped = (trained(*words, stdin=text, typed=typed) for typed in (True, False))
        assert (typed.status, piped.status) == (0, 0)
        assert typed.lines[0] == f"reading what is typed here, {what}; Ctrl-D ends it"
        assert "typed" not in piped.err + trained(*words, "--quiet", stdin=text, typed=True).err

    def test_is_not_waited_for_where_a_file_is_given(self, trained):
        Path("some.txt").write_text("The sun is low.\n" * 20)
        short = [*SMALL, "--steps", "1", "-o", "out"]
        for words in (["score", "-f"], ["evaluate"], ["data", "anbn", "--check"], ["train", *short]):
            result = trained(*words, "some.txt", stdin=b"x", typed=True)
            assert (result.status, "typed" in result.err) == (0, False)
        for words in (["score", "The"], ["generate", "-s", "The", "-l", "1"], ["generate", "-s", "@some.txt"]):
            assert "typed" not in trained(*words, stdin=b"x", typed=True).err

    def test_is_not_waited_for_by_what_is_refused(self, trained):
        for words in (
            ["data", "parity", "--check", "-"],
            ["train", "-", "-o", "runs/poem"],
            ["evaluate", "-", "--errors", "1"],
        ):
            result = trained(*words, stdin=b"x", typed=True)
            assert (result.status, len(result.lines), "typed" in result.err) == (2, 1, False), result

    def test_is_what_labels_are_asked_for(self, classifiers, monkeypatch):
        line = "reading what is typed here, a line for each; Ctrl-D ends it"
        for command in ("classify", "encode"):
            assert classifiers(command, stdin=b"good\n", typed=True).lines == [line]
            assert classifiers(command, "good", stdin=b"", typed=True).err == ""
        monkeypatch.setattr(sys, "stdin", None)
        sequences.say_what_is_typed(Talk(quiet=False, color=False), None, "a text")  # it is closed


class TestExamples:
    def test_examples_of_many_numbers_are_read_few_at_a_time(self, tiny_classifiers, monkeypatch):
        reader = experiments.load(tiny_classifiers / "runs" / "steps").sequences
        path = str(tiny_classifiers / "steps.npz")
        assert [*map(len, sequences.given_sequences(reader, [], path, None, SILENT))] == [60]
        monkeypatch.setattr(sequences, "NUMBERS", 30)  # lengths 1 to 5 of 2 numbers, again and again
        assert {*map(len, sequences.given_sequences(reader, [], path, None, SILENT))} == {5}


class TestBadSequences:
    def test_the_rest_is_answered(self, classifiers):
        raw = b"good film\n\nbad\0film\n\xff\xfe\nfine\n \t\ngood film"
        status, out, err = classifiers("classify", stdin=raw)
        lines = out.splitlines()
        assert (status, len(lines), lines[1], lines[3], lines[5]) == (3, 7, "", "", "")
        assert all(lines[i] in ("pos", "neg") for i in (0, 2, 4, 6))
        assert lines[0] == lines[6]
        assert err.splitlines() == [
            f"standard input:2: {EMPTY}",
            "standard input:4: bytes that are not utf-8; try --encoding latin-1",
            f"standard input:6: {EMPTY}",
        ]
        json_lines = classifiers("classify", "--json", "--quiet", stdin=raw)
        assert (json_lines.status, json_lines.err) == (3, err)
        answers = [strict_json(line) for line in json_lines.out.splitlines()]
        assert [answer["labels"][0] if "labels" in answer else "" for answer in answers] == lines
        assert [answer["error"] for answer in answers if "error" in answer] == err.splitlines()

    @pytest.mark.parametrize(
        ("encoding", "raw"),
        [
            ("utf-16-le", b"\x00\xd8a\x00\n\x00g\x00o\x00o\x00d\x00\n\x00x"),
            ("ascii", "käse\ngood\n\xff".encode()),
            ("shift_jis", b"\xff\xff\ngood\n\x81"),
        ],
    )
    def test_bytes_that_are_not_in_the_encoding(self, classifiers, encoding, raw):
        status, out, err = classifiers("classify", "--encoding", encoding, stdin=raw)
        assert (status, len(out.split("\n")), len(err.splitlines())) == (3, 4, 2)
        assert out.split("\n")[1] in ("pos", "neg")
        assert f"standard input:1: bytes that are not {encoding}" in err

    @pytest.mark.parametrize("encoding", ["klingon", "base64", "rot13", "idna", "undefined"])
    def test_encodings_that_there_are_not(self, classifiers, encoding):
        status, out, err = classifiers("classify", "--encoding", encoding, stdin=b"good\n")
        assert (status, out) == (3, "")
        assert err == f"unknown encoding '{encoding}'; try utf-8, latin-1, cp1252 or utf-16\n"

    def test_arguments(self, classifiers):
        status, out, err = classifiers("classify", "", "good", "x\udcff")
        assert (status, out.split("\n")[0], out.split("\n")[2]) == (3, "", "")
        assert err == f"argument 1: {EMPTY}\nargument 3: bytes that are not utf-8\n"

    def test_lines_that_are_no_vectors(self, classifiers):
        raw = b"1,2\n1,2,3\ngood\n1e300,2\n[[1,2],[3,4]]\n"
        status, out, err = classifiers("classify", "-m", "runs/values", stdin=raw)
        assert (status, [bool(line) for line in out.splitlines()]) == (3, [True, False, False, False, True])
        first, second, third = err.splitlines()
        assert first == "standard input:2: vectors of 3 numbers, where the model reads vectors of 2"
        assert second.startswith("standard input:3: not a vector of finite numbers")
        assert third.startswith("standard input:4: a number is beyond 3.4e38")

    def test_lines_that_are_too_long(self, classifiers, monkeypatch):
        monkeypatch.setattr(sequences, "LONGEST", 20)
        monkeypatch.setattr(sequences, "PIECE", 7)
        raw = f"{'good ' * 4}\n{'good ' * 4}a\nbad\n{'a' * 500}\ngood\n{'a' * 21}".encode()
        status, out, err = classifiers("classify", stdin=raw)
        assert (status, [bool(line) for line in out.splitlines()]) == (3, [True, False, True, False, True, False])
        wheres = [f"standard input:{number}: a line of more than 20 characters" for number in (2, 4, 6)]
        assert err.splitlines() == wheres

    def test_what_stands_before_a_fault_of_a_file_is_answered(self, classifiers):
        Path("a.csv").write_text(f"text,label\n{TEXTS[0]},x\n{TEXTS[1]},y\n,\na,b,c\nfine,z\n")
        status, out, err = classifiers("classify", "--file", "a.csv")
        assert (status, out.splitlines()) == (3, [*classifiers("classify", *TEXTS[:2]).out.splitlines(), ""])
        empty, ragged = err.splitlines()
        assert empty == f"a.csv:4: {EMPTY}"
        assert ragged.startswith("a.csv:5: 3 cells where the header has 2")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ("--file missing.txt", "missing.txt: no such file or folder"),
            ("--file missing.csv", "missing.csv: no such file or folder"),
            ("--file *.nothing", "*.nothing: no file matches this pattern"),
            ("--file=", "'' is not a file name"),
            ("--file values.csv", 'values.csv:1: no column "text"'),
            ("--file steps.npz", "steps.npz: sequence 0: vectors, where the model reads texts"),
            ("--file values.csv -m runs/values --encoding no", "unknown encoding 'no'"),
            ("--file reviews.csv -m runs/steps", "reviews.csv:2: a text, where the model reads vectors of 2 numbers"),
            ("--file wide.npz -m runs/steps", "wide.npz: sequence 0: vectors of 3 numbers, where the model reads"),
            ("--file nan.npz -m runs/steps", "nan.npz: sequence 1: step 0, dimension 1 is nan"),
            ("--file cut.npz -m runs/steps", "cut.npz: is cut short"),
            ("--file empty.csv", "empty.csv: the file is empty"),
            ("--file nothing", "no text files in folder nothing"),
        ],
    )
    def test_files_that_cannot_be_read(self, classifiers, arguments, message):
        np.savez("wide.npz", x=np.zeros((2, 4, 3)))
        np.savez("nan.npz", x=np.array([[[1, 2]], [[3, np.nan]]]))
        Path("cut.npz").write_bytes(Path("steps.npz").read_bytes()[:-50])
        Path("empty.csv").touch()
        Path("nothing").mkdir()
        for command in ("classify", "encode"):
            status, out, err = classifiers(command, *arguments.split())
            assert (status, len(err.splitlines())) == (3, 1)
            assert err.startswith(message)
            assert "Traceback" not in err
            assert len(out.splitlines()) == (1 if "nan.npz" in arguments else 0)  # what stands before it

    def test_an_answer_that_overflows_is_none(self, classifiers):
        relu = ["--cell", "rnn", "--set", "model.cell.activation=relu"]
        classifiers(
            "train", "reviews.csv", "--task", "classification", *SMALL, *relu, "--steps", "1", "-o", "out", "-q"
        )
        arrays, content = read_checkpoint_file(Path("out/best.npz"))
        for name in arrays:
            if "recurrent" in name:
                arrays[name] = np.full_like(arrays[name], 9)
        write_checkpoint_file(Path("huge.npz"), arrays, content)
        raw = b"good\n" + b"good film " * 500
        for command, key in (("classify", "labels"), ("encode", "vector")):
            status, out, err = classifiers(command, "--json", "-m", "huge.npz", stdin=raw)
            short, long = (strict_json(line) for line in out.splitlines())
            assert (status, next(iter(short))) == (3, key)
            message = "standard input:2: the model's answer is not finite; give a shorter sequence"
            assert long == {"error": message}
            assert err == f"{message}\n"
