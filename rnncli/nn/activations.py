"""Activation functions in place, with their derivatives written in terms of the output."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rnncli.nn.parameter import Array


class Activation(NamedTuple):
    """`forward(z)` overwrites z with y; `backward(d, y, scratch)` overwrites d with the gradient before the activation.

    `scratch` is room of the shape of y.
    """

    forward: Callable[[Array], None]
    backward: Callable[[Array, Array, Array], None]


def constant(value: float) -> dict[np.dtype, Array]:
    """Return a number as an array of no dimensions for each dtype: a Python number costs a ufunc half a microsecond."""
    return {np.dtype(dtype): np.array(value, dtype) for dtype in (np.float32, np.float64)}


ONE, HALF = constant(1), constant(0.5)


def tanh(z: Array) -> None:
    """y = tanh z."""
    np.tanh(z, out=z)


def tanh_backward(d: Array, y: Array, scratch: Array) -> None:
    """y' = 1 - y²."""
    np.multiply(y, y, out=scratch)
    np.subtract(ONE[y.dtype], scratch, out=scratch)
    d *= scratch


def sigmoid_from_tanh(t: Array) -> None:
    """σ(z) = ½ + ½ t, where t = tanh(z/2)."""
    half = HALF[t.dtype]
    t *= half
    t += half


def sigmoid(z: Array) -> None:
    """y = σ(z) = ½ + ½ tanh(z/2): the form that cannot overflow, and tanh is NumPy's fastest transcendental."""
    z *= HALF[z.dtype]
    np.tanh(z, out=z)
    sigmoid_from_tanh(z)


def sigmoid_backward(d: Array, y: Array, scratch: Array) -> None:
    """y' = y - y²."""
    np.multiply(y, y, out=scratch)
    np.subtract(y, scratch, out=scratch)
    d *= scratch


def relu(z: Array) -> None:
    """y = max(z, 0)."""
    np.maximum(z, 0, out=z)


def relu_backward(d: Array, y: Array, scratch: Array) -> None:
    """y' = 1 where y > 0, else 0."""
    np.greater(y, 0, out=scratch)
    d *= scratch


ACTIVATIONS: dict[str, Activation] = {
    "tanh": Activation(tanh, tanh_backward),
    "relu": Activation(relu, relu_backward),
    "sigmoid": Activation(sigmoid, sigmoid_backward),
}
