"""Learned vectors for tokens, and the sum that is the gradient of any lookup."""

import numpy as np
from numpy.typing import DTypeLike

from rnncli.nn.initializers import normal
from rnncli.nn.parameter import Array, Parameters


def add_rows(table: Array, ids: Array, rows: Array) -> None:
    """Add rows (N, D) to table (V, D) at ids (N,), equal ids summed: what a one-hot product would add.

    Sorting first keeps it exact, repeatable and fast; `np.add.at` is many times slower.
    """
    if not len(ids):
        return
    order = np.argsort(ids, kind="stable")
    ids = ids[order]
    starts = np.flatnonzero(np.diff(ids, prepend=-1))
    table[ids[starts]] += np.add.reduceat(rows[order], starts, axis=0)


class Embedding:
    """x_t = E[token]: a row of the table E (V, D) for each token id."""

    def __init__(
        self,
        vocabulary_size: int,
        size: int,
        *,
        rng: np.random.Generator | None,
        dtype: DTypeLike,
        deviation: float = 1.0,
    ) -> None:
        self.weight = normal(rng, (vocabulary_size, size), deviation, dtype)

    def parameters(self) -> Parameters:
        """Return the table."""
        return {"weight": self.weight}

    def forward(self, ids: Array) -> tuple[Array, Array]:
        """ids (T, B) → x (T, D, B), and the cache: the ids."""
        return np.ascontiguousarray(self.weight.value[ids].transpose(0, 2, 1)), ids

    def backward(self, d_x: Array, ids: Array) -> None:
        """∂E[token] += every ∂x (T, D, B) of that token."""
        add_rows(self.weight.grad, ids.ravel(), d_x.transpose(0, 2, 1).reshape(ids.size, -1))
