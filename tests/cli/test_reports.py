"""Reports as tables and as JSON: the numbers that were measured, in the width there is."""

import json
import math

import numpy as np
import pytest

from rnncli.cli.console import columns_of
from rnncli.cli.drawings import Style
from rnncli.cli.reports import (
    MANY,
    comparison,
    drawn,
    label_table,
    mistakes,
    number,
    output_table,
    report_json,
    span_table,
)
from rnncli.metrics import LabelScore, classification_report, regression_report, tagging_report
from rnncli.tasks.labelled_scores import Mistake

WIDE, NARROW = Style(80), Style(40)
SCORES = {
    "this model": {"accuracy": 0.8734, "macro_f1": 0.871, "cross_entropy": 0.4125},
    "majority": {"accuracy": 0.5, "macro_f1": math.nan},
}


def test_models_are_compared_on_each_split():
    assert comparison({"validation": SCORES, "test": SCORES}, WIDE) == [
        "split       model       accuracy  macro F1  cross entropy",
        "validation  this model     0.873     0.871          0.412",
        "validation  majority       0.500",
        "test        this model     0.873     0.871          0.412",
        "test        majority       0.500",
    ]
    assert comparison({}, WIDE) == []


def test_a_comparison_that_is_too_wide_has_lower_heads_or_a_part_for_each_split_or_a_line_for_each_number():
    scores = {"validation": SCORES, "te\x1bst": {"this model": SCORES["this model"]}}
    assert comparison(scores, Style(57))[0] == "split       model       accuracy  macro F1  cross entropy"
    lower = [
        "                                  macro    cross",
        "split       model       accuracy     F1  entropy",
        "validation  this model     0.873  0.871    0.412",
        "validation  majority       0.500",
        r"te\x1bst    this model     0.873  0.871    0.412",
    ]
    assert comparison(scores, Style(56)) == comparison(scores, Style(48)) == lower
    assert comparison(scores, Style(47)) == [
        "validation",
        "model       accuracy  macro F1  cross entropy",
        "this model     0.873     0.871          0.412",
        "majority       0.500",
        "",
        r"te\x1bst",
        "model       accuracy  macro F1  cross entropy",
        "this model     0.873     0.871          0.412",
    ]
    assert comparison(scores, Style(44)) == comparison(scores, Style(36)) == [
        "validation",
        "                      macro    cross",
        "model       accuracy     F1  entropy",
        "this model     0.873  0.871    0.412",
        "majority       0.500",
        "",
        r"te\x1bst",
        "                      macro    cross",
        "model       accuracy     F1  entropy",
        "this model     0.873  0.871    0.412",
    ]  # fmt: skip
    assert comparison(scores, Style(35)) == [
        "validation",
        "score          model",
        "accuracy       this model  0.873",
        "accuracy       majority    0.500",
        "macro F1       this model  0.871",
        "cross entropy  this model  0.412",
        "",
        r"te\x1bst",
        "score          model",
        "accuracy       this model  0.873",
        "macro F1       this model  0.871",
        "cross entropy  this model  0.412",
    ]


def test_a_head_is_cut_at_its_last_word():
    scores = {"test": {"m": {"very long_name": 0.25, "mae": 3.0, "macro_f1": 0.5}}}
    assert comparison(scores, Style(38)) == [
        "              very long       macro",
        "split  model       name  mae     F1",
        "test   m          0.250    3  0.500",
    ]


def test_errors_have_four_digits_whatever_their_size():
    scores = {"mean": {"mae": 0.00012345, "mse": 12345.6, "rmse": 1e12, "r2": -0.0104}}
    assert comparison({"test": scores}, WIDE)[1].split() == ["test", "mean", "0.0001234", "12,346", "1e+12", "-0.010"]
    diverged = {"mean": {"mae": math.inf, "r2": -math.inf}}
    assert comparison({"test": diverged}, WIDE)[1].split() == ["test", "mean", "inf", "-inf"]


