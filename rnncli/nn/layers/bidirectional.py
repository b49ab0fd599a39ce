"""A recurrent layer that reads in both directions.

T time steps, B sequences, D inputs, H hidden units, S states.
"""

from typing import NamedTuple

import numpy as np

from rnncli.nn.blocks import empty_sequence
from rnncli.nn.layers.embedding import Lookup
from rnncli.nn.layers.recurrent import Recurrent, RecurrentCache
from rnncli.nn.parameter import Array, Parameters, prefixed


class BidirectionalCache(NamedTuple):
    """The caches of both directions; that of the backward one has its time reversed."""

    forward: RecurrentCache
    backward: RecurrentCache


class Bidirectional:
    """Two recurrent layers over the same inputs, the second from end to start (Schuster & Paliwal 1997).

    y_t = (→h_t; ←h_t), with →h_t = cell(x_t, →h_{t-1}) and ←h_t = cell(x_t, ←h_{t+1}), each with weights of its own.

    The backward layer reads the steps in reverse. The padding of a short sequence then comes first, where the state
    stands still, so that it starts at each sequence's own last step.
    """

    def __init__(self, forward: Recurrent, backward: Recurrent) -> None:
        self.directions = {"forward": forward, "backward": backward}

    @property
    def output_size(self) -> int:
        """2H: rows of what `forward` returns."""
        return sum(layer.output_size for layer in self.directions.values())

    @property
    def state_shape(self) -> tuple[int, int]:
        """S and 2H of a state (S, 2H, B)."""
        return self.directions["forward"].state_shape[0], self.output_size

    def parameters(self) -> Parameters:
        """Return both layers' parameters as `forward.weight_ih`, …, `backward.weight_ih`, …"""
        ahead, back = self.directions["forward"].parameters(), self.directions["backward"].parameters()
        return prefixed("forward", ahead) | prefixed("backward", back)

    def forward(
        self,
        x: Array | Lookup,
        state: Array | None = None,
        mask: Array | None = None,
        rng: np.random.Generator | None = None,
    ) -> tuple[Array, Array, BidirectionalCache]:
        """Run over x (D, T, B), or over a lookup of token ids (T, B).

        Returns the outputs (2H, T, B), forward ones above backward ones, the states (S, 2H, B) in which the two
        directions end, and the cache. A given `state` (S, 2H, B) holds those in which they begin.
        """
        ahead, back = self.directions.values()
        H = ahead.output_size
        begin = (None, None) if state is None else (state[:, :H], state[:, H:])
        y_ahead, ahead_end, ahead_cache = ahead.forward(x, begin[0], mask, rng)
        mask_reversed = None if mask is None else mask[::-1]
        y_back, back_end, back_cache = back.forward(_reversed(x), begin[1], mask_reversed, rng)
        _, T, B = y_ahead.shape
        y = empty_sequence(self.output_size, T, B, y_ahead.dtype)
        y[:H], y[H:] = y_ahead, y_back[:, ::-1]
        return y, np.concatenate((ahead_end, back_end), axis=1), BidirectionalCache(ahead_cache, back_cache)

    def backward(
        self, d_y: Array, cache: BidirectionalCache, d_state: Array | None = None
    ) -> tuple[Array | None, Array]:
        """Backpropagate from ∂L/∂y (2H, T, B), and ∂L/∂state (S, 2H, B) of the states in which the directions end.

        Returns ∂L/∂x, the sum of both directions', as `Recurrent` does, and ∂L/∂state of those in which they begin.
        """
        ahead, back = self.directions.values()
        H = ahead.output_size
        end = (None, None) if d_state is None else (d_state[:, :H], d_state[:, H:])
        d_x, ahead_begin = ahead.backward(d_y[:H], cache.forward, end[0])
        d_x_back, back_begin = back.backward(d_y[H:, ::-1], cache.backward, end[1])
        if d_x is not None and d_x_back is not None:
            d_x += d_x_back if isinstance(cache.forward.x, Lookup) else d_x_back[:, ::-1]
        return d_x, np.concatenate((ahead_begin, back_begin), axis=1)


def _reversed(x: Array | Lookup) -> Array | Lookup:
    """Return x with its steps in reverse: of vectors a copy, which the product of all steps would make in any case."""
    if isinstance(x, Lookup):
        return x._replace(ids=x.ids[::-1])
    D, T, B = x.shape
    copy = empty_sequence(D, T, B, x.dtype)
    copy[:] = x[:, ::-1]
    return copy
