"""BLEU against sacrebleu's, and against the formula where all is counted by hand."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.metrics import bleu
from rnncli.metrics.bleu import bleu_words

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "bleu.json").read_text("utf-8"))
sentences = st.lists(st.sampled_from(["a", "b", "c", "d."]), max_size=8).map(" ".join)


@pytest.mark.parametrize("case", GOLDEN)
def test_bleu_is_that_of_sacrebleu(case):
    assert bleu(case["hypotheses"], case["references"]) == pytest.approx(case["bleu"], rel=0, abs=1e-9)


def test_the_cases_are_of_many_kinds():
    scores = [case["bleu"] for case in GOLDEN]
    assert len(scores) > 60
    assert min(scores) == 0
    assert sum(10 < score < 99 for score in scores) > 30
    assert sum(any(len(texts) > 1 for texts in case["references"]) for case in GOLDEN) > 10
    assert any("" in case["hypotheses"] for case in GOLDEN)


def test_words_and_marks():
    assert bleu_words("It's 1,299.50 (plus 8%), isn't it?\n") == [
        *("It's", "1,299.50", "(", "plus", "8", "%", ")", ",", "isn't", "it", "?")
    ]
    assert bleu_words("3-4 a-b .5 5. ¿Qué?") == ["3", "-", "4", "a-b", ".", "5", "5", ".", "¿Qué", "?"]
    assert bleu_words("&quot;R&amp;D&quot; &amp;lt; a-\nb\nc<skipped>d") == ['"', "R", "&", "D", '"', "<", "ab", "cd"]
    assert bleu_words(" \u2028\u3000 ") == []


def test_by_hand():
    """5 of 6 words match, 3 of 5 pairs, 1 of 4 triples and, smoothed, ½ of 3 quadruples; one word is missing."""
    found = bleu(["the cat sat on the mat"], [["the cat was on the mat today"]])
    assert found == pytest.approx(100 * math.exp(1 - 7 / 6) * (5 / 6 * 3 / 5 * 1 / 4 * (1 / 2) / 3) ** 0.25)


def test_a_missing_length_of_n_grams_halves_what_the_next_one_counts():
    """4 words match and nothing longer does: ½ of 3 pairs, ¼ of 2 triples, ⅛ of 1 quadruple."""
    found = bleu(["a b c d"], [["d c b a"]])
    assert found == pytest.approx(100 * (1 * (1 / 2) / 3 * (1 / 4) / 2 * (1 / 8) / 1) ** 0.25)


def test_words_count_as_often_as_in_the_reference_that_has_most_of_them():
    """2 of 4 words, as often as in the second; ½ of 3 pairs, ¼ of 2, ⅛ of 1; 5 words, the nearer of two lengths."""
    found = bleu(["the the the the"], [["the cat", "a the is the bird"]])
    assert found == pytest.approx(100 * math.exp(1 - 5 / 4) * (2 / 4 * (1 / 2) / 3 * (1 / 4) / 2 * (1 / 8)) ** 0.25)


def test_of_two_lengths_as_near_the_shorter_counts():
    assert bleu(["a b c d e"], [["a b c d e f", "a b c d"]]) == bleu(["a b c d e"], [["a b c d", "a b c d e f"]]) == 100


def test_texts_without_four_words_have_none():
    assert bleu(["a b c"] * 9, [["a b c"]] * 9) == 0
    assert bleu(["a b c", "a b c d"], [["a b c"], ["a b c d"]]) == 100
    assert bleu(["", "  "], [["a"], ["b"]]) == 0
    assert math.isnan(bleu([], []))


@given(st.lists(st.tuples(sentences, sentences, sentences), min_size=1, max_size=4))
def test_it_is_a_score_of_the_corpus(cases):
    hypotheses, references = [own for own, *_ in cases], [others for _, *others in cases]
    found = bleu(hypotheses, references)
    assert 0 <= found <= 100 + 1e-9
    assert bleu(hypotheses[::-1], [texts[::-1] for texts in references[::-1]]) == pytest.approx(found)
    perfect = bleu(hypotheses, [[own, *others] for own, others in zip(hypotheses, references, strict=True)])
    assert perfect == pytest.approx(100 if any(len(bleu_words(text)) > 3 for text in hypotheses) else 0)


def test_hypotheses_and_references_must_belong_together():
    with pytest.raises(ValueError, match="argument 2 is longer"):
        bleu(["a"], [["a"], ["b"]])
    with pytest.raises(ValueError, match="a hypothesis has one reference at least"):
        bleu(["a"], [[]])
