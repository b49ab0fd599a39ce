"""Learned vectors for tokens; lookups, and the sums that are their gradients.

T time steps, B sequences, N = T·B positions, V tokens, D features.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from rnncli.nn.blocks import empty, flat
from rnncli.nn.initializers import normal
from rnncli.nn.parameter import Array, Parameter, Parameters

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
    """x_t = E[token]: a row of the table E (V, D) for each token id.

    Given the ids of L `learned` tokens, increasing, only their rows are; those of the F = V - L others are frozen.
    """

    def __init__(
        self,
        vocabulary_size: int,
        size: int,
        *,
        rng: np.random.Generator | None,
        dtype: DTypeLike,
        deviation: float = 1.0,
        learned: Array | None = None,
    ) -> None:
        V, L = vocabulary_size, vocabulary_size if learned is None else len(learned)
        self.vocabulary_size, self.size, self.learned = V, size, learned
        self.weight = normal(rng, (L, size), deviation, dtype)
        self.frozen: Parameter | None = None
        self._rows: Array | None = None  # (V,), from L on those of `frozen`
        if learned is not None:
            self.frozen = Parameter(np.zeros((V - L, size), dtype), frozen=True)
            self._rows = np.empty(V, np.intp)
            self._rows[learned] = np.arange(L)
            self._rows[np.delete(np.arange(V), learned)] = np.arange(L, V)

    def parameters(self) -> Parameters:
        """Return the learned rows (L, D), and where there are any the frozen ones (F, D)."""
        return {"weight": self.weight} | ({"frozen": self.frozen} if self.frozen else {})

    def vectors(self, ids: Array) -> Array:
        """Ids (N,) → their rows (N, D)."""
        learned = self.weight.value
        if self.frozen is None or self._rows is None:
            return learned[ids]
        rows = self._rows[ids]
        own = rows < len(learned)
        vectors = np.empty((len(ids), self.size), learned.dtype)
        vectors[own] = learned[rows[own]]
        vectors[~own] = self.frozen.value[rows[~own] - len(learned)]
        return vectors

    def put(self, ids: Array, vectors: Array) -> None:
        """Set the rows of ids (N,), also frozen ones, to vectors (N, D); those of all frozen ones are not copied."""
        if self.frozen is None or self._rows is None:
            self.weight.value[ids] = vectors
            return
        L, rows = len(self.weight.value), self._rows[ids]
        if np.array_equal(rows, np.arange(L, self.vocabulary_size)):
            self.frozen.value = vectors.astype(self.frozen.value.dtype, copy=False)  # they may be large
            return
        own = rows < L
        self.weight.value[rows[own]] = vectors[own]
        self.frozen.value[rows[~own] - L] = vectors[~own]

    def forward(self, ids: Array) -> Array | Lookup:
        """ids (T, B) → x (D, T, B), or the lookup itself where that spares the layer above multiplications.

        A layer that reads a lookup multiplies its weights with the V rows of the table instead of the N inputs, thrice
        as each product has two gradients, and then sums N gradients by their V ids.
        """
        V, D, N = self.vocabulary_size, self.size, ids.size
        if V <= FEW and V * (N + 3 * D) < 3 * N * D:
            return Lookup(ids, self.vectors(np.arange(V)) if self.frozen else self.weight.value)
        x = empty((D, *ids.shape), self.weight.value.dtype)
        np.copyto(flat(x), self.vectors(ids.ravel()).T)
        return x

    def backward(self, d_x: Array, ids: Array) -> None:
        """∂E[token] += every ∂x of that token, if it is learned: of x (D, T, B), or of a lookup's vectors (V, D)."""
        if d_x.ndim == 2:
            self.weight.grad += d_x if self.learned is None else d_x[self.learned]
        elif self._rows is None:
            add_by_id(self.weight.grad.T, d_x, ids)
        else:
            rows = self._rows[ids.ravel()]
            own = np.flatnonzero(rows < len(self.weight.value))
            add_by_id(self.weight.grad.T, flat(d_x)[:, own], rows[own])
