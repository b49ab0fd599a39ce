"""Ranges of whole numbers, one after the other in one array."""

from typing import Any

import numpy as np
import numpy.typing as npt


def ranges(first: npt.NDArray[Any], lengths: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return first[0], first[0] + 1 … (lengths[0] of them), first[1], first[1] + 1 … and so on."""
    ends = lengths.cumsum()
    numbers: npt.NDArray[np.int64] = np.arange(ends[-1] if ends.size else 0) + np.repeat(
        first - (ends - lengths), lengths
    )
    return numbers
