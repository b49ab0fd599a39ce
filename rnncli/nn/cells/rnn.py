"""The vanilla recurrent cell."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Self, get_args

from rnncli.nn.activations import ACTIVATIONS
from rnncli.nn.parameter import Array

ActivationName = Literal["tanh", "relu", "sigmoid"]


@dataclass(frozen=True)
class RNNCell:
    """Vanilla recurrent cell (Elman 1990): h' = g(W x + U h + b), g = tanh, ReLU or sigmoid."""

    name: Literal["rnn"] = "rnn"
    activation: ActivationName = "tanh"

    gates: ClassVar[tuple[str, ...]] = ("hidden",)
    states: ClassVar[tuple[str, ...]] = ("hidden",)
    saved: ClassVar[tuple[str, ...]] = ()
    apart: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def variants(cls) -> list[Self]:
        """Return one cell for each activation."""
        return [cls(activation=name) for name in get_args(ActivationName)]

    def initialize_bias(self, bias: Array) -> None:
        """Leave the bias (1, H) as drawn."""

    def forward(self, gates: Array, state_prev: Array, state: Array, saved: Array) -> None:  # noqa: ARG002
        """h' = g(a)."""
        state[:] = gates
        ACTIVATIONS[self.activation].forward(state)

    def backward(
        self,
        d_state: Array,
        gates: Array,  # noqa: ARG002
        state_prev: Array,  # noqa: ARG002
        state: Array,
        saved: Array,  # noqa: ARG002
        d_gates: Array,
        d_apart: Array,  # noqa: ARG002
    ) -> None:
        """∂a = ∂h' · g'(a); nothing reaches h elementwise."""
        d_gates[:] = d_state
        ACTIVATIONS[self.activation].backward(d_gates, state)
        d_state[:] = 0
