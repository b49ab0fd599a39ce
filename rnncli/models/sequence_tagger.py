"""The sequence tagger: a sequence in, and at every step a label, or a yes or no for each of several labels."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import DTypeLike

from rnncli.models.embedding_spec import Pretrained
from rnncli.models.fed_labels import joined, previous
from rnncli.models.input_layer import NOTHING_READ, InputCache, InputLayer, InputSizes, SpelledWords
from rnncli.models.sequence_tagger_spec import SequenceTaggerSpec, TagOutput
from rnncli.models.sequence_tagger_step import SequenceTaggerStep
from rnncli.nn.blocks import flat
from rnncli.nn.layers import CRF, Embedding, Linear, Lookup
from rnncli.nn.layers.crf import CRFGradient
from rnncli.nn.layers.stack import StackCache
from rnncli.nn.losses import LOSSES, activated
from rnncli.nn.padding import spread
from rnncli.nn.parameter import Array, Parameters, prefixed
from rnncli.nn.protocols import Loss, State


class SupportsTaggedBatch(Protocol):
    """What a tagger reads of a batch: ids (T, B) or vectors (D, T, B), and what follows."""

    @property
    def inputs(self) -> Array: ...  # noqa: D102
    @property
    def words(self) -> Array | None:
        """The place of each word among the spelled ones, (T, B)."""
        ...

    @property
    def spelled(self) -> SpelledWords | None: ...  # noqa: D102
    @property
    def word_numbers(self) -> Array | None:
        """The number of each word, (T, B)."""
        ...

    @property
    def targets(self) -> Array:
        """Class ids (T, B), below 0 for one that is missing; or 0 or 1 for each of several labels, (K, T, B)."""
        ...

    @property
    def mask(self) -> Array | None:
        """(T, B), True for real steps; None when all are."""
        ...


class SequenceTaggerCache(NamedTuple):
    """What the loss leaves for the backward pass."""

    inputs: InputCache
    stack: StackCache
    hidden: Array  # (R, N) of the N steps that are scored
    steps: Array | None  # (T·B,), True for those; None when all are
    shape: tuple[int, int]  # T, B
    output: CRFGradient | Array | None  # of the scores (K, N)


class SequenceTagger:
    """Embedding, characters → recurrent stack → linear at every step → softmax, sigmoid, or a CRF over the sequence.

    Where outputs are recurrent, the stack reads (x_t; y_{t-1}): so labels may depend on each other, given the inputs.
    With hidden states alone they do not: P(y | x) = Π_t P(y_t | x) (Goodfellow et al. 2016, 10.2). In training y_{t-1}
    is the true label; where a batch has labels to be fed in place of these, as `previous` has them, it is those.

    Inputs are ids (T, B) of V tokens, or vectors (D, T, B); T steps, B sequences, R features of the top layer, K
    outputs, E features of an input.
    """

    def __init__(
        self,
        spec: SequenceTaggerSpec,
        outputs: int,
        output: TagOutput,
        sizes: InputSizes,
        *,
        pretrained: Pretrained | None = None,
        rng: np.random.Generator | None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.spec, self.activation = spec, output
        self.inputs = InputLayer(
            sizes, spec.embedding, spec.characters, pretrained, dropout=spec.input_dropout, rng=rng, dtype=dtype
        )
        self.outputs, self.feeds_labels = outputs, spec.recurrence != "hidden"
        fed = (outputs + 1) * self.feeds_labels
        self.stack = spec.build(self.inputs.output_size + fed, rng=rng, dtype=dtype, bidirectional=spec.bidirectional)
        self.output = Linear(self.stack.output_size, outputs, rng=rng, dtype=dtype, bias=spec.bias)
        self.crf = CRF(outputs, rng=rng, dtype=dtype) if spec.crf else None

    @property
    def embedding(self) -> Embedding | None:
        """The vectors of tokens, which those of a file are put into."""
        return self.inputs.embedding

    def parameters(self) -> Parameters:
        """Return `embedding.weight`, `characters.embedding.weight`, `recurrent.0.…`, `output.weight`, `crf.start`, …"""
        return (
            self.inputs.parameters()
            | prefixed(self.spec.stack_name, self.stack.parameters())
            | prefixed("output", self.output.parameters())
            | (prefixed("crf", self.crf.parameters()) if self.crf else {})
        )

    def loss(
        self,
        batch: SupportsTaggedBatch,
        state: State | None = None,
        rng: np.random.Generator | None = None,
        *,
        gradient: bool = True,
    ) -> tuple[Loss, State, SequenceTaggerCache]:
        """Return the summed loss of a batch, no state, and the cache; a class id below 0 is a missing target.

        A CRF leaves a sequence with such a step out as a whole. Without `gradient` there is no going backward.
        """
        x, inputs = self.inputs.forward(batch.inputs, batch.words, batch.spelled, rng=rng)
        return self.loss_from(x, batch, state, rng, inputs=inputs, gradient=gradient)

    def loss_from(
        self,
        x: Array | Lookup,
        batch: SupportsTaggedBatch,
        state: State | None = None,
        rng: np.random.Generator | None = None,
        *,
        inputs: InputCache = NOTHING_READ,
        gradient: bool = True,
    ) -> tuple[Loss, State, SequenceTaggerCache]:
        """Return the same for what the input layer returned, or vectors (E, T, B) that stand for no inputs."""
        top, _, stack = self.stack.forward(self._fed(x, batch), state, batch.mask, rng)
        hidden, shape, steps = flat(top), top.shape[1:], None
        if self.crf is None:
            steps = self._scored(batch)
            hidden = hidden if steps is None else hidden[:, steps]
        outputs, _ = self.output.forward(hidden)
        loss, d_outputs = self._loss(outputs, batch, steps, gradient=gradient)
        return loss, [], SequenceTaggerCache(inputs, stack, hidden, steps, shape, d_outputs)

    def _scored(self, batch: SupportsTaggedBatch) -> Array | None:
        """Return which of all steps (T·B,) have a target; None for all."""
        steps = None if batch.mask is None else batch.mask.ravel()
        if self.activation == "softmax" and (batch.targets < 0).any():
            known = batch.targets.ravel() >= 0
            steps = known if steps is None else known & steps
        return steps

    def _loss(
        self, outputs: Array, batch: SupportsTaggedBatch, steps: Array | None, *, gradient: bool
    ) -> tuple[Loss, CRFGradient | Array | None]:
        """Return the loss of outputs (K, N), which are overwritten, and its gradient."""
        if self.crf:
            scores = outputs.reshape(-1, *batch.inputs.shape[-2:])
            return self.crf.loss(scores, batch.targets, batch.mask, gradient=gradient)
        targets = batch.targets.reshape(*batch.targets.shape[:-2], -1)
        return LOSSES[self.activation](outputs, targets if steps is None else targets[..., steps], None)

    def backward(self, cache: SequenceTaggerCache) -> tuple[Array | None, State]:
        """Add the gradient of the summed loss to every parameter.

        Returns ∂L/∂x, of vectors (E, T, B) or of a lookup's vectors (V, E) (None for ids that are one-hot), and
        ∂L/∂state of the state before the first step.
        """
        d_outputs = cache.output
        if self.crf and isinstance(d_outputs, CRFGradient):
            d_outputs = flat(self.crf.add(d_outputs))
        assert isinstance(d_outputs, np.ndarray)
        d_top = spread(self.output.backward(d_outputs, cache.hidden), cache.steps)
        d_x, d_state = self.stack.backward(d_top.reshape(-1, *cache.shape), cache.stack)
        if d_x is not None and self.feeds_labels:
            d_x = d_x[: self.inputs.output_size]
        if d_x is not None:
            self.inputs.backward(d_x, cache.inputs)
        return d_x, d_state

    def scores(
        self,
        batch: SupportsTaggedBatch,
        word_vectors: Array | None = None,
        *,
        forced: bool = False,
        threshold: float = 0.5,
    ) -> Array:
        """Return what the output layer says at every step, (K, T, B).

        Given the vectors (E', U) of all words that may occur, by their numbers, none is read letter by letter. Labels
        that are fed are the model's own, the best at each step, of several those as probable as the `threshold`; or if
        `forced` the true ones, under which the loss is.
        """
        x = self._read(batch, word_vectors)
        if self.feeds_labels and not forced:
            return self.decoding_step().own_scores(self.inputs.vectors(x), threshold)
        top, _, _ = self.stack.forward(self._fed(x, batch), None, batch.mask)
        outputs, _ = self.output.forward(flat(top))
        return outputs.reshape(-1, *top.shape[1:])

    def decoding_step(self) -> SequenceTaggerStep:
        """Return what steps through many sequences side by side, one label after the other."""
        several = self.activation == "sigmoid"

        def read(batch: SupportsTaggedBatch) -> Array:
            return self.inputs.vectors(self._read(batch))

        return SequenceTaggerStep(read, self.stack, self.output, several=several)

    def _read(self, batch: SupportsTaggedBatch, word_vectors: Array | None = None) -> Array | Lookup:
        """Return what is read of the inputs."""
        if word_vectors is None:
            return self.inputs.forward(batch.inputs, batch.words, batch.spelled)[0]
        return self.inputs.forward(batch.inputs, batch.word_numbers, word_vectors=word_vectors)[0]

    def _fed(self, x: Array | Lookup, batch: SupportsTaggedBatch) -> Array | Lookup:
        """Return what the stack reads in training, given what is read of the inputs."""
        if not self.feeds_labels:
            return x
        fed = getattr(batch, "fed", None)
        return joined(self.inputs.vectors(x), previous(batch.targets) if fed is None else fed, self.outputs)

    def loss_of(self, scores: Array, batch: SupportsTaggedBatch) -> Loss:
        """Return the summed loss of a batch with these scores (K, T, B)."""
        steps, outputs = (None if self.crf else self._scored(batch)), flat(scores)
        return self._loss(outputs.copy() if steps is None else outputs[:, steps], batch, steps, gradient=False)[0]

    def decode(self, scores: Array, mask: Array | None) -> Array:
        """Scores (K, T, B) → the class ids (T, B): of a CRF those of the most probable whole sequence."""
        ids: Array = self.crf.decode(scores, mask) if self.crf else scores.argmax(axis=0)
        return ids

    def probabilities(self, scores: Array, mask: Array | None) -> Array:
        """Scores (K, T, B) → the probability of each class, or of each label, at every step."""
        if self.crf:
            return self.crf.marginals(scores, mask)
        return activated(flat(scores).copy(), self.activation).reshape(scores.shape)
