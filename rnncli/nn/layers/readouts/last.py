"""The outputs at the end of a sequence."""

from typing import NamedTuple

import numpy as np

from rnncli.nn.parameter import Array, Parameters


class LastCache(NamedTuple):
    """Where the outputs of the n sequences that have a real step were read."""

    shape: tuple[int, ...]  # F, T, B
    columns: Array  # (n,)
    last: Array  # (n,), their last real steps
    first: Array  # (n,), and the first ones


class Last:
    """v = y_τ, the outputs at the last real step τ.

    The last `backward_rows` rows of y run backward in time, as those of a bidirectional layer do. They are read where
    they end, at the first real step.
    """

    def __init__(self, backward_rows: int = 0) -> None:
        self.backward_rows = backward_rows

    def parameters(self) -> Parameters:
        """There are none."""
        return {}

    def forward(self, y: Array, mask: Array | None) -> tuple[Array, LastCache]:
        """y (F, T, B), mask (T, B) → the vectors (F, B) and the cache."""
        F, T, B = y.shape
        mask = np.ones((T, B), bool) if mask is None else mask
        columns, steps = np.flatnonzero(mask.any(axis=0)), np.arange(T)[:, None]
        last = np.where(mask, steps, 0).max(axis=0, initial=0)
        first = np.where(mask, steps, T).min(axis=0, initial=T)
        cache = LastCache(y.shape, columns, last[columns], first[columns])
        vector = np.zeros((F, B), y.dtype)
        for rows, ends in self._ends(cache):
            vector[rows, columns] = y[rows, ends, columns]
        return vector, cache

    def backward(self, d_vector: Array, cache: LastCache) -> Array:
        """∂y_τ = ∂v; return ∂y (F, T, B)."""
        d_y = np.zeros(cache.shape, d_vector.dtype)
        for rows, ends in self._ends(cache):
            d_y[rows, ends, cache.columns] = d_vector[rows, cache.columns]
        return d_y

    def _ends(self, cache: LastCache) -> tuple[tuple[slice, Array], tuple[slice, Array]]:
        """Return the rows that run forward and those that run backward, each with the steps (n,) at which they end."""
        ahead = cache.shape[0] - self.backward_rows
        return (slice(ahead), cache.last), (slice(ahead, None), cache.first)
