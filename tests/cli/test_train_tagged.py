"""`rnncli train --task tagging` and `evaluate` of its models: what is said and written, and data of no use."""

import json
import re
import shutil
from collections import Counter, defaultdict
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import SMALL, content, strict_json
from tests.cli.tagged_models import labels_of, reader_of, trained_taggers
from tests.tasks.tagged_runs import SENTENCES, conll, conllu, write

TAG = ["--task", "tagging", *SMALL]
GOOD = "Ann B-PER\nsaw O\n\nthe O\ndog O\n\n" * 10


@pytest.fixture
def sentences(tmp_path):
    """Tagged data in an empty folder."""
    write(tmp_path)


@pytest.fixture
def taggers(rnncli, tmp_path_factory, tmp_path):
    """`rnncli` in a folder with tagged data and models."""
    shutil.copytree(trained_taggers(tmp_path_factory), tmp_path, dirs_exist_ok=True)
    return rnncli


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
            "mend them, or set data.repair=true, or data.scheme=none\n"
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


def evaluated(command, *arguments):
    """The scores that `evaluate --json` prints."""
    status, out, err = command("evaluate", "--json", "--quiet", *arguments)
    assert (status, err) == (0, "")
    return strict_json(out)["scores"]


class TestEvaluate:
    NEW = "Zoe B-PER\nsaw O\nAnn B-PER\nLee I-PER\n\nthe O\ngnu O\nleft O\nRay B-ORG\n\n"

    def test_the_numbers_are_those_of_the_answers(self, taggers):
        Path("new.conll").write_text(self.NEW)
        given = evaluated(taggers, "new.conll", "--errors", "9")["given"]
        rows = [[line.split() for line in block.split("\n")] for block in self.NEW.strip().split("\n\n")]
        found = labels_of([tuple(token for token, _ in sentence) for sentence in rows])
        pairs = [[(row[1], label) for row, label in zip(*each, strict=True)] for each in zip(rows, found, strict=True)]
        right = [[one == other for one, other in each] for each in pairs]
        every = [*chain.from_iterable(right)]
        assert (given["tokens"], given["sequences"], given["unknown"], given["unseen"]) == (8, 2, 0, 2)
        assert given["token_accuracy"] == np.mean(every)
        assert given["unseen_accuracy"] == np.mean([right[0][0], right[1][1]])
        assert given["sequence_accuracy"] == np.mean([all(each) for each in right])
        assert given["spans"]["support"] == 3
        assert given["span_f1"] == given["spans"]["f1"]
        assert len(given["errors"]) == every.count(False)
        assert {"label", "precision", "recall", "f1", "support"} == set(given["labels"][0])
        counts, names = Counter(chain.from_iterable(pairs)), reader_of().names
        assert given["confusion"] == [[counts[row, column] for column in names] for row in names]
        most = defaultdict(Counter)
        for token, label in rows_of_training():
            most[token][label] += 1
        hits = [most[token].most_common(1)[0][0] == label for token, label in chain(*rows) if token in most]
        baseline = given["baselines"]["most frequent tag"]
        assert len(hits) == 6
        assert baseline["token_accuracy"] * 8 == pytest.approx(sum(hits) + baseline["unseen_accuracy"] * 2)

    def test_splits_of_the_run(self, taggers):
        scores = evaluated(taggers)
        assert {name: score["sequences"] for name, score in scores.items()} == {"validation": 10, "test": 10}
        log = [strict_json(line) for line in Path("runs/spans/metrics.jsonl").read_text().splitlines()]
        best = [line for line in log if line.get("best")][-1]
        validation = scores["validation"]
        assert validation["cross_entropy"] == pytest.approx(best["validation_loss"], rel=1e-6)
        for name in ("token_accuracy", "span_f1", "macro_f1", "sequence_accuracy"):
            assert validation[name] == best[name]
        assert evaluated(taggers, "--split", "test") == {"test": scores["test"]}
        assert evaluated(taggers, "--split", "train")["train"]["sequences"] == 80

    def test_table_and_drawings(self, taggers):
        Path("new.conll").write_text(self.NEW)
        given = evaluated(taggers, "new.conll", "--errors", "2")["given"]
        status, out, err = taggers("evaluate", "new.conll", "--errors", "2", "-q")
        assert (status, err) == (0, "")
        table, counts, spans, labels, confusions, lengths, errors = out.split("\n\n")
        heads = "token span unseen macro sequence cross split model accuracy F1 accuracy F1 accuracy entropy"
        assert " ".join(" ".join(table.splitlines()[:2]).split()) == heads
        names = ("token_accuracy", "span_f1", "unseen_accuracy", "macro_f1", "sequence_accuracy", "cross_entropy")
        assert table.splitlines()[2].split() == ["given", "this", "model", *(f"{given[name]:.3f}" for name in names)]
        assert table.splitlines()[3].split()[:4] == ["given", "most", "frequent", "tag"]
        assert counts == "8 tokens in 2 sequences; 2 (25.0%) unseen in training"
        assert spans.startswith("spans")
        for row, each in zip(labels.splitlines()[1:], given["labels"], strict=True):
            scores = [f"{each[name]:.3f}" for name in ("precision", "recall", "f1")]
            assert row.split() == [each["label"], *scores, str(each["support"])]
        assert confusions.startswith("confusions: ")
        assert lengths.startswith("length")
        first = given["errors"][0]
        verdict = f"{first['where']}: {first['target']} taken for {first['predicted']} ({first['probability']:.3f})"
        assert errors.splitlines()[:2] == [verdict, f"  {first['text']}"]
        assert "[" in first["text"]

    def test_labels_that_the_model_does_not_know(self, taggers):
        Path("new.conll").write_text("Ann B-NEW\nLee I-NEW\nsaw O\n\n")
        status, out, err = taggers("evaluate", "new.conll", "--json", "--errors", "5")
        given = strict_json(out)["scores"]["given"]
        assert (status, err) == (0, "note: steps with a label that the model does not know: 2, first new.conll:1\n")
        assert (given["tokens"], given["unknown"]) == (3, 2)
        assert given["token_accuracy"] <= 1 / 3
        assert given["span_f1"] == 0
        assert {"new.conll:1", "new.conll:2"} <= {error["where"] for error in given["errors"]}
        assert {error["target"] for error in given["errors"]} >= {"(unknown)"}
        Path("all_new.conll").write_text("Ann B-NEW\n\n")
        assert evaluated(taggers, "all_new.conll")["given"]["cross_entropy"] is None  # there is no such loss
        assert taggers("evaluate", "all_new.conll").status == 0

    def test_frames(self, taggers):
        given = evaluated(taggers, "several.csv", "-m", "runs/several", "--errors", "3")["given"]
        assert (given["frames"], given["unseen"], given["spans"], given["confusion"]) == (240, None, None, None)
        assert {"frame_accuracy", "micro_f1", "hamming_loss"} < given.keys()
        assert given["frame_accuracy"] > given["baselines"]["majority"]["frame_accuracy"]
        assert all(error["where"].startswith("several.csv:") for error in given["errors"])
        found = evaluated(taggers, "frames.csv", "-m", "runs/frames")["given"]
        assert [each["label"] for each in found["labels"]] == ["down", "up"]

    def test_without_the_training_data_there_is_nothing_to_compare_with(self, taggers):
        Path("new.conll").write_text(self.NEW)
        before = evaluated(taggers, "new.conll")["given"]
        Path("train.conll").unlink()
        status, out, err = taggers("evaluate", "new.conll", "--json")
        after = strict_json(out)["scores"]["given"]
        assert (status, after["baselines"], after["unseen"]) == (0, {}, None)
        assert "note: no baselines: " in err
        assert after["token_accuracy"] == before["token_accuracy"]

    @pytest.mark.parametrize(
        ("arguments", "status", "message"),
        [
            ("broken.conll", 3, 'broken.conll:2: "I-PER" after "O": a span begins with B-; mend them'),
            ("parts.conllu", 3, 'parts.conllu:1: "'),
            ("plain.txt", 3, "plain.txt: it is in no format of tagged sequences"),
            ("frames.csv", 3, 'frames.csv:1: no column "token"'),
            ("train.conll -m runs/frames", 3, "train.conll:1: a text, where the model reads vectors of 2 numbers"),
            ("train.conll --encoding klingon", 3, "unknown encoding 'klingon'"),
            ("train.conll --split test", 2, "files and --split exclude each other"),
            (
                "train.conll broken.jsonl",
                3,
                "broken.jsonl is jsonl, but train.conll is conll; give files of one format",
            ),
        ],
    )
    def test_what_cannot_be_evaluated(self, taggers, arguments, status, message):
        Path("broken.conll").write_text("saw O\nAnn I-PER\n\n")
        Path("broken.jsonl").write_text(json.dumps({"tokens": ["Ann"], "labels": ["O"]}))
        Path("parts.conllu").write_text(conllu(SENTENCES[:2]))
        Path("plain.txt").write_text("Ann saw\n")
        result = taggers("evaluate", *arguments.split(), "--quiet")
        assert (result.status, result.out, len(result.lines)) == (status, "", 1), result
        assert result.err.startswith(message)


def rows_of_training():
    """(token, label) of each step that the newest model was trained on."""
    reader = reader_of()
    dataset = reader.task.read(Path("runs/spans"), reader.resources)
    train = dataset.splits.train
    tokens = [token for i in range(len(train)) for token in train.tokens(i)]
    return zip(tokens, [dataset.names[k] for k in train.targets.tolist()], strict=True)
