"""The step routine of models without recurrent layers: their windows, one token further."""

from collections.abc import Callable

import numpy as np

from rnncli.models.conditioned_step import SupportsBeginning
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import State


class WindowStep:
    """The logits that follow one more token: `LanguageModel.logits` over a single step, with the inputs before it."""

    def __init__(self, logits: Callable[[Array, State | None], tuple[Array, State]]) -> None:
        """`logits` are those of ids (T, B), behind a state or none, and the state after them."""
        self.logits = logits

    def start(self, state: State) -> State:
        """Return the state to step on from, given that of each layer (S, F, B)."""
        return list(state)

    def begin(self, batch: SupportsBeginning, state: State | None = None) -> tuple[Array, State]:
        """Read the first inputs; return the logits (V, B) of the tokens behind them, and the state."""
        return self.logits(batch.inputs[:1], state)

    def select(self, state: State, columns: Array) -> State:
        """Return a state made of copies of these columns (B',)."""
        return [np.take(layer, columns, axis=-1) for layer in state]

    def __call__(self, ids: Array, state: State) -> tuple[Array, State]:
        """Return the logits (V, B) that follow ids (B,), and the state after them."""
        return self.logits(ids[None], state)
