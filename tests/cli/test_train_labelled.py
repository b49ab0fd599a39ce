"""`rnncli train --task classification` and regression: what it says and writes, and data that it cannot use."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import SMALL, content, strict_json
from tests.tasks.labelled_runs import CSV, EXAMPLES, VALUES

GOOD = "a film,pos\nb film,neg\n" * 10
CLASSIFY = ["--task", "classification", *SMALL]
REGRESS = ["--task", "regression", *SMALL]


@pytest.fixture
def reviews(tmp_path):
    """reviews.csv in an empty folder."""
    (tmp_path / "reviews.csv").write_text(CSV)


@pytest.mark.parametrize("path", ['data.train=""', 'data.validation="-"'])
def test_paths_that_name_nothing_or_stdin_among_others(rnncli, reviews, path):
    given = [] if "train" in path else ["reviews.csv"]
    status, _, err = rnncli("train", *given, *CLASSIFY, "--set", path)
    assert status == 2
    assert err.endswith("validation and test name files, folders or globs; train may be - for stdin\n")


class TestRuns:
    def test_files_and_lines(self, rnncli, reviews):
        status, out, err = rnncli("train", "reviews.csv", *CLASSIFY, "--epochs", "2", "--cell", "gru")
        assert (status, out) == (0, "runs/reviews\n")
        assert content("runs/reviews").keys() == {"best.npz", "last.npz", "spec.yaml", "metrics.jsonl"}
        said = r"gru 1 x 8, \d+ parameters, \d+ tokens → 2 labels, 96 sequences to train on → runs/reviews"
        assert re.search(f"^{said}$", err, re.MULTILINE)
        assert "split       model        accuracy  macro F1  cross entropy\n" in err
        assert "naive Bayes" in err
        log = [strict_json(line) for line in Path("runs/reviews/metrics.jsonl").read_text().splitlines()]
        assert {"validation_loss", "accuracy", "macro_f1", "best"} < log[-1].keys()

    def test_the_same_bytes_again_from_the_spec_it_wrote(self, rnncli, reviews):
        assert rnncli("train", "reviews.csv", *CLASSIFY, "--epochs", "2", "-q").status == 0
        again = ["train", "--spec", "runs/reviews/spec.yaml", "--set", "data.train=../../reviews.csv"]
        assert rnncli(*again, "-o", "runs/again", "-q").status == 0
        assert content("runs/again") == content("runs/reviews")

    def test_json(self, rnncli, reviews):
        status, out, err = rnncli("train", "reviews.csv", *CLASSIFY, "--steps", "30", "--json", "-q")
        *events, last = (strict_json(line) for line in out.splitlines())
        assert (status, err) == (0, "")
        assert (last["run"], last["step"]) == ("runs/reviews", 30)
        best = [event for event in events if event.get("best")][-1]
        assert last["scores"]["validation"]["accuracy"] == best["accuracy"]
        assert set(last["scores"]["test"]["baselines"]) == {"majority", "naive Bayes"}

    def test_interrupted_and_resumed(self, rnncli, reviews):
        for name in ("whole", "broken"):
            stop = ["--max-time", "0.0001"] if name == "broken" else []
            assert rnncli("train", "reviews.csv", *CLASSIFY, "--epochs", "2", "-q", "-o", name, *stop).status == 0
        assert content("broken")["last.npz"] != content("whole")["last.npz"]
        assert rnncli("train", "--resume", "broken", "-q").status == 0
        assert content("broken") == content("whole")

    def test_stdin_is_kept_and_its_format_known_by_its_lines(self, rnncli):
        text = "".join(f"__label__{label} {text}\n" for text, label in EXAMPLES)
        assert rnncli("train", "-", *CLASSIFY, "--steps", "2", "-q", stdin=text.encode()) == (0, "runs/stdin\n", "")
        assert Path("runs/stdin/corpus.txt").read_text() == text
        assert rnncli("classify", "__label__pos good film").status == 0

    def test_stdin_that_is_no_labelled_data_leaves_nothing_behind(self, rnncli):
        arguments = ["train", "-", *CLASSIFY, "--steps", "2", "-q", "-o", "run"]
        status, out, err = rnncli(*arguments, stdin=CSV.encode())
        assert (status, out) == (3, "")
        assert "it is in no format of labelled examples" in err
        assert not Path("run").exists()
        assert rnncli(*arguments, "--set", "data.format=csv", stdin=CSV.encode()) == (0, "run\n", "")
        assert Path("run/corpus.txt").read_text() == CSV

    def test_the_log_counts_sequences(self, rnncli):
        text = "".join(f"__label__{i % 3} __label__x{i % 2} word{i % 5}\n" for i in range(60))
        Path("several.txt").write_text(text)
        settings = ["--set", "data.multi_label=true", "--batch-size", "2", "--steps", "1", "-q"]
        assert rnncli("train", "several.txt", *CLASSIFY, *settings).status == 0
        first = strict_json(Path("runs/several/metrics.jsonl").read_text().splitlines()[0])
        assert first["sequences"] == 2
        assert "tokens" not in first

    def test_dry_run(self, rnncli, reviews):
        status, out, _ = rnncli("train", "reviews.csv", *CLASSIFY, "--dry-run", "--json")
        plan = strict_json(out)
        assert status == 0
        assert (plan["outputs"], plan["train_sequences"]) == (2, 96)
        assert not Path("runs").exists()

    def test_regression(self, rnncli, tmp_path):
        (tmp_path / "values.csv").write_text(VALUES)
        columns = ["--set", "data.columns=[hours, sleep]"]
        status, out, err = rnncli("train", "values.csv", *REGRESS, *columns, "--epochs", "2")
        assert (status, out) == (0, "runs/values\n")
        assert "vectors of 2 → 1 value, 80 sequences to train on" in err
        assert "rmse" in err

    def test_rare_labels_and_new_ones_are_notes(self, rnncli):
        Path("rare.csv").write_text(f"text,label\n{GOOD}c,odd\n")
        Path("test.csv").write_text("text,label\na film,pos\nd,new\n")
        arguments = ["--set", "data.test=test.csv", "--steps", "2"]
        status, _, err = rnncli("train", "rare.csv", *CLASSIFY, *arguments)
        assert status == 0
        assert "note: labels with one example to train on: 1, the first odd\n" in err
        assert "note: test examples with a label that is not in the training part: 1, first test.csv:3\n" in err


BAD = [
    ("a.csv", f"txt,label\n{GOOD}", 'a.csv:1: no column "text"; did you mean "txt"? the columns are txt, label'),
    ("a.csv", f"text,lable\n{GOOD}", 'a.csv:1: no column "label"; did you mean "lable"?'),
    ("a.csv", f"text;label\n{GOOD}".replace(",", ";"), "a.csv:1: no column"),
    ("a.csv", "text,label\n" + "a film,pos\n" * 20, 'all others to train on have only the label "pos"; give examples'),
    ("a.csv", f"text,label\n{GOOD},pos\n", "a.csv:22: the text is empty"),
    ("a.csv", f"text,label\n{GOOD}a,\n", "a.csv:22: the label is empty"),
    ("a.csv", f"text,label\n{GOOD}{'x' * 131_073},pos\n", "a.csv:22: a cell has more than 131,072 characters"),
    ("a.csv", f'text,label\n{GOOD}"abc,pos\n{GOOD}', "a.csv:22: a quote that opens in this row is never closed"),
    ("a.csv", f"text,label\n{GOOD}a,b,c\n", "a.csv:22: 3 cells where the header has 2"),
    ("a.csv", f"text,label,text\n{GOOD}", 'a.csv:1: two columns are called "text"'),
    ("a.csv", f"text,label\n{GOOD}a,\x1b[31mred\n", 'a.csv:22: the label "\\x1b[31mred" holds a character that cannot'),
    ("a.csv", "text,label\n", "a.csv: it holds no examples"),
    ("a.csv", "", "a.csv: the file is empty"),
    ("a.csv", b"text,label\nK\xe4se,pos\n", "a.csv: byte 0xe4 at offset 12 is not utf-8; try --encoding latin-1"),
    ("a.tsv", f"text\tlabel\n{GOOD}", "a.tsv:2: 1 cells where the header has 2"),
    ("a.jsonl", '{"text": "a", "label": "x"}\n{"text":\n', "a.jsonl:2:9: no JSON: Expecting value"),
    ("a.jsonl", '{"text": "a", "label": "x"}\n{"text": NaN}\n', "a.jsonl:2:10: NaN is no number in JSON"),
    ("a.jsonl", '{"text": "a", "label": ["x", "y"]}\n', "a.jsonl:1: 2 labels where one is expected"),
    ("a.txt", "__label__a x\nno label\n", "a.txt:2: no label before the text"),
    ("a.txt", "a text\n", "a.txt: it is in no format of labelled examples"),
    ("missing.csv", None, "missing.csv: no such file or folder"),
]
BAD_VECTORS = [
    ({"x": np.array([[[1.0]], [[np.nan]]]), "y": [0, 1]}, "sequence 1: step 0, dimension 0 is nan, not finite"),
    ({"x": np.ones((3, 2)), "lengths": [1, 1], "y": [0, 1]}, "the lengths add up to 2 steps, but x has 3"),
    ({"x": np.ones((2, 1, 2)), "y": [0]}, "y is int64 (1,) for 2 sequences"),
    ({"x": np.ones((2, 1, 2))}, "it holds no array y"),
    ({"vectors": np.ones((2, 1, 2)), "y": [0, 1]}, "it holds no array x"),
    ({"x": np.ones((2, 1, 2)), "y": ["\x1b[31mred", "b"]}, 'sequence 0: the label "\\x1b[31mred" holds'),
]


class TestBadData:
    @pytest.mark.parametrize(("name", "text", "message"), BAD, ids=[message for *_, message in BAD])
    def test_of_texts(self, rnncli, name, text, message):
        if text is not None:
            Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
        self.refused(rnncli, message, name, *CLASSIFY)

    @pytest.mark.parametrize(("arrays", "message"), BAD_VECTORS, ids=[message for _, message in BAD_VECTORS])
    def test_of_vectors(self, rnncli, arrays, message):
        np.savez("a.npz", **arrays)
        self.refused(rnncli, f"a.npz: {message}", "a.npz", *CLASSIFY)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("x,label\n1,a\nnan,b\n", 'a.csv:3: column "x": "nan" is not a finite number'),
            ("x,label\n1,a\n,b\n", 'a.csv:3: column "x": no number'),
            ("x,label\n1,a\n1e39,b\n", "a.csv:3: a number is beyond 3.4e38"),
            ("y,label\n1,a\n", 'a.csv:1: no column "x"'),
        ],
    )
    def test_of_columns(self, rnncli, text, message):
        Path("a.csv").write_text(text)
        self.refused(rnncli, message, "a.csv", *CLASSIFY, "--set", "data.columns=[x]")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("text,target\na,1\nb,two\n", 'a.csv:3: "two" is not a finite number'),
            ("text,target\na,1\nb,nan\n", 'a.csv:3: "nan" is not a finite number'),
            ("text,target\n" + "a,1\n" * 30, "all others to train on have the same value, 1"),
            (CSV, 'a.csv:1: no column "target"'),
        ],
    )
    def test_of_regression(self, rnncli, text, message):
        Path("a.csv").write_text(text)
        self.refused(rnncli, message, "a.csv", *REGRESS)

    def test_vectors_of_two_widths(self, rnncli):
        np.savez("a.npz", x=np.ones((2, 1, 2)), y=[0, 1])
        np.savez("b.npz", x=np.ones((2, 1, 3)), y=[0, 1])
        self.refused(rnncli, "b.npz: sequence 0: vectors of 3 numbers, where those before have 2", "*.npz", *CLASSIFY)

    def test_class_weights_of_no_label(self, rnncli, reviews):
        weights = ["--set", "training.class_weights={pos: 2, nug: 1}"]
        self.refused(rnncli, 'training.class_weights has "nug"', "reviews.csv", *CLASSIFY, *weights)

    def refused(self, rnncli, message, *arguments):
        """One line that begins or goes on so, exit status 3, and nothing left behind."""
        before = sorted(Path().iterdir())
        for extra in ([], ["--json", "--quiet"], ["--dry-run"]):
            result = rnncli("train", *arguments, "--steps", "2", *extra)
            assert (result.status, result.out, len(result.lines)) == (3, "", 1)
            assert message in result.err
            assert result.lines[0].isprintable()
            assert len(result.lines[0]) <= 200
        assert {path.name for path in Path().rglob("*")} - {path.name for path in before} <= {"runs"}
        assert not list(Path().glob("runs/*"))


def test_the_command_after_init_can_be_typed(rnncli):
    status, out, err = rnncli("init", "classification", "--output", "a b.yaml")
    assert (status, out, err) == (0, "", "next: rnncli train --spec 'a b.yaml'\n")


def test_a_task_that_there_is_not(rnncli, reviews):
    status, out, err = rnncli("train", "reviews.csv", "--task", "classifcation")
    assert (status, out) == (2, "")
    assert err == (
        "--task: task must be one of language_model, classification, regression, tagging, translation, captioning, "
        'not "classifcation"; did you mean "classification"?\n'
    )
