"""What translations and captions are worth: by hand, with a model that has learnt its answers by heart."""

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from rnncli.data import Pairs, Side, Texts, example_batches
from rnncli.metrics import LengthBin, bleu, character_error_rate
from rnncli.nn.protocols import Loss
from rnncli.tasks import pair_scores
from rnncli.tasks.pair_scores import answers, evaluated, score
from tests.tasks.answered_pairs import (
    ANSWERS,
    CAPTIONS,
    CIRCLE,
    GREEDY,
    SHAPES,
    SQUARE,
    STAR,
    TEST,
    TRAIN,
    Model,
    Translator,
    pairs,
)


def score_of(translator, train, test):
    (found,) = score(translator, train and pairs(train), {"test": pairs(test), "none": pairs([])}, GREEDY)
    assert found.split == "test"
    return found


def columns_of(batch):
    """Return the pairs of a batch of texts, each as the ids of its source and those of its target."""
    masks = (batch.source_mask, batch.mask)
    sides = [
        (ids, np.ones(ids.shape, bool) if mask is None else mask)
        for ids, mask in zip((batch.source, batch.targets), masks, strict=True)
    ]
    return [tuple(tuple(ids[mask[:, b], b].tolist()) for ids, mask in sides) for b in range(batch.targets.shape[1])]


class TestTexts:
    def test_every_pair_is_an_example(self):
        found = score_of(Translator(), TRAIN, TEST).report
        texts = [ANSWERS[source][0] for source, _ in TEST]
        targets = [[target] for _, target in TEST]
        assert (found.examples, found.exact_match) == (5, 2 / 5)
        assert found.bleu == bleu(texts, targets) > 0
        assert found.character_error_rate == character_error_rate(texts, targets) == (0 + 6 + 5 + 0 + 4) / 50
        assert found.by_length == (LengthBin(1, 1, 3, 1 / 3), LengthBin(3, 3, 1, 0.0), LengthBin(4, 5, 1, 1.0))

    def test_baselines_learn_from_training_alone(self):
        found = score_of(Translator(), TRAIN, TEST).baselines
        assert list(found) == ["copied source", "most frequent", "nearest source"]
        guesses = {
            "copied source": [source for source, _ in TEST],
            "most frequent": ["sí"] * 5,
            "nearest source": [TRAIN[0][1], TRAIN[4][1], "sí", "sí", "sí"],
        }
        targets = [[target] for _, target in TEST]
        for name, texts in guesses.items():
            assert found[name].character_error_rate == character_error_rate(texts, targets)
            assert found[name].exact_match == 1 / 5
            assert found[name].by_length[0].count == 3
        assert score_of(Translator(), None, TEST).baselines == {}
        assert score_of(Translator(), [], TEST).baselines == {}

    def test_mistakes_have_the_highest_error_rate_first_and_of_like_ones_the_surest(self):
        found = score_of(Translator(), TRAIN, TEST)
        expected = [
            ("a.tsv:3", "yes", "claro", "sí", pytest.approx(0.8)),
            ("a.tsv:5", "Oslo", "Oslo", "", pytest.approx(0.25)),
            ("a.tsv:2", "a green apple", "una manzana verde", "una manzana", pytest.approx(0.5)),
        ]
        for _ in range(2):  # as often as one asks
            assert [(m.where, m.text, m.target, m.predicted, m.probability) for m in found.mistakes()] == expected

    def test_what_the_model_cannot_answer_is_an_empty_answer_without_probability(self):
        found = score_of(Translator({}), None, TEST[:1])
        assert found.report.character_error_rate == 1
        (mistake,) = found.mistakes()
        assert (mistake.predicted, mistake.probability) == ("", None)

    def test_models_of_lower_case_are_compared_in_lower_case(self):
        test, known = [("Oslo", "OSLO  "), ("Bergen", "BERGEN Ø")], {"Oslo": (" oslo", 0.5), "Bergen": ("bergen", 0.5)}
        lower = score_of(Translator(known, lowercase=True), test, test)
        assert (lower.report.exact_match, lower.baselines["copied source"].exact_match) == (1 / 2, 1 / 2)
        assert [m.target for m in lower.mistakes()] == ["BERGEN Ø"]
        assert lower.report.character_error_rate == 2 / 12
        assert score_of(Translator(known), test, test).report.exact_match == 0

    def test_sources_are_answered_in_order_however_many_are_kept(self, monkeypatch):
        whole = [*answers(Translator(), pairs(TEST), GREEDY)]
        assert [text for text, _ in whole] == [ANSWERS[source][0] for source, _ in TEST]
        monkeypatch.setattr(pair_scores, "TOGETHER", 2)
        translator = Translator()
        assert [*answers(translator, pairs(TEST), GREEDY)] == whole
        assert translator.asked == [source for source, _ in TEST]

    def test_several_splits_have_a_score_each(self):
        parts = {"validation": pairs(TEST[:2]), "test": pairs([]), "given": pairs(TEST[2:4])}
        found = score(Translator(), pairs(TRAIN), parts, GREEDY)
        assert [(each.split, each.report.exact_match) for each in found] == [("validation", 1 / 2), ("given", 1 / 2)]
        assert [next(each.mistakes()).target for each in found] == ["una manzana verde", "claro"]


