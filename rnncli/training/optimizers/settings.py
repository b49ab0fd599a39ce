"""The ranges that hyperparameters of optimizers share, and the pieces in which flat buffers are updated."""

from collections.abc import Iterator
from typing import Annotated

from annotated_types import Ge, Gt, Lt

Positive = Annotated[float, Gt(0)]
NonNegative = Annotated[float, Ge(0)]
Decay = Annotated[float, Ge(0), Lt(1)]

CHUNK = 65_536  # elements: a chunk of each of an optimizer's arrays stays in a core's cache between its operations


def chunks(size: int) -> Iterator[slice]:
    """Cut range(size) into slices of at most CHUNK."""
    for start in range(0, size, CHUNK):
        yield slice(start, start + CHUNK)
