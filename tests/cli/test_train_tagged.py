"""`rnncli train --task tagging`: what it says and writes, and data that it cannot use."""

import re
from pathlib import Path

import pytest

from tests.cli.conftest import SMALL, content, strict_json
from tests.cli.tagged_models import reader_of
from tests.tasks.tagged_runs import SENTENCES, conll, conllu, write

TAG = ["--task", "tagging", *SMALL]
GOOD = "Ann B-PER\nsaw O\n\nthe O\ndog O\n\n" * 10


@pytest.fixture
def sentences(tmp_path):
    """Tagged data in an empty folder."""
    write(tmp_path)


class TestRuns:
    def test_files_and_lines(self, rnncli, sentences):
        status, out, err = rnncli("train", "train.conll", *TAG, "--epochs", "2", "--cell", "gru")
        assert (status, out) == (0, "runs/train\n")
        assert content("runs/train").keys() == {"best.npz", "last.npz", "spec.yaml", "metrics.jsonl"}
        said = r"gru 1 x 8, \d+ parameters, 18 tokens → 4 labels, 80 sequences to train on → runs/train"
        assert re.search(f"^{said}$", err, re.MULTILINE)
        assert "small data (80 sequences): batch_size 32 → 4" in err
        assert "most frequent tag" in err
        assert re.search(r"token +span +macro +sequence +cross\n.*accuracy +F1 +F1 +accuracy +entropy\n", err)
        log = [strict_json(line) for line in Path("runs/train/metrics.jsonl").read_text().splitlines()]
        assert {"validation_loss", "token_accuracy", "span_f1", "macro_f1", "sequence_accuracy"} < log[-1].keys()
        assert {"tokens", "train_loss"} < log[0].keys()

    def test_the_same_bytes_again_from_the_spec_it_wrote(self, rnncli, sentences):
        crf = ["--set", "model.crf=true", "--set", "model.characters.hidden_size=3"]
        assert rnncli("train", "train.conll", *TAG, *crf, "--epochs", "1", "-q").status == 0
        again = ["train", "--spec", "runs/train/spec.yaml", "--set", "data.train=../../train.conll"]
        assert rnncli(*again, "-o", "runs/again", "-q").status == 0
        assert content("runs/again") == content("runs/train")

    def test_interrupted_and_resumed(self, rnncli, sentences):
        for name in ("whole", "broken"):
            stop = ["--max-time", "0.0001"] if name == "broken" else []
            assert rnncli("train", "train.conll", *TAG, "--epochs", "2", "-q", "-o", name, *stop).status == 0
        assert content("broken")["last.npz"] != content("whole")["last.npz"]
        assert rnncli("train", "--resume", "broken", "-q").status == 0
        assert content("broken") == content("whole")

    def test_json_and_the_log_of_several_labels(self, rnncli, sentences):
        frames = ["--set", "data.columns=[u, v]", "--set", "data.sequence=id", "--set", "data.multi_label=true"]
        status, out, err = rnncli("train", "several.csv", *TAG, *frames, "--steps", "30", "--json", "-q")
        *events, last = (strict_json(line) for line in out.splitlines())
        assert (status, err) == (0, "")
        assert (last["run"], last["step"]) == ("runs/several", 30)
        best = [event for event in events if event.get("best")][-1]
        assert last["scores"]["validation"]["frame_accuracy"] == best["frame_accuracy"]
        assert set(last["scores"]["test"]["baselines"]) == {"majority"}
        log = strict_json(Path("runs/several/metrics.jsonl").read_text().splitlines()[0])
        assert log["sequences"] == 3
        assert "tokens" not in log

    def test_dry_run(self, rnncli, sentences):
        status, out, _ = rnncli("train", "train.conll", *TAG, "--dry-run", "--json")
        plan = strict_json(out)
        assert status == 0
        assert (plan["outputs"], plan["vocabulary"], plan["train_sequences"]) == (4, 18, 80)
        assert not Path("runs").exists()

    def test_stdin_is_kept_and_its_format_known_by_its_lines(self, rnncli):
        for name, text in (("conll", conll()), ("conllu", conllu())):
            arguments = ["train", "-", *TAG, "--steps", "2", "-q", "-o", f"runs/{name}"]
            assert rnncli(*arguments, stdin=text.encode()) == (0, f"runs/{name}\n", "")
            assert Path(f"runs/{name}/corpus.txt").read_text() == text
        assert reader_of("conll").scheme == "bio"
        assert reader_of("conllu").names == ["ADJ", "DET", "NOUN", "PROPN", "VERB"]
        status, out, err = rnncli("train", "-", *TAG, "--steps", "2", "-o", "run", stdin=b"Ann saw\nBo left\n")
        assert (status, out) == (3, "")
        assert "corpus.txt: it is in no format of tagged sequences" in err
        assert not Path("run").exists()

    def test_labels_that_are_new_or_rare_are_notes(self, rnncli):
        Path("train.conll").write_text(f"{GOOD}Sue B-ORG\n\n")
        Path("test.conll").write_text("Ann B-PER\n\nBo B-NEW\n\n")
        arguments = ["--set", "data.test=test.conll", "--set", "data.split.validation=0", "--steps", "2"]
        status, _, err = rnncli("train", "train.conll", *TAG, *arguments)
        assert status == 0
        assert "note: labels with one example to train on: 1, the first B-ORG\n" in err
        assert "note: test steps with a label that is not in the training part: 1, first test.conll:3\n" in err

    def test_labels_that_break_their_scheme(self, rnncli):
        Path("a.conll").write_text(GOOD + "saw O\nAnn I-PER\n\n" * 3)
        status, out, err = rnncli("train", "a.conll", *TAG, "--steps", "2")
        assert (status, out) == (3, "")
        assert err == (
            'a.conll:62: "I-PER" after "O": a span begins with B-; 3 labels break BIO in all; '
            "mend them, or train with data.repair=true, or data.scheme=none\n"
        )
        for name, setting in (("mended", "data.repair=true"), ("kept", "data.scheme=none")):
            arguments = ["--set", setting, "--steps", "2", "-q", "-o", f"runs/{name}"]
            assert rnncli("train", "a.conll", *TAG, *arguments).status == 0
        assert (reader_of("mended").names, reader_of("mended").scheme) == (["B-PER", "O"], "bio")
        assert (reader_of("kept").names, reader_of("kept").scheme) == (["B-PER", "I-PER", "O"], None)