class TestVectors:
    def test_a_vector_has_all_its_captions_as_references(self):
        translator = Translator(CAPTIONS, single=True)
        found = score_of(translator, None, SHAPES)
        assert translator.asked == [CIRCLE, SQUARE, STAR]
        assert (found.report.examples, found.report.exact_match) == (3, 1 / 3)
        assert found.report.character_error_rate == (0 + 4 + 1) / (10 + 8 + 6)
        assert found.report.by_length == ()
        assert [(m.where, m.text, m.target, m.predicted) for m in found.mistakes()] == [
            ("a.tsv:2", "", "a square", "a red square"),
            ("a.tsv:4", "", "a Star", "a star"),
        ]
        assert found.loss.count == sum(len(target.split()) + 1 for _, target in SHAPES)

    def test_a_mistake_stands_beside_the_nearest_reference(self):
        found = score_of(Translator({str(CIRCLE): ("two circles", 0.5)}, single=True), None, SHAPES[::2][:2])
        assert [(m.where, m.target) for m in found.mistakes()] == [("a.tsv:2", "one circle")]

    def test_baselines_are_the_usual_caption_and_that_of_the_nearest_vector(self):
        near = [([0.9, 0.1, 0.5], "a circle here"), ([0.5, 0.6, 0.9], "a square"), (SQUARE, "two squares")]
        found = score_of(Translator({}, single=True), SHAPES, near).baselines
        assert list(found) == ["most frequent", "nearest source"]
        targets = [[target] for _, target in near]
        guesses = {"most frequent": ["a square"] * 3, "nearest source": ["a circle here", "a Star", "a square"]}
        for name, texts in guesses.items():
            assert found[name].character_error_rate == character_error_rate(texts, targets)
            assert found[name].exact_match == 1 / 3

    def test_vectors_may_be_shared(self):
        """As where a file of vectors has several sentences for some of them, and none for others."""
        own, captions = pairs(SHAPES), [target for _, target in SHAPES]
        rows = np.float32([STAR, [9, 9, 9], CIRCLE, SQUARE])
        shared = Side(rows, np.arange(5), np.array([2, 3, 2, 0, 3]))
        part = Pairs(shared, own.target, own.places, None, Texts.of(captions), 1, 2)
        (found,) = score(Translator(CAPTIONS, single=True), part, {"test": part}, GREEDY)
        expected = score_of(Translator(CAPTIONS, single=True), SHAPES, SHAPES)
        assert (found.report, found.baselines, found.loss) == (expected.report, expected.baselines, expected.loss)
        assert found.baselines["nearest source"].exact_match == 1

    def test_sequences_of_vectors_have_a_length_and_are_near_by_their_means(self):
        train = [([[0, 0, 0], [2, 2, 2]], "up"), ([[5, 5, 5]], "high"), ([[-3, 0, 0], [-5, 0, 0]], "left")]
        train.append(([[8, 8, 8]], "the sum of others"))
        test = [([[1, 1, 1]], "up"), ([[4, 4, 4], [4, 4, 4]], "high"), ([[1, 1, 1]], "Up"), ([[-4, 1, 0]] * 4, "left")]
        translator = Translator({str([[1.0, 1.0, 1.0]]): ("Up", 0.5)})
        found = score_of(translator, train, test)
        assert translator.asked == [[[1, 1, 1]], [[4, 4, 4]] * 2, [[-4, 1, 0]] * 4]
        assert found.baselines["nearest source"].exact_match == 1
        assert found.report.by_length == (LengthBin(1, 1, 1, 1.0), LengthBin(2, 2, 1, 0.0), LengthBin(3, 4, 1, 0.0))


class TestLoss:
    @pytest.mark.parametrize(("sequences", "steps"), [(64, 1 << 14), (2, 1 << 14), (64, 12), (1, 1)])
    def test_is_that_of_every_token_whatever_is_answered_together(self, monkeypatch, sequences, steps):
        monkeypatch.setattr(example_batches, "SEQUENCES", sequences)
        monkeypatch.setattr(example_batches, "STEPS", steps)
        model, part = Model(), pairs(TRAIN + TEST)
        loss = evaluated(model, part, single=False)
        tokens, ends = part.target.values, len(part)
        assert loss == Loss(tokens.sum() + 2 * ends + 100 * len(part.source.values), len(tokens) + ends)
        for batch in model.batches:
            assert batch.targets.shape[1] <= sequences
            longest = len(batch.source) + len(batch.targets) - 1
            assert batch.targets.shape[1] == 1 or longest * batch.targets.shape[1] <= 2 * steps
        found = Counter(pair for batch in model.batches for pair in columns_of(batch))
        wanted = [(part.source.of(i).tolist(), [*part.target.of(i).tolist(), part.end_id]) for i in range(len(part))]
        assert found == Counter((tuple(source), tuple(target)) for source, target in wanted)
        assert found.most_common(1) == [(((5,), (4, 2)), 2)]  # "yes" → "sí", which comes twice

    def test_of_captions_reads_vectors(self):
        model, part = Model(), pairs(SHAPES)
        loss = evaluated(model, part, single=True)
        assert loss.count == len(part.target.values) + len(part)
        assert {batch.source.shape[0] for batch in model.batches} == {3}
        assert all(batch.condition is batch.source for batch in model.batches)

    def test_of_a_score_is_that_of_all_its_pairs(self):
        assert score_of(Translator(), None, TEST).loss == evaluated(Model(), pairs(TEST), single=False)

    def test_what_overflows_is_no_warning(self):
        class Wild(Model):
            def loss(self, batch, *, gradient):
                return Loss(float(np.float32(3e38) * np.float32(10)), 1), [], None

        assert evaluated(Wild(), pairs(TEST), single=False).sum == math.inf


def test_pairs_of_these_tests_are_what_they_say():
    part = pairs(TRAIN)
    starts = [*pairwise(part.source.starts.tolist())]
    assert [stop - start for start, stop in starts] == [6, 6, 1, 2, 6]
    assert part.place(4) == "a.tsv:5"
