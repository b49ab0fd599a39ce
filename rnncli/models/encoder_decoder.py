"""The encoder–decoder: a sequence in, another of any length out.

S steps of the source, T of the target, B sequences, V target tokens, E features of a source step.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from rnncli.models.decoder import Decoder, DecoderCache
from rnncli.models.encoder import Encoded, Encoder, EncoderCache, SupportsPairBatch
from rnncli.models.encoder_decoder_spec import EncoderDecoderSpec
from rnncli.models.encoder_decoder_step import EncoderDecoderStep
from rnncli.models.input_layer import NOTHING_READ, InputCache, InputSizes
from rnncli.nn.layers import Embedding, Lookup
from rnncli.nn.layers.attentive_stack import AttentiveStackCache
from rnncli.nn.parameter import Array, Parameters
from rnncli.nn.protocols import Loss, State


class EncoderDecoderCache(NamedTuple):
    """What the loss leaves for the backward pass."""

    inputs: InputCache
    encoder: EncoderCache
    decoder: DecoderCache


class EncoderDecoder:
    """h̄, s = encoder(x); ŷ_t = decoder(y_1 … y_{t-1}, s, h̄) (Sutskever et al. 2014; attention: Luong et al. 2015)."""

    def __init__(
        self,
        spec: EncoderDecoderSpec,
        target_size: int,
        sizes: InputSizes,
        *,
        shared: bool = False,
        rng: np.random.Generator | None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        """V is `target_size`; where the vocabulary is `shared`, so is the embedding."""
        self.spec = spec
        self.encoder = Encoder(spec, sizes, rng=rng, dtype=dtype)
        F, embedding = self.encoder.output_size, self.encoder.inputs.embedding if shared else None
        self.decoder = Decoder(spec, target_size, F, embedding=embedding, rng=rng, dtype=dtype)

    @property
    def embedding(self) -> Embedding | None:
        """The vectors of source tokens."""
        return self.encoder.inputs.embedding

    def parameters(self) -> Parameters:
        """Return `encoder.embedding.weight`, …, `bridge.0.weight`, …, `decoder.…`, `attention.…`, `output.weight`, …"""
        return self.encoder.parameters() | self.decoder.parameters()

    def loss(
        self,
        batch: SupportsPairBatch,
        state: State | None = None,
        rng: np.random.Generator | None = None,
        *,
        gradient: bool = True,
    ) -> tuple[Loss, State, EncoderDecoderCache]:
        """Return the summed cross-entropy of the real targets in nats, no state, and the cache.

        `state` is the encoder's before the first step. Without `gradient` there is no going backward.
        """
        x, inputs = self.encoder.inputs.forward(batch.source, rng=rng)
        return self.loss_from(x, batch, state, rng, inputs=inputs, gradient=gradient)

    def loss_from(
        self,
        x: Array | Lookup,
        batch: SupportsPairBatch,
        state: State | None = None,
        rng: np.random.Generator | None = None,
        *,
        inputs: InputCache = NOTHING_READ,
        gradient: bool = True,
    ) -> tuple[Loss, State, EncoderDecoderCache]:
        """Return the same for what the input layer made of the source, or vectors (E, S, B) that stand for nothing."""
        encoded, encoder = self.encoder.forward(x, state, batch.source_mask, rng)
        loss, decoder = self.decoder.loss(batch, encoded, rng, gradient=gradient)
        return loss, [], EncoderDecoderCache(inputs, encoder, decoder)

    def backward(self, cache: EncoderDecoderCache) -> tuple[Array | None, State]:
        """Add the gradient of the summed loss to every parameter.

        Returns ∂L/∂x of the source, of vectors (E, S, B) or of a lookup's vectors (None for ids that are one-hot), and
        ∂L/∂state of the encoder's state before the first step.
        """
        d_begin, d_annotations = self.decoder.backward(cache.decoder)
        d_x, d_state = self.encoder.backward(d_annotations, d_begin, cache.encoder)
        if d_x is not None:
            self.encoder.inputs.backward(d_x, cache.inputs)
        return d_x, d_state

    def decoding_step(self) -> EncoderDecoderStep:
        """Return what steps through many targets side by side, one token after the other."""
        return EncoderDecoderStep(self.encode, self.decoder)

    def encode(self, batch: SupportsPairBatch, state: State | None = None) -> Encoded:
        """Return what the decoder is handed; `state` is the encoder's before the first step."""
        x, _ = self.encoder.inputs.forward(batch.source)
        return self.encoder.forward(x, state, batch.source_mask)[0]

    def attention_weights(self, batch: SupportsPairBatch) -> Array | None:
        """Return what each step of the target looks at, (T, S, B), 0 at padding; None without attention."""
        if self.decoder.attention is None:
            return None
        _, _, cache = self.decoder.read(batch, self.encode(batch))
        assert isinstance(cache, AttentiveStackCache)
        return cache.attention.weights.transpose(1, 2, 0)
