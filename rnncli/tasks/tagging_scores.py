"""What a tagger answers, and what its answers are worth. S sequences, N steps, K labels."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from rnncli.data import ExampleBatch, Examples, batch_of, for_answers
from rnncli.data.ranges import ranges
from rnncli.metrics import UNKNOWN
from rnncli.metrics.tagging import TaggingReport, tagging_report
from rnncli.models.frequent_tag import frequent_tags
from rnncli.models.naive_bayes import majority
from rnncli.models.sequence_tagger import SequenceTagger
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import Loss
from rnncli.tasks.labelled_scores import THRESHOLD, Mistake
from rnncli.tasks.protocol import Resources

AROUND = 3
"""Tokens that a mistake is shown with on either side."""


@dataclass(frozen=True, eq=False)
class TaggingScore:
    """What a model is worth on a split, beside baselines on the same split."""

    split: str
    loss: Loss
    report: TaggingReport
    baselines: dict[str, TaggingReport]
    mistakes: Callable[[], Iterator[Mistake]]
    """The steps that the model got wrong, the worst first."""


class Answers(NamedTuple):
    """What a model says at each step."""

    loss: Loss
    predicted: Array  # class ids (N,), or label sets as booleans (K, N)
    sureness: Array  # (N,), the probability of what was predicted, of label sets of the label it is least sure of


class Scored(NamedTuple):
    """Sequences that were answered together, n steps in all."""

    batch: ExampleBatch
    scores: Array  # (K, T, B)
    real: tuple[Array, Array]  # where in T and B the real steps are, sequence after sequence
    own: Array  # (n,), which of all steps these are
    word_vectors: Array | None  # of all words, where they are spelled out


def scored(model: SequenceTagger, part: Examples, threshold: float = THRESHOLD) -> Iterator[Scored]:
    """Yield all sequences in batches, with what the model's output layer says; each word is spelled out once.

    A model that is fed several labels is fed those that are at least as probable as the threshold.
    """
    word_vectors = None
    if model.inputs.characters and part.spellings and part.words is not None:
        places, spelled = part.spellings.together(part.words)
        word_vectors, part = model.inputs.characters.vectors(*spelled), replace(part, words=places)
    for numbers in for_answers(part.lengths):
        batch, lengths = batch_of(part, numbers), part.lengths[numbers]
        real = ranges(np.zeros_like(lengths), lengths), np.repeat(np.arange(len(numbers)), lengths)
        scores = model.scores(batch, word_vectors, threshold=threshold)
        yield Scored(batch, scores, real, ranges(part.starts[numbers], lengths), word_vectors)


def answers(model: SequenceTagger, part: Examples) -> Answers:
    """Let a model answer; where it is fed its labels, the loss is that of the true ones, fed the true ones."""
    N, K = int(part.starts[-1]), len(model.output.weight.value)
    one = model.activation == "softmax"
    predicted: Array = np.zeros(N, np.int64) if one else np.zeros((K, N), bool)
    total, sureness = Loss(0.0, 0), np.zeros(N)
    with np.errstate(all="ignore"):  # an overflow shows as a loss that is not finite
        for batch, scores, real, own, word_vectors in scored(model, part):
            under = model.scores(batch, word_vectors, forced=True) if model.feeds_labels else scores
            total = total.plus(model.loss_of(under, batch))
            found = model.probabilities(scores, batch.mask)[:, *real]
            if one:
                predicted[own] = model.decode(scores, batch.mask)[real]
                sureness[own] = found[predicted[own], np.arange(len(own))]
            else:
                predicted[:, own] = found >= THRESHOLD
                sureness[own] = np.maximum(found, 1 - found).min(axis=0)
    return Answers(total, predicted, sureness)


def evaluated(
    model: SequenceTagger, resources: Resources, part: Examples, seen: set[str] | None = None
) -> tuple[Loss, dict[str, float]]:
    """Return the loss and the mean scores."""
    found = answers(model, part)
    return found.loss, _report(resources, part, found.predicted, seen).means


def score(
    model: SequenceTagger, resources: Resources, train: Examples | None, parts: Mapping[str, Examples]
) -> list[TaggingScore]:
    """Return what the model is worth on each part that is not empty, beside what learnt from `train` alone."""
    seen = None if train is None or train.tokens is None else set(_tokens(train))
    baseline = _baseline(resources, train) if train else None
    return [_score(model, resources, name, part, seen, baseline) for name, part in parts.items() if len(part)]


def _score(
    model: SequenceTagger,
    resources: Resources,
    name: str,
    part: Examples,
    seen: set[str] | None,
    baseline: "tuple[str, Callable[[Examples], Array]] | None",
) -> TaggingScore:
    found = answers(model, part)
    others = {baseline[0]: _report(resources, part, baseline[1](part), seen)} if baseline else {}
    report = _report(resources, part, found.predicted, seen)
    return TaggingScore(name, found.loss, report, others, lambda: _mistakes(resources, part, found))


def _report(resources: Resources, part: Examples, predicted: Array, seen: set[str] | None) -> TaggingReport:
    unseen = None
    if seen is not None and part.tokens is not None:
        unseen = np.fromiter((token not in seen for token in _tokens(part)), bool, int(part.starts[-1]))
    return tagging_report(
        part.targets,
        predicted,
        part.starts,
        resources["outputs"],
        unknown=part.unknown,
        unseen=unseen,
        scheme=resources["scheme"],
        element="token" if part.tokens else "frame",
    )


def _tokens(part: Examples) -> Iterator[str]:
    assert part.tokens
    for i in range(len(part)):
        yield from part.tokens(i)


def _baseline(resources: Resources, train: Examples) -> tuple[str, Callable[[Examples], Array]]:
    """Return the naive baseline by name: the most frequent tag of each word, or of all frames the majority."""
    targets = train.targets
    if train.tokens is None:
        most = majority(targets if targets.ndim > 1 else targets[targets >= 0])
        return "majority", lambda part: np.broadcast_to(most[..., None], (*most.shape, int(part.starts[-1])))
    tagged = frequent_tags(_tokens(train), targets, len(resources["outputs"]))
    return "most frequent tag", lambda part: tagged(_tokens(part))


def _mistakes(resources: Resources, part: Examples, found: Answers) -> Iterator[Mistake]:
    """Yield the wrong steps, that of which the model was surest first."""
    names = resources["outputs"]
    wrong = found.predicted != part.targets
    wrong = wrong if wrong.ndim == 1 else wrong.any(axis=0)
    if part.unknown is not None:
        wrong |= part.unknown
    order = np.flatnonzero(wrong)
    order = order[np.argsort(-found.sureness[order], kind="stable")]

    def named(values: Array, *, unknown: bool) -> str:
        if values.ndim == 0:
            return names[int(values)] if values >= 0 else UNKNOWN
        labels = [name for name, on in zip(names, values, strict=True) if on] + [UNKNOWN] * unknown
        return ", ".join(labels) or "none"

    for step in order.tolist():
        unknown = part.unknown is not None and bool(part.unknown[step])
        yield Mistake(
            part.place(step),
            _around(part, step),
            named(part.targets[..., step], unknown=unknown),
            named(found.predicted[..., step], unknown=False),
            float(found.sureness[step]),
        )


def _around(part: Examples, step: int) -> str:
    """Return a token in brackets among its neighbours; nothing for vectors."""
    if part.tokens is None:
        return ""
    i = part.sequence_of(step)
    tokens, place = part.tokens(i), step - int(part.starts[i])
    before, after = tokens[max(0, place - AROUND) : place], tokens[place + 1 : place + 1 + AROUND]
    return " ".join((*before, f"[{tokens[place]}]", *after))
