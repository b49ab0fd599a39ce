"""Labelled sequences in memory: one flat array of ids or vectors. S sequences, N steps, D features, K outputs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rnncli.data.ranges import ranges
from rnncli.data.spellings import Spellings


def step_place(sequence: str, line: int, step: int) -> str:
    """Return where a step stands: on its own line of the file, else in its sequence, counted from 0."""
    return f"{sequence.rpartition(':')[0]}:{line}" if line else f"{sequence}, step {step}"


@dataclass(frozen=True, eq=False)
class Examples:
    """Sequences one after the other, the i-th in values[starts[i] : starts[i + 1]], with its target or its steps'."""

    values: npt.NDArray[Any]
    """Token ids (N,), or vectors (N, D)."""
    starts: npt.NDArray[np.int64]
    """(S + 1,), from 0 to N."""
    targets: npt.NDArray[Any]
    """Class ids (S,), -1 for a label that is unknown; 0 or 1 for each of several labels, or real values, (K, S).

    Of every step: (N,) and (K, N)."""
    places: Sequence[str] = ()
    """Where each was read, as messages show it."""
    unknown: npt.NDArray[np.bool_] | None = None
    """Which have a label that was never seen in training, (S,), or of steps (N,); None for none."""
    text: Callable[[int], str] | None = None
    """Returns the text of the i-th in its tokens, also those that are not in the vocabulary; None for vectors."""
    of_steps: bool = False
    """Whether each step has a target, and not each sequence."""
    tokens: Callable[[int], list[str]] | None = None
    """Returns the tokens of the i-th, as they stand there; None for vectors."""
    words: npt.NDArray[Any] | None = None
    """Where words are spelled out: the number of each in the `spellings`, (N,)."""
    spellings: Spellings | None = None
    lines: npt.NDArray[Any] | None = None
    """The line of each step in its file, (N,), 0 where it has none of its own."""

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """The steps of each, (S,)."""
        lengths: npt.NDArray[np.int64] = np.diff(self.starts)
        return lengths

    def input(self, i: int) -> npt.NDArray[Any]:
        """Return the ids (T,) or vectors (T, D) of the i-th."""
        values: npt.NDArray[Any] = self.values[self.starts[i] : self.starts[i + 1]]
        return values

    def place(self, number: int) -> str:
        """Return where the sequence of this number stands, or where they have targets the step."""
        if not self.of_steps:
            return self.places[number]
        i = self.sequence_of(number)
        return step_place(self.places[i], 0 if self.lines is None else int(self.lines[number]), number - self.starts[i])

    def sequence_of(self, step: int) -> int:
        """Return which sequence this one of all steps belongs to."""
        return int(np.searchsorted(self.starts, step, "right")) - 1

    def part(self, numbers: npt.NDArray[np.integer[Any]]) -> "Examples":
        """Return those with these numbers, in that order."""
        lengths = self.lengths[numbers]
        steps = ranges(self.starts[numbers], lengths)
        chosen = steps if self.of_steps else numbers
        unknown = None if self.unknown is None or not self.unknown[chosen].any() else self.unknown[chosen]
        text, tokens = self.text, self.tokens
        return Examples(
            self.values[steps],
            np.concatenate(([0], np.cumsum(lengths))),
            self.targets[..., chosen],
            [self.places[i] for i in numbers.tolist()] if self.places else (),
            unknown,
            None if text is None else lambda i: text(int(numbers[i])),
            self.of_steps,
            None if tokens is None else lambda i: tokens(int(numbers[i])),
            None if self.words is None else self.words[steps],
            self.spellings,
            None if self.lines is None else self.lines[steps],
        )
