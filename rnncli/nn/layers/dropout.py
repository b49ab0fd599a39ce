"""Inverted dropout."""

import numpy as np
from numpy.typing import DTypeLike

from rnncli.nn.parameter import Array


class Dropout:
    """y = x · m / (1 - p) with m ~ Bernoulli(1 - p) (Srivastava et al. 2014); the identity in evaluation."""

    def __init__(self, probability: float) -> None:
        self.probability = probability

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator | None, dtype: DTypeLike) -> Array | None:
        """Return a scaled mask of that shape, or None when nothing is dropped (no `rng`: evaluation)."""
        if rng is None or self.probability == 0:
            return None
        mask: Array = (rng.random(shape, dtype=np.float32) >= self.probability).astype(dtype)
        mask /= 1 - self.probability
        return mask

    def forward(self, x: Array, rng: np.random.Generator | None) -> tuple[Array, Array | None]:
        """Return y, of the shape of x, and the cache: the mask."""
        mask = self.draw(x.shape, rng, x.dtype)
        return (x if mask is None else x * mask), mask

    def backward(self, d_y: Array, mask: Array | None) -> Array:
        """∂x = ∂y · m / (1 - p)."""
        return d_y if mask is None else d_y * mask
