"""Scores of taggers as they are shown: beside the baselines, the drawings, the mistakes, JSON; means of every view."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from rnncli.cli.console import columns_of
from rnncli.cli.drawings import Style
from rnncli.cli.scores import LabelledView, TextView, report_lines, score_lines, scores_json, view_of
from rnncli.cli.tagging_view import TaggingView
from rnncli.metrics import classification_report, regression_report, tagging_report
from rnncli.nn.protocols import Loss
from rnncli.tasks.labelled_scores import LabelledScore, Mistake
from rnncli.tasks.language_model import TextScore
from rnncli.tasks.tagging_scores import TaggingScore

WIDE, NARROW = Style(80), Style(40)
TASK = SimpleNamespace(score_type=TaggingScore, unit="label")
LABELS = ["O", "B-PER", "I-PER", "B-LOC"]
TARGETS = np.array([1, 2, 0, 3, 0, -1, 3, 0, 0, 1])
PREDICTED = np.array([1, 2, 0, 0, 0, 3, 3, 0, 1, 1])
MAJORITY = np.zeros(10, int)
STARTS = np.array([0, 5, 8, 9, 10])
UNSEEN = np.array([1, 0, 0, 1, 0, 1, 0, 0, 0, 0], bool)
WORST = [
    Mistake("a.conll:4", "in [Paris] now", "B-LOC", "O", 0.875),
    Mistake("a.conll:9", "[Oslo]", "(unknown)", "B-LOC", 0.5),
]
PARTS = [  # of a split, below the table
    ["10 tokens in 4 sequences; 3 (30.0%) unseen in training; 1 with a label unseen in", "training"],
    [
        "spans           precision  recall     F1  support",
        "LOC                 0.500   0.500  0.500        2",
        "PER                 0.667   1.000  0.800        2",
        "(unknown)           0.000   0.000  0.000        1",
        "all spans           0.600   0.600  0.600        5",
        "mean of labels      0.389   0.500  0.433        5",
    ],
    [
        "label      precision  recall     F1  support",
        "O              0.750   0.750  0.750        4",
        "B-PER          0.667   1.000  0.800        2",
        "I-PER          1.000   1.000  1.000        1",
        "B-LOC          0.500   0.500  0.500        2",
        "(unknown)      0.000   0.000  0.000        1",
    ],
    [
        "confusions: labels down, predictions across, shade by share of the row",
        "              O B-PER I-PER B-LOC",
        "O         ▓▓▓ 3 ░░░ 1     ·     ·",
        "B-PER         · ███ 2     ·     ·",
        "I-PER         ·     · ███ 1     ·",
        "B-LOC     ▒▒▒ 1     ·     · ▒▒▒ 1",
        "(unknown)     ·     ·     · ███ 1",
    ],
    [
        "length                        accuracy  tokens",
        "     1  ██████████░░░░░░░░░░     0.500       2",
        "     3  █████████████░░░░░░░     0.667       3",
        "     5  ████████████████░░░░     0.800       5",
    ],
]


def tagging_score(split="test", loss=2.5):
    def of(predicted):
        return tagging_report(TARGETS, predicted, STARTS, LABELS, unseen=UNSEEN, scheme="bio")

    return TaggingScore(split, Loss(loss, 10), of(PREDICTED), {"majority": of(MAJORITY)}, lambda: iter(WORST))


def frame_score():
    targets = np.array([[1, 1, 0, 0], [0, 1, 0, 1]], bool)
    report = tagging_report(targets, targets, np.array([0, 3, 4]), ["C4", "E4"], element="frame")
    return TaggingScore("test", Loss(0.5, 8), report, {}, lambda: iter(()))


def parted(lines):
    return [part.split("\n") for part in "\n".join(lines).split("\n\n")]


def test_scores_stand_beside_those_of_the_baselines():
    assert score_lines([tagging_score("validation"), tagging_score()], TASK, WIDE) == [
        "                           token   span    unseen  macro  sequence    cross",
        "split       model       accuracy     F1  accuracy     F1  accuracy  entropy",
        "validation  this model     0.700  0.600     0.333  0.610     0.250    0.250",
        "validation  majority       0.400  0.000     0.000  0.114     0.250",
        "test        this model     0.700  0.600     0.333  0.610     0.250    0.250",
        "test        majority       0.400  0.000     0.000  0.114     0.250",
    ]
    assert score_lines([frame_score()], TASK, WIDE)[:2] == [
        "                      frame  macro  micro  hamming  sequence    cross",
        "split  model       accuracy     F1     F1     loss  accuracy  entropy",
    ]


def test_below_is_everything_there_is_to_see_and_the_worst_mistakes():
    lines = report_lines([tagging_score()], TASK, WIDE, 1)
    table, *parts, mistakes = parted(lines)
    assert table == score_lines([tagging_score()], TASK, WIDE)
    assert parts == PARTS
    legend = "mistakes, the worst first; in brackets the probability of what was predicted"
    assert mistakes == [legend, "a.conll:4: B-LOC taken for O (0.875)", "  in [Paris] now"]
    assert parted(report_lines([tagging_score()], TASK, WIDE, 0))[1:] == PARTS


def test_of_several_splits_each_part_says_which():
    _, *parts = parted(report_lines([tagging_score("validation"), tagging_score()], TASK, WIDE, 0))
    assert [part[0] for part in parts if part[0] in ("validation", "test")] == ["validation"] * 2 + ["test"] * 2
    assert [part[part[0] in ("validation", "test") :] for part in parts] == PARTS * 2


def test_that_no_token_is_new_is_said_as_well():
    ids = np.array([0, 1])
    report = tagging_report(ids, ids, np.array([0, 2]), LABELS, unseen=ids > 1)
    score = TaggingScore("test", Loss(0.5, 2), report, {}, lambda: iter(()))
    assert parted(report_lines([score], TASK, WIDE, 0))[1] == ["2 tokens in 1 sequence; 0 (0.0%) unseen in training"]


def test_nothing_is_wider_than_the_terminal():
    lines = report_lines([tagging_score("validation"), tagging_score()], TASK, NARROW, 2)
    assert max(map(columns_of, lines)) <= 40
    assert "10 tokens in 4 sequences; 3 (30.0%)" in lines
    assert "spans               P      R     F1  n" in lines


def test_frames_have_no_unseen_tokens_and_label_sets_no_confusions():
    parts = parted(report_lines([frame_score()], TASK, WIDE, 5))[1:]
    assert [part[0] for part in parts] == [
        "4 frames in 2 sequences",
        "label  precision  recall     F1  support",
        "length                        accuracy  frames",
    ]


def test_json_has_all_of_it():
    (found,) = scores_json([tagging_score(loss=math.inf)], TASK, 1).values()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert list(found) == [
        *("tokens", "sequences", "unknown", "unseen"),
        *("token_accuracy", "span_f1", "unseen_accuracy", "macro_f1", "sequence_accuracy", "cross_entropy"),
        *("spans", "labels", "confusion", "by_length", "baselines", "errors"),
    ]
    assert (found["tokens"], found["sequences"], found["unknown"], found["unseen"]) == (10, 4, 1, 3)
    assert (found["token_accuracy"], found["cross_entropy"]) == (0.7, None)
    assert found["spans"]["labels"][1] == {"label": "PER", "precision": pytest.approx(2 / 3), "recall": 1.0,
                                           "f1": 0.8, "support": 2}  # fmt: skip
    assert found["spans"]["macro_recall"] == 0.5
    assert found["labels"][4]["label"] == "(unknown)"
    assert found["confusion"][3] == [1, 0, 0, 1, 0]
    assert found["by_length"][0] == {"low": 1, "high": 1, "count": 2, "accuracy": 0.5}
    assert found["errors"] == [
        {"where": "a.conll:4", "text": "in [Paris] now", "target": "B-LOC", "predicted": "O", "probability": 0.875}
    ]
    assert list(found["baselines"]) == ["majority"]
    assert found["baselines"]["majority"]["confusion"][0] == [4, 0, 0, 0, 0]
    assert "cross_entropy" not in found["baselines"]["majority"]
    (frames,) = scores_json([frame_score()], TASK).values()
    assert frames["cross_entropy"] == 0.0625
    assert (frames["frames"], frames["unseen"], frames["spans"], frames["confusion"]) == (4, None, None, None)
    assert "errors" not in frames


def test_every_view_has_the_means_of_the_model_and_of_the_baselines():
    ids, values = np.array([0, 1, 1, 1]), np.array([[1.0, 2.0]])
    text = TextScore("test", Loss(8 * math.log(2), 4), {"unigram": math.log(8)})
    classes = LabelledScore(
        "test",
        Loss(2.0, 4),
        classification_report(ids, ids, ["a", "b"]),
        {"majority": classification_report(ids, ids * 0 + 1, ["a", "b"])},
        lambda: iter(()),
    )
    errors = LabelledScore("test", Loss(2.0, 2), regression_report(values, values, ["y"]), {}, lambda: iter(()))
    bits = {"cross_entropy": math.log(8), "bits_per_word": 3.0, "perplexity": pytest.approx(8)}
    assert TextView().means(text, "word")["unigram"] == bits
    assert TextView().means(text, "word")["this model"]["bits_per_word"] == 2
    assert LabelledView().means(classes, "sequence") == {
        "this model": {"accuracy": 1, "macro_f1": 1, "cross_entropy": 0.5},
        "majority": {"accuracy": 0.75, "macro_f1": pytest.approx(3 / 7)},
    }
    assert LabelledView().means(errors, "value") == {"this model": {"mae": 0, "mse": 0, "rmse": 0, "r2": 1}}
    found = TaggingView().means(tagging_score(), "label")
    assert found["this model"] == tagging_score().report.means | {"cross_entropy": 0.25}
    assert found["majority"]["token_accuracy"] == 0.4


@pytest.mark.parametrize(
    ("score_type", "view"), [(TextScore, TextView), (LabelledScore, LabelledView), (TaggingScore, TaggingView)]
)
def test_every_kind_of_score_has_its_view(score_type, view):
    found = view_of(SimpleNamespace(score_type=score_type))
    assert type(found) is view
    assert found.has_mistakes == (view is not TextView)
