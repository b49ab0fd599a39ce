"""What the inputs of a recurrent layer add to its gates: W x_t + b at every step, and the gradients of that.

T time steps, B sequences, D inputs, H hidden units, k gates, V vectors of a lookup.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from rnncli.nn.blocks import empty, empty_sequence, flat
from rnncli.nn.layers.embedding import Lookup, add_by_id
from rnncli.nn.parameter import Array, Parameter
from rnncli.nn.products import StepProduct


class Conditioned(NamedTuple):
    """Inputs x (D, T, B), or a lookup, with a bias (k·H, B) of each sequence, the same at every step.

    Like a parameter's, its gradient is added to `bias.grad`.
    """

    x: Array | Lookup
    bias: Parameter


Inputs = Array | Lookup | Conditioned


def shape_of(x: Inputs) -> tuple[int, int]:
    """Return T and B of inputs."""
    x = x.x if isinstance(x, Conditioned) else x
    T, B = (x.ids if isinstance(x, Lookup) else x).shape[-2:]
    return T, B


class InputProduct:
    """W x_t + b, multiplied by the scale that the cell wants of each gate: W (k·H, D), b (k·H,)."""

    def __init__(self, weight: Parameter, bias: Parameter | None, scales: Sequence[float]) -> None:
        self.weight, self.bias, self.scales = weight, bias, scales

    def scaled(self, rows: Array) -> Array:
        """Return rows (k·H, n) of each gate, scaled."""
        scaled: Array = rows * np.repeat(np.array(self.scales, rows.dtype), len(rows) // len(self.scales))[:, None]
        return scaled

    def forward(self, x: Inputs) -> tuple[Array, Iterator[int]]:
        """Return a buffer (k·H, B), and the steps 0..T-1, each with its sum put there.

        A step reads its inputs when it is asked for, and not before.
        """
        if isinstance(x, Conditioned):
            return self._conditioned(x)
        bias = self.bias.value[:, None] if self.bias else np.zeros_like(self.weight.value[:, :1])
        if isinstance(x, Lookup):
            weight = self.weight.value if x.vectors is None else self.weight.value @ x.vectors.T
            table, ids = self.scaled(weight + bias), x.ids
            a = empty((len(table), ids.shape[1]), table.dtype)

            def look_up() -> Iterator[int]:
                for t, step in enumerate(ids):
                    np.take(table, step, axis=1, out=a, mode="clip")
                    yield t

            return a, look_up()

        product = StepProduct(self.scaled(np.hstack((self.weight.value, bias))), x.shape[2])
        column = np.ones((len(x) + 1, x.shape[2]), x.dtype)

        def multiply() -> Iterator[int]:
            for t in range(x.shape[1]):
                column[:-1] = x[:, t]
                product(column)
                yield t

        return product.y, multiply()

    def _conditioned(self, x: Conditioned) -> tuple[Array, Iterator[int]]:
        a, steps = self.forward(x.x)
        bias = self.scaled(x.bias.value)

        def add() -> Iterator[int]:
            for t in steps:
                np.add(a, bias, out=a)
                yield t

        return a, add()

    def backward(self, x: Inputs, d_a: Array, d_x: Array | None = None) -> Array | None:
        """∂W += Σ_t ∂a_t x_tᵀ, ∂b += Σ_t ∂a_t, from ∂a (k·H, T, B); return ∂x_t = Wᵀ ∂a_t, unless `d_x` is given.

        Of a lookup that is added up for each of its vectors (V, D), None for one-hot ones.
        """
        if isinstance(x, Conditioned):
            x.bias.grad += d_a.sum(axis=1)
            x = x.x
        if isinstance(x, Lookup) and x.vectors is not None:
            d_table = np.zeros((len(d_a), len(x.vectors)), d_a.dtype)
            add_by_id(d_table, d_a, x.ids)
            self.weight.grad += d_table @ x.vectors
            if self.bias:
                self.bias.grad += d_table.sum(axis=1)
            d_vectors: Array = d_table.T @ self.weight.value
            return d_vectors
        if self.bias:
            self.bias.grad += flat(d_a).sum(axis=1)
        if isinstance(x, Lookup):
            add_by_id(self.weight.grad, d_a, x.ids)
            return None
        self.weight.grad += summed_product(flat(d_a), flat(x).T)
        if d_x is None:
            d_x = empty_sequence(len(x), x.shape[1], x.shape[2], x.dtype)
            np.matmul(self.weight.value.T, flat(d_a), out=flat(d_x))
        return d_x


def summed_product(a: Array, b: Array) -> Array:
    """A b, summed over all steps, in a block that is used again."""
    return np.matmul(a, b, out=empty((len(a), b.shape[1]), a.dtype))
