"""The gated recurrent unit."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np

from rnncli.nn.activations import sigmoid, sigmoid_backward, tanh, tanh_backward
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

    @classmethod
    def variants(cls) -> list[Self]:
        """Return the one cell there is."""
        return [cls()]

    def initialize_bias(self, bias: Array) -> None:
        """Leave the bias (3, H) as drawn."""

    def forward(self, gates: Array, state_prev: Array, state: Array, saved: Array) -> None:
        """h' = n + z·(h - n), over gates (3, H, B); `saved` arrives holding U h + b' of the candidate."""
        r, z, n = gates
        (h_prev,) = state_prev
        (h,) = state
        (u,) = saved
        sigmoid(gates[:2])
        np.multiply(r, u, out=h)  # on borrowed space
        n += h
        tanh(n)
        np.subtract(h_prev, n, out=h)
        h *= z
        h += n

    def backward(
        self,
        d_state: Array,
        gates: Array,
        state_prev: Array,
        state: Array,  # noqa: ARG002
        saved: Array,
        d_gates: Array,
        d_apart: Array,
    ) -> None:
        """∂z = ∂h'·(h - n), ∂n = ∂h'·(1 - z), ∂u = ∂n·r, ∂r = ∂n·u, each through its activation; ∂h = ∂h'·z."""
        r, z, n = gates
        (h_prev,) = state_prev
        (u,) = saved
        (d_h,) = d_state
        d_r, d_z, d_n = d_gates
        (d_u,) = d_apart

        np.subtract(h_prev, n, out=d_z)
        d_z *= d_h
        np.subtract(1, z, out=d_n)
        d_n *= d_h
        tanh_backward(d_n, n)
        np.multiply(d_n, r, out=d_u)
        np.multiply(d_n, u, out=d_r)
        sigmoid_backward(d_gates[:2], gates[:2])
        d_h *= z
