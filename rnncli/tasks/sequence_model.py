"""A trained classifier at work: sequences in, probabilities, values or vectors out.

B sequences, T steps of one, D numbers in a step, K outputs, R features of a vector.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rnncli.data import padded
from rnncli.data.examples import Example
from rnncli.errors import DataError
from rnncli.models.sequence_classifier import SequenceClassifier
from rnncli.nn.parameter import Array
from rnncli.tasks.classification import LabelledTask
from rnncli.tasks.labelled_data import read_inputs
from rnncli.tasks.labelled_scores import THRESHOLD, scale_of
from rnncli.tasks.protocol import Resources
from rnncli.tasks.sequence_inputs import Inputs, inputs_of

STEPS = 1 << 14
"""Steps of sequences, padding included, that are answered together: bounds the memory, but for a longer sequence."""
SEQUENCES = 64
"""Sequences that are answered together at most."""


@dataclass(frozen=True)
class SequenceModel:
    """A classifier or regressor with all that it needs to read sequences and to name its answers."""

    model: SequenceClassifier
    task: LabelledTask
    resources: Resources

    @cached_property
    def inputs(self) -> Inputs:
        """How it reads."""
        return inputs_of(self.resources)

    @property
    def names(self) -> list[str]:
        """The labels, or the names of values, of the K outputs."""
        names: list[str] = self.resources["outputs"]
        return names

    @property
    def threshold(self) -> float:
        """The probability from which on a label is given, unless another is asked for."""
        return THRESHOLD if self.model.activation == "sigmoid" else 0.0

    @property
    def vector_size(self) -> int:
        """R."""
        size: int = self.model.output.weight.value.shape[1]
        return size

    def read(self, given: str | Array, where: str) -> Array:
        """Return a text, or vectors (T, D), as the model reads it; DataError for what it cannot read."""
        return self.inputs.read(given, where)[: self.task.data.max_length]

    def read_line(self, line: str, where: str) -> Array:
        """Return what stands in a line: a text; of vectors one step as `1.5,2`, or several as `[[1.5, 2], [3, 4]]`.

        DataError for what the model cannot read.
        """
        return self.read(line if self.inputs.vocabulary else _vectors(line, where), where)

    def read_file(self, path: str) -> Iterator[Example]:
        """Yield the examples of a file in one of the formats of the training data, with labels or without."""
        return read_inputs(self.task.data, [path])

    def outputs(self, sequences: Sequence[Array]) -> Array:
        """Sequences, as they were read → (K, B): the probability of each label, or values in their own unit."""
        outputs = self._each(sequences, len(self.names), self.model.predict)
        scale = scale_of(self.resources)
        return outputs if scale is None else scale.undo(outputs.T).T

    def vectors(self, sequences: Sequence[Array]) -> Array:
        """Sequences, as they were read → the vector of each, (R, B)."""
        return self._each(sequences, self.vector_size, self.model.vectors)

    def _each(self, sequences: Sequence[Array], rows: int, answer: Callable[[Array, Array | None], Array]) -> Array:
        """Answer sequences, those of similar length together; an answer does not depend on its neighbours."""
        found = np.empty((rows, len(sequences)), np.float32)
        order = sorted(range(len(sequences)), key=lambda i: len(sequences[i]))
        while order:
            count = min(SEQUENCES, len(order))
            while count > 1 and count * len(sequences[order[count - 1]]) > STEPS:
                count -= 1
            together, order = order[:count], order[count:]
            found[:, together] = answer(*padded([sequences[i] for i in together]))
        return found


def _vectors(line: str, where: str) -> Array:
    """Read vectors (T, D) from a line; DataError where there are none."""
    try:
        plain = json.loads(line) if line.lstrip().startswith("[") else [float(cell) for cell in line.split(",")]
        vectors = np.array(plain, np.float64)
        vectors = vectors[None] if vectors.ndim == 1 else vectors
    except (ValueError, TypeError, OverflowError, RecursionError):
        vectors = np.empty(0)
    if vectors.ndim != 2 or not vectors.size or not np.isfinite(vectors).all():
        hint = "write 1.5,2 for one step, [[1.5, 2], [3, 4]] for two"
        raise DataError("not a vector of finite numbers, or a list of them", hint=hint, where=where)
    return vectors