ROWS = "id,u,v,label\n0,1,2,a\n0,1,1,b\n" + "1,0,0,a\n"
FRAMES = ["--set", "data.columns=[u, v]", "--set", "data.sequence=id"]
BAD = [
    ("a.conll", f"{GOOD}Ann\n\n", [], "a.conll:61: 1 columns where line 1 has 2"),
    (
        "a.conll",
        f"{GOOD}Ann Lee B-PER\n\n",
        [],
        "a.conll:61: 3 columns where line 1 has 2; a token seems to hold a space",
    ),
    ("a.conll", "a X\nb X\n\n" * 20, [], 'all others to train on have only the label "X"; give examples'),
    ("a.conll", GOOD, ["data.label=3"], "a.conll:1: no column 3; the columns are 1 to 2"),
    ("a.conll", GOOD, ["data.label=ner"], "data.label is 'ner', which conll does not have"),
    ("a.conll", GOOD, ["data.columns=[u]"], "conll has no columns that are named so"),
    ("a.conll", GOOD, ["data.validation=v.conll"], "v.conll: no such file or folder"),
    ("a.conll", GOOD, ["data.test=t.conll"], 't.conll:2: "I-PER" after "O": a span begins with B-; mend'),
    ("a.conll", GOOD, ["data.tokenizer.level=character"], 'a.conll:1: the token "Ann", where data.tokenizer.level is'),
    ("a.conll", b"Ann O\nB\xe4 X\n\n", [], "a.conll:2: byte 0xe4 at offset 7 is not utf-8; try --encoding latin-1"),
    ("a.conll", "", [], "a.conll: the file is empty"),
    ("a.conll", "# nothing\n\n", [], "a.conll: it holds no sequences"),
    (
        "a.conll",
        GOOD.replace("O\n", "\x1b[31m\n"),
        [],
        'a.conll:2: the label "\\x1b[31m" holds a character that cannot',
    ),
    ("a.conllu", "# text\n\n", [], "a.conllu:1: a sentence without words"),
    ("a.conllu", conllu(SENTENCES[:2]).replace("1\t", "7\t", 1), [], 'a.conllu:1: the id is "7" where 1 is expected'),
    ("a.csv", "word,label\na,b\n", [], 'a.csv:1: no column "token"'),
    ("a.csv", ROWS.replace("1,1,b", "x,1,b"), FRAMES[1::2], 'a.csv:3: column "u": "x" is not a finite number'),
    ("a.csv", ROWS + "0,1,1,a\n", FRAMES[1::2], 'a.csv:5: sequence "0" goes on after others'),
    ("a.jsonl", '{"tokens": ["a"], "labels": []}\n', [], "a.jsonl:1: 0 labels for 1 steps; write one for each"),
    ("a.jsonl", '{"tokens": ["a", ""], "labels": ["x", "y"]}\n', [], "a.jsonl:1, step 1: the token is empty"),
    ("a.txt", "Ann saw\n", [], "a.txt: it is in no format of tagged sequences"),
    ("missing.conll", None, [], "missing.conll: no such file or folder"),
]
OF_THE_SPEC = ("which conll does not have", "conll has no columns that are named so")
BAD_SPECS = [
    (["model.crf=true", "data.multi_label=true"], "model.crf is for one label a step"),
    (["data.scheme=bio", "data.multi_label=true"], "data.scheme is for one label a step"),
    (["data.tokenizer.level=byte"], "data.tokenizer.level: byte is for texts alone"),
    (["data.scheme=iob"], "data.scheme must be"),
    (["model.characters.cell=conv1d"], "model.characters.cell must be one of rnn, lstm, gru"),
]


