"""`rnncli classify`: every way in which sequences are given, one line for each."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from rnncli import experiments
from rnncli.cli import sequences
from tests.cli.conftest import SMALL, strict_json
from tests.tasks.labelled_runs import EXAMPLES, ROWS

TEXTS = [text for text, _ in EXAMPLES]


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
        Path("plain.txt").write_text("\n".join(TEXTS))
        sources = (["-f", "reviews.txt"], ["-f", "plain.txt"], TEXTS)
        found = [labels_of(classifiers, "-m", "runs/fasttext", "--json", *source) for source in sources]
        for lines in zip(*found, strict=True):
            labelled, *others = (strict_json(line)["probabilities"] for line in lines)
            assert others == [pytest.approx(labelled, abs=1e-6)] * 2

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
        lines = labels_of(classifiers, "-m", "runs/values", *(f"{a},{b}" for a, b in ROWS))
        np.testing.assert_allclose(np.array(lines, float), np.array(found, float), rtol=2e-5)

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
            "--threshold 0": "\t".join(names),
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


class TestModels:
    def test_the_newest_that_can_classify(self, classifiers):
        assert classifiers("train", "reviews.txt", *SMALL, "--steps", "1", "-o", "runs/language", "-q").status == 0
        assert labels_of(classifiers, "good film") == labels_of(classifiers, "-m", "runs/reviews", "good film")
        for command in ("classify", "encode"):
            status, out, err = classifiers(command, "good", "-m", "runs/language")
            assert (status, out) == (2, "")
            assert err == (
                "runs/language/best.npz holds a model of task language_model, "
                "where one of classification or regression is needed; use rnncli generate\n"
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