def test_each_label_has_its_scores():
    labels = [LabelScore("good", 0.5, 1, 2 / 3, 12), LabelScore("とても悪いレビューの長い名前", 0, 0, 0, 0)]
    assert label_table(labels, Style(57)) == [
        "label                  precision  recall     F1  support",
        "good                       0.500   1.000  0.667       12",
        "とても悪いレビューの…      0.000   0.000  0.000        0",
    ]
    assert label_table(labels, NARROW) == [
        "label                P      R     F1   n",
        "good             0.500  1.000  0.667  12",
        "とても悪いレビ…  0.000  0.000  0.000   0",
    ]


def test_of_many_labels_the_most_frequent_have_their_scores():
    labels = [LabelScore(f"label {n}", 0.5, 0.25, 1 / 3, n) for n in range(MANY + 2)]
    lines = label_table(labels, WIDE)
    assert lines[1].split() == ["label", f"{MANY + 1}", "0.500", "0.250", "0.333", f"{MANY + 1}"]
    assert [line.split()[1] for line in lines[1:-1]] == [str(n) for n in range(MANY + 1, 1, -1)]
    assert lines[-1] == "… 2 more (--json has all)"
    assert label_table(labels, Style(80, blocks=False))[-1] == "... 2 more (--json has all)"
    few = label_table(labels[:MANY], WIDE)
    assert [line.split()[1] for line in few[1:]] == [str(n) for n in range(MANY)]


def test_spans_have_their_scores_and_their_means():
    labels = ["O", "B-LOC", "I-LOC", "B-PER"]
    targets, predicted = np.array([1, 2, 0, 3, 3, 1]), np.array([1, 2, 0, 3, 0, 3])
    spans = tagging_report(targets, predicted, np.array([0, 6]), labels, scheme="bio").spans
    assert span_table(spans, WIDE) == [
        "spans           precision  recall     F1  support",
        "LOC                 1.000   0.500  0.667        2",
        "PER                 0.500   0.500  0.500        2",
        "all spans           0.667   0.500  0.571        4",
        "mean of labels      0.750   0.500  0.583        4",
    ]
    assert span_table(spans, NARROW)[3:] == [
        "all spans       0.667  0.500  0.571  4",
        "mean of labels  0.750  0.500  0.583  4",
    ]
    one = tagging_report(targets[:4], predicted[:4], np.array([0, 3, 4]), [*labels[:3], "B-LOC"], scheme="bio").spans
    assert [line.split()[0] for line in span_table(one, WIDE)] == ["spans", "LOC"]
    none = tagging_report(targets * 0, targets * 0, np.array([0, 6]), labels, scheme="bio").spans
    assert span_table(none, WIDE) == []


def test_each_output_has_its_errors_where_there_are_several():
    targets = np.array([[0, 1, 2, 3], [0, 0, 0, 100]])
    report = regression_report(targets, targets + np.array([[1], [0]]), ["left\n", "right"])
    assert output_table(report, WIDE) == [
        "output    mae  mse  rmse     r2",
        r"left\x0a    1    1     1  0.200",
        "right       0    0     0  1.000",
    ]
    assert drawn(report, WIDE) == output_table(report, WIDE)
    assert drawn(regression_report(targets[0], targets[0], ["y"]), WIDE) == []


def test_a_report_is_drawn_with_empty_lines_between_its_parts():
    ids = np.array([0, 1, 1])
    lines = drawn(classification_report(ids, ids, ["a", "b"], lengths=ids), WIDE)
    assert [line.split()[0] for line in lines if line.startswith(("label", "confusions", "length"))] == [
        "label",
        "confusions:",
        "length",
    ]
    assert [number for number, line in enumerate(lines) if not line] == [3, 8]
    sets = np.array([[1, 0], [1, 1]], bool)
    assert drawn(classification_report(sets, sets, ["a", "b"]), WIDE) == [
        "label  precision  recall     F1  support",
        "a          1.000   1.000  1.000        1",
        "b          1.000   1.000  1.000        2",
    ]