class TestBadData:
    @pytest.mark.parametrize(("name", "text", "settings", "message"), BAD, ids=[message for *_, message in BAD])
    def test_is_refused_in_one_line(self, rnncli, name, text, settings, message):
        if text is not None:
            Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
        Path("t.conll").write_text("saw O\nAnn I-PER\n\n")
        self.refused(rnncli, message, [name], settings, 2 if message.endswith(OF_THE_SPEC) else 3)

    @pytest.mark.parametrize(("settings", "message"), BAD_SPECS, ids=[message for _, message in BAD_SPECS])
    def test_a_spec_of_no_sense(self, rnncli, settings, message):
        Path("a.conll").write_text(GOOD)
        self.refused(rnncli, message, ["a.conll"], settings, 2)

    def test_a_validation_part_of_unknown_labels(self, rnncli):
        Path("a.conll").write_text(GOOD)
        Path("v.conll").write_text("Ann B-NEW\n\n")
        message = "v.conll:1: no validation step has a label that is in the training part; give examples"
        self.refused(rnncli, message, ["a.conll"], ["data.validation=v.conll"], 3)

    def refused(self, rnncli, message, files, settings, status):
        """One line that says so, and nothing left behind."""
        more = [word for setting in settings for word in ("--set", setting)]
        for extra in ([], ["--json", "--quiet"], ["--dry-run"]):
            result = rnncli("train", *files, *TAG, *more, "--steps", "2", *extra)
            assert (result.status, result.out, len(result.lines)) == (status, "", 1), result
            assert message in result.err
            assert result.lines[0].isprintable()
            assert len(result.lines[0]) <= 200
        assert not list(Path().glob("runs/*"))
