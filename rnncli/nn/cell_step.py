"""One time step of a cell as a list of calls on memory that stays where it is: views are made once, not every time.

B columns, H hidden units, k gates, S states, s saved arrays (see `nn.protocols`).
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from rnncli.nn.cells import LSTMCell
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import Cell

Calls: TypeAlias = list[tuple[Callable[..., Any], tuple[Any, ...]]]
"""Functions and their arguments, to be called one after the other."""


def arrange(cell: Cell, rows: Array) -> Array:
    """Return rows (k·H, n) of weights, or of what they add up to, scaled and in the order that `cell_calls` expects."""
    blocks = [block * scale for block, scale in zip(np.split(rows, len(cell.gates)), cell.scales, strict=True)]
    if isinstance(cell, LSTMCell):
        i, f, g, o = blocks
        blocks = [g, f, i, o]
    return np.concatenate(blocks)


def cell_calls(cell: Cell, hidden: Array, block: Array) -> Calls:
    """Return the calls that take a state a step further, in place.

    The state is `hidden` (H, B) and the first S-1 arrays of `block` (S-1+k+s, H, B). The k pre-activations come next,
    arranged, and are used up; then the s saved ones, of which only what the cell keeps `apart` is read.
    """
    if isinstance(cell, LSTMCell):
        return _lstm_calls(hidden, block)
    others, k = len(cell.states) - 1, len(cell.gates)
    state, a, saved = [hidden, *block[:others]], block[others : others + k], block[others + k :]
    state_prev = [np.empty_like(array) for array in state]
    copies: Calls = [(np.copyto, pair) for pair in zip(state_prev, state, strict=True)]
    return [*copies, (cell.forward, (a, np.empty_like(a), state_prev, state, saved))]


def _lstm_calls(hidden: Array, block: Array) -> Calls:
    """c' = f·c + i·g, h' = o·tanh(c'): in the order c, g, f, i, o one product makes both f·c and i·g."""
    h, (c, g, f, i, o) = hidden.reshape(-1), block.reshape(5, -1)
    gates, sigmoids, f_i, c_g = (block[rows].reshape(-1) for rows in (slice(1, 5), slice(2, 5), slice(2, 4), slice(2)))
    half = np.array(0.5, h.dtype)
    return [
        (np.tanh, (gates, gates)),
        (np.multiply, (sigmoids, half, sigmoids)),
        (np.add, (sigmoids, half, sigmoids)),
        (np.multiply, (f_i, c_g, f_i)),
        (np.add, (f, i, c)),
        (np.tanh, (c, g)),
        (np.multiply, (o, g, h)),
    ]
