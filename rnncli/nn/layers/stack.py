"""Layers over sequences on top of each other."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from rnncli.nn.layers.dropout import Dropout
from rnncli.nn.layers.input_product import Inputs
from rnncli.nn.parameter import Array, Parameters, prefixed
from rnncli.nn.protocols import SequenceLayer, State


class StackCache(NamedTuple):
    """The caches of each layer and of the dropout after it."""

    layers: list[Any]
    dropouts: list[Array | None]


class Stack:
    """Layers over sequences, each reading the outputs of the one below, with dropout after each of them.

    Dropout stands between layers (Zaremba et al. 2014): on what a layer hands upwards, the output layer included,
    never on what it hands to the next time step.
    """

    def __init__(self, layers: Sequence[SequenceLayer], dropout: float = 0.0) -> None:
        self.layers = list(layers)
        self.dropout = Dropout(dropout)

    @property
    def output_size(self) -> int:
        """H: rows of what `forward` returns."""
        return self.layers[-1].output_size

    def parameters(self) -> Parameters:
        """Return every layer's parameters as `0.weight_ih`, `1.weight_ih`, …"""
        return {
            name: parameter
            for index, layer in enumerate(self.layers)
            for name, parameter in prefixed(str(index), layer.parameters()).items()
        }

    def forward(
        self,
        x: Inputs,
        state: State | None = None,
        mask: Array | None = None,
        rng: np.random.Generator | None = None,
    ) -> tuple[Array, State, StackCache]:
        """Run over x (D, T, B) or a lookup: the top outputs (H, T, B), each layer's state, and the cache."""
        cache = StackCache([], [])
        final: State = []
        below: Inputs = x
        for index, layer in enumerate(self.layers):
            h, state_after, layer_cache = layer.forward(below, None if state is None else state[index], mask, rng)
            y, dropped = self.dropout.forward(h, rng)
            below = y
            final.append(state_after)
            cache.layers.append(layer_cache)
            cache.dropouts.append(dropped)
        return y, final, cache

    def backward(self, d_y: Array, cache: StackCache, d_state: State | None = None) -> tuple[Array | None, State]:
        """Backpropagate from ∂L/∂y (H, T, B) down to ∂L/∂x, as `Recurrent` does, and ∂L/∂state of every layer."""
        d_x: Array | None = d_y
        d_initial: State = []
        for index in reversed(range(len(self.layers))):
            assert d_x is not None  # only the lowest layer reads a lookup
            d_x = self.dropout.backward(d_x, cache.dropouts[index])
            d_x, d_before = self.layers[index].backward(
                d_x, cache.layers[index], None if d_state is None else d_state[index]
            )
            d_initial.insert(0, d_before)
        return d_x, d_initial
