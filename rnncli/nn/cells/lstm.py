"""The long short-term memory cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np

from rnncli.nn.activations import ONE, sigmoid_from_tanh
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
    saved: ClassVar[tuple[str, ...]] = ()
    apart: ClassVar[tuple[str, ...]] = ()
    passes_hidden: ClassVar[bool] = False
    scales: ClassVar[tuple[float, ...]] = (0.5, 0.5, 1.0, 0.5)

    @classmethod
    def variants(cls) -> list[Self]:
        """Return the one cell there is."""
        return [cls()]

    def initialize_bias(self, bias: Array) -> None:
        """Set the forget gate's rows of the bias (4, H)."""
        bias[1] = self.forget_bias

    def forward(
        self,
        a: Array,
        gates: Array,
        state_prev: Sequence[Array],
        state: Sequence[Array],
        saved: Array,  # noqa: ARG002
    ) -> None:
        """c' = f·c + i·g and h' = o·tanh(c'), over gates (4, H, B)."""
        i, f, g, o = gates[0], gates[1], gates[2], gates[3]
        _, c_prev = state_prev
        h, c = state
        np.tanh(a, out=gates)
        sigmoid_from_tanh(gates[:2])
        sigmoid_from_tanh(o)
        np.multiply(f, c_prev, out=c)
        np.multiply(i, g, out=h)  # on borrowed space
        c += h
        np.tanh(c, out=h)
        h *= o

    def backward(
        self,
        d_state: Array,
        gates: Array,
        state_prev: Sequence[Array],
        state: Sequence[Array],
        saved: Array,  # noqa: ARG002
        d_gates: Array,
        d_apart: Array,  # noqa: ARG002
        scratch: Array,
    ) -> None:
        """∂c' += ∂h'·o·(1 - tanh² c'); then each gate's share, through its slope; ∂c = ∂c'·f."""
        i, f, g, o = gates[0], gates[1], gates[2], gates[3]
        _, c_prev = state_prev
        _, c = state
        d_h, d_c = d_state[0], d_state[1]
        d_i, d_f, d_g, d_o = d_gates[0], d_gates[1], d_gates[2], d_gates[3]
        slopes, one = scratch, ONE[gates.dtype]

        tanh_c, through = d_o, d_i  # on borrowed space
        np.tanh(c, out=tanh_c)
        np.multiply(tanh_c, tanh_c, out=through)
        np.subtract(one, through, out=through)
        through *= o
        through *= d_h
        d_c += through
        d_o *= d_h

        np.multiply(d_c, g, out=d_i)
        np.multiply(d_c, c_prev, out=d_f)
        np.multiply(d_c, i, out=d_g)
        np.multiply(gates, gates, out=slopes)
        np.subtract(gates[:2], slopes[:2], out=slopes[:2])  # σ' = σ - σ²
        np.subtract(one, slopes[2], out=slopes[2])  # tanh' = 1 - tanh²
        np.subtract(o, slopes[3], out=slopes[3])
        d_gates *= slopes

        d_c *= f
