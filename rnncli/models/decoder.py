"""The decoder: from what an encoder left a sequence of tokens, one after the other.

T steps, B sequences, S steps of the source, V tokens, H hidden units, F features of an annotation.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from rnncli.models.encoder import Encoded
from rnncli.models.encoder_decoder_spec import EncoderDecoderSpec
from rnncli.models.input_layer import InputCache, InputLayer, InputSizes
from rnncli.nn.blocks import flat
from rnncli.nn.layers import Attention, AttentiveStack, Embedding, Softmax
from rnncli.nn.layers.attentive_stack import AttentiveStackCache
from rnncli.nn.layers.softmax import SoftmaxGradient
from rnncli.nn.layers.stack import StackCache
from rnncli.nn.padding import spread
from rnncli.nn.parameter import Array, Parameters, prefixed
from rnncli.nn.protocols import Loss, State, SupportsBatch


class DecoderCache(NamedTuple):
    """What the loss leaves for the backward pass."""

    inputs: InputCache
    stack: AttentiveStackCache | StackCache
    annotations: Array  # (F, S, B)
    mask: Array | None  # (T·B,), True at the N real positions
    shape: tuple[int, int]  # T, B
    output: SoftmaxGradient | None


class Decoder:
    """Embedding → recurrent stack → attention to the annotations, if there is any → linear → softmax.

    Where outputs alone are recurrent, each layer reads a single step, and attention tells all there is of the source.
    """

    def __init__(
        self,
        spec: EncoderDecoderSpec,
        vocabulary_size: int,
        annotation_size: int,
        *,
        rng: np.random.Generator | None,
        dtype: DTypeLike,
        embedding: Embedding | None = None,
    ) -> None:
        """`embedding` is the encoder's, where both sides share one."""
        V, H = vocabulary_size, spec.hidden_size
        self.vocabulary_size, self.is_shared = V, embedding is not None
        self.inputs = InputLayer(
            InputSizes(V), spec.embedding, shared=embedding, dropout=spec.input_dropout, rng=rng, dtype=dtype
        )
        stack = replace(spec, initial_state="zeros")  # which the encoder hands over, if any
        self.stack = stack.build(self.inputs.output_size + H * spec.input_feeding, rng=rng, dtype=dtype)
        self.stack_name = spec.stack_name
        self.attention: AttentiveStack | None = None
        if spec.attention != "none":
            attention = Attention(spec.attention, H, annotation_size, rng=rng, dtype=dtype)
            self.attention = AttentiveStack(self.stack, attention, input_feeding=spec.input_feeding)
        tied = self.inputs.embedding.weight if self.inputs.embedding and spec.tie_embeddings else None
        self.output = Softmax(H, V, rng=rng, dtype=dtype, bias=spec.bias, weight=tied)

    def parameters(self) -> Parameters:
        """Return `decoder.embedding.weight`, `decoder.recurrent.0.…` or `decoder.hidden.0.…`, `attention.…`, …"""
        own = prefixed(self.stack_name, self.stack.parameters())
        if not self.is_shared:
            own = self.inputs.parameters() | own
        attention = prefixed("attention", self.attention.attention.parameters()) if self.attention else {}
        return prefixed("decoder", own) | attention | prefixed("output", self.output.parameters())

    def loss(
        self,
        batch: SupportsBatch,
        encoded: Encoded,
        rng: np.random.Generator | None,
        *,
        gradient: bool,
    ) -> tuple[Loss, DecoderCache]:
        """Return the summed cross-entropy of the real targets in nats, and the cache."""
        top, inputs, stack = self.read(batch, encoded, rng, gradient=gradient)
        hidden, targets = flat(top), batch.targets.ravel()
        mask = None if batch.mask is None else batch.mask.ravel()
        if mask is not None:
            hidden, targets = hidden[:, mask], targets[mask]
        loss, output = self.output.loss(hidden, targets, gradient=gradient)
        return loss, DecoderCache(inputs, stack, encoded.annotations, mask, batch.targets.shape, output)

    def read(
        self,
        batch: SupportsBatch,
        encoded: Encoded,
        rng: np.random.Generator | None = None,
        *,
        gradient: bool = False,
    ) -> tuple[Array, InputCache, AttentiveStackCache | StackCache]:
        """Return what the output layer reads of tokens (T, B), (H, T, B), and the caches."""
        x, inputs = self.inputs.forward(batch.inputs, rng=rng)
        if self.attention is None:
            top, _, cache = self.stack.forward(x, encoded.state, batch.mask, rng)
            return top, inputs, cache
        if self.attention.input_feeding:
            x = self.inputs.vectors(x)
        top, attentive = self.attention.forward(
            x, encoded.state, encoded.annotations, encoded.mask, batch.mask, rng, gradient=gradient
        )
        return top, inputs, attentive

    def backward(self, cache: DecoderCache) -> tuple[State, Array]:
        """Add to the gradient of every parameter; return ∂L/∂state before the first step, and ∂L/∂annotations."""
        assert cache.output is not None
        d_top = spread(self.output.add(cache.output), cache.mask).reshape(-1, *cache.shape)
        if self.attention and isinstance(cache.stack, AttentiveStackCache):
            d_x, d_state, d_annotations = self.attention.backward(d_top, cache.stack)
        else:
            assert isinstance(cache.stack, StackCache)
            d_x, d_state = self.stack.backward(d_top, cache.stack)
            d_annotations = np.zeros_like(cache.annotations)
        if d_x is not None:
            self.inputs.backward(d_x, cache.inputs)
        return d_state, d_annotations
