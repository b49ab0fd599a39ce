"""The step routine of generation for models without recurrent layers: their windows, one token further."""

import numpy as np

from rnncli.models.language_model import LanguageModel
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import State


class WindowStep:
    """The logits that follow one more token: `LanguageModel.logits` over a single step, with the inputs before it."""

    def __init__(self, model: LanguageModel) -> None:
        self.model = model

    def start(self, state: State) -> State:
        """Return the state to step on from, given that of each layer (S, F, B)."""
        return list(state)

    def select(self, state: State, columns: Array) -> State:
        """Return a state made of copies of these columns (B',)."""
        return [np.take(layer, columns, axis=-1) for layer in state]

    def __call__(self, ids: Array, state: State) -> tuple[Array, State]:
        """Return the logits (V, B) that follow ids (B,), and the state after them."""
        return self.model.logits(ids[None], state)
