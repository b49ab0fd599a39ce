"""The language model one token at a time, with a condition of each column's own if it has one.

It is the step routine of captions, and of models that are fed what they said themselves.

B columns, C numbers of a condition, V tokens, S states of a layer, H hidden units, k gates.
"""

from typing import NamedTuple, Protocol

import numpy as np

from rnncli.models.condition import Condition, fresh_state
from rnncli.nn.layer_step import step_of
from rnncli.nn.layers import Embedding, Softmax, Stack
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import State


class SupportsBeginning(Protocol):
    """What decoding reads of a batch: the first row of `inputs` (T, B), of whole texts the begin symbols."""

    @property
    def inputs(self) -> Array: ...  # noqa: D102
    @property
    def condition(self) -> Array | None:
        """(C, B), where the model needs it."""
        ...


class ConditionedState(NamedTuple):
    """Where each column stands."""

    layers: State  # (S, H, B) each
    bias: Array | None  # (k·H, B) of the first layer, scaled; None where all columns have the layer's own


class ConditionedStep:
    """The logits that follow one more token, as `LanguageModel.loss` has them, by the weights of this moment."""

    def __init__(self, embedding: Embedding | None, stack: Stack, output: Softmax, condition: Condition | None) -> None:
        """Step through the layers of a language model; ids are one-hot where there is no embedding."""
        self.embedding, self.stack, self.output, self.condition = embedding, stack, output, condition
        self.layers = [step_of(layer) for layer in stack.layers]

    def begin(self, batch: SupportsBeginning, state: State | None = None) -> tuple[Array, ConditionedState]:
        """Read the first inputs; return the logits (V, B) of the tokens behind them, and the state.

        A state (S, H, B) of each layer that is given goes on, and has seen a condition that gets in but once.
        """
        bias = None
        if self.condition:
            fresh, bias = self.condition.begin(self.condition.vector(batch.condition).value)
        else:
            fresh = [fresh_state(layer, batch.inputs.shape[1]) for layer in self.stack.layers]
        begun = fresh if state is None else state
        return self(batch.inputs[0], ConditionedState(begun, None if bias is None else self.layers[0].scaled(bias)))

    def select(self, state: ConditionedState, columns: Array) -> ConditionedState:
        """Return a state made of copies of these columns (B',)."""
        bias = None if state.bias is None else state.bias.take(columns, axis=-1)
        return ConditionedState([layer.take(columns, axis=-1) for layer in state.layers], bias)

    def __call__(self, ids: Array, state: ConditionedState) -> tuple[Array, ConditionedState]:
        """Return the logits (V, B) that follow ids (B,), and the state after them."""
        below, bias, layers = self._vectors(ids), state.bias, []
        for layer, before in zip(self.layers, state.layers, strict=True):
            layers.append(layer(below, before, bias))
            below, bias = layers[-1][0], None
        return self.output.forward(below)[0], state._replace(layers=layers)

    def _vectors(self, ids: Array) -> Array:
        """Return what the first layer reads of ids (B,), (E, B)."""
        if self.embedding:
            return np.ascontiguousarray(self.embedding.vectors(ids).T)
        one_hot = np.zeros((self.layers[0].weight_ih.shape[1], len(ids)), self.layers[0].weight_ih.dtype)
        one_hot[ids, np.arange(len(ids))] = 1
        return one_hot
