"""The output layer of a classifier over V classes, together with its loss."""

from typing import NamedTuple

import numpy as np

from rnncli.nn.blocks import empty
from rnncli.nn.layers.linear import Linear
from rnncli.nn.losses import softmax_cross_entropy
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import Loss

LARGEST = 1 << 24
"""Logits held at once: 64 MiB in float32."""
CACHED = 1 << 18
"""Logits that a core's own cache holds while their softmax is taken."""


MANY = 1000
"""From so many classes on a softmax is faster along a row of memory than along a column."""


class SoftmaxGradient(NamedTuple):
    """∂L/∂x (D, N), ∂L/∂W (V, D) and ∂L/∂b (V,)."""

    d_x: Array
    d_weight: Array
    d_bias: Array


class Softmax(Linear):
    """o = W x + b, ŷ = softmax(o) and its cross-entropy, over N positions.

    The V x N logits are the largest array of a model with many classes, so they are made, turned into their gradient
    and used up a part of the positions at a time; the loss and its gradients are exact all the same.
    """

    def loss(self, x: Array, targets: Array, *, gradient: bool = True) -> tuple[Loss, SoftmaxGradient | None]:
        """Return the summed loss of x (D, N) for the class ids `targets` (N,), and the gradients if asked for."""
        (V, D), N = self.weight.value.shape, len(targets)
        total, sums = Loss(0.0, 0), None
        if gradient:
            d_weight = (empty if N else np.zeros)((V, D), x.dtype)
            sums = SoftmaxGradient(empty((D, N), x.dtype), d_weight, np.zeros(V, x.dtype))
        part = min(N, max(1, LARGEST // V))
        room = _room(V, part, x.dtype)
        for start in range(0, N, part or 1):
            columns = slice(start, min(start + part, N))
            logits = room[:, : columns.stop - start]
            np.matmul(self.weight.value, x[:, columns], out=logits)
            total = total.plus(self._turn(logits, targets[columns], sums))
            if sums:
                np.matmul(self.weight.value.T, logits, out=sums.d_x[:, columns])
                if start:
                    sums.d_weight[:] += logits @ x[:, columns].T
                else:
                    np.matmul(logits, x[:, columns].T, out=sums.d_weight)
        return total, sums

    def _turn(self, logits: Array, targets: Array, sums: SoftmaxGradient | None) -> Loss:
        """Add b to the products W x (V, N), make them their gradient in place, and add it to that of b."""
        total = Loss(0.0, 0)
        for first in range(0, len(targets), few := max(1, CACHED // len(logits))):
            some = logits[:, first : first + few]
            if self.bias:
                some += self.bias.value[:, None]
            loss, d_some = softmax_cross_entropy(some, targets[first : first + few])
            total = total.plus(loss)
            if sums:
                sums.d_bias[:] += d_some.sum(axis=1)
        return total

    def add(self, gradient: SoftmaxGradient) -> Array:
        """Add the gradients of a loss to those of W and b; return ∂L/∂x (D, N)."""
        self.weight.grad += gradient.d_weight
        if self.bias:
            self.bias.grad += gradient.d_bias
        return gradient.d_x


def _room(classes: int, positions: int, dtype: np.dtype) -> Array:
    """Return room for logits (V, N); where there are many classes, those of one position lie together."""
    if classes < MANY:
        return empty((classes, positions), dtype)
    return empty((positions, classes), dtype).T
