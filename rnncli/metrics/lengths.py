"""Accuracy by the length of the sequence: does a model keep up on long ones?"""

from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
MOST_BINS = 10
FEW = 0.05
"""This share of the examples, the longest, may lie beyond the bins of equal width: in one more, the last."""


@dataclass(frozen=True)
class LengthBin:
    """The examples of low … high steps, both included."""

    low: int
    high: int
    count: int
    accuracy: float


def by_length(lengths: Array, correct: Array) -> tuple[LengthBin, ...]:
    """Return the accuracy by length, given the steps (N,) of each example and whether it is right (N,).

    Bins are 1, 2 or 5 times a power of ten wide, as 1-20, 21-40 …, as narrow as at most MOST_BINS of them allow for all
    but the FEW longest examples. Empty bins are left out, and length 0 is one of its own.
    """
    if lengths.shape != correct.shape:
        raise ValueError(f"lengths are {lengths.shape}, answers {correct.shape}")
    if not lengths.size:
        return ()
    ordered = np.sort(lengths).astype(np.int64)
    longest, usual = int(ordered[-1]), int(ordered[int((1 - FEW) * (ordered.size - 1))])
    width = readable_width(max(1, int(ordered[0])), max(1, usual), MOST_BINS)
    last = -(-usual // width)
    place = np.minimum(-(-lengths.astype(np.int64) // width), last + 1)  # bin b ends with length b · width
    bins = []
    for b in np.unique(place).tolist():
        inside = correct[place == b]
        low = max(0, (b - 1) * width + 1)
        bins.append(LengthBin(low, max(b * width, longest if b > last else 0), inside.size, float(inside.mean())))
    return tuple(bins)


def readable_width(low: int, high: int, most: int) -> int:
    """Return the least width, 1, 2 or 5 times a power of ten, that parts low … high in at most so many bins."""
    widths = (digit * 10**zeros for zeros in count() for digit in (1, 2, 5))
    found: int = next(width for width in widths if -(-high // width) - -(-low // width) < most)
    return found
