"""A model that reads its own outputs beside the same one that reads the true tokens, by position: how far it drifts.

T positions, of the longest sequence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnncli.metrics.lengths import FEW, readable_width

Array = NDArray[Any]
MOST_ROWS = 20


class FedScore(NamedTuple):
    """What a model is worth that is fed in one way."""

    cross_entropy: float  # nats a token
    accuracy: float  # of the most probable token


@dataclass(frozen=True, eq=False)
class FedSums:
    """The same summed over the tokens at each position."""

    losses: Array
    """(T,), in nats."""
    correct: Array
    """(T,)"""

    def score(self, tokens: Array, positions: slice = slice(None)) -> FedScore:
        """Return the means over these positions, given how many tokens (T,) there are at each; NaN for none."""
        count = tokens[positions].sum() or np.nan
        return FedScore(float(self.losses[positions].sum() / count), float(self.correct[positions].sum() / count))


class PositionBin(NamedTuple):
    """The tokens at the positions low … high of their sequences, both included; the first is 1."""

    low: int
    high: int
    tokens: int
    forced: FedScore
    free: FedScore


@dataclass(frozen=True, eq=False)
class ClosedLoopReport:
    """A model fed with the true tokens, and with its own from the first on; targets are the same."""

    tokens: Array
    """(T,), how many sequences are so long."""
    forced: FedSums
    free: FedSums

    @property
    def gap(self) -> float:
        """How many nats a token running free costs."""
        return self.free.score(self.tokens).cross_entropy - self.forced.score(self.tokens).cross_entropy

    def bins(self) -> Iterator[PositionBin]:
        """Yield the scores by position, in at most MOST_ROWS bins, but for one of the FEW tokens furthest behind."""
        if not self.tokens.sum():
            return
        longest, before = len(self.tokens), self.tokens.cumsum()
        usual = 1 + int((before >= (1 - FEW) * before[-1]).argmax())
        width = readable_width(1, usual, MOST_ROWS)
        last = -(-usual // width) * width
        for low in range(1, min(last, longest) + 1, width):
            yield self._bin(low, min(low + width - 1, longest))
        if longest > last:
            yield self._bin(last + 1, longest)

    def _bin(self, low: int, high: int) -> PositionBin:
        inside = slice(low - 1, high)
        scores = (fed.score(self.tokens, inside) for fed in (self.forced, self.free))
        return PositionBin(low, high, int(self.tokens[inside].sum()), *scores)
