"""Scores of classifiers: accuracy, precision, recall and F1 of each label and their means, confusions, by length.

Letters: N examples, K labels. One label an example is given as ids (N,), label sets as booleans (K, N). A quotient
without examples, 0 / 0, is 0, as in scikit-learn with `zero_division=0`; only of no examples at all every mean is NaN.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnncli.metrics.lengths import Array, LengthBin, by_length

UNKNOWN = "(unknown)"
"""Stands for all labels that occur at test time but did not in training: a classifier cannot predict them."""
MOST_LABELS = 1000
"""With more labels there is no confusion matrix, which grows with their square."""


@dataclass(frozen=True)
class LabelScore:
    """How one label was found: of its predictions the share that was right, and of its examples the share found."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int  # examples that have the label


@dataclass(frozen=True, eq=False)
class ClassificationReport:
    """Scores of the predictions on one split.

    Accuracy is the share of examples whose label, or whole label set, is right. Macro F1 is the plain mean over labels
    that occur among the targets or the predictions. Of label sets, micro F1 counts every (example, label) pair alike,
    and Hamming loss is the share of those pairs that are wrong; of one label an example they say what accuracy does,
    and are None.
    """

    examples: int
    unknown: int  # examples with a label never seen in training, which no prediction can have
    accuracy: float
    macro_f1: float
    micro_f1: float | None
    hamming_loss: float | None
    labels: tuple[LabelScore, ...]  # as numbered; a last one, UNKNOWN, where there is an unknown label
    confusion: Array | None  # (K, K) targets as rows, predictions as columns; None for label sets, and many labels
    by_length: tuple[LengthBin, ...]

    @property
    def means(self) -> dict[str, float]:
        """The scores over all labels, by name."""
        names = ("accuracy", "macro_f1", "micro_f1", "hamming_loss")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


def classification_report(
    targets: Array,
    predicted: Array,
    labels: Sequence[str],
    lengths: Array | None = None,
    unknown: Array | None = None,
) -> ClassificationReport:
    """Compare predictions with targets, both ids (N,) or both booleans (K, N), given the K labels.

    A target -1 is a label never seen in training; for label sets, `unknown` (N,) tells which examples have one. Such an
    example counts as wrong, and all such labels together as one more label. `lengths` (N,) is for accuracy by length.
    Raises ValueError for arrays that do not belong together and ids that are no labels.
    """
    if targets.shape != predicted.shape:
        raise ValueError(f"targets are {targets.shape}, predictions {predicted.shape}")
    report = _of_labels if targets.ndim == 1 else _of_label_sets
    return report(targets, predicted, labels, lengths, unknown)


def _of_labels(
    targets: Array, predicted: Array, labels: Sequence[str], lengths: Array | None, unknown: Array | None
) -> ClassificationReport:
    unknown = targets < 0 if unknown is None else (targets < 0) | unknown
    targets, predicted = targets.astype(np.int64), predicted.astype(np.int64)
    _check_ids(predicted, len(labels))
    if unknown.any():
        targets, labels = np.where(unknown, len(labels), targets), (*labels, UNKNOWN)
    K = len(labels)
    _check_ids(targets, K)
    correct = targets == predicted
    found, claimed, support = (np.bincount(ids, minlength=K) for ids in (targets[correct], predicted, targets))
    scores, macro_f1 = label_scores(found, claimed, support, labels)
    return ClassificationReport(
        examples=correct.size,
        unknown=int(unknown.sum()),
        accuracy=mean(correct),
        macro_f1=macro_f1 if correct.size else math.nan,
        micro_f1=None,
        hamming_loss=None,
        labels=scores,
        confusion=confusion(targets, predicted, K) if K <= MOST_LABELS else None,
        by_length=() if lengths is None else by_length(lengths, correct),
    )


def _of_label_sets(
    targets: Array, predicted: Array, labels: Sequence[str], lengths: Array | None, unknown: Array | None
) -> ClassificationReport:
    if len(targets) != len(labels):
        raise ValueError(f"{len(targets)} rows of targets for {len(labels)} labels")
    targets, predicted = targets.astype(bool), predicted.astype(bool)
    if unknown is not None and unknown.any():
        targets, labels = np.vstack((targets, unknown)), (*labels, UNKNOWN)
        predicted = np.vstack((predicted, np.zeros_like(unknown)))
    correct = (targets == predicted).all(axis=0)
    found, claimed, support = (array.sum(axis=1) for array in (targets & predicted, predicted, targets))
    scores, macro_f1 = label_scores(found, claimed, support, labels)
    examples = correct.size
    return ClassificationReport(
        examples=examples,
        unknown=0 if unknown is None else int(unknown.sum()),
        accuracy=mean(correct),
        macro_f1=macro_f1 if examples else math.nan,
        micro_f1=float(quotient(2 * found.sum(), claimed.sum() + support.sum())) if examples else math.nan,
        hamming_loss=mean(targets != predicted),
        labels=scores,
        confusion=None,
        by_length=() if lengths is None else by_length(lengths, correct),
    )


def confusion(targets: Array, predicted: Array, K: int) -> Array:
    """Count (K, K) how often each label, the row, was taken for each, the column; both are ids (N,) in 0 … K - 1."""
    _check_ids(targets, K)
    _check_ids(predicted, K)
    return np.bincount(targets.astype(np.int64) * K + predicted.astype(np.int64), minlength=K * K).reshape(K, K)


def label_scores(
    found: Array, claimed: Array, support: Array, labels: Sequence[str]
) -> tuple[tuple[LabelScore, ...], float]:
    """Return the score of each label and macro F1, from counts (K,) of true positives, predictions and targets.

    precision = found / claimed      recall = found / support      F1 = 2 found / (claimed + support)
    """
    precision, recall, f1 = (
        quotient(found, claimed),
        quotient(found, support),
        quotient(2 * found, claimed + support),
    )
    columns = (array.tolist() for array in (precision, recall, f1, support))
    scores = tuple(LabelScore(*row) for row in zip(labels, *columns, strict=True))
    occurs = (claimed + support) > 0
    return scores, float(f1[occurs].mean()) if occurs.any() else 0.0


def quotient(a: Array, b: Array) -> Array:
    """Return a / b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros(np.shape(a)), where=b > 0)


def mean(values: Array) -> float:
    """Return the mean of all values, NaN of none."""
    return float(values.mean()) if values.size else math.nan


def _check_ids(ids: Array, K: int) -> None:
    if ids.size and not 0 <= ids.min() <= ids.max() < K:
        raise ValueError(f"ids must be in 0 … {K - 1}, these are {ids.min()} … {ids.max()}")
