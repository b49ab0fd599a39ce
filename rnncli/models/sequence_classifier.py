"""The sequence classifier: a sequence in, one vector of it, and from that a label, several labels, or a real value."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from rnncli.models.embedding_spec import EmbeddingSpec, Pretrained
from rnncli.models.input_layer import NOTHING_READ, InputCache, InputLayer, InputSizes
from rnncli.models.stack_spec import ModelSize, StackSpec
from rnncli.nn.layers import Embedding, Linear, Lookup
from rnncli.nn.layers.readouts import READOUTS, ReadoutName
from rnncli.nn.layers.stack import StackCache
from rnncli.nn.losses import LOSSES, activated
from rnncli.nn.padding import spread
from rnncli.nn.parameter import Array, Parameters, prefixed
from rnncli.nn.protocols import Loss, State, SupportsLabelledBatch

Output = Literal["softmax", "sigmoid", "linear"]
"""One label of K, a yes or no for each of K labels, or K real values."""


@dataclass(frozen=True)
class SequenceClassifierSpec(StackSpec):
    """The architecture of a sequence classifier: the `model` section of a spec."""

    num_layers: ModelSize = 1
    embedding: EmbeddingSpec = EmbeddingSpec()
    bidirectional: bool = False
    readout: ReadoutName = "last"


class EncoderCache(NamedTuple):
    """What encoding leaves for the backward pass."""

    inputs: InputCache
    stack: StackCache
    readout: object


class SequenceClassifierCache(NamedTuple):
    """What the loss leaves for the backward pass."""

    encoder: EncoderCache
    vector: Array  # (R, B)
    known: Array | None  # (B,), where a target is missing
    d_output: Array  # (K, N) of the N sequences with a target


class SequenceClassifier:
    """Embedding → recurrent stack → readout over time → linear: one vector of R features a sequence, then K outputs.

    Or in place of the recurrent stack a control's. Inputs are ids (T, B) of V tokens, or vectors (D, T, B); T steps, B
    sequences, E features of an input, H hidden units; R is H, or 2H of a recurrent stack that is `bidirectional`.
    """

    def __init__(
        self,
        spec: SequenceClassifierSpec,
        outputs: int,
        output: Output,
        sizes: InputSizes,
        *,
        pretrained: Pretrained | None = None,
        rng: np.random.Generator | None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.spec, self.activation = spec, output
        self.inputs = InputLayer(sizes, spec.embedding, pretrained=pretrained, rng=rng, dtype=dtype)
        self.stack = spec.build(self.inputs.output_size, rng=rng, dtype=dtype, bidirectional=spec.bidirectional)
        R = self.stack.output_size
        self.readout = READOUTS[spec.readout](R, spec.bidirectional and spec.is_recurrent, rng, dtype)
        self.output = Linear(R, outputs, rng=rng, dtype=dtype, bias=spec.bias)

    @property
    def embedding(self) -> Embedding | None:
        """The vectors of tokens, which those of a file are put into."""
        return self.inputs.embedding

    def parameters(self) -> Parameters:
        """Return `embedding.weight`, `recurrent.0.…` or `convolution.0.…`, …, `readout.…`, `output.weight`, …"""
        return (
            self.inputs.parameters()
            | prefixed(self.spec.stack_name, self.stack.parameters())
            | prefixed("readout", self.readout.parameters())
            | prefixed("output", self.output.parameters())
        )

    def encode(
        self,
        x: Array | Lookup,
        mask: Array | None = None,
        rng: np.random.Generator | None = None,
        state: State | None = None,
        *,
        inputs: InputCache = NOTHING_READ,
    ) -> tuple[Array, EncoderCache]:
        """What the input layer returned → one vector a sequence (R, B), and the cache; mask (T, B) as layers have it.

        Or vectors (E, T, B) that stand for no inputs.
        """
        top, _, stack = self.stack.forward(x, state, mask, rng)
        vector, readout = self.readout.forward(top, mask)
        return vector, EncoderCache(inputs, stack, readout)

    def encode_backward(self, d_vector: Array, cache: EncoderCache) -> tuple[Array | None, State]:
        """Backpropagate ∂L/∂vector (R, B), wherever it comes from; add to the gradient of every parameter.

        Returns ∂L/∂x, of vectors (E, T, B) or of a lookup's vectors (V, E) (None for ids that are one-hot), and
        ∂L/∂state of the state before the first step.
        """
        d_top = self.readout.backward(d_vector, cache.readout)
        d_x, d_state = self.stack.backward(d_top, cache.stack)
        if d_x is not None:
            self.inputs.backward(d_x, cache.inputs)
        return d_x, d_state

    def loss(
        self,
        batch: SupportsLabelledBatch,
        state: State | None = None,
        rng: np.random.Generator | None = None,
        *,
        gradient: bool = True,  # noqa: ARG002 - of so few outputs the gradient costs nothing
    ) -> tuple[Loss, State, SequenceClassifierCache]:
        """Return the summed loss of a batch, no state, and the cache; a class id below 0 is a missing target."""
        x, inputs = self.inputs.forward(batch.inputs)
        return self.loss_from(x, batch, state, rng, inputs=inputs)

    def loss_from(
        self,
        x: Array | Lookup,
        batch: SupportsLabelledBatch,
        state: State | None = None,
        rng: np.random.Generator | None = None,
        *,
        inputs: InputCache = NOTHING_READ,
    ) -> tuple[Loss, State, SequenceClassifierCache]:
        """Return the same for given input vectors (E, T, B), or a lookup, and initial states."""
        vector, encoder = self.encode(x, batch.mask, rng, state, inputs=inputs)
        outputs, _ = self.output.forward(vector)
        loss, d_output, known = self._loss(outputs, batch)
        return loss, [], SequenceClassifierCache(encoder, vector, known, d_output)

    def _loss(self, outputs: Array, batch: SupportsLabelledBatch) -> tuple[Loss, Array, Array | None]:
        """Return the loss of outputs (K, B), which are overwritten, its gradient, and where targets are known."""
        targets, weights, known = batch.targets, batch.weights, None
        if self.activation == "softmax" and (targets < 0).any():
            known = targets >= 0
            outputs, targets = outputs[:, known], targets[known]
            weights = None if weights is None else weights[known]
        loss, d_output = LOSSES[self.activation](outputs, targets, weights)
        return loss, d_output, known

    def backward(self, cache: SequenceClassifierCache) -> tuple[Array | None, State]:
        """Add the gradient of the summed loss to every parameter; return what `encode_backward` does."""
        d_output = spread(cache.d_output, cache.known)
        return self.encode_backward(self.output.backward(d_output, cache.vector), cache.encoder)

    def vectors(self, inputs: Array, mask: Array | None = None) -> Array:
        """Inputs → the vector of each sequence, (R, B)."""
        return self.encode(self.inputs.forward(inputs)[0], mask)[0]

    def predict(self, inputs: Array, mask: Array | None = None) -> Array:
        """Inputs → outputs (K, B): the probability of each class, of each label, or real values."""
        return activated(self.output.forward(self.vectors(inputs, mask))[0], self.activation)

    def evaluate(self, batch: SupportsLabelledBatch) -> tuple[Loss, Array]:
        """Return the loss of a batch and what `predict` returns for it."""
        outputs, _ = self.output.forward(self.vectors(batch.inputs, batch.mask))
        loss, _, _ = self._loss(outputs.copy(), batch)
        return loss, activated(outputs, self.activation)
