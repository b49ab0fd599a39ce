"""Activation functions, with their derivatives written in terms of the output."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rnncli.nn.parameter import Array


class Activation(NamedTuple):
    """`forward(z, y)` fills y; `backward(d, y, out)` fills out with the gradient before the activation."""

    forward: Callable[[Array, Array], None]
    backward: Callable[[Array, Array, Array], None]


def constant(value: float) -> dict[np.dtype, Array]:
    """Return a number as an array of no dimensions for each dtype: a Python number costs a ufunc half a microsecond."""
    return {np.dtype(dtype): np.array(value, dtype) for dtype in (np.float32, np.float64)}


ONE, HALF = constant(1), constant(0.5)


def tanh(z: Array, y: Array) -> None:
    """y = tanh z."""
    np.tanh(z, out=y)


def tanh_backward(d: Array, y: Array, out: Array) -> None:
    """y' = 1 - y²."""
    np.multiply(y, y, out=out)
    np.subtract(ONE[y.dtype], out, out=out)
    out *= d


def sigmoid(z: Array, y: Array) -> None:
    """y = σ(z) = ½ + ½ tanh(z/2): the form that cannot overflow, and tanh is NumPy's fastest transcendental."""
    np.multiply(z, HALF[z.dtype], out=y)
    np.tanh(y, out=y)
    sigmoid_from_tanh(y)


def sigmoid_from_tanh(t: Array) -> None:
    """σ(z) = ½ + ½ t, where t = tanh(z/2), in place."""
    half = HALF[t.dtype]
    t *= half
    t += half


def sigmoid_backward(d: Array, y: Array, out: Array) -> None:
    """y' = y - y²."""
    np.multiply(y, y, out=out)
    np.subtract(y, out, out=out)
    out *= d


def relu(z: Array, y: Array) -> None:
    """y = max(z, 0)."""
    np.maximum(z, 0, out=y)


def relu_backward(d: Array, y: Array, out: Array) -> None:
    """y' = 1 where y > 0, else 0."""
    np.greater(y, 0, out=out)
    out *= d


ACTIVATIONS: dict[str, Activation] = {
    "tanh": Activation(tanh, tanh_backward),
    "relu": Activation(relu, relu_backward),
    "sigmoid": Activation(sigmoid, sigmoid_backward),
}
