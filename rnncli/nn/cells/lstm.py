"""The long short-term memory cell."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np

from rnncli.nn.activations import sigmoid, sigmoid_backward, tanh, tanh_backward
from rnncli.nn.parameter import Array


@dataclass(frozen=True)
class LSTMCell:
    """Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000; no peepholes).

    i, f, o = σ(·), g = tanh(·) of W x + U h + b;   c' = f·c + i·g;   h' = o·tanh(c')

    A forget bias of 1 lets a fresh cell remember (Jozefowicz et al. 2015).
    """

    name: Literal["lstm"] = "lstm"
    forget_bias: float = 1.0

    gates: ClassVar[tuple[str, ...]] = ("input", "forget", "candidate", "output")
    states: ClassVar[tuple[str, ...]] = ("hidden", "cell")
    saved: ClassVar[tuple[str, ...]] = ("tanh_cell",)
    apart: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def variants(cls) -> list[Self]:
        """Return the one cell there is."""
        return [cls()]

    def initialize_bias(self, bias: Array) -> None:
        """Set the forget gate's rows of the bias (4, H)."""
        bias[1] = self.forget_bias

    def forward(self, gates: Array, state_prev: Array, state: Array, saved: Array) -> None:
        """c' = f·c + i·g and h' = o·tanh(c'), over gates (4, H, B)."""
        i, f, g, o = gates
        _, c_prev = state_prev
        h, c = state
        (tanh_c,) = saved
        sigmoid(gates[:2])
        tanh(g)
        sigmoid(o)
        np.multiply(f, c_prev, out=c)
        np.multiply(i, g, out=tanh_c)
        c += tanh_c
        np.tanh(c, out=tanh_c)
        np.multiply(o, tanh_c, out=h)

    def backward(
        self,
        d_state: Array,
        gates: Array,
        state_prev: Array,
        state: Array,  # noqa: ARG002
        saved: Array,
        d_gates: Array,
        d_apart: Array,  # noqa: ARG002
    ) -> None:
        """∂c' += ∂h'·o·(1 - tanh² c'); then each gate's share; ∂c = ∂c'·f, and h is reached by the products alone."""
        i, f, g, o = gates
        _, c_prev = state_prev
        (tanh_c,) = saved
        d_h, d_c = d_state
        d_i, d_f, d_g, d_o = d_gates

        np.multiply(d_h, o, out=d_i)  # through tanh(c'), on borrowed space
        tanh_backward(d_i, tanh_c)
        d_c += d_i

        np.multiply(d_c, g, out=d_i)
        np.multiply(d_c, c_prev, out=d_f)
        sigmoid_backward(d_gates[:2], gates[:2])
        np.multiply(d_c, i, out=d_g)
        tanh_backward(d_g, g)
        np.multiply(d_h, tanh_c, out=d_o)
        sigmoid_backward(d_o, o)

        d_c *= f
        d_h[:] = 0
