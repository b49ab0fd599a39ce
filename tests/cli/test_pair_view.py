"""Scores of translations as they are shown: beside the baselines, exact match by length, the worst answers, JSON."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from rnncli.cli.console import columns_of
from rnncli.cli.drawings import Style
from rnncli.cli.pair_view import PairView
from rnncli.cli.scores import report_lines, score_lines, scores_json, view_of
from rnncli.metrics import translation_report
from rnncli.nn.protocols import Loss
from rnncli.tasks.labelled_scores import Mistake
from rnncli.tasks.pair_scores import PairScore

WIDE, NARROW = Style(80), Style(40)
TASK = SimpleNamespace(score_type=PairScore, unit="word")
TARGETS = [["el perro come pan ."], ["¿Tienes una mascota?"], ["una casa", "la casa"], ["sí"]]
ANSWERS = ["el perro come pan .", "¿Tienes una casa?", "la casa", "no"]
COPIES = ["the dog eats bread .", "Do you have a pet?", "a house", "yes"]
NATS = 5 * math.log(4)
WORST = [
    Mistake("a.tsv:4", "yes", "sí", "no", 0.75),
    Mistake("a.tsv:2", "Do you have\na pet?", "¿Tienes una mascota?", "¿Tienes una casa?", None),
]


def score_of(split="test", loss=NATS, lengths=(5, 6, 2, 1)):
    lengths = np.array(lengths) if lengths else None
    return PairScore(
        split,
        Loss(loss, 5),
        translation_report(ANSWERS, TARGETS, lengths),
        {"copied source": translation_report(COPIES, TARGETS, lengths)},
        lambda: iter(WORST),
    )


def parted(lines):
    return [part.split("\n") for part in "\n".join(lines).split("\n\n")]


def test_scores_stand_beside_those_of_the_baselines():
    lines = score_lines([score_of("validation"), score_of()], TASK, WIDE)
    assert [line.lower() for line in lines[:2]] == [
        "                           exact          character error    cross",
        "split       model          match    bleu             rate  entropy  perplexity",
    ]
    assert lines[2:] == [
        "validation  this model     0.500  70.711            0.125    1.386       4.000",
        "validation  copied source  0.000   5.025            0.812",
        "test        this model     0.500  70.711            0.125    1.386       4.000",
        "test        copied source  0.000   5.025            0.812",
    ]


def test_below_are_exact_match_by_length_and_the_worst_answers():
    lines = report_lines([score_of()], TASK, WIDE, 5)
    table, counts, bars, mistakes = parted(lines)
    assert counts == ["4 sources with 5 targets"]
    assert table == score_lines([score_of()], TASK, WIDE)
    assert bars == [
        "exact match by length of the source",
        "length                        accuracy  sources",
        "     1  ░░░░░░░░░░░░░░░░░░░░     0.000        1",
        "     2  ████████████████████     1.000        1",
        "     5  ████████████████████     1.000        1",
        "     6  ░░░░░░░░░░░░░░░░░░░░     0.000        1",
    ]
    assert mistakes == [
        "wrong answers, highest character error rate first; in brackets their probability",
        "a.tsv:4: (0.750)",
        "  source  yes",
        "  target  sí",
        "  answer  no",
        "a.tsv:2:",
        "  source  Do you have a pet?",
        "  target  ¿Tienes una mascota?",
        "  answer  ¿Tienes una casa?",
    ]
    assert parted(report_lines([score_of()], TASK, WIDE, 1))[3] == mistakes[:5]
    assert parted(report_lines([score_of()], TASK, WIDE, 0)) == [table, counts, bars]


def test_sources_without_length_or_of_one_length_have_no_bars():
    for lengths in (None, (3, 3, 3, 3)):
        assert len(parted(report_lines([score_of(lengths=lengths)], TASK, WIDE, 0))) == 2


def test_targets_are_counted_where_they_are_more_than_the_sources():
    one = PairScore("test", Loss(1.0, 1), translation_report(["a"], [["b"]]), {}, lambda: iter(()))
    assert parted(report_lines([one], TASK, WIDE, 0))[1] == ["1 source"]


def test_captions_have_no_source_to_show_and_an_empty_answer_is_one():
    worst = [Mistake("a.tsv:1", "", "a red\tcircle", "", 0.5)]
    score = PairScore("test", Loss(1.0, 1), score_of().report, {}, lambda: iter(worst))
    assert parted(report_lines([score], TASK, WIDE, 1))[-1] == [
        "wrong answers, highest character error rate first; in brackets their probability",
        "a.tsv:1: (0.500)",
        "  target  a red circle",
        "  answer  ",
    ]


def test_nothing_is_wider_than_the_terminal_or_does_harm_to_it():
    worst = [Mistake("folder/" * 9 + "a.tsv:4", "x\x1b[2J" * 20, "é" * 90, "字" * 50, 0.5)]
    score = PairScore("test", Loss(1.0, 1), score_of(lengths=None).report, {}, lambda: iter(worst))
    _, lines = PairView().more(score, NARROW, 1)
    assert max(map(columns_of, lines[:3])) <= 40
    legend = "wrong answers, highest character error rate first; in brackets their probability"
    assert " ".join(lines[:3]) == legend
    lines = lines[3:]
    assert [columns_of(line) for line in lines] == [40, 40, 40, 39]
    assert "\x1b" not in "".join(lines)
    assert lines[0] == "folder/folder/folder/folder/fol… (0.500)"
    assert lines[3] == "  answer  " + "字" * 14 + "…"


def test_json_has_all_of_it():
    (found,) = scores_json([score_of(loss=math.inf)], TASK, 1).values()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert list(found) == [
        *("examples", "references", "exact_match", "bleu", "character_error_rate", "by_length"),
        *("cross_entropy", "perplexity", "baselines", "errors"),
    ]
    assert (found["examples"], found["exact_match"], found["cross_entropy"], found["perplexity"]) == (
        4,
        0.5,
        None,
        None,
    )
    assert found["by_length"][1] == {"low": 2, "high": 2, "count": 1, "accuracy": 1.0}
    assert found["errors"] == [
        {"where": "a.tsv:4", "text": "yes", "target": "sí", "predicted": "no", "probability": 0.75}
    ]
    assert found["baselines"]["copied source"]["exact_match"] == 0
    assert "cross_entropy" not in found["baselines"]["copied source"]
    (found,) = scores_json([score_of()], TASK).values()
    assert found["perplexity"] == pytest.approx(4)
    assert "errors" not in found


def test_losses_that_are_too_large_or_no_number():
    def of(loss):
        return PairView().means(score_of(loss=loss), "word")["this model"]

    assert of(5 * 800.0)["perplexity"] == math.inf
    assert math.isnan(of(math.nan)["perplexity"])
    assert list(of(1.0)) == ["exact_match", "bleu", "character_error_rate", "cross_entropy", "perplexity"]
    assert score_lines([score_of(loss=math.nan)], TASK, WIDE)[2].endswith("0.125")


def test_the_view_belongs_to_the_score():
    view = view_of(TASK)
    assert type(view) is PairView
    assert view.has_mistakes
