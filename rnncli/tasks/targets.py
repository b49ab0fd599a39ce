"""What sequences are labelled with: one label, several labels, or a real value, in names and in numbers.

S sequences, K labels or values.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from rnncli.data import Examples
from rnncli.data.examples import shown
from rnncli.data.examples.steps import number
from rnncli.errors import DataError
from rnncli.nn.parameter import Array
from rnncli.tasks.protocol import Resources
from rnncli.tasks.sequence_inputs import Standardization

Labels = Sequence[tuple[str, ...]]
MOST_LABELS = 100_000
MOST_ANSWERS = 2**29
"""Labels times sequences where each may have several: there is a byte for every such pair."""


class Targets(Protocol):
    """One kind of targets."""

    @property
    def column(self) -> str:
        """The column, or key, that holds them."""
        ...

    @property
    def several(self) -> bool:
        """Whether a sequence may have several, or none."""
        ...

    @property
    def values(self) -> bool:
        """Whether they are real values."""
        ...

    def resources(self, labels: Labels, places: Sequence[str]) -> Resources:
        """Return what a model must know of the targets of its training part: `outputs`, their names, among it.

        Raises DataError for targets that nothing can be learnt from.
        """
        ...

    def encode(self, labels: Labels, places: Sequence[str], resources: Resources) -> tuple[Array, Array | None]:
        """Return targets as `Examples` has them, and which sequences have a label that is unknown, None for none."""
        ...

    def classes(self, labels: Labels) -> Array | None:
        """Return numbers (S,) of classes that should have the same share in every part, None where there are none."""
        ...

    def notices(self, train: Examples, resources: Resources) -> list[str]:
        """Return what the user should know of the targets to train on."""
        ...


@dataclass(frozen=True)
class LabelTargets:
    """Labels: one for each sequence, or where there may be `several`, any number."""

    column: str
    several: bool
    values: bool = field(default=False, init=False)

    def resources(self, labels: Labels, places: Sequence[str]) -> Resources:
        """Return `outputs`, the names of the labels in their order."""
        names = sorted({name for each in labels for name in each})
        if not names or (len(names) == 1 and not self.several):
            only = f"only the label {shown(names[0])}" if names else "no label at all"
            raise DataError(f"{places[0]} and all others to train on have {only}", hint="give examples of two or more")
        if len(names) > MOST_LABELS:
            raise DataError(f"{len(names):,} labels, where at most {MOST_LABELS:,} are possible")
        return {"outputs": names}

    def encode(
        self,
        labels: Labels,
        places: Sequence[str],  # noqa: ARG002 - no label is wrong
        resources: Resources,
    ) -> tuple[Array, Array | None]:
        """Return class ids (S,), -1 for an unknown one; or where there may be several booleans (K, S).

        Raises DataError for more than MOST_ANSWERS booleans.
        """
        numbers = {name: number for number, name in enumerate(resources["outputs"])}
        if not self.several:
            ids = np.array([numbers.get(name, -1) for (name,) in labels], np.int64)
            return ids, (ids < 0) if (ids < 0).any() else None
        if len(numbers) * len(labels) > MOST_ANSWERS:
            message = f"{len(numbers):,} labels for each of {len(labels):,} sequences are more than {MOST_ANSWERS:,}"
            raise DataError(message, hint="leave rare labels out, or give fewer sequences")
        targets, unknown = np.zeros((len(numbers), len(labels)), bool), np.zeros(len(labels), bool)
        for i, names in enumerate(labels):
            for name in names:
                if name in numbers:
                    targets[numbers[name], i] = True
                else:
                    unknown[i] = True
        return targets, unknown if unknown.any() else None

    def classes(self, labels: Labels) -> Array | None:
        """Return a number for each label; None where there may be several, whose sets are often all different."""
        if self.several:
            return None
        # Not an array of the names: it would give each the room of the longest
        numbers = {name: number for number, name in enumerate(sorted({name for (name,) in labels}))}
        return np.array([numbers[name] for (name,) in labels], np.int64)

    def notices(self, train: Examples, resources: Resources) -> list[str]:
        """Name labels with a single example."""
        if self.several:
            counts = train.targets.sum(axis=1)
        else:
            counts = np.bincount(train.targets, minlength=len(resources["outputs"]))
        rare = [name for name, count in zip(resources["outputs"], counts.tolist(), strict=True) if count == 1]
        return [f"labels with one example to train on: {len(rare)}, the first {shown(rare[0])[1:-1]}"] if rare else []


@dataclass(frozen=True)
class ValueTargets:
    """Real values, which a model learns standardized over the training part."""

    column: str
    several: bool = field(default=False, init=False)
    values: bool = field(default=True, init=False)

    def resources(self, labels: Labels, places: Sequence[str]) -> Resources:
        """Return `outputs`, the names of the values, and their `scale`: mean and deviation."""
        values = _values(labels, places)
        if (values.min(axis=1) == values.max(axis=1)).all():
            raise DataError(f"{places[0]} and all others to train on have the same value, {values[0, 0]:g}")
        names = [self.column] if len(values) == 1 else [f"{self.column} {i + 1}" for i in range(len(values))]
        return {"outputs": names, "scale": Standardization.of(values.T, places.__getitem__).to_plain()}

    def encode(self, labels: Labels, places: Sequence[str], resources: Resources) -> tuple[Array, Array | None]:
        """Return the values standardized (K, S); no value is unknown."""
        scale, values = Standardization.from_plain(resources["scale"]), _values(labels, places)
        if len(values) != len(scale.mean):
            raise DataError(f"{len(values)} values where {len(scale.mean)} are expected", where=places[0])
        return np.ascontiguousarray(scale.apply(values.T, places.__getitem__).T), None

    def classes(self, labels: Labels) -> Array | None:  # noqa: ARG002
        """There are none."""
        return None

    def notices(self, train: Examples, resources: Resources) -> list[str]:  # noqa: ARG002
        """There are none."""
        return []


def _values(labels: Labels, places: Sequence[str]) -> Array:
    """Return labels as numbers (K, S); DataError for one that is none."""
    sizes = Counter(map(len, labels))
    if len(sizes) > 1:
        odd = next(i for i, each in enumerate(labels) if len(each) != len(labels[0]))
        raise DataError(f"{len(labels[odd])} values, where there were {len(labels[0])} before", where=places[odd])
    values = np.empty((len(labels[0]), len(labels)))
    for i, each in enumerate(labels):
        for k, text in enumerate(each):
            values[k, i] = number(text)
            if not math.isfinite(values[k, i]):
                raise DataError(f"{shown(text)} is not a finite number", hint="write one", where=places[i])
    return values
