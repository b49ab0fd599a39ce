"""The gated recurrent unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np

from rnncli.nn.activations import ONE, sigmoid_backward, sigmoid_from_tanh, tanh_backward
from rnncli.nn.parameter import Array


@dataclass(frozen=True)
class GRUCell:
    """Gated recurrent unit (Cho et al. 2014), in the "reset after" form of cuDNN and PyTorch.

    r, z = σ(W x + U h + b);   n = tanh(W x + b + r·(U h + b'));   h' = (1 - z)·n + z·h

    The reset gate acts on the recurrent product, so that all three gates share one product a step; the two other
    conventions in use apply r to h before the product, or swap z and 1 - z.
    """

    name: Literal["gru"] = "gru"

    gates: ClassVar[tuple[str, ...]] = ("reset", "update", "candidate")
    states: ClassVar[tuple[str, ...]] = ("hidden",)
    saved: ClassVar[tuple[str, ...]] = ("recurrent_candidate",)
    apart: ClassVar[tuple[str, ...]] = ("candidate",)
    passes_hidden: ClassVar[bool] = True
    scales: ClassVar[tuple[float, ...]] = (0.5, 0.5, 1.0)

    @classmethod
    def variants(cls) -> list[Self]:
        """Return the one cell there is."""
        return [cls()]

    def initialize_bias(self, bias: Array) -> None:
        """Leave the bias (3, H) as drawn."""

    def forward(
        self, a: Array, gates: Array, state_prev: Sequence[Array], state: Sequence[Array], saved: Array
    ) -> None:
        """h' = n + z·(h - n), over gates (3, H, B); `saved` arrives holding U h + b' of the candidate."""
        r, z, n = gates[0], gates[1], gates[2]
        (h_prev,) = state_prev
        (h,) = state
        u = saved[0]
        np.tanh(a[:2], out=gates[:2])
        sigmoid_from_tanh(gates[:2])
        np.multiply(r, u, out=n)
        n += a[2]
        np.tanh(n, out=n)
        np.subtract(h_prev, n, out=h)
        h *= z
        h += n

    def backward(
        self,
        d_state: Array,
        gates: Array,
        state_prev: Sequence[Array],
        state: Sequence[Array],  # noqa: ARG002
        saved: Array,
        d_gates: Array,
        d_apart: Array,
        scratch: Array,
    ) -> None:
        """∂z = ∂h'·(h - n), ∂n = ∂h'·(1 - z), ∂u = ∂n·r, ∂r = ∂n·u, each through its activation; ∂h = ∂h'·z."""
        r, z, n = gates[0], gates[1], gates[2]
        (h_prev,) = state_prev
        u = saved[0]
        d_h = d_state[0]
        d_n = d_gates[2]
        d_u = d_apart[0]
        d_y = scratch[:2]  # of r and z, before that of n

        np.subtract(ONE[z.dtype], z, out=d_y[0])
        d_y[0] *= d_h
        tanh_backward(d_y[0], n, d_n)
        np.multiply(d_n, r, out=d_u)
        np.multiply(d_n, u, out=d_y[0])
        np.subtract(h_prev, n, out=d_y[1])
        d_y[1] *= d_h
        sigmoid_backward(d_y, gates[:2], d_gates[:2])
        d_h *= z
