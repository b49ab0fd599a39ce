"""Parameters with their gradients, and the two flat buffers that hold all of a model's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]


class Parameter:
    """An array that training changes, and its gradient of the same shape, which backward passes *add* to.

    A frozen one belongs to a model and is stored with it like any other, but training leaves it alone: its gradient is
    empty, and `pack` passes over it, so that it has no part in clipping, optimizers, or what workers add up.
    """

    def __init__(self, value: Array, *, frozen: bool = False) -> None:
        self.value, self.frozen = value, frozen
        self.grad = np.zeros_like(value[:0] if frozen else value)


Parameters = dict[str, Parameter]


@dataclass(frozen=True)
class FlatParameters:
    """All values of a model in one 1-D array and all gradients in another; every `Parameter` is a view of both.

    But for the frozen ones.
    """

    values: Array
    grads: Array
    slices: dict[str, slice]


def prefixed(prefix: str, parameters: Mapping[str, Parameter]) -> Parameters:
    """Return the parameters with `prefix.` before each name."""
    return {f"{prefix}.{name}": parameter for name, parameter in parameters.items()}


def trained(parameters: Mapping[str, Parameter]) -> Parameters:
    """Return the parameters that are not frozen."""
    return {name: parameter for name, parameter in parameters.items() if not parameter.frozen}


def pack(parameters: Parameters, zeros: Callable[[int, DTypeLike], Array] = np.zeros) -> FlatParameters:
    """Move the parameters into two flat buffers, as `zeros` makes them, and make each one a view of them.

    Clipping, an optimizer step, a checkpoint or a sum over workers is then one operation on one array. Frozen ones
    stay where they are.
    """
    parameters = trained(parameters)
    dtype = np.result_type(*(parameter.value for parameter in parameters.values()))
    size = sum(parameter.value.size for parameter in parameters.values())
    flat = FlatParameters(zeros(size, dtype), zeros(size, dtype), {})
    start = 0
    for name, parameter in parameters.items():
        place = slice(start, start + parameter.value.size)
        flat.values[place] = parameter.value.ravel()
        parameter.value = flat.values[place].reshape(parameter.value.shape)
        flat.slices[name] = place
        start = place.stop
    collect(parameters, flat.slices, flat.grads)
    return flat


def collect(parameters: Parameters, slices: Mapping[str, slice], grads: Array) -> None:
    """Make the gradient of each packed parameter a view of the flat buffer `grads`."""
    for name, place in slices.items():
        parameters[name].grad = grads[place].reshape(parameters[name].value.shape)
