"""`rnncli evaluate` of classifiers: the model's numbers and drawings, the baselines, the mistakes."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import SMALL, strict_json
from tests.tasks.labelled_runs import EXAMPLES, ROWS


def evaluated(command, *arguments):
    """The scores that `evaluate --json` prints."""
    status, out, err = command("evaluate", "--json", "--quiet", *arguments)
    assert (status, err) == (0, "")
    return strict_json(out)["scores"]


def classified(command, *arguments):
    """What `classify --json` answers."""
    status, out, _ = command("classify", "--json", *arguments)
    assert status == 0
    return [strict_json(line) for line in out.splitlines()]


def test_the_numbers_are_those_of_the_answers(classifiers):
    given = evaluated(classifiers, "reviews.csv", "--errors", "200")["given"]
    answers = classified(classifiers, "--file", "reviews.csv")
    pairs = [(label, answer["labels"][0]) for (_, label), answer in zip(EXAMPLES, answers, strict=True)]
    right = [one == other for one, other in pairs]
    assert given["accuracy"] == np.mean(right)
    assert (given["examples"], given["unknown"]) == (120, 0)
    assert given["confusion"] == [[pairs.count((row, column)) for column in ("neg", "pos")] for row in ("neg", "pos")]
    truth = [answer["probabilities"][label] for (_, label), answer in zip(EXAMPLES, answers, strict=True)]
    # a probability near 1 is known to half a unit of float32
    assert given["cross_entropy"] == pytest.approx(-np.mean(np.log(truth)), rel=1e-5, abs=6e-8)
    majority = max(np.mean([label == name for _, label in EXAMPLES]) for name in ("neg", "pos"))
    assert given["baselines"]["majority"]["accuracy"] == majority
    assert set(given["baselines"]) == {"majority", "naive Bayes"}
    by_length = {}
    for (text, _), good in zip(EXAMPLES, right, strict=True):
        by_length.setdefault(len(text.split()), []).append(good)
    for each in given["by_length"]:
        inside = [good for n, goods in by_length.items() if each["low"] <= n <= each["high"] for good in goods]
        assert (each["count"], each["accuracy"]) == (len(inside), pytest.approx(np.mean(inside)))
    assert len(given["errors"]) == right.count(False)


def test_splits_of_the_run(classifiers):
    scores = evaluated(classifiers)
    assert {name: score["examples"] for name, score in scores.items()} == {"validation": 12, "test": 12}
    log = [strict_json(line) for line in Path("runs/reviews/metrics.jsonl").read_text().splitlines()]
    best = [line for line in log if line.get("best")][-1]
    validation = scores["validation"]
    assert validation["cross_entropy"] == pytest.approx(best["validation_loss"], rel=1e-6)
    assert [validation[name] for name in ("accuracy", "macro_f1")] == [best["accuracy"], best["macro_f1"]]
    assert evaluated(classifiers, "--split", "test") == {"test": scores["test"]}
    assert evaluated(classifiers, "--split", "train")["train"]["examples"] == 96


def test_table_and_drawings(classifiers):
    status, out, err = classifiers("evaluate", "--split", "test")
    test = evaluated(classifiers, "--split", "test")["test"]
    assert (status, err) == (0, "")
    table, labels, confusions, lengths = out.split("\n\n")
    rows = [line.split() for line in table.splitlines()]
    assert " ".join(rows[0]) == "split model accuracy macro F1 cross entropy"
    assert rows[1][:3] == ["test", "this", "model"]
    assert rows[1][3:] == [f"{test[name]:.3f}" for name in ("accuracy", "macro_f1", "cross_entropy")]
    assert [row[1] for row in rows[2:]] == ["majority", "naive"]
    for row, each in zip(labels.splitlines()[1:], test["labels"], strict=True):
        scores = [f"{each[name]:.3f}" for name in ("precision", "recall", "f1")]
        assert row.split() == [each["label"], *scores, str(each["support"])]
    for row, counts in zip(confusions.splitlines()[2:], test["confusion"], strict=True):
        assert [int(cell) for cell in row.replace("·", "0").split() if cell.isdecimal()] == counts
    assert sum(int(line.split()[-1]) for line in lengths.splitlines()[1:]) == 12
    assert "\x1b" not in out


def test_the_worst_mistakes_say_where_they_are(classifiers):
    Path("wrong.csv").write_text("text,label\n" + "".join(f"{text},{'neg' * (label == 'pos') or 'pos'}\n"
                                                           for text, label in EXAMPLES[:9]))  # fmt: skip
    probabilities = [max(each["probabilities"].values()) for each in classified(classifiers, "--file", "wrong.csv")]
    labels = [each["labels"][0] for each in classified(classifiers, "--file", "wrong.csv")]
    wrong = [i for i in range(9) if labels[i] == EXAMPLES[i][1]]
    order = sorted(wrong, key=lambda i: -probabilities[i])[:3]
    errors = evaluated(classifiers, "wrong.csv", "--errors", "3")["given"]["errors"]
    assert [error["where"] for error in errors] == [f"wrong.csv:{i + 2}" for i in order]
    for i, error in zip(order, errors, strict=True):
        assert (error["predicted"], error["text"]) == (labels[i], EXAMPLES[i][0])
        assert error["probability"] == pytest.approx(probabilities[i], abs=1e-6)
    legend, *shown = classifiers("evaluate", "wrong.csv", "--errors", "3").out.rpartition("\n\n")[2].splitlines()
    assert legend == "mistakes, the worst first; in brackets the probability of what was predicted"
    assert shown[::2] == [
        f"{error['where']}: {error['target']} taken for {error['predicted']} ({error['probability']:.3f})"
        for error in errors
    ]
    assert shown[1::2] == [f"  {error['text']}" for error in errors]


def test_labels_that_the_model_does_not_know(classifiers):
    Path("new.csv").write_text("text,label\ngood film,new\nfine,pos\n")
    status, out, err = classifiers("evaluate", "new.csv", "--json", "--errors", "5")
    given = strict_json(out)["scores"]["given"]
    assert (status, err) == (0, "note: examples with a label that the model does not know: 1, first new.csv:2\n")
    assert (given["examples"], given["unknown"]) == (2, 1)
    assert given["accuracy"] <= 0.5
    assert "new.csv:2" in [error["where"] for error in given["errors"]]
    Path("all_new.csv").write_text("text,label\ngood film,new\n")
    assert evaluated(classifiers, "all_new.csv")["given"]["cross_entropy"] is None  # there is no such loss
    assert classifiers("evaluate", "all_new.csv").status == 0


def test_several_labels(classifiers):
    given = evaluated(classifiers, "several.txt", "-m", "runs/several")["given"]
    answers = [set(each["labels"]) for each in classified(classifiers, "-m", "runs/several", "--file", "several.txt")]
    truth = [{"a"}, {"b"}, {"a", "b"}, {"c"}] * 15
    assert given["accuracy"] == np.mean([one == other for one, other in zip(truth, answers, strict=True)])
    wrong = sum(len(one ^ other) for one, other in zip(truth, answers, strict=True))
    assert given["hamming_loss"] == pytest.approx(wrong / 180)
    assert given["confusion"] is None
    status, out, _ = classifiers("evaluate", "several.txt", "-m", "runs/several", "--errors", "2")
    assert status == 0
    assert "hamming loss" in out


def test_values(classifiers):
    given = evaluated(classifiers, "values.csv", "-m", "runs/values", "--errors", "2")["given"]
    found = [each["values"]["target"] for each in classified(classifiers, "-m", "runs/values", "--file", "values.csv")]
    truth = np.array([3 * a - 20 * b + 7 for a, b in ROWS])
    errors = np.abs(np.array(found) - truth)
    assert given["mae"] == pytest.approx(errors.mean(), rel=1e-5)
    assert given["rmse"] == pytest.approx(np.sqrt((errors**2).mean()), rel=1e-5)
    assert given["rmse"] < given["baselines"]["mean"]["rmse"]
    assert "cross_entropy" not in given
    assert [error["where"] for error in given["errors"]] == [f"values.csv:{i + 2}" for i in np.argsort(-errors)[:2]]
    status, out, _ = classifiers("evaluate", "-m", "runs/values", "--split", "test")
    assert (status, out.split()[:6]) == (0, ["split", "model", "mae", "mse", "rmse", "r2"])


def test_without_the_training_data_there_are_no_baselines(classifiers):
    shutil.copy("reviews.csv", "other.csv")
    before = evaluated(classifiers, "other.csv")["given"]
    Path("reviews.csv").unlink()
    status, out, err = classifiers("evaluate", "other.csv", "--json")
    after = strict_json(out)["scores"]["given"]
    assert (status, after.pop("baselines")) == (0, {})
    assert err.startswith("note: no baselines: ")
    assert {name: after[name] for name in after} == {name: before[name] for name in after}
    status, out, err = classifiers("evaluate")
    assert (status, out, len(err.splitlines())) == (3, "", 1)
    assert "reviews.csv: no such file or folder" in err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ("plain.csv", 3, 'plain.csv:1: no column "label"'),
        ("plain.txt", 3, "plain.txt: it is in no format of labelled examples"),
        ("nothing.csv", 3, "nothing.csv: it holds no examples"),
        ("values.csv -m runs/reviews", 3, 'values.csv:1: no column "text"'),
        ("steps.npz", 3, "steps.npz: sequence 0: vectors, where the model reads texts"),
        ("wide.npz -m runs/steps", 3, "wide.npz: sequence 0: vectors of 3 numbers, where the model reads vectors of 2"),
        ("reviews.csv --encoding klingon", 3, "unknown encoding 'klingon'"),
        ("reviews.csv --split test", 2, "files and --split exclude each other"),
        ("--split dev", 2, "--split must be one of train, validation, test, not 'dev'"),
        ("--errors 0", 2, "Invalid value for '--errors'"),
        ("--errors 3 -m runs/language", 2, "--errors is not for a language model: rnncli score"),
        ("--split test -m runs/whole", 3, "the model's data has no test split"),
        ("-m runs/whole", 3, "the model's data has no validation or test split"),
    ],
)
def test_what_cannot_be_evaluated(classifiers, arguments, status, message):
    Path("plain.csv").write_text("text\ngood film\n")
    Path("plain.txt").write_text("good film\n")
    Path("nothing.csv").write_text("text,label\n")
    np.savez("wide.npz", x=np.zeros((2, 4, 3)), y=np.array(["up", "down"]))
    if "language" in arguments:
        assert classifiers("train", "reviews.txt", *SMALL, "--steps", "1", "-o", "runs/language", "-q").status == 0
    if "whole" in arguments:
        only = ["--task", "classification", "--set", "data.split={validation: 0, test: 0}", "-o", "runs/whole", "-q"]
        assert classifiers("train", "reviews.csv", *SMALL, "--steps", "1", *only).status == 0
    result = classifiers("evaluate", *arguments.split(), "--quiet")
    assert (result.status, result.out, len(result.lines)) == (status, "", 1)
    assert result.err.startswith(message)