def test_mistakes_have_their_place_their_labels_and_the_beginning_of_their_text():
    text = "It was  the\nbest film\x1b[2J I have not seen."
    worst = [Mistake("reviews.csv:12", text, "negative", "positive", 0.98765), Mistake("v.npz:3", "", "3.2", "7", None)]
    assert mistakes(worst, WIDE) == [
        "mistakes, the worst first; in brackets the probability of what was predicted",
        "reviews.csv:12: negative taken for positive (0.988)",
        r"  It was the best film\x1b[2J I have not seen.",
        "v.npz:3: 3.2 taken for 7",
    ]
    assert mistakes(worst, NARROW) == [
        "mistakes, the worst first; in brackets",
        "the probability of what was predicted",
        "reviews.csv:12:",
        "  negative taken for positive (0.988)",
        r"  It was the best film\x1b[2J I have no…",
        "v.npz:3: 3.2 taken for 7",
    ]
    long = Mistake("folder/" * 9 + "\x1b.csv:1", "漢字" * 99, "漢字" * 20, "\u202e" * 30, 0.5)
    for style in (WIDE, NARROW):
        lines = mistakes([long], style)
        assert max(map(columns_of, lines)) <= style.width
        assert not {"\x1b", "\u202e"} & set("".join(lines))
        assert next(line for line in lines if "/" in line).startswith("folder/folder/")
    assert mistakes(worst[1:], WIDE) == ["v.npz:3: 3.2 taken for 7"]
    assert mistakes([], WIDE) == []


def test_a_report_is_json():
    report = classification_report(np.array([0, 1, -1]), np.array([0, 0, 1]), ["a", "b\x1b"], np.array([1, 2, 2]))
    assert json.loads(json.dumps(report_json(report), allow_nan=False)) == {
        "examples": 3,
        "unknown": 1,
        "accuracy": pytest.approx(1 / 3),
        "macro_f1": pytest.approx(2 / 9),
        "micro_f1": None,
        "hamming_loss": None,
        "labels": [
            {"label": "a", "precision": 0.5, "recall": 1, "f1": pytest.approx(2 / 3), "support": 1},
            {"label": "b\x1b", "precision": 0, "recall": 0, "f1": 0, "support": 1},
            {"label": "(unknown)", "precision": 0, "recall": 0, "f1": 0, "support": 1},
        ],
        "confusion": [[1, 0, 0], [1, 0, 0], [0, 1, 0]],
        "by_length": [
            {"low": 1, "high": 1, "count": 1, "accuracy": 1},
            {"low": 2, "high": 2, "count": 2, "accuracy": 0},
        ],
    }


def test_json_has_null_for_what_is_no_number():
    nothing = np.empty((2, 0))
    none = report_json(classification_report(nothing.astype(bool), nothing.astype(bool), ["a", "b"]))
    assert [none[name] for name in ("accuracy", "macro_f1", "micro_f1", "hamming_loss")] == [None] * 4
    diverged = report_json(regression_report(np.arange(3), np.array([0, math.inf, 1]), ["y"]))
    assert diverged == {
        "examples": 3,
        **dict.fromkeys(("mae", "mse", "rmse", "r2")),
        "outputs": [{"name": "y", **dict.fromkeys(("mae", "mse", "rmse", "r2"))}],
    }
    json.dumps([none, diverged, report_json(regression_report(nothing, nothing, ["x", "y"]))], allow_nan=False)
    assert report_json({"a": math.nan, "b": {"c": (math.inf, 1)}}) == {"a": None, "b": {"c": [None, 1]}}
    assert report_json([np.float32(math.nan), np.int64(3), np.bool_(True), (1.5, "text")]) == [
        None,
        3,
        True,
        [1.5, "text"],
    ]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("accuracy", 0.98765, "0.988"),
        ("accuracy", math.nan, None),
        ("mse", 0.000123456, "0.0001235"),
        ("rmse", 98.7654, "98.77"),
        ("mae", 12345.6, "12,346"),
        ("perplexity", 1e12, "1e+12"),
        ("r2", -0.25, "-0.250"),
    ],
)
def test_numbers(name, value, text):
    assert number(value, name) == text
