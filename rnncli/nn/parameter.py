"""Parameters with their gradients, and the two flat buffers that hold all of a model's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Parameter:
    """An array that training changes, and its gradient of the same shape, which backward passes *add* to."""

    def __init__(self, value: Array) -> None:
        self.value = value
        self.grad = np.zeros_like(value)


Parameters = dict[str, Parameter]


@dataclass(frozen=True)
class FlatParameters:
    """All values of a model in one 1-D array and all gradients in another; every `Parameter` is a view of both."""

    values: Array
    grads: Array
    slices: dict[str, slice]


def prefixed(prefix: str, parameters: Mapping[str, Parameter]) -> Parameters:
    """Return the parameters with `prefix.` before each name."""
    return {f"{prefix}.{name}": parameter for name, parameter in parameters.items()}


def pack(parameters: Parameters) -> FlatParameters:
    """Move the parameters into two flat buffers and make each one a view of them; a shared (tied) one moves once.

    Clipping, an optimizer step, a checkpoint or a sum over workers is then one operation on one array.
    """
    unique = {id(parameter): parameter for parameter in parameters.values()}.values()
    dtype = np.result_type(*(parameter.value for parameter in unique))
    size = sum(parameter.value.size for parameter in unique)
    flat = FlatParameters(np.empty(size, dtype), np.zeros(size, dtype), {})
    places: dict[int, slice] = {}
    start = 0
    for parameter in unique:
        place = slice(start, start + parameter.value.size)
        shape = parameter.value.shape
        flat.values[place] = parameter.value.ravel()
        parameter.value = flat.values[place].reshape(shape)
        parameter.grad = flat.grads[place].reshape(shape)
        places[id(parameter)] = place
        start = place.stop
    flat.slices.update({name: places[id(parameter)] for name, parameter in parameters.items()})
    return flat
