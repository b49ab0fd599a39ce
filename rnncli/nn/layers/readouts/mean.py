"""The mean of a sequence's outputs."""

from typing import NamedTuple

import numpy as np

from rnncli.nn.blocks import empty
from rnncli.nn.parameter import Array, Parameters


class MeanCache(NamedTuple):
    """What each step counts for."""

    share: Array  # (T, B), 1/τ at real steps and 0 at padding


class Mean:
    """v = (1/τ) Σ_t y_t over the τ real steps."""

    def parameters(self) -> Parameters:
        """There are none."""
        return {}

    def forward(self, y: Array, mask: Array | None) -> tuple[Array, MeanCache]:
        """y (F, T, B), mask (T, B) → the vectors (F, B) and the cache."""
        mask = np.ones(y.shape[1:], bool) if mask is None else mask
        counts = np.maximum(mask.sum(axis=0), 1).astype(y.dtype)
        total = y.sum(axis=1) if mask.all() else np.where(mask, y, 0).sum(axis=1)
        return total / counts, MeanCache(mask / counts)

    def backward(self, d_vector: Array, cache: MeanCache) -> Array:
        """∂y_t = ∂v/τ; return ∂y (F, T, B)."""
        d_y = empty((len(d_vector), *cache.share.shape), d_vector.dtype)
        np.multiply(d_vector[:, None], cache.share, out=d_y)
        return d_y
