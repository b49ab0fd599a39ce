"""One time step of a recurrent layer, by the weights of this moment: what decoding takes, step after step.

B columns, D inputs, H hidden units, S states, k gates.
"""

import numpy as np

from rnncli.nn.layers.recurrent import Recurrent
from rnncli.nn.parameter import Array


class LayerStep:
    """The state after one more input: what `Recurrent.forward` makes of a single step, with nothing kept for later."""

    def __init__(self, layer: Recurrent) -> None:
        scaled, (kH, _) = layer.input_product.scaled, layer.weight_ih.value.shape
        self.cell, self.hidden_size = layer.cell, layer.hidden_size
        self.weight_ih, self.weight_hh = scaled(layer.weight_ih.value), scaled(layer.weight_hh.value)
        self.bias = scaled(layer.bias.value[:, None] if layer.bias else np.zeros((kH, 1), self.weight_ih.dtype))
        self.bias_hh = layer.bias_hh.value[:, None] if layer.bias_hh else None
        self.scaled = scaled
        """What makes a bias of each sequence one for a step."""

    def __call__(self, x: Array, state: Array, bias: Array | None = None) -> Array:
        """x (D, B), a state (S, H, B), and what is added to the bias of each column, scaled (k·H, B) → that after."""
        cell, H, B = self.cell, self.hidden_size, x.shape[1]
        k, joint = len(cell.gates), len(cell.gates) - len(cell.apart)
        a, recurrent = self.weight_ih @ x, self.weight_hh @ state[0]
        a += self.bias
        if bias is not None:
            a += bias
        a[: joint * H] += recurrent[: joint * H]
        saved = np.empty((len(cell.saved), H, B), a.dtype)
        if cell.apart:
            recurrent = recurrent[joint * H :]
            saved[: k - joint] = (recurrent if self.bias_hh is None else recurrent + self.bias_hh).reshape(-1, H, B)
        after = np.empty_like(state)
        gates = a.reshape(k, H, B)
        cell.forward(gates, np.empty_like(gates), tuple(state), tuple(after), saved)
        return after
