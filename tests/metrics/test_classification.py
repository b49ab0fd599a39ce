"""Scores of labels and of label sets against scikit-learn's, their invariants, and labels never seen in training."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnncli.metrics import UNKNOWN, by_length, classification_report, confusion

IDS = (
    "random",
    "many_labels",
    "small",
    "one_class",
    "one_class_of_three",
    "never_predicted",
    "never_occurring",
    "all_wrong",
    "one_example",
)
SETS = ("random", "rare", "nothing_predicted", "nothing_at_all", "a_label_absent")


def names(K):
    return [f"label {k}" for k in range(K)]


def of_labels(scores):
    return [[getattr(score, name) for score in scores] for name in ("precision", "recall", "f1", "support")]


@st.composite
def ids_and_predictions(draw):
    K = draw(st.integers(1, 6))
    ids = arrays(np.int64, draw(st.integers(1, 30)), elements=st.integers(0, K - 1))
    targets = draw(ids)
    predicted = draw(arrays(np.int64, targets.shape, elements=st.integers(0, K - 1)))
    return K, targets, predicted


def test_every_golden_case_is_compared(golden):
    assert set(golden["ids"]) == set(IDS)
    assert set(golden["sets"]) == set(SETS)


@pytest.mark.parametrize("name", IDS)
def test_scores_of_labels_are_those_of_scikit_learn(golden, name):
    case = golden["ids"][name]
    targets, predicted = np.array(case["targets"]), np.array(case["predicted"])
    report = classification_report(targets, predicted, names(case["K"]))
    assert report.accuracy == pytest.approx(case["accuracy"], abs=1e-12)
    assert report.macro_f1 == pytest.approx(case["macro_f1"], abs=1e-12)
    assert report.confusion.tolist() == case["confusion"]
    np.testing.assert_allclose(of_labels(report.labels), case["labels"], atol=1e-12)
    assert report.means == {"accuracy": report.accuracy, "macro_f1": report.macro_f1}
    assert (report.examples, report.unknown, report.by_length) == (len(targets), 0, ())


@pytest.mark.parametrize("name", SETS)
def test_scores_of_label_sets_are_those_of_scikit_learn(golden, name):
    case = golden["sets"][name]
    targets, predicted = np.array(case["targets"], bool), np.array(case["predicted"], bool)
    report = classification_report(targets, predicted, names(len(targets)))
    assert list(report.means) == ["accuracy", "macro_f1", "micro_f1", "hamming_loss"]
    for mean, value in report.means.items():
        assert value == pytest.approx(case[mean], abs=1e-12), mean
    np.testing.assert_allclose(of_labels(report.labels), case["labels"], atol=1e-12)
    assert report.confusion is None
    assert report.examples == targets.shape[1]


@given(ids_and_predictions())
def test_one_label_an_example_is_a_set_of_one_and_its_micro_f1_is_accuracy(case):
    K, targets, predicted = case
    rows = np.arange(K)[:, None]
    single = classification_report(targets, predicted, names(K))
    sets = classification_report(rows == targets, rows == predicted, names(K))
    assert sets.micro_f1 == pytest.approx(single.accuracy) == sets.accuracy
    assert sets.macro_f1 == pytest.approx(single.macro_f1)
    assert sets.labels == single.labels
    assert sets.hamming_loss == pytest.approx(2 * (1 - single.accuracy) / K)


@given(ids_and_predictions(), st.randoms(use_true_random=False))
def test_confusions_sum_up_and_nothing_depends_on_the_order(case, random):
    K, targets, predicted = case
    order = random.sample(range(len(targets)), len(targets))
    report = classification_report(targets, predicted, names(K))
    again = classification_report(targets[order], predicted[order], names(K))
    assert again.means == report.means
    assert again.labels == report.labels
    np.testing.assert_array_equal(again.confusion, report.confusion)
    np.testing.assert_array_equal(report.confusion.sum(axis=1), np.bincount(targets, minlength=K))
    np.testing.assert_array_equal(report.confusion.sum(axis=0), np.bincount(predicted, minlength=K))
    assert report.confusion.trace() / report.confusion.sum() == pytest.approx(report.accuracy)
    assert report.accuracy == (targets == predicted).mean()
    assert 0 <= report.macro_f1 <= 1


@given(ids_and_predictions(), st.randoms(use_true_random=False))
def test_labels_may_be_numbered_otherwise(case, random):
    K, targets, predicted = case
    number = np.array(random.sample(range(K), K))
    report = classification_report(targets, predicted, names(K))
    again = classification_report(number[targets], number[predicted], names(K))
    assert again.macro_f1 == pytest.approx(report.macro_f1)
    np.testing.assert_array_equal(again.confusion[np.ix_(number, number)], report.confusion)


def test_a_label_never_seen_in_training_counts_as_wrong_and_as_a_label_of_its_own():
    targets, predicted = np.array([0, 0, -1, 1, -1]), np.array([0, 1, 0, 1, 1])
    report = classification_report(targets, predicted, ["a", "b"], lengths=np.array([1, 1, 2, 2, 3]))
    assert (report.examples, report.unknown, report.accuracy) == (5, 2, 0.4)
    assert report.confusion.tolist() == [[1, 1, 0], [0, 1, 0], [1, 1, 0]]
    a, b, unknown = report.labels
    assert (a.precision, a.recall, a.support) == (1 / 2, 1 / 2, 2)
    assert (b.precision, b.recall, b.support) == (1 / 3, 1, 1)
    assert (unknown.label, unknown.f1, unknown.support) == (UNKNOWN, 0, 2)
    assert report.macro_f1 == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)
    assert [part.accuracy for part in report.by_length] == [0.5, 0.5, 0]


def test_a_label_never_seen_in_training_makes_a_label_set_wrong():
    targets = np.array([[1, 1, 0], [0, 0, 0]], bool)
    unknown = np.array([0, 1, 0], bool)
    report = classification_report(targets, targets, ["a", "b"], unknown=unknown)
    assert (report.accuracy, report.unknown, report.hamming_loss) == (2 / 3, 1, 1 / 9)
    assert [(score.label, score.f1, score.support) for score in report.labels] == [
        ("a", 1, 2),
        ("b", 0, 0),
        (UNKNOWN, 0, 1),
    ]
    assert report.macro_f1 == 1 / 2  # b neither occurs nor is predicted
    assert report.micro_f1 == pytest.approx(4 / 5)
    known = classification_report(targets, targets, ["a", "b"], unknown=np.zeros(3, bool))
    assert (known.accuracy, len(known.labels)) == (1, 2)


@pytest.mark.parametrize("shape", [(0,), (2, 0)])
def test_of_no_examples_every_mean_is_nan(shape):
    nothing = np.empty(shape, int if len(shape) == 1 else bool)
    report = classification_report(nothing, nothing, ["a", "b"], lengths=np.empty(0, int))
    assert report.examples == 0
    assert all(math.isnan(value) for value in report.means.values())
    assert of_labels(report.labels) == [[0, 0]] * 4
    assert report.by_length == ()


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64])
def test_the_width_of_the_ids_does_not_matter(dtype):
    ids = np.arange(120, dtype=dtype)
    report = classification_report(ids, ids[::-1], names(120))
    np.testing.assert_array_equal(confusion(ids, ids[::-1], 120), np.eye(120)[::-1])
    np.testing.assert_array_equal(report.confusion, np.eye(120)[::-1])


def test_very_many_labels_have_scores_but_no_matrix():
    ids = np.arange(50_000)
    report = classification_report(ids, np.roll(ids, 1) // 2 * 2, names(50_000))
    assert report.confusion is None
    assert report.accuracy == 0
    assert len(report.labels) == 50_000


def test_arrays_that_do_not_belong_together_are_refused():
    ids = np.array([0, 1])
    with pytest.raises(ValueError, match=r"targets are \(2,\), predictions \(1,\)"):
        classification_report(ids, ids[:1], ["a", "b"])
    with pytest.raises(ValueError, match="ids must be in 0 … 0, these are 0 … 1"):
        classification_report(np.array([0, 0]), ids, ["a"])
    with pytest.raises(ValueError, match="these are -1 … 1"):
        classification_report(ids, np.array([-1, 1]), ["a", "b"])
    with pytest.raises(ValueError, match="these are 0 … 1"):
        confusion(ids, ids[:1], 1)
    with pytest.raises(ValueError, match="these are 0 … 1"):
        confusion(ids[:1], ids, 1)
    with pytest.raises(ValueError, match="2 rows of targets for 3 labels"):
        classification_report(np.zeros((2, 4), bool), np.zeros((2, 4), bool), names(3))
    with pytest.raises(ValueError, match=r"lengths are \(3,\), answers \(2,\)"):
        by_length(np.arange(3), ids > 0)
