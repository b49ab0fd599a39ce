"""A trained classifier at work: sequences in, probabilities, values or vectors out.

B sequences, T steps of one, D numbers in a step, K outputs, R features of a vector.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from rnncli.data import for_answers, padded
from rnncli.data.examples import SUFFIXES, Example, without_labels
from rnncli.errors import DataError
from rnncli.models.sequence_classifier import SequenceClassifier
from rnncli.nn.parameter import Array
from rnncli.tasks.classification import LabelledTask
from rnncli.tasks.labelled_data import read_inputs
from rnncli.tasks.labelled_scores import THRESHOLD, scale_of
from rnncli.tasks.paths import as_paths
from rnncli.tasks.protocol import Resources
from rnncli.tasks.sequence_inputs import Inputs, inputs_of, vectors_of_line

LONGEST = 1 << 18
"""Steps of one sequence, all of which are in memory together with the states of the model."""


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

    def fits(self, given: str | Array) -> bool:
        """Tell whether this is of the kind that the model reads: a text, or vectors of its width."""
        if isinstance(given, str):
            return self.inputs.vocabulary is not None
        return bool(self.inputs.width == given.shape[1])

    def read(self, given: str | Array, where: str) -> Array:
        """Return a text, or vectors (T, D), as the model reads it; DataError for what it cannot read."""
        sequence = self.inputs.read(given, where)[: self.task.data.max_length]
        if len(sequence) > LONGEST:
            message = f"a sequence of {len(sequence):,} steps, where at most {LONGEST:,} are answered"
            raise DataError(message, hint="cut it in parts", where=where)
        return sequence

    def read_line(self, line: str, where: str) -> Array:
        """Return what stands in a line: a text; of vectors one step as `1.5,2`, or several as `[[1.5, 2], [3, 4]]`.

        Where the training data may be in the format of fastText, labels before a text are passed over. DataError for
        what the model cannot read.
        """
        if self.inputs.vocabulary is None:
            return self.read(vectors_of_line(line, where), where)
        return self.read(without_labels(line) if self._may_be_fasttext else line, where)

    @cached_property
    def _may_be_fasttext(self) -> bool:
        return self.task.data.format == "fasttext" or (
            self.task.data.format == "auto" and not self._trained_on <= SUFFIXES.keys()
        )

    @cached_property
    def _trained_on(self) -> set[str]:
        """How the names of the training files end."""
        return {Path(path).suffix.lower() for path in as_paths(self.task.data.train)}

    def file_format(self, path: str) -> str:
        """Return the `data.format` that a file of examples is in, by its name; "" for lines that hold a sequence each.

        What ends like the training files is in their format.
        """
        trained, suffix = self.task.data.format, Path(path).suffix.lower()
        if Path(path).is_dir() or (trained not in ("auto", "fasttext") and suffix in self._trained_on):
            return trained
        return SUFFIXES.get(suffix, "")

    def read_file(self, path: str, name: str, encoding: str | None = None) -> Iterator[Example]:
        """Yield the examples of a file in a format of the training data, with labels or without."""
        changes: Any = {"format": name, "encoding": encoding or self.task.data.encoding}
        return read_inputs(replace(self.task.data, **changes), self.task.targets, [path])

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
        for together in for_answers(np.array([len(each) for each in sequences], np.int64)):
            with np.errstate(all="ignore"):  # whoever asked sees what is not finite
                found[:, together] = answer(*padded([sequences[i] for i in together.tolist()]))
        return found
