"""A trained tagger at work: sequences in, a label or several for each of their steps out. K labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnncli.data import TokenizerSpec, find_sources, units
from rnncli.data.examples import Vectors
from rnncli.data.tagged import SUFFIXES, format_of
from rnncli.errors import DataError
from rnncli.metrics.spans import Span, repaired, spans
from rnncli.models.sequence_tagger import SequenceTagger
from rnncli.nn.parameter import Array
from rnncli.tasks.gathered import Gathered
from rnncli.tasks.labelled_scores import THRESHOLD
from rnncli.tasks.paths import as_paths
from rnncli.tasks.protocol import Resources
from rnncli.tasks.sequence_inputs import Inputs, inputs_of, vectors_of_line
from rnncli.tasks.sequence_model import LONGEST
from rnncli.tasks.tagging import TaggingTask
from rnncli.tasks.tagging_scores import scored

Steps = tuple[str, ...] | Vectors


class Tagged(NamedTuple):
    """The labels of a sequence."""

    labels: list[tuple[str, ...]]
    """Of each step, one unless there may be several or none."""
    probabilities: list[dict[str, float]] | None
    """Of each step that of each of these labels, where they were asked for."""
    spans: list[Span] | None
    """Those that the labels spell out; None where they are no such labels."""
    finite: bool = True
    """Whether the model's numbers are, which labels are of no worth without."""


@dataclass(frozen=True)
class TaggingModel:
    """A tagger with all that it needs to read sequences and to name its labels."""

    model: SequenceTagger
    task: TaggingTask
    resources: Resources
    tokenized: bool = False
    """Whether texts are cut into tokens already, with spaces between them."""

    @cached_property
    def inputs(self) -> Inputs:
        """How it reads."""
        return inputs_of(self.resources)

    @property
    def names(self) -> list[str]:
        """The K labels."""
        names: list[str] = self.resources["outputs"]
        return names

    @property
    def scheme(self) -> str | None:
        """How its labels mark spans."""
        scheme: str | None = self.resources["scheme"]
        return scheme

    def read_line(self, line: str, where: str) -> Steps:
        """Return the tokens of a text, none of an empty one; or vectors, of a line as `[[1.5, 2], [3, 4]]`.

        DataError for what the model cannot read.
        """
        if self.inputs.vocabulary is None:
            return self.checked(vectors_of_line(line, where), where)
        if self.tokenized:  # split() would take a no-break space for one of them
            return self.checked(tuple(filter(None, line.split(" "))), where)
        return self.checked(tuple(units(line, self._cut)), where)

    @cached_property
    def _cut(self) -> TokenizerSpec:
        """How texts are cut into tokens: into characters, if all that were trained on are single ones."""
        assert self.inputs.vocabulary
        single = all(len(token) == 1 for token in self.inputs.vocabulary.ids)
        return TokenizerSpec(level="character" if single else self.inputs.vocabulary.spec.level)

    @property
    def format(self) -> str:
        """What format the training files were in."""
        name: str = self.resources["format"]
        return name

    def file_format(self, path: str | None) -> str:
        """Return the format that a file is in: that of training where it ends, or by its beginning looks, like it.

        Else by its name; "text" for any other, and for standard input.
        """
        suffix, asked = Path(path or "-").suffix.lower(), self.task.data.format
        ends_alike = suffix and suffix in {Path(trained).suffix.lower() for trained in as_paths(self.task.data.train)}
        if ends_alike and asked != "auto":
            return asked
        if suffix in SUFFIXES:
            return SUFFIXES[suffix]
        return self.format if path and Path(path).is_file() and self._looks_trained(path) else "text"

    def _looks_trained(self, path: str) -> bool:
        """Tell whether a file, whose name does not say what it holds, begins as one of training."""
        try:
            return format_of(find_sources([path])) == self.format
        except DataError:  # in no format of these
            return False

    def checked(self, steps: Steps, where: str) -> Steps:
        """Return a sequence; DataError for one that the model cannot read."""
        if len(steps) > LONGEST:
            message = f"a sequence of {len(steps):,} steps, where at most {LONGEST:,} are answered"
            raise DataError(message, hint="cut it in parts", where=where)
        if isinstance(steps, tuple):
            self.inputs.expect_text(where)
        else:
            self.inputs.standardized(steps, where)
        return steps

    def tag(
        self, sequences: Sequence[Steps], *, threshold: float = THRESHOLD, repair: bool = False, sure: bool = False
    ) -> list[Tagged]:
        """Return the labels of sequences, which have a step each at least.

        Where a step may have several, they are those that are at least as probable as the `threshold`. Labels that
        break the scheme of spans are mended on request, and probabilities given if asked for: they take time.
        """
        if not sequences:
            return []
        gathered = Gathered(self.task.data.tokenizer, self.task.data.standardize)
        for number, steps in enumerate(sequences):
            gathered.add(steps, f"sequence {number}")
        K, one = len(self.names), self.model.activation == "softmax"
        N = int(gathered.starts[-1])
        part, _ = gathered.examples(self.inputs, np.zeros(N, np.int8) if one else np.zeros((K, N), bool))
        predicted = np.zeros(N, np.int64) if one else np.zeros((K, N), bool)
        probable = np.zeros((K, N), np.float32) if sure or not one else None
        finite = np.ones(N, bool)
        with np.errstate(all="ignore"):  # whoever asked is told what is not finite
            for batch, scores, real, own, _ in scored(self.model, part, threshold):
                finite[own] = np.isfinite(scores[:, *real]).all(axis=0)
                if probable is not None:
                    probable[:, own] = self.model.probabilities(scores, batch.mask)[:, *real]
                if one:
                    predicted[own] = self.model.decode(scores, batch.mask)[real]
                elif probable is not None:
                    predicted[:, own] = probable[:, own] >= threshold
        found = []
        for start, stop in zip(part.starts.tolist(), part.starts[1:].tolist(), strict=False):
            labels = self._labels(predicted[..., start:stop])
            if repair and self.scheme:
                labels = [(name,) for name in repaired([name for (name,) in labels], self.scheme)]
            marked = spans([name for (name,) in labels]) if self.scheme else None
            chances = self._chances(labels, probable[:, start:stop]) if sure and probable is not None else None
            found.append(Tagged(labels, chances, marked, bool(finite[start:stop].all())))
        return found

    def _labels(self, predicted: Array) -> list[tuple[str, ...]]:
        if predicted.ndim == 1:
            return [(self.names[number],) for number in predicted.tolist()]
        return [tuple(self.names[k] for k in np.flatnonzero(column).tolist()) for column in predicted.T]

    def _chances(self, labels: Sequence[tuple[str, ...]], probable: Array) -> list[dict[str, float]]:
        numbers = {name: number for number, name in enumerate(self.names)}  # a mended label may be none of them
        return [
            {name: float(column[numbers[name]]) if name in numbers else 0.0 for name in names}
            for names, column in zip(labels, probable.T, strict=True)
        ]
