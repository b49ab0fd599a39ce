"""Naive Bayes against scikit-learn's and against its definition, written down one word at a time."""

import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.errors import DataError
from rnncli.models import naive_bayes
from rnncli.models.naive_bayes import NaiveBayes, baselines, majority, mean, words

GOLDEN = json.loads((Path(__file__).parents[1] / "metrics" / "scikit_learn.json").read_text("utf-8"))["naive_bayes"]
TEXTS, LABELS, SETS = GOLDEN["texts"], np.array(GOLDEN["labels"]), np.array(GOLDEN["sets"])
TRAIN = 40
K = 4


def scores(model, texts):
    number = [np.array([model.numbers.get(word, -1) for word in text], np.int64) for text in texts]
    return model._scores(np.concatenate(number), np.array([len(text) for text in texts]))


def plain_choice(texts, chosen, others, text):
    """log P(k) + Σ log P(w | k) of the texts of a label, out of all texts; None where it has none."""
    counts = Counter(word for n in chosen for word in texts[n])
    vocabulary = {word for train in texts for word in train}
    known = [word for word in text if word in vocabulary]
    if not chosen:
        return -math.inf
    total = sum(counts.values()) + len(vocabulary)
    prior = math.log(len(chosen) / (len(chosen) + len(others)))
    return prior + sum(math.log((counts[word] + 1) / total) for word in known)


word = st.sampled_from(["a", "b", "c", "d", "e"])
texts = st.lists(st.lists(word, max_size=6), max_size=8)


def test_scores_of_labels_are_those_of_scikit_learn():
    model = NaiveBayes.fit(TEXTS[:TRAIN], LABELS[:TRAIN], K)
    np.testing.assert_allclose(scores(model, TEXTS[TRAIN:]), GOLDEN["log_joint"], rtol=1e-10)
    predicted = model.predict(TEXTS[TRAIN:])
    np.testing.assert_array_equal(predicted, np.argmax(GOLDEN["log_joint"], axis=0))
    assert (predicted == LABELS[TRAIN:]).mean() > 0.5 > (majority(LABELS[:TRAIN]) == LABELS[TRAIN:]).mean()


def test_label_sets_are_those_of_one_binary_classifier_a_label_in_scikit_learn():
    model = NaiveBayes.fit(TEXTS[:TRAIN], SETS[:, :TRAIN], K)
    np.testing.assert_allclose(scores(model, TEXTS[TRAIN:]), GOLDEN["odds"], rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(model.predict(TEXTS[TRAIN:]), GOLDEN["predicted_sets"])


@given(st.data(), texts)
def test_scores_of_labels_are_their_definition(data, tests):
    train = data.draw(texts.filter(len))
    labels = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(train), max_size=len(train))))
    tests = [*tests, ["a", "never seen"]]
    parts = [[np.flatnonzero(same).tolist() for same in (labels == k, labels != k)] for k in range(3)]
    expected = [[plain_choice(train, *part, text) for text in tests] for part in parts]
    np.testing.assert_allclose(scores(NaiveBayes.fit(train, labels, 3), tests), expected, atol=1e-12)


@given(st.data(), texts)
def test_scores_of_label_sets_are_their_definition(data, tests):
    train = data.draw(texts.filter(len))
    sets = np.array(data.draw(st.lists(st.tuples(*[st.booleans()] * 3), min_size=len(train), max_size=len(train)))).T
    tests = [*tests, ["a", "never seen"]]
    expected = []
    for row in sets:
        chosen, others = np.flatnonzero(row).tolist(), np.flatnonzero(~row).tolist()
        expected.append(
            [plain_choice(train, chosen, others, text) - plain_choice(train, others, chosen, text) for text in tests]
        )
    np.testing.assert_allclose(scores(NaiveBayes.fit(train, sets, 3), tests), expected, atol=1e-12)


@pytest.mark.parametrize("targets", [LABELS, SETS], ids=["labels", "sets"])
@pytest.mark.parametrize("block", [1, 7, 100])
def test_blocks_and_the_order_of_training_change_nothing(monkeypatch, targets, block):
    expected = NaiveBayes.fit(TEXTS, targets, K).predict(TEXTS)
    order = np.random.default_rng(0).permutation(len(TEXTS))
    monkeypatch.setattr(naive_bayes, "BLOCK", block)
    model = NaiveBayes.fit((TEXTS[n] for n in order), targets[..., order], K)
    np.testing.assert_array_equal(model.predict(iter(TEXTS)), expected)


