"""`rnncli classify`: every way in which sequences are given, one line for each, whatever comes."""

import json
import os
import select
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from rnncli import experiments
from rnncli.cli import sequences
from rnncli.storage import read_checkpoint_file, write_checkpoint_file
from tests.cli.conftest import SMALL, strict_json
from tests.tasks.labelled_runs import EXAMPLES, ROWS

TEXTS = [text for text, _ in EXAMPLES]
EMPTY = "the text is empty"


def labels_of(command, *arguments, stdin=b""):
    """What `classify --quiet` prints, line by line, where all goes well."""
    status, out, err = command("classify", "--quiet", *arguments, stdin=stdin)
    assert (status, err) == (0, "")
    return out.splitlines()


@pytest.fixture
def expected(tiny_classifiers):
    """The labels of TEXTS, and their probabilities (K, S), by the model itself, one by one."""
    loaded = experiments.load(tiny_classifiers / "runs" / "reviews")
    ids = loaded.resources["vocabulary"]["tokens"].index
    found = np.hstack([loaded.model.predict(np.array([[ids(word)] for word in text.split()])) for text in TEXTS])
    assert 0.05 < np.mean(found[0] > 0.5) < 0.95
    return [loaded.resources["outputs"][i] for i in found.argmax(axis=0)], found


