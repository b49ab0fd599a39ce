"""Scores of taggers: of spans against seqeval's, of steps, sequences and unseen words against their definitions."""

import json
import math
from dataclasses import fields
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnncli.metrics import UNKNOWN, classification_report, spans, tagging_report

GOLDEN = json.loads((Path(__file__).parent / "seqeval.json").read_text("utf-8"))
NAMES = ["precision", "recall", "f1", "support"]
BIO = ["O", "B-P", "I-P", "B-Q", "I-Q"]


def joined(sequences, labels):
    """The ids of many sequences, and where each begins."""
    ids = [[labels.index(label) for label in labels_of] for labels_of in sequences]
    return np.array([*chain.from_iterable(ids)], np.int64), np.cumsum([0, *map(len, ids)])


def of_strings(targets, predicted, scheme="bio"):
    targets, predicted = ([text.split() for text in texts] for texts in (targets, predicted))
    labels = sorted({label for each in targets + predicted for label in each})
    ids, starts = joined(targets, labels)
    return tagging_report(ids, joined(predicted, labels)[0], starts, labels, scheme=scheme)


def plain(report):
    """All fields of a report, to compare."""
    return {field.name: getattr(report, field.name) for field in fields(report) if field.name != "confusion"}


@st.composite
def taggings(draw):
    """Targets, predictions, starts; some sequences are empty."""
    lengths = draw(st.lists(st.integers(0, 6), min_size=1, max_size=6))
    ids = arrays(np.int64, sum(lengths), elements=st.integers(0, len(BIO) - 1))
    return draw(ids), draw(ids), np.cumsum([0, *lengths])


def test_scores_of_spans_are_those_of_seqeval():
    assert len(GOLDEN) > 100
    for case in GOLDEN:
        whole = of_strings(case["targets"], case["predicted"])
        report = whole.spans
        assert whole.means["span_f1"] == report.f1
        assert [each.label for each in report.labels] == case["kinds"]
        each = [[getattr(score, name) for score in report.labels] for name in NAMES]
        np.testing.assert_allclose(each, case["each"] or [[]] * 4, atol=1e-9, err_msg=str(case))
        assert [getattr(report, name) for name in NAMES] == pytest.approx(case["micro"], abs=1e-9), case
        macro = [report.macro_precision, report.macro_recall, report.macro_f1, report.support]
        assert macro == pytest.approx(case["macro"], abs=1e-9), case


@given(taggings())
def test_spans_are_right_that_both_have(case):
    targets, predicted, starts = case
    meant, claimed = (
        {(int(a), *span) for a, b in pairwise(starts) for span in spans([BIO[k] for k in ids[a:b]])}
        for ids in (targets, predicted)
    )
    report = tagging_report(targets, predicted, starts, BIO, scheme="bio").spans
    both = len(meant & claimed)
    assert report.support == len(meant)
    assert report.precision == pytest.approx(both / max(1, len(claimed)))
    assert report.recall == pytest.approx(both / max(1, len(meant)))
    assert report.f1 == pytest.approx(2 * both / max(1, len(claimed) + len(meant)))
    assert {each.label for each in report.labels} == {label for _, label, _, _ in meant | claimed}
    for each in report.labels:
        own = [{span for span in found if span[1] == each.label} for found in (meant, claimed)]
        assert (each.support, each.recall * each.support) == (len(own[0]), pytest.approx(len(own[0] & own[1])))


@given(taggings(), st.data())
def test_scores_of_steps_and_sequences_are_their_definitions(case, data):
    targets, predicted, starts = case
    unseen = data.draw(arrays(bool, targets.shape))
    report = tagging_report(targets, predicted, starts, BIO, unseen=unseen)
    right = [targets[k] == predicted[k] for k in range(len(targets))]
    whole = [all(right[a:b]) for a, b in pairwise(starts)]
    assert report.sequences == len(whole)
    assert report.sequence_accuracy == np.mean(whole)
    assert report.steps.accuracy == pytest.approx(np.mean(right)) if right else math.isnan(report.steps.accuracy)
    assert report.unseen == sum(unseen)
    known = [good for good, new in zip(right, unseen, strict=True) if new]
    assert report.unseen_accuracy == (pytest.approx(np.mean(known)) if known else None)
    lengths = np.repeat(np.diff(starts), np.diff(starts))
    expected = classification_report(targets, predicted, BIO, lengths)
    assert repr(plain(report.steps)) == repr(plain(expected))
    assert sum(part.count for part in report.steps.by_length) == len(targets)
    assert report.spans is None


@given(taggings())
def test_padding_between_sequences_and_their_order_change_nothing(case):
    targets, predicted, starts = case
    order = np.arange(len(starts) - 1)[::-1]
    steps = np.concatenate([np.arange(starts[i], starts[i + 1]) for i in order]).astype(int)
    again = np.cumsum([0, *np.diff(starts)[order]])
    one, other = (
        tagging_report(*arrays_of, BIO, scheme="bio")
        for arrays_of in ((targets, predicted, starts), (targets[steps], predicted[steps], again))
    )
    assert repr(other.means) == repr(one.means)
    assert other.spans == one.spans


