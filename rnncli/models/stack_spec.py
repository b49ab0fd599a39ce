"""What the specs of all models say of their layers, and the stack of layers that it describes."""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import DTypeLike

from rnncli.errors import SettingError
from rnncli.nn.cells import AnyCell, LSTMCell
from rnncli.nn.cells.rnn import ActivationName
from rnncli.nn.layers import Bidirectional, Convolution, Recurrent, Stack
from rnncli.nn.protocols import SequenceLayer

Probability = Annotated[float, Ge(0), Lt(1)]
ModelSize = Annotated[int, Gt(0), Le(1_000_000)]
Steps = Annotated[int, Gt(0), Le(10_000)]

FARTHEST = 1_000_000
"""Steps between the first that a layer reads for one of its own and the last."""


@dataclass(frozen=True)
class Conv1d:
    """A control without recurrence: convolutions over time. Layer l, from 0 on, reads steps dilation**l apart."""

    name: Literal["conv1d"] = "conv1d"
    kernel_size: Steps = 3
    dilation: Steps = 1
    activation: ActivationName = "relu"

    def kernel(self, layer: int) -> tuple[int, int]:
        """Return how many steps a layer reads for each of its own, and how far apart these are."""
        return self.kernel_size, self.dilation ** min(layer, FARTHEST.bit_length())


@dataclass(frozen=True)
class WindowedMLP:
    """A control without recurrence: a multilayer perceptron over a window. Layers above the first read one step."""

    name: Literal["none", "mlp"] = "none"
    window: Steps = 5
    activation: ActivationName = "tanh"

    def kernel(self, layer: int) -> tuple[int, int]:
        """Return how many steps a layer reads for each of its own, and how far apart these are."""
        return (1 if layer else self.window), 1


AnyControl: TypeAlias = Conv1d | WindowedMLP

CONTROLS: dict[str, type[AnyControl]] = {"conv1d": Conv1d, "none": WindowedMLP, "mlp": WindowedMLP}


@dataclass(frozen=True, kw_only=True)
class StackSpec:
    """Cell, sizes, initial state and dropout of layers on top of each other: recurrent ones, or a control's."""

    cell: AnyCell | AnyControl = LSTMCell()
    hidden_size: ModelSize = 128
    num_layers: ModelSize = 2
    bias: bool = True
    initial_state: Literal["zeros", "learned"] = "zeros"
    dropout: Probability = 0.0
    recurrent_dropout: Probability = 0.0

    def __post_init__(self) -> None:
        """Refuse what only recurrent layers have, and windows that no memory holds."""
        if isinstance(self.cell, AnyCell):
            return
        if self.recurrent_dropout:
            raise SettingError(
                f"recurrent_dropout needs a recurrent cell, not {self.cell.name}", key="recurrent_dropout"
            )
        if self.initial_state == "learned":
            raise SettingError(
                f"initial_state: learned needs a recurrent cell, not {self.cell.name}", key="initial_state"
            )
        size, dilation = self.cell.kernel(self.num_layers - 1)
        if (size - 1) * dilation > FARTHEST:
            raise SettingError(
                f"the windows of the last of {self.num_layers} layers are over {FARTHEST:,} steps long",
                key="num_layers",
            )

    @property
    def windows(self) -> AnyControl | None:
        """What the layers read of their inputs at each step; None where they carry a state from step to step."""
        return None if isinstance(self.cell, AnyCell) else self.cell

    @property
    def is_control(self) -> bool:
        """Whether the cell is a control's."""
        return not isinstance(self.cell, AnyCell)

    @property
    def is_recurrent(self) -> bool:
        """Whether the layers carry a state from step to step, and not inputs alone."""
        return self.windows is None

    @property
    def stack_name(self) -> str:
        """What the names of the stack's parameters begin with."""
        return "convolution" if self.is_control else "recurrent"

    def build(
        self,
        input_size: int,
        *,
        rng: np.random.Generator | None,
        dtype: DTypeLike,
        bidirectional: bool = False,
    ) -> Stack:
        """Return the stack over inputs of that size, its weights drawn layer by layer, forward before backward.

        A bidirectional layer hands 2·hidden_size rows upwards, so the layers above the first read that many. A control
        has no directions: there the windows are then centred, and end at their own step otherwise.
        """

        def recurrent(cell: AnyCell, inputs: int) -> Recurrent:
            return Recurrent(
                cell,
                inputs,
                self.hidden_size,
                rng=rng,
                dtype=dtype,
                bias=self.bias,
                learned_initial_state=self.initial_state == "learned",
                recurrent_dropout=self.recurrent_dropout,
            )

        def layer(index: int, inputs: int) -> SequenceLayer:
            if windows is None:
                assert isinstance(self.cell, AnyCell)
                first = recurrent(self.cell, inputs)
                return Bidirectional(first, recurrent(self.cell, inputs)) if bidirectional else first
            kernel_size, dilation = windows.kernel(index)
            return Convolution(
                inputs,
                self.hidden_size,
                kernel_size=kernel_size,
                dilation=dilation,
                activation=windows.activation,
                centred=bidirectional,
                rng=rng,
                dtype=dtype,
                bias=self.bias,
            )

        windows = self.windows
        stack = Stack([layer(0, input_size)], dropout=self.dropout)
        for index in range(1, self.num_layers):
            stack.layers.append(layer(index, stack.output_size))
        return stack