def test_a_block_holds_few_words_or_one_text():
    texts = [["a", "b"], ["a"], [], ["a"] * 9, ["b"], ["b"]]
    blocks = list(naive_bayes._blocks(iter(texts), {"a": 0, "b": 1}.get, 5))
    assert [(ids.tolist(), lengths.tolist()) for ids, lengths in blocks] == [
        ([0, 1, 0], [2, 1]),
        ([0] * 9, [0, 9]),
        ([1, 1], [1, 1]),
    ]


def test_a_label_without_training_texts_is_never_predicted_and_one_of_all_texts_always():
    model = NaiveBayes.fit([["good"], ["bad"]], np.array([0, 2]), 4)
    assert model.predict([["good"], ["bad"], [], ["unheard"]]).tolist() == [0, 2, 0, 0]
    sets = NaiveBayes.fit([["good"], ["bad"]], np.array([[0, 0], [1, 1], [1, 0]], bool), 3)
    assert sets.predict([["good"], ["bad"], [], ["unheard"]]).tolist() == [
        [False] * 4,
        [True] * 4,
        [True, False, False, False],
    ]


def test_texts_without_words_are_judged_by_the_prior():
    model = NaiveBayes.fit([[], [], []], np.array([1, 1, 0]), 2)
    assert model.predict([[], ["word"]]).tolist() == [1, 1]
    np.testing.assert_allclose(scores(model, [[], ["word"]]), np.log([[1 / 3] * 2, [2 / 3] * 2]))
    assert model.predict([]).shape == (0,)
    assert NaiveBayes.fit([[]], np.ones((3, 1), bool), 3).predict([]).shape == (3, 0)


def test_what_does_not_fit_together_is_refused():
    with pytest.raises(DataError, match="there is no example to learn from"):
        NaiveBayes.fit([], np.empty(0, int), 2)
    with pytest.raises(ValueError, match="ids must be in 0 … 1, these are 0 … 2"):
        NaiveBayes.fit([[], []], np.array([0, 2]), 2)
    with pytest.raises(ValueError, match="these are -1 … 0"):
        NaiveBayes.fit([[], []], np.array([0, -1]), 2)
    for count in (1, 3):
        with pytest.raises(ValueError, match="2 targets for another number of texts"):
            NaiveBayes.fit([["a"]] * count, np.array([0, 1]), 2)
    with pytest.raises(ValueError, match="3 rows of targets for 2 labels"):
        NaiveBayes.fit([[]], np.ones((3, 1), bool), 2)


def test_words_are_lower_case_without_the_space_before_them():
    assert words("Don't  STOP,\n\tit's good!") == ["don't", "stop", ",", "it's", "good", "!"]
    assert words(" \n") == []


def test_the_majority_is_the_most_frequent_label_or_set():
    assert majority(np.array([2, 0, 2, 1])) == 2
    assert majority(np.array([2, 1, 1, 2])) == 1
    sets = np.array([[1, 1, 0, 1], [0, 1, 1, 1], [0, 0, 0, 0]], bool)
    assert majority(sets).tolist() == [True, True, False]
    assert mean(np.array([[1, 2], [0, -4]], np.float32)).tolist() == [1.5, -2]
    for nothing in (majority, mean):
        with pytest.raises(DataError, match="there is no example to learn from"):
            nothing(np.empty((2, 0)))


def test_baselines_learn_from_texts_and_predict_each_split():
    train = ["A good film.", "Good, GOOD!", "bad", "A bad film"]
    tests = {"validation": ["So good"], "test": ["bad bad", "", "good."]}
    found = baselines(iter(train), np.array([1, 1, 0, 1]), tests, 2)
    assert {split: {name: ids.tolist() for name, ids in each.items()} for split, each in found.items()} == {
        "validation": {"majority": [1], "naive Bayes": [1]},
        "test": {"majority": [1, 1, 1], "naive Bayes": [0, 1, 1]},
    }
    sets = baselines(train, np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 0]], bool), {"test": ["good", "bad"]}, 3)
    assert sets["test"]["majority"].tolist() == [[False, False], [True, True], [False, False]]
    assert sets["test"]["naive Bayes"].tolist() == [[True, False], [False, True], [False, False]]
