"""One time step of a layer, by the weights of this moment: what decoding takes, step after step.

B columns, D inputs, H hidden units, S states, k gates.
"""

import numpy as np

from rnncli.nn.layers.convolution import Convolution
from rnncli.nn.layers.recurrent import Recurrent
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import SequenceLayer


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


class OneStep:
    """The same of a `Convolution` that reads one step alone: the state after is its outputs (1, H, B), read by nobody.

    So the step of a stack need not tell which layers it has.
    """

    def __init__(self, layer: Convolution) -> None:
        """Raise ValueError for a layer that reads other steps."""
        if layer.kernel_size > 1:
            raise ValueError("windows over several steps are no single one")
        self.weight_ih, self.hidden_size, self.activation = layer.weight.value, layer.output_size, layer.activation
        self.bias = layer.bias.value[:, None] if layer.bias else np.zeros_like(layer.weight.value[:, :1])

    def scaled(self, rows: Array) -> Array:
        """Return what makes a bias of each sequence one for a step: the same."""
        return rows

    def __call__(self, x: Array, state: Array, bias: Array | None = None) -> Array:  # noqa: ARG002 - there is none
        """x (D, B), any state, and what is added to the bias of each column (H, B) → the outputs (1, H, B)."""
        a = self.weight_ih @ x
        a += self.bias
        if bias is not None:
            a += bias
        self.activation.forward(a, a)
        return a[None]


def step_of(layer: SequenceLayer) -> LayerStep | OneStep:
    """Return the step of a layer, which is recurrent or reads one step alone."""
    assert isinstance(layer, Recurrent | Convolution)
    return LayerStep(layer) if isinstance(layer, Recurrent) else OneStep(layer)