class TestInputs:
    def test_texts_as_arguments(self, classifiers, expected):
        assert labels_of(classifiers, *TEXTS[:20]) == expected[0][:20]

    def test_lines_on_stdin(self, classifiers, expected):
        text = "\n".join(TEXTS)
        assert labels_of(classifiers, stdin=text.encode()) == expected[0]  # the last without a newline
        assert labels_of(classifiers, stdin=f"{text}\n".encode()) == expected[0]
        assert labels_of(classifiers, "--file", "-", stdin=text.encode()) == expected[0]
        assert labels_of(classifiers, stdin=b"") == []

    def test_lines_of_a_file_or_a_pattern(self, classifiers, expected):
        Path("a1.txt").write_text("\n".join(TEXTS[:7]))
        Path("a2.list").write_text("\n".join(TEXTS[7:]))
        assert labels_of(classifiers, "--file", "a1.txt") == expected[0][:7]
        assert labels_of(classifiers, "--file", "a*") == expected[0]

    @pytest.mark.parametrize("labelled", [True, False])
    def test_tables_and_objects_with_labels_or_without(self, classifiers, expected, labelled):
        rows = [{"text": text} | ({"label": label} if labelled else {}) for text, label in EXAMPLES]
        for suffix, mark in ((".csv", ","), (".tsv", "\t")):
            lines = [mark.join(row) for row in (rows[0], *(row.values() for row in rows))]
            Path("a" + suffix).write_text("".join(f"{line}\n" for line in lines))
        Path("a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        for suffix in (".csv", ".tsv", ".jsonl"):
            assert labels_of(classifiers, "--file", f"a{suffix}") == expected[0]

    def test_a_folder_for_each_label(self, classifiers, expected):
        for number, (text, label) in enumerate(EXAMPLES[:10]):
            Path("in", label).mkdir(parents=True, exist_ok=True)
            Path("in", label, f"{number:02}.txt").write_text(text)
        order = sorted(range(10), key=lambda i: EXAMPLES[i][1])
        assert labels_of(classifiers, "--file", "in") == [expected[0][i] for i in order]

    def test_labels_of_a_file_like_that_of_the_training_are_passed_over(self, classifiers):
        plain = labels_of(classifiers, "-m", "runs/fasttext", "--json", *TEXTS)
        Path("plain.txt").write_text("\n".join(TEXTS))
        from_files = [
            labels_of(classifiers, "-m", "runs/fasttext", "--json", "-f", file) for file in ("reviews.txt", "plain.txt")
        ]
        assert from_files[0] == from_files[1]
        for one, other in zip(plain, from_files[0], strict=True):
            assert strict_json(one)["probabilities"] == pytest.approx(strict_json(other)["probabilities"], abs=1e-6)

    def test_vectors_of_a_file_and_as_lines(self, classifiers):
        with np.load("steps.npz") as stored:
            parts = np.split(stored["x"], np.cumsum(stored["lengths"])[:-1])
            truth = stored["y"].tolist()
            np.savez("unlabelled.npz", x=stored["x"], lengths=stored["lengths"])
        found = labels_of(classifiers, "-m", "runs/steps", "--file", "steps.npz")
        assert np.mean([one == other for one, other in zip(found, truth, strict=True)]) > 0.9
        assert labels_of(classifiers, "-m", "runs/steps", "--file", "unlabelled.npz") == found
        lines = "".join(f"{json.dumps(part.tolist())}\n" for part in parts).encode()
        assert labels_of(classifiers, "-m", "runs/steps", stdin=lines) == found
        single = [",".join(map(str, part[0].tolist())) for part in parts if len(part) == 1]
        assert labels_of(classifiers, "-m", "runs/steps", "--", *single) == [
            label for part, label in zip(parts, found, strict=True) if len(part) == 1
        ]

    def test_values_of_columns(self, classifiers):
        found = labels_of(classifiers, "-m", "runs/values", "--file", "values.csv")
        truth = np.array([3 * a - 20 * b + 7 for a, b in ROWS])
        assert np.std(np.array(found, float) - truth) < 0.5 * np.std(truth)
        assert labels_of(classifiers, "-m", "runs/values", *(f"{a},{b}" for a, b in ROWS)) == found

    @pytest.mark.parametrize(
        ("encoding", "raw"),
        [
            ("utf-8", "\ufeffgood film\r\nbad plot\r\ndull"),
            ("latin-1", "good film\nbad plot\ndull\xe4\n"),
            ("utf-16", "good film\nbad plot\ndull\n"),
            ("utf-16-le", "good film\r\nbad plot\ndull"),
            ("utf-32", "good film\nbad plot\ndull"),
        ],
    )
    def test_encodings(self, classifiers, encoding, raw):
        table, raw = f"text\n{raw}".encode(encoding), raw.encode(encoding)
        plain = labels_of(classifiers, stdin=b"good film\nbad plot\ndull\n")
        assert labels_of(classifiers, "--encoding", encoding, stdin=raw) == plain
        Path("a.txt").write_bytes(raw)
        assert labels_of(classifiers, "--encoding", encoding, "--file", "a.txt") == plain
        if "\ufeff".encode() not in raw:
            Path("a.tsv").write_bytes(table)
            assert labels_of(classifiers, "--encoding", encoding, "--file", "a.tsv") == plain


class TestAnswers:
    def test_json_holds_every_label_and_its_probability(self, classifiers, expected):
        for line, label, (neg, pos) in zip(
            labels_of(classifiers, "--json", *TEXTS), expected[0], expected[1].T.tolist(), strict=True
        ):
            answer = strict_json(line)
            assert answer == {"labels": [label], "probabilities": pytest.approx({"neg": neg, "pos": pos}, abs=1e-6)}
            assert list(answer["probabilities"]) == [label, *{"neg", "pos"} - {label}]  # the most probable first

    def test_top_and_probabilities(self, classifiers, expected):
        first = expected[1][:, 0]
        names = ["neg", "pos"] if first[0] > first[1] else ["pos", "neg"]
        likely, other = (f"{p:.4f}" for p in sorted(first.tolist(), reverse=True))
        for options, line in {
            "--proba": f"{names[0]}\t{likely}",
            "--top 1": names[0],
            "--top 2": "\t".join(names),
            "--top 9 --proba": f"{names[0]}\t{likely}\t{names[1]}\t{other}",
            "--top 2 --threshold 0.5": names[0],
            "--threshold 0": names[0],
            "--threshold 1": "",
        }.items():
            assert labels_of(classifiers, TEXTS[0], *options.split()) == [line], options
        (line,) = labels_of(classifiers, TEXTS[0], "--top", "1", "--json")
        assert strict_json(line) == {
            "labels": names[:1],
            "probabilities": {names[0]: pytest.approx(first.max(), abs=1e-6)},
        }
        (line,) = labels_of(classifiers, TEXTS[0], "--threshold", "1", "--json")
        assert strict_json(line)["labels"] == []

    def test_several_labels_or_none(self, classifiers):
        several = ["-m", "runs/several", "x", "x y", "z", "q"]
        found = [strict_json(line) for line in labels_of(classifiers, *several, "--json")]
        for answer in found:
            assert sorted(answer["probabilities"]) == ["a", "b", "c"]
            assert answer["labels"] == [name for name, p in answer["probabilities"].items() if p >= 0.5]
        assert [set(answer["labels"]) for answer in found[:3]] == [{"a"}, {"a", "b"}, {"c"}]
        lines = labels_of(classifiers, *several)
        assert [line.split("\t") if line else [] for line in lines] == [answer["labels"] for answer in found]
        for options, count in (("--threshold 0", 3), ("--top 2", 2), ("--top 2 --threshold 1", 0)):
            for line, answer in zip(labels_of(classifiers, *several, *options.split()), found, strict=True):
                assert line == "\t".join([*answer["probabilities"]][:count]), options

    def test_values(self, classifiers):
        (line,) = labels_of(classifiers, "-m", "runs/values", "10,0.5", "--json")
        value = strict_json(line)["values"]["target"]
        assert labels_of(classifiers, "-m", "runs/values", "10,0.5") == [f"{value:.6g}"]
        for option in ("--top=1", "--proba", "--threshold=0.5"):
            status, out, err = classifiers("classify", "-m", "runs/values", "10,0.5", option)
            assert (status, out) == (2, "")
            assert err == "--top, --proba and --threshold are for labels, and this model answers with a value\n"

    def test_the_batch_changes_nothing(self, classifiers, expected, monkeypatch):
        text = "\n".join(TEXTS).encode()
        whole = labels_of(classifiers, "--json", "--file", "reviews.csv")
        monkeypatch.setattr(sequences, "EXAMPLES", 7)
        monkeypatch.setattr(sequences, "PIECE", 13)
        for found in (
            labels_of(classifiers, "--json", "--file", "reviews.csv"),
            labels_of(classifiers, "--json", stdin=text),
            labels_of(classifiers, "--json", stdin=b"\n".join(reversed(text.split(b"\n"))))[::-1],
        ):
            for one, other in zip(found, whole, strict=True):
                one, other = strict_json(one), strict_json(other)  # noqa: PLW2901
                assert one["labels"] == other["labels"]
                assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-6)

    def test_examples_of_many_numbers_are_read_few_at_a_time(self, tiny_classifiers, monkeypatch):
        reader = experiments.load(tiny_classifiers / "runs" / "steps").sequences
        path = str(tiny_classifiers / "steps.npz")
        assert [*map(len, sequences.given_sequences(reader, [], path, None))] == [60]
        monkeypatch.setattr(sequences, "NUMBERS", 30)  # lengths 1 to 5 of 2 numbers, again and again
        assert {*map(len, sequences.given_sequences(reader, [], path, None))} == {5}


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

    def test_what_stands_before_a_fault_of_a_file_is_answered(self, classifiers, expected):
        Path("a.csv").write_text(f"text,label\n{TEXTS[0]},x\n{TEXTS[1]},y\n,\na,b,c\nfine,z\n")
        status, out, err = classifiers("classify", "--file", "a.csv")
        assert (status, out.splitlines()) == (3, [*expected[0][:2], ""])
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
        arrays["weights.recurrent.0.weight_hh"][:] = 9
        arrays["weights.recurrent.0.bias"][:] = 1
        write_checkpoint_file(Path("huge.npz"), arrays, content)
        raw = b"good\n" + b"good film " * 500
        for command, key in (("classify", "labels"), ("encode", "vector")):
            status, out, err = classifiers(command, "--json", "-m", "huge.npz", stdin=raw)
            short, long = (strict_json(line) for line in out.splitlines())
            assert (status, next(iter(short))) == (3, key)
            message = "standard input:2: the model's answer is not finite; give a shorter sequence"
            assert long == {"error": message}
            assert err == f"{message}\n"


