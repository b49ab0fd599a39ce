"""What the specs of all models say of their layers, and the stack of layers that it describes."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import DTypeLike

from rnncli.nn.cells import AnyCell, LSTMCell
from rnncli.nn.layers import Bidirectional, Recurrent, Stack
from rnncli.nn.protocols import SequenceLayer

Probability = Annotated[float, Ge(0), Lt(1)]
ModelSize = Annotated[int, Gt(0), Le(1_000_000)]


@dataclass(frozen=True, kw_only=True)
class StackSpec:
    """Cell, sizes, initial state and dropout of recurrent layers on top of each other."""

    cell: AnyCell = LSTMCell()
    hidden_size: ModelSize = 128
    num_layers: ModelSize = 2
    bias: bool = True
    initial_state: Literal["zeros", "learned"] = "zeros"
    dropout: Probability = 0.0
    recurrent_dropout: Probability = 0.0

    def build(
        self,
        input_size: int,
        *,
        rng: np.random.Generator | None,
        dtype: DTypeLike,
        bidirectional: bool = False,
    ) -> Stack:
        """Return the stack over inputs of that size, its weights drawn layer by layer, forward before backward.

        A bidirectional layer hands 2·hidden_size rows upwards, so the layers above the first read that many.
        """

        def recurrent(inputs: int) -> Recurrent:
            return Recurrent(
                self.cell,
                inputs,
                self.hidden_size,
                rng=rng,
                dtype=dtype,
                bias=self.bias,
                learned_initial_state=self.initial_state == "learned",
                recurrent_dropout=self.recurrent_dropout,
            )

        def layer(inputs: int) -> SequenceLayer:
            return Bidirectional(recurrent(inputs), recurrent(inputs)) if bidirectional else recurrent(inputs)

        between = self.hidden_size * (2 if bidirectional else 1)
        inputs = (input_size, *[between] * (self.num_layers - 1))
        return Stack([layer(size) for size in inputs], dropout=self.dropout)
