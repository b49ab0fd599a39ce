"""Which sequences of a batch are over at each step, found once for a whole mask."""

from typing import TypeAlias

import numpy as np

from rnncli.nn.parameter import Array

Columns: TypeAlias = slice | Array | None


def padded_columns(mask: Array | None, steps: int) -> list[Columns]:
    """For each step of a mask (T, B) the columns that are padding, or None where all are real.

    A slice where they are the last ones of the batch, as at every step of sequences in descending order of length:
    slices are read and written in place, and faster than columns picked one by one.
    """
    if mask is None:
        return [None] * steps
    B = mask.shape[1]
    counts = mask.sum(axis=1).tolist()
    are_first = np.all(mask[:, :-1] >= mask[:, 1:], axis=1).tolist()
    columns: list[Columns] = []
    for row, count, real_are_first in zip(mask, counts, are_first, strict=True):
        if count == B:
            columns.append(None)
        else:
            columns.append(slice(count, None) if real_are_first else np.flatnonzero(~row))
    return columns


def spread(d: Array, chosen: Array | None) -> Array:
    """Return columns (F, n) in the places that were chosen among N, (N,), with zeros elsewhere; d itself for None."""
    if chosen is None:
        return d
    every = np.zeros((len(d), chosen.size), d.dtype)
    every[:, chosen] = d
    return every