class TestModels:
    def test_the_newest_that_can_classify(self, classifiers):
        assert classifiers("train", "reviews.txt", *SMALL, "--steps", "1", "-o", "runs/language", "-q").status == 0
        assert labels_of(classifiers, "good film") == labels_of(classifiers, "-m", "runs/reviews", "good film")
        for command in ("classify", "encode"):
            status, out, err = classifiers(command, "good", "-m", "runs/language")
            assert (status, out) == (2, "")
            assert err == (
                "runs/language/best.npz holds a model of task language_model, "
                "where one of classification or regression is needed\n"
            )
        for name in ("reviews", "values", "steps", "several", "fasttext"):
            shutil.rmtree(Path("runs", name))
        status, out, err = classifiers("classify", "good")
        assert (status, out) == (2, "")
        assert err.startswith(
            "no model of task classification or regression under runs/; train one: rnncli train --task"
        )
        status, out, err = classifiers("classify", "good", "--runs", "nowhere")
        assert (status, out) == (2, "")
        assert err.startswith("no model under nowhere/; train one: rnncli train --task classification reviews.csv")

    def test_damaged_and_missing(self, classifiers):
        whole = Path("runs/reviews/best.npz").read_bytes()
        Path("cut.npz").write_bytes(whole[:-100])
        Path("flipped.npz").write_bytes(whole[:-3000] + bytes([whole[-3000] ^ 1]) + whole[-2999:])
        for path, message in {
            "cut.npz": "cut.npz: is cut short",
            "flipped.npz": "flipped.npz: ",
            "reviews.csv": "reviews.csv: is not an .npz file",
            "runs/none": "runs/none: cannot be read: No such file",
        }.items():
            for command in ("classify", "encode"):
                status, out, err = classifiers(command, "good", "--model", path)
                assert (status, out, len(err.splitlines())) == (3, "", 1)
                assert err.startswith(message)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ("good --file reviews.csv", "TEXT and --file exclude each other"),
            ("good --file=", "TEXT and --file exclude each other"),
            ("good --top 0", "'--top'"),
            ("good --top many", "'--top'"),
            ("good --threshold 1.5", "'--threshold'"),
            ("good --threshold nan", "'--threshold'"),
        ],
    )
    def test_usage(self, classifiers, arguments, message):
        status, out, err = classifiers("classify", *arguments.split())
        assert (status, out, len(err.splitlines())) == (2, "", 1)
        assert message in err


