"""Labelled sequences in memory: one flat array of ids or vectors. S sequences, N steps, D features, K outputs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


def spans(first: npt.NDArray[Any], times: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return first[0], first[0] + 1 … (times[0] of them), first[1], first[1] + 1 … and so on."""
    ends = times.cumsum()
    places: npt.NDArray[np.int64] = np.arange(ends[-1] if ends.size else 0) + np.repeat(first - (ends - times), times)
    return places


@dataclass(frozen=True, eq=False)
class Examples:
    """Sequences one after the other, the i-th in values[starts[i] : starts[i + 1]], each with its target."""

    values: npt.NDArray[Any]
    """Token ids (N,), or vectors (N, D)."""
    starts: npt.NDArray[np.int64]
    """(S + 1,), from 0 to N."""
    targets: npt.NDArray[Any]
    """Class ids (S,), -1 for a label that is unknown; 0 or 1 for each of several labels, or real values, (K, S)."""
    places: Sequence[str] = ()
    """Where each was read, as messages show it."""
    unknown: npt.NDArray[np.bool_] | None = None
    """Which have a label that was never seen in training, (S,); None for none."""
    text: Callable[[int], str] | None = None
    """Returns the text of the i-th in its tokens, also those that are not in the vocabulary; None for vectors."""

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

    def part(self, numbers: npt.NDArray[np.integer[Any]]) -> "Examples":
        """Return those with these numbers, in that order."""
        lengths = self.lengths[numbers]
        starts = np.concatenate(([0], np.cumsum(lengths)))
        places = [self.places[i] for i in numbers.tolist()] if self.places else ()
        unknown = None if self.unknown is None or not self.unknown[numbers].any() else self.unknown[numbers]
        whole = self.text
        text = None if whole is None else lambda i: whole(int(numbers[i]))
        return Examples(
            self.values[spans(self.starts[numbers], lengths)], starts, self.targets[..., numbers], places, unknown, text
        )
