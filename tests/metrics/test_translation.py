"""Scores of translations: exact ones, also by the length of their sources, and the means in their order."""

import math

import numpy as np
import pytest

from rnncli.metrics import LengthBin, bleu, character_error_rate, translation_report

ANSWERS = ["ein rotes Haus am See", "Ja.", "kein Wort davon hier", "gut so"]
REFERENCES = [["ein rotes Haus am Meer", "ein rotes Haus am See"], ["Nein."], ["kein Wort davon hier"], ["Gut so"]]


def test_an_answer_is_exact_where_it_is_one_of_its_references():
    report = translation_report(ANSWERS, REFERENCES)
    assert (report.examples, report.references) == (4, 5)
    assert list(report.means) == ["exact_match", "bleu", "character_error_rate"]
    assert report.means == {
        "exact_match": 2 / 4,
        "bleu": bleu(ANSWERS, REFERENCES),
        "character_error_rate": character_error_rate(ANSWERS, REFERENCES),
    }
    assert report.character_error_rate == (0 + 4 + 0 + 1) / (21 + 5 + 20 + 6)
    assert 60 < report.bleu < 100
    assert report.by_length == ()


def test_white_space_around_a_text_counts_for_nothing_and_inside_it_does():
    report = translation_report([" a b c d\n", "a  b"], [["a b c d "], ["a b"]])
    assert (report.exact_match, report.character_error_rate, report.bleu) == (1 / 2, 1 / 10, 100)


def test_exact_match_by_length_of_the_source():
    report = translation_report(ANSWERS, REFERENCES, np.array([5, 1, 5, 1]))
    assert report.by_length == (LengthBin(1, 1, 2, 0.0), LengthBin(5, 5, 2, 1.0))


def test_bleu_is_left_out_where_exact_answers_may_have_none():
    report = translation_report(["1 6 8", "a b c d e"], [["1 6 8"], ["a b c", "a b c d e"]])
    assert report.bleu is None
    assert list(report.means) == ["exact_match", "character_error_rate"]
    assert translation_report(["1 6 8"], [["1 6 8 -"]]).bleu == 0
    assert translation_report(["a b", "a b c d"], [["a b"], ["a, b.", "a b c d"]]).bleu == 100


def test_of_no_answer_the_means_are_nan():
    report = translation_report([], [], np.empty(0, int))
    assert (report.examples, report.references) == (0, 0)
    assert all(map(math.isnan, report.means.values()))
    assert report.by_length == ()


def test_what_does_not_belong_together_is_refused():
    for answers, references, lengths in (
        (ANSWERS[:3], REFERENCES, None),
        (ANSWERS, [*REFERENCES[:3], []], None),
        (ANSWERS, REFERENCES, np.ones(3, int)),
    ):
        with pytest.raises(ValueError, match=r"argument 2 is longer|one reference at least|lengths are \(3,\)"):
            translation_report(answers, references, lengths)
