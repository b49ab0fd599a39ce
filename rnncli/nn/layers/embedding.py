"""Learned vectors for tokens; lookups, and the sums that are their gradients.

T time steps, B sequences, N = T·B positions, V tokens, D features.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from rnncli.nn.blocks import empty, flat
from rnncli.nn.initializers import normal
from rnncli.nn.parameter import Array, Parameters

FEW = 128
"""Up to so many tokens a one-hot product sums faster than sorting does."""


class Lookup(NamedTuple):
    """Inputs that are token ids (T, B): x_t is a row of `vectors` (V, D), or the one-hot vector where that is None."""

    ids: Array
    vectors: Array | None = None


def add_by_id(sums: Array, d: Array, ids: Array) -> None:
    """sums[:, id] += every d[:, t, b] of that id: sums (F, V), d (F, T, B), ids (T, B). What a one-hot product adds.

    Where there are many tokens the columns are sorted first, and those of other tokens stay untouched; `np.add.at` is
    many times slower.
    """
    d, ids = flat(d), ids.ravel()
    if not len(ids):
        return
    if sums.shape[1] <= FEW:
        one_hot = np.zeros((len(ids), sums.shape[1]), d.dtype)
        one_hot[np.arange(len(ids)), ids] = 1
        sums += d @ one_hot
        return
    order = np.argsort(ids, kind="stable")
    ids = ids[order]
    starts = np.flatnonzero(np.diff(ids, prepend=-1))
    sums.T[ids[starts]] += np.add.reduceat(np.ascontiguousarray(d.T)[order], starts, axis=0)


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

    def forward(self, ids: Array) -> Array | Lookup:
        """ids (T, B) → x (D, T, B), or the lookup itself where that spares the layer above multiplications.

        A layer that reads a lookup multiplies its weights with the V rows of the table instead of the N inputs, thrice
        as each product has two gradients, and then sums N gradients by their V ids.
        """
        (V, D), N = self.weight.value.shape, ids.size
        if V <= FEW and V * (N + 3 * D) < 3 * N * D:
            return Lookup(ids, self.weight.value)
        x = empty((D, *ids.shape), self.weight.value.dtype)
        np.copyto(flat(x), self.weight.value[ids.ravel()].T)
        return x

    def backward(self, d_x: Array, ids: Array) -> None:
        """∂E[token] += every ∂x of that token: of x (D, T, B), or of a lookup's vectors (V, D)."""
        if d_x.ndim == 2:
            self.weight.grad += d_x
        else:
            add_by_id(self.weight.grad.T, d_x, ids)
