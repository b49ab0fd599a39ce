"""What a sequence classifier answers, and what its answers are worth. S sequences, K labels or values."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from rnncli.data import Examples, batch_of, for_answers
from rnncli.metrics import UNKNOWN, ClassificationReport, RegressionReport, classification_report, regression_report
from rnncli.models.naive_bayes import baselines, majority, mean
from rnncli.models.sequence_classifier import SequenceClassifier
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import Loss
from rnncli.tasks.protocol import Resources
from rnncli.tasks.sequence_inputs import Standardization

THRESHOLD = 0.5
"""Where a sequence may have several labels, those that are more probable than not are given."""


@dataclass(frozen=True)
class Mistake:
    """An example that a model got wrong."""

    where: str  # file:line
    text: str  # empty for vectors
    target: str
    predicted: str
    probability: float | None  # that the model gave its prediction


@dataclass(frozen=True, eq=False)
class LabelledScore:
    """What a model is worth on a split, beside baselines on the same split."""

    split: str
    loss: Loss
    report: ClassificationReport | RegressionReport
    baselines: dict[str, ClassificationReport | RegressionReport]
    mistakes: Callable[[], Iterator[Mistake]]
    """The examples that the model got wrong, the worst first."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model says of each sequence."""

    loss: Loss
    predicted: Array  # class ids (S,), label sets as booleans (K, S), or values (K, S)
    sureness: Array  # (S,), the probability of what was predicted; of values 0


def answers(model: SequenceClassifier, part: Examples, scale: Standardization | None) -> Answers:
    """Let a model answer; values come in the unit of the `scale`."""
    S, K = len(part), len(model.output.weight.value)
    total, sureness = Loss(0.0, 0), np.zeros(S)
    predicted: Array = np.zeros(S if model.activation == "softmax" else (K, S), _DTYPES[model.activation])
    with np.errstate(all="ignore"):  # an overflow shows as a loss that is not finite
        for numbers in for_answers(part.lengths):
            batch = batch_of(part, numbers)
            loss, outputs = model.evaluate(batch)
            total = total.plus(loss)
            predicted[..., numbers] = decided(model, outputs, scale)
            sureness[numbers] = sure(model, outputs)
    return Answers(total, predicted, sureness)


_DTYPES = {"softmax": np.int64, "sigmoid": np.bool_, "linear": np.float64}


def decided(model: SequenceClassifier, outputs: Array, scale: Standardization | None) -> Array:
    """Outputs (K, B) → class ids (B,), label sets (K, B), or values (K, B)."""
    if model.activation == "softmax":
        ids: Array = outputs.argmax(axis=0)
        return ids
    if model.activation == "sigmoid":
        return outputs >= THRESHOLD
    return outputs.astype(np.float64) if scale is None else np.ascontiguousarray(scale.undo(outputs.T).T)


def sure(model: SequenceClassifier, outputs: Array) -> Array:
    """Outputs (K, B) → the probability (B,) of what was decided, for label sets of the label it is least sure of."""
    if model.activation == "linear":
        return np.zeros(outputs.shape[1])
    if model.activation == "softmax":
        largest: Array = outputs.max(axis=0)
        return largest
    least: Array = np.maximum(outputs, 1 - outputs).min(axis=0)
    return least


def score(
    model: SequenceClassifier, resources: Resources, train: Examples | None, parts: Mapping[str, Examples]
) -> list[LabelledScore]:
    """Return what the model is worth on each part that is not empty, beside what learnt from `train` alone."""
    parts = {name: part for name, part in parts.items() if len(part)}
    known = _baselines(model, resources, train, parts) if train and parts else {}
    return [_score(model, resources, name, part, known.get(name, {})) for name, part in parts.items()]


def evaluated(model: SequenceClassifier, resources: Resources, part: Examples) -> tuple[Loss, dict[str, float]]:
    """Return the loss and the mean scores."""
    found = answers(model, part, scale_of(resources))
    return found.loss, _report(model, resources, part, found.predicted).means


def scale_of(resources: Resources) -> Standardization | None:
    """Return what the values of a regression are standardized by."""
    return Standardization.from_plain(resources["scale"]) if "scale" in resources else None


def _score(
    model: SequenceClassifier, resources: Resources, name: str, part: Examples, predictions: dict[str, Array]
) -> LabelledScore:
    found = answers(model, part, scale_of(resources))
    reports = {title: _report(model, resources, part, predicted) for title, predicted in predictions.items()}
    report = _report(model, resources, part, found.predicted)
    return LabelledScore(name, found.loss, report, reports, lambda: _mistakes(model, resources, part, found))


def _report(
    model: SequenceClassifier, resources: Resources, part: Examples, predicted: Array
) -> ClassificationReport | RegressionReport:
    names = resources["outputs"]
    if model.activation == "linear":
        return regression_report(_in_unit(part.targets, resources), predicted, names)
    return classification_report(part.targets, predicted, names, part.lengths, part.unknown)


def _in_unit(targets: Array, resources: Resources) -> Array:
    scale = scale_of(resources)
    assert scale
    return scale.undo(targets.T.astype(np.float64)).T


def _baselines(
    model: SequenceClassifier, resources: Resources, train: Examples, parts: Mapping[str, Examples]
) -> dict[str, dict[str, Array]]:
    """Return what the naive baselines predict for each part: the mean; or the majority, and naive Bayes over words."""
    if model.activation == "linear":
        value = mean(_in_unit(train.targets, resources))
        return {name: {"mean": np.tile(value[:, None], len(part))} for name, part in parts.items()}
    if train.unknown is not None and model.activation == "softmax":  # the data have changed since it was trained
        train = train.part(np.flatnonzero(~train.unknown))
    if train.text is None:
        most = majority(train.targets)
        return {
            name: {"majority": np.broadcast_to(most[..., None], (*most.shape, len(part)))}
            for name, part in parts.items()
        }
    tests = {name: _texts(part) for name, part in parts.items()}
    return baselines(_texts(train), train.targets, tests, len(resources["outputs"]))


def _texts(part: Examples) -> Iterator[str]:
    assert part.text
    return map(part.text, range(len(part)))


def _mistakes(model: SequenceClassifier, resources: Resources, part: Examples, found: Answers) -> Iterator[Mistake]:
    names = resources["outputs"]
    if model.activation == "linear":
        targets = _in_unit(part.targets, resources)
        errors = np.abs(found.predicted - targets).max(axis=0)
        order = np.argsort(-errors, kind="stable")
    else:
        targets = part.targets
        wrong = found.predicted != targets
        wrong = wrong if wrong.ndim == 1 else wrong.any(axis=0)
        if part.unknown is not None:
            wrong |= part.unknown
        order = np.flatnonzero(wrong)
        order = order[np.argsort(-found.sureness[order], kind="stable")]

    def named(values: Array, *, unknown: bool = False) -> str:
        if model.activation == "linear":
            return ", ".join(f"{value:.6g}" for value in values)
        if model.activation == "softmax":
            return names[int(values)] if values >= 0 else UNKNOWN
        labels = [name for name, on in zip(names, values, strict=True) if on] + [UNKNOWN] * unknown
        return ", ".join(labels) or "none"

    for i in order.tolist():
        yield Mistake(
            part.places[i] if part.places else f"example {i}",
            part.text(i) if part.text else "",
            named(targets[..., i], unknown=part.unknown is not None and bool(part.unknown[i])),
            named(found.predicted[..., i]),
            None if model.activation == "linear" else float(found.sureness[i]),
        )
