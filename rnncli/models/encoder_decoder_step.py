"""The encoder–decoder one target token at a time: the step routine of decoding, by the weights of this moment.

B columns, V tokens, S states of a layer, H hidden units.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rnncli.models.condition import fresh_state
from rnncli.models.decoder import Decoder
from rnncli.models.encoder import Encoded, SupportsPairBatch
from rnncli.nn.layer_step import step_of
from rnncli.nn.layers.attention import Memory
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import State


class DecodingState(NamedTuple):
    """Where each column stands."""

    layers: State  # (S, H, B) each
    fed: Array  # h̃ of the step before, (H, B)
    memory: Memory | None  # what is attended to, a row for each column
    sentences: Array  # (B,), which sentence of the batch a column belongs to


class EncoderDecoderStep:
    """The logits that follow one more token of the target, as `EncoderDecoder.loss` has them."""

    def __init__(self, encode: Callable[[SupportsPairBatch, State | None], Encoded], decoder: Decoder) -> None:
        self.encode, self.decoder = encode, decoder
        self.layers = [step_of(layer) for layer in decoder.stack.layers]

    def begin(self, batch: SupportsPairBatch, state: State | None = None) -> tuple[Array, DecodingState]:
        """Read the sources, and the begin symbols; return the logits (V, B) of the first tokens, and the state.

        A state that is given is the encoder's before the first step.
        """
        annotations, state, mask = self.encode(batch, state)
        attentive, B = self.decoder.attention, annotations.shape[-1]
        memory = attentive.attention.remember(annotations, mask) if attentive else None
        state = state or [fresh_state(layer, B) for layer in self.decoder.stack.layers]
        fed = np.zeros((self.layers[-1].hidden_size, B), annotations.dtype)
        return self(batch.inputs[0], DecodingState(state, fed, memory, np.arange(B)))

    def select(self, state: DecodingState, columns: Array) -> DecodingState:
        """Return a state made of copies of these columns (B',).

        What is attended to is copied only where columns change their sentences, which hypotheses of a beam do not.
        """
        sentences, memory = state.sentences[columns], state.memory
        if memory and not np.array_equal(sentences, state.sentences):
            memory = memory.select(columns)
        layers = [np.take(layer, columns, axis=-1) for layer in state.layers]
        return DecodingState(layers, np.take(state.fed, columns, axis=-1), memory, sentences)

    def __call__(self, ids: Array, state: DecodingState) -> tuple[Array, DecodingState]:
        """Return the logits (V, B) that follow ids (B,), and the state after them."""
        decoder, fed = self.decoder, state.fed
        x, _ = decoder.inputs.forward(ids[None])
        below = decoder.inputs.vectors(x)[:, 0]
        if decoder.attention and decoder.attention.input_feeding:
            below = np.concatenate((below, fed))
        layers = []
        for layer, before in zip(self.layers, state.layers, strict=True):
            layers.append(layer(below, before))
            below = layers[-1][0]
        if decoder.attention and state.memory:
            attention = decoder.attention.attention
            cache = attention.allocate(state.memory, 1, gradient=False)
            below = fed = np.ascontiguousarray(attention.attend(below[:, None], cache)[:, 0])
        logits, _ = decoder.output.forward(below)
        return logits, state._replace(layers=layers, fed=fed)
