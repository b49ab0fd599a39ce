"""Activation functions in place, with their derivatives written in terms of the output."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rnncli.nn.parameter import Array


class Activation(NamedTuple):
    """`forward(z)` overwrites z with y; `backward(d, y)` overwrites d with the gradient before the activation."""

    forward: Callable[[Array], None]
    backward: Callable[[Array, Array], None]


def tanh(z: Array) -> None:
    """y = tanh z."""
    np.tanh(z, out=z)


def tanh_backward(d: Array, y: Array) -> None:
    """y' = 1 - y²."""
    slope = y * y
    np.subtract(1, slope, out=slope)
    d *= slope


def sigmoid(z: Array) -> None:
    """y = σ(z) = ½ + ½ tanh(z/2): the form that cannot overflow, and tanh is NumPy's fastest transcendental."""
    z *= 0.5
    np.tanh(z, out=z)
    z *= 0.5
    z += 0.5


def sigmoid_backward(d: Array, y: Array) -> None:
    """y' = y (1 - y)."""
    slope = 1 - y
    slope *= y
    d *= slope


def relu(z: Array) -> None:
    """y = max(z, 0)."""
    np.maximum(z, 0, out=z)


def relu_backward(d: Array, y: Array) -> None:
    """y' = 1 where y > 0, else 0."""
    d *= y > 0


ACTIVATIONS: dict[str, Activation] = {
    "tanh": Activation(tanh, tanh_backward),
    "relu": Activation(relu, relu_backward),
    "sigmoid": Activation(sigmoid, sigmoid_backward),
}
