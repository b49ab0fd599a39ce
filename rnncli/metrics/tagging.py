"""Scores of taggers: of steps, of whole sequences, of words never seen in training, and of spans.

Letters: N steps in S sequences, one after the other; K labels. One label a step is given as ids (N,), label sets as
booleans (K, N).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rnncli.metrics.classification import (
    UNKNOWN,
    ClassificationReport,
    LabelScore,
    classification_report,
    label_scores,
    mean,
    quotient,
)
from rnncli.metrics.lengths import Array
from rnncli.metrics.spans import span_ends, span_label

Element = Literal["token", "frame"]
"""What a step is: a token, a word or a character; or a frame, a vector."""


@dataclass(frozen=True)
class SpanReport:
    """How the spans were found: a prediction is right where its first step, its last step and its label are.

    Over all spans precision, recall and F1 count each span alike; the macro ones are the plain means over the labels.
    """

    precision: float
    recall: float
    f1: float
    support: int
    macro_precision: float
    macro_recall: float
    macro_f1: float
    labels: tuple[LabelScore, ...]  # sorted; a last one, UNKNOWN, where there is an unknown label


@dataclass(frozen=True, eq=False)
class TaggingReport:
    """Scores of the predictions on one split.

    The accuracy of a token or a frame is the share of steps whose label, or whole label set, is right; that of a
    sequence the share of sequences with no step wrong; the unseen accuracy that of steps whose token does not occur in
    training. The steps' report by length is by that of their sequences.
    """

    element: Element
    steps: ClassificationReport
    sequences: int
    sequence_accuracy: float
    unseen: int | None  # steps whose token does not occur in training; None where nobody said
    unseen_accuracy: float | None  # None where there is no such step
    spans: SpanReport | None  # None where the labels spell out no spans

    @property
    def means(self) -> dict[str, float]:
        """The scores over all labels, by name."""
        scores = {
            f"{self.element}_accuracy": self.steps.accuracy,
            "span_f1": self.spans.f1 if self.spans else None,
            "unseen_accuracy": self.unseen_accuracy,
            "macro_f1": self.steps.macro_f1,
            "micro_f1": self.steps.micro_f1,
            "hamming_loss": self.steps.hamming_loss,
            "sequence_accuracy": self.sequence_accuracy,
        }
        return {name: value for name, value in scores.items() if value is not None}


def tagging_report(
    targets: Array,
    predicted: Array,
    starts: Array,
    labels: Sequence[str],
    *,
    unknown: Array | None = None,
    unseen: Array | None = None,
    scheme: str | None = None,
    element: Element = "token",
) -> TaggingReport:
    """Compare predictions with targets, both ids (N,) or both booleans (K, N), given the K labels.

    The i-th sequence goes from starts[i] up to starts[i + 1], (S + 1,). A target -1 is a label never seen in training;
    for label sets, `unknown` (N,) tells which steps have one: such a step is wrong. `unseen` (N,) tells whose token
    does not occur in training. Spans are compared where there is a `scheme`, whichever; steps of unknown labels that
    follow each other are then one span that nobody finds. Raises ValueError for arrays that do not belong together and
    ids that are no labels.
    """
    N = targets.shape[-1]
    if starts[0] or starts[-1] != N or (lengths := np.diff(starts)).min(initial=0) < 0:
        raise ValueError(f"sequences must part {N} steps, they go from {starts[0]} to {starts[-1]}")
    steps = classification_report(targets, predicted, labels, np.repeat(lengths, lengths), unknown)
    correct = targets == predicted
    correct = correct if correct.ndim == 1 else correct.all(axis=0)
    if unknown is not None:
        correct &= ~unknown
    wrong = np.append(0, (~correct).cumsum())
    return TaggingReport(
        element=element,
        steps=steps,
        sequences=len(lengths),
        sequence_accuracy=mean(wrong[starts[1:]] == wrong[starts[:-1]]),
        unseen=None if unseen is None else int(unseen.sum()),
        unseen_accuracy=None if unseen is None or not unseen.any() else mean(correct[unseen]),
        spans=span_report(targets, predicted, starts, labels, unknown) if scheme and targets.ndim == 1 else None,
    )


def span_report(
    targets: Array, predicted: Array, starts: Array, labels: Sequence[str], unknown: Array | None = None
) -> SpanReport:
    """Compare the spans that ids (N,) of the K labels spell out; all else is as in `tagging_report`."""
    K = len(labels)
    targets = np.where(targets < 0 if unknown is None else (targets < 0) | unknown, K, targets.astype(np.int64))
    own = [*map(span_label, labels), UNKNOWN]
    kinds = [*sorted(set(own) - {"", UNKNOWN}), UNKNOWN]
    kind_of = np.array([kinds.index(kind or UNKNOWN) for kind in own])
    ends, claimed_ends = (span_ends((*labels, f"I-{UNKNOWN}"), ids, starts) for ids in (targets, predicted))
    found = (ends > 0) & (ends == claimed_ends) & (kind_of[targets] == kind_of[predicted])
    right, claimed, support = (
        np.bincount(kind_of[ids[begins]], minlength=len(kinds))
        for ids, begins in ((targets, found), (predicted, claimed_ends > 0), (targets, ends > 0))
    )
    occurs = claimed + support > 0
    names = [kind for kind, each in zip(kinds, occurs, strict=True) if each]
    scores, macro_f1 = label_scores(right[occurs], claimed[occurs], support[occurs], names)
    return SpanReport(
        precision=float(quotient(right.sum(), claimed.sum())),
        recall=float(quotient(right.sum(), support.sum())),
        f1=float(quotient(2 * right.sum(), claimed.sum() + support.sum())),
        support=int(support.sum()),
        macro_precision=sum(each.precision for each in scores) / max(1, len(scores)),
        macro_recall=sum(each.recall for each in scores) / max(1, len(scores)),
        macro_f1=macro_f1,
        labels=scores,
    )