def test_means_have_an_order_and_only_what_there_is():
    ids, starts = np.array([0, 1, 2, 0]), np.array([0, 3, 4])
    report = tagging_report(ids, np.array([0, 1, 1, 0]), starts, BIO, unseen=ids == 2, scheme="bio")
    assert report.means == {
        "token_accuracy": 3 / 4,
        "span_f1": 0,
        "unseen_accuracy": 0,
        "macro_f1": pytest.approx((1 + 2 / 3 + 0) / 3),
        "sequence_accuracy": 1 / 2,
    }
    assert list(report.means) == ["token_accuracy", "span_f1", "unseen_accuracy", "macro_f1", "sequence_accuracy"]
    frames = tagging_report(ids, ids, starts, BIO, element="frame")
    assert (frames.element, frames.unseen, frames.unseen_accuracy) == ("frame", None, None)
    assert frames.means == {"frame_accuracy": 1, "macro_f1": 1, "sequence_accuracy": 1}


def test_label_sets_of_frames_are_right_where_all_labels_are():
    targets = np.array([[1, 1, 0, 0], [0, 1, 0, 1]], bool)
    predicted = np.array([[1, 1, 0, 1], [0, 0, 0, 1]], bool)
    unseen = np.array([1, 0, 1, 1], bool)
    report = tagging_report(
        targets, predicted, np.array([0, 1, 3, 4]), ["a", "b"], unseen=unseen, element="frame", scheme="bio"
    )
    assert report.means == {
        "frame_accuracy": 1 / 2,
        "unseen_accuracy": pytest.approx(2 / 3),
        "macro_f1": pytest.approx((4 / 5 + 2 / 3) / 2),
        "micro_f1": pytest.approx(6 / 8),
        "hamming_loss": 1 / 4,
        "sequence_accuracy": 1 / 3,
    }
    assert (report.steps.examples, report.spans) == (4, None)


def test_labels_never_seen_in_training_are_wrong_and_spans_of_their_own():
    targets, predicted = np.array([1, -1, -1, 0, 1, 2, -1]), np.array([1, 2, 0, 0, 1, 2, 0])
    starts, unseen = np.array([0, 4, 6, 7]), np.array([0, 1, 1, 0, 0, 1, 0], bool)
    report = tagging_report(targets, predicted, starts, BIO, scheme="bio", unseen=unseen)
    assert (report.steps.unknown, report.steps.accuracy) == (3, 4 / 7)
    assert (report.sequence_accuracy, report.unseen_accuracy) == (1 / 3, 1 / 3)
    found = [(each.label, each.precision, each.recall, each.support) for each in report.spans.labels]
    assert found == [("P", 1 / 2, 1 / 2, 2), (UNKNOWN, 0, 0, 2)]
    assert (report.spans.recall, report.spans.support) == (1 / 4, 4)
    masked = tagging_report(
        np.where(targets < 0, 3, targets), predicted, starts, BIO, unknown=targets < 0, scheme="bio"
    )
    assert masked.spans == report.spans
    assert masked.sequence_accuracy == report.sequence_accuracy


def test_label_sets_with_a_label_never_seen_are_wrong():
    sets = np.array([[1, 0, 1]], bool)
    report = tagging_report(sets, sets, np.array([0, 2, 3]), ["a"], unknown=np.array([0, 1, 0], bool))
    assert (report.steps.accuracy, report.sequence_accuracy, report.steps.unknown) == (2 / 3, 1 / 2, 1)


def test_of_no_steps_the_means_are_nan():
    nothing = np.empty(0, int)
    report = tagging_report(nothing, nothing, np.array([0]), BIO, unseen=nothing > 0, scheme="bio")
    assert (report.sequences, report.unseen, report.unseen_accuracy) == (0, 0, None)
    assert [name for name, value in report.means.items() if math.isnan(value)] == [
        "token_accuracy",
        "macro_f1",
        "sequence_accuracy",
    ]
    assert (report.spans.f1, report.spans.macro_precision, report.spans.labels) == (0, 0, ())


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.uint16])
def test_the_width_of_the_ids_does_not_matter(dtype):
    labels = ["O", *(f"{place}-{k}" for k in range(60) for place in "BI")]
    ids = np.arange(len(labels), dtype=dtype)
    report = tagging_report(ids, ids, np.array([0, len(ids)]), labels, scheme="bio")
    assert (report.spans.support, report.spans.f1) == (60, 1)


@pytest.mark.parametrize("starts", [[0, 2], [1, 3], [0, 3, 2, 3], [0, 4]])
def test_arrays_that_do_not_belong_together_are_refused(starts):
    ids = np.array([0, 1, 2])
    with pytest.raises(ValueError, match="sequences must part 3 steps"):
        tagging_report(ids, ids, np.array(starts), BIO)
    with pytest.raises(ValueError, match="ids must be in 0 … 1"):
        tagging_report(ids, ids, np.array([0, 3]), BIO[:2])
