"""`rnncli evaluate` of taggers: the model's numbers and drawings, the baseline, the mistakes."""

import json
import shutil
from collections import Counter, defaultdict
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import strict_json
from tests.cli.tagged_models import labels_of, reader_of, trained_taggers
from tests.tasks.tagged_runs import SENTENCES, conllu


@pytest.fixture
def taggers(rnncli, tmp_path_factory, tmp_path):
    """`rnncli` in a folder with tagged data and models."""
    shutil.copytree(trained_taggers(tmp_path_factory), tmp_path, dirs_exist_ok=True)
    return rnncli


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
        legend = "mistakes, the worst first; in brackets the probability of what was predicted"
        assert errors.splitlines()[:3] == [legend, verdict, f"  {first['text']}"]
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
