"""The encoder: a sequence in, an annotation of each of its steps and a state for a decoder to begin with out.

S steps, B sequences, H hidden units, F features of an annotation, L layers, K states of a layer.
"""

from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import DTypeLike

from rnncli.models.encoder_decoder_spec import EncoderDecoderSpec
from rnncli.models.input_layer import InputLayer, InputSizes
from rnncli.nn.initializers import uniform
from rnncli.nn.layers import Lookup
from rnncli.nn.layers.stack import StackCache
from rnncli.nn.parameter import Array, Parameter, Parameters, prefixed
from rnncli.nn.protocols import State, SupportsBatch


class SupportsPairBatch(SupportsBatch, Protocol):
    """What a model reads of a batch: the source, ids (S, B) or vectors (D, S, B), and the target.

    Of the target `inputs` (T, B) begin with the begin symbol, and `targets` (T, B) end with the end symbol.
    """

    @property
    def source(self) -> Array: ...  # noqa: D102
    @property
    def source_mask(self) -> Array | None:
        """(S, B), True for real steps; None when all are."""
        ...


class Encoded(NamedTuple):
    """What a decoder is handed."""

    annotations: Array  # (F, S, B)
    state: State | None  # that each of its layers begins with; None where they hand none on
    mask: Array | None  # (S, B), True for real steps; None when all are


class EncoderCache(NamedTuple):
    """What a forward pass leaves for its backward pass."""

    stack: StackCache
    final: State  # of each layer (K, F, B)


class Bridge:
    """s = W (→h; ←h) + b for each state of a layer: W (K, H, F), b (K, H), in which both directions' ends meet."""

    def __init__(
        self, states: int, input_size: int, output_size: int, *, rng: np.random.Generator | None, dtype: DTypeLike
    ) -> None:
        self.weight = uniform(rng, (states, output_size, input_size), input_size, dtype)
        self.bias = uniform(rng, (states, output_size), input_size, dtype)

    def parameters(self) -> Parameters:
        """Return weight and bias."""
        return {"weight": self.weight, "bias": self.bias}

    def forward(self, state: Array) -> Array:
        """(K, F, B) → (K, H, B)."""
        mapped: Array = self.weight.value @ state
        return mapped + self.bias.value[..., None]

    def backward(self, d_mapped: Array, state: Array) -> Array:
        """∂W += ∂s (→h; ←h)ᵀ, ∂b += Σ ∂s; return Wᵀ ∂s."""
        self.weight.grad += d_mapped @ state.swapaxes(1, 2)
        self.bias.grad += d_mapped.sum(axis=-1)
        d_state: Array = self.weight.value.swapaxes(1, 2) @ d_mapped
        return d_state


class Encoder:
    """Embedding → recurrent stack: annotations are the top layer's outputs.

    The decoder's layers begin with the states in which the encoder's end. Of a bidirectional encoder these are twice
    as large, and a bridge maps them. A decoder with the recurrence of outputs alone begins with nothing.
    """

    def __init__(
        self, spec: EncoderDecoderSpec, sizes: InputSizes, *, rng: np.random.Generator | None, dtype: DTypeLike
    ) -> None:
        self.inputs = InputLayer(sizes, spec.embedding, dropout=spec.input_dropout, rng=rng, dtype=dtype)
        own = replace(spec, recurrence="hidden")
        self.stack = own.build(self.inputs.output_size, rng=rng, dtype=dtype, bidirectional=spec.bidirectional)
        self.hands_over = spec.recurrence == "hidden"
        bridged = self.hands_over and spec.bidirectional
        shapes = [layer.state_shape for layer in self.stack.layers] if bridged else []
        self.bridges = [Bridge(K, F, spec.hidden_size, rng=rng, dtype=dtype) for K, F in shapes]

    @property
    def output_size(self) -> int:
        """F: features of an annotation."""
        return self.stack.output_size

    def parameters(self) -> Parameters:
        """Return `encoder.embedding.weight`, `encoder.recurrent.0.…`, `bridge.0.weight`, …"""
        bridges: dict[str, Parameter] = {}
        for index, bridge in enumerate(self.bridges):
            bridges |= prefixed(f"bridge.{index}", bridge.parameters())
        own = self.inputs.parameters() | prefixed("recurrent", self.stack.parameters())
        return prefixed("encoder", own) | bridges

    def forward(
        self,
        x: Array | Lookup,
        state: State | None = None,
        mask: Array | None = None,
        rng: np.random.Generator | None = None,
    ) -> tuple[Encoded, EncoderCache]:
        """Read vectors (E, S, B) or a lookup, with mask (S, B)."""
        annotations, final, cache = self.stack.forward(x, state, mask, rng)
        begin = final if self.hands_over else None
        if self.bridges:
            begin = [bridge.forward(state) for bridge, state in zip(self.bridges, final, strict=True)]
        return Encoded(annotations, begin, mask), EncoderCache(cache, final)

    def backward(self, d_annotations: Array, d_begin: State, cache: EncoderCache) -> tuple[Array | None, State]:
        """Return ∂L/∂x, as of a `Recurrent`, and ∂L/∂state of the state before the first step."""
        d_final = d_begin if self.hands_over else None
        if self.bridges:
            d_final = [b.backward(d, s) for b, d, s in zip(self.bridges, d_begin, cache.final, strict=True)]
        return self.stack.backward(d_annotations, cache.stack, d_final)
