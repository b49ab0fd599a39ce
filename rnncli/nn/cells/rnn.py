"""The vanilla recurrent cell."""

from collections.abc import Sequence
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
    passes_hidden: ClassVar[bool] = False
    scales: ClassVar[tuple[float, ...]] = (1.0,)

    @classmethod
    def variants(cls) -> list[Self]:
        """Return one cell for each activation."""
        return [cls(activation=name) for name in get_args(ActivationName)]

    def initialize_bias(self, bias: Array) -> None:
        """Leave the bias (1, H) as drawn."""

    def forward(
        self,
        a: Array,
        gates: Array,
        state_prev: Sequence[Array],  # noqa: ARG002
        state: Sequence[Array],
        saved: Array,  # noqa: ARG002
    ) -> None:
        """h' = g(a)."""
        ACTIVATIONS[self.activation].forward(a, gates)
        state[0][:] = gates[0]

    def backward(
        self,
        d_state: Array,
        gates: Array,
        state_prev: Sequence[Array],  # noqa: ARG002
        state: Sequence[Array],  # noqa: ARG002
        saved: Array,  # noqa: ARG002
        d_gates: Array,
        d_apart: Array,  # noqa: ARG002
        scratch: Array,  # noqa: ARG002
    ) -> None:
        """∂a = ∂h' · g'(a)."""
        ACTIVATIONS[self.activation].backward(d_state, gates, d_gates)