def readable(stream, seconds):
    """Whether something can be read within this time."""
    return bool(select.select([stream], [], [], seconds)[0])


class TestPipes:
    def test_a_slow_one_is_answered_line_by_line(self, classifiers, start_process, expected):
        process = start_process("classify", stdin=-1)
        for text, label in list(zip(TEXTS, expected[0], strict=True))[:3]:
            half = len(text) // 2
            process.stdin.write(text[:half].encode())
            process.stdin.flush()
            assert not readable(process.stdout, 0.1)
            process.stdin.write(f"{text[half:]}\n".encode())
            process.stdin.flush()
            assert readable(process.stdout, 30)
            assert os.read(process.stdout.fileno(), 1000) == f"{label}\n".encode()
        process.stdin.close()
        assert (process.stdout.read(), process.stderr.read(), process.wait(30)) == (b"", b"", 0)

    def test_interrupted(self, classifiers, start_process):
        process = start_process("classify", stdin=-1)
        process.stdin.write(b"good\n")
        process.stdin.flush()
        assert readable(process.stdout, 30)
        process.send_signal(signal.SIGINT)
        assert (process.wait(30), process.stderr.read()) == (-signal.SIGINT, b"")

    def test_reader_that_has_seen_enough(self, classifiers, start_process, tmp_path):
        (tmp_path / "long.txt").write_text("good film\n" * 30_000)
        with Path("long.txt").open("rb") as file:
            process = start_process("classify", stdin=file)
            assert process.stdout.readline() in (b"pos\n", b"neg\n")
            process.stdout.close()
            assert (process.wait(30), process.stderr.read()) == (141, b"")

    def test_closed_streams_and_a_full_disk(self, classifiers, rnncli_process):
        def closed(which):
            return "sh", "-c", f'exec "$@" {which}', "sh"

        assert rnncli_process("classify", before=closed("<&-")) == (
            *(3, ""),
            "standard input: it is closed; give a text, or --file FILE\n",
        )
        assert rnncli_process("classify", "good", before=closed(">&-")).err == (
            "cannot write output: standard output is closed\n"
        )
        assert rnncli_process("classify") == (0, "", "")  # /dev/null
        with Path("/dev/full").open("wb") as full:
            status, _, err = rnncli_process("classify", "good", stdout=full)
        assert (status, err) == (1, "cannot write output: No space left on device\n")

    def peak(self, start_process, lines):
        """Return the peak memory in MB of a process that classifies so many lines."""
        Path("lines.txt").write_text("good film\n" * lines)
        with Path("lines.txt").open("rb") as file, Path("out.txt").open("wb") as out:
            process = start_process("classify", stdin=file, stdout=out)
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        assert Path("out.txt").read_bytes().count(b"\n") == lines
        return usage.ru_maxrss / 1024

    def test_memory_does_not_grow_with_the_lines(self, classifiers, start_process):
        assert self.peak(start_process, 60_000) < self.peak(start_process, 12_000) + 6

    @pytest.mark.slow
    def test_a_million_lines(self, classifiers, start_process):
        assert self.peak(start_process, 1_000_000) < self.peak(start_process, 12_000) + 6
