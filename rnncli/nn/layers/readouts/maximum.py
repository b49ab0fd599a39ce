"""The largest of a sequence's outputs, row by row."""

from typing import NamedTuple

import numpy as np

from rnncli.nn.parameter import Array, Parameters


class MaximumCache(NamedTuple):
    """Where the largest outputs stood."""

    shape: tuple[int, ...]  # F, T, B
    steps: Array  # (F, B)
    is_empty: Array  # (B,), sequences without any real step


class Maximum:
    """v_i = max_t y_it over the real steps, of equal ones the first."""

    def parameters(self) -> Parameters:
        """There are none."""
        return {}

    def forward(self, y: Array, mask: Array | None) -> tuple[Array, MaximumCache]:
        """y (F, T, B), mask (T, B) → the vectors (F, B) and the cache."""
        F, T, B = y.shape
        is_empty: Array = np.full(B, T == 0) if mask is None else mask.sum(axis=0) == 0
        if T == 0:
            return np.zeros((F, B), y.dtype), MaximumCache(y.shape, np.zeros((F, B), int), is_empty)
        real = y if mask is None else np.where(mask, y, -np.inf)
        vector, steps = real.max(axis=1), np.zeros((F, B), int)
        for t in reversed(range(T)):  # argmax along an axis that is not the last copies y, and is slower
            np.copyto(steps, t, where=real[:, t] == vector)
        vector[:, is_empty] = 0
        return vector, MaximumCache(y.shape, steps, is_empty)

    def backward(self, d_vector: Array, cache: MaximumCache) -> Array:
        """∂y_it = ∂v_i where the largest output stood, else 0; return ∂y (F, T, B)."""
        d_y = np.zeros(cache.shape, d_vector.dtype)
        if d_y.size:
            np.put_along_axis(d_y, cache.steps[:, None], np.where(cache.is_empty, 0, d_vector)[:, None], axis=1)
        return d_y
