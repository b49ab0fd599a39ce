"""The language model: tokens in, a distribution over the next token out, at every step."""

from copy import copy
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike

from rnncli.errors import SettingError
from rnncli.models.condition import CONDITIONS, Condition, ConditionCache, Way
from rnncli.models.conditioned_step import ConditionedStep
from rnncli.models.embedding_spec import EmbeddingSpec, Pretrained
from rnncli.models.recurrence import FedStackSpec
from rnncli.models.window_step import WindowStep
from rnncli.nn.blocks import flat
from rnncli.nn.layers import Lookup, Softmax
from rnncli.nn.layers.softmax import SoftmaxGradient
from rnncli.nn.layers.stack import StackCache
from rnncli.nn.padding import spread
from rnncli.nn.parameter import Array, Parameters, prefixed
from rnncli.nn.protocols import Loss, State, SupportsBatch


@dataclass(frozen=True)
class LanguageModelSpec(FedStackSpec):
    """The architecture of a language model: the `model` section of a spec."""

    reads_outputs: ClassVar[str] = "a language model"

    embedding: EmbeddingSpec = EmbeddingSpec()
    tie_embeddings: bool = False
    condition: Way = "bias"  # how the vectors get in that a model is conditioned on, if it is

    def __post_init__(self) -> None:
        """Refuse combinations that make no sense."""
        super().__post_init__()
        if self.tie_embeddings and self.embedding.kind != "learned":
            raise SettingError("tie_embeddings needs embedding.kind: learned", key="tie_embeddings")
        if self.tie_embeddings and self.embedding.size != self.hidden_size:
            sizes = f"embedding.size ({self.embedding.size}) equal to hidden_size ({self.hidden_size})"
            raise SettingError(f"tie_embeddings needs {sizes}", key="tie_embeddings")
        if self.condition == "initial_state" and self.initial_state == "learned":
            raise SettingError(
                "condition: initial_state makes all initial states, and so leaves none to be learned", key="condition"
            )
        if self.condition != "bias" and self.recurrence == "output":
            raise SettingError(
                f"condition: {self.condition} is for hidden states, and recurrence: output hands none on: use bias",
                key="condition",
            )


class LanguageModelCache(NamedTuple):
    """What the loss leaves for the backward pass."""

    ids: Array | None  # (T, B) when the input vectors came from the embedding
    stack: StackCache | ConditionCache
    mask: Array | None  # (T, B), True at the N real positions
    shape: tuple[int, int]  # T, B
    output: SoftmaxGradient | None


class LanguageModel:
    """Embedding → recurrent stack → linear → softmax: a, h, o, ŷ at every step (Mikolov et al. 2010).

    Or in place of the recurrent stack a control's, with causal windows (Bengio et al. 2003), or with the recurrence of
    outputs alone layers that read one step. Where there is a `condition_size` C, each sequence has a vector (C,) that
    all of its tokens depend on. V classes, E embedding size, H hidden units; ids (T, B).
    """

    def __init__(
        self,
        spec: LanguageModelSpec,
        vocabulary_size: int,
        *,
        condition_size: int = 0,
        pretrained: Pretrained | None = None,
        rng: np.random.Generator | None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        """Raise ValueError for a condition of a control."""
        V, H = vocabulary_size, spec.hidden_size
        self.spec = spec
        self.vocabulary_size = V
        # A tied table is also the output weight, so it begins at that weight's scale
        deviation = H**-0.5 if spec.tie_embeddings else 1.0
        self.embedding = spec.embedding.build(V, pretrained, rng=rng, dtype=dtype, deviation=deviation)
        self.stack = spec.build(self.embedding.size if self.embedding else V, rng=rng, dtype=dtype)
        tied = self.embedding.weight if self.embedding and spec.tie_embeddings else None
        self.output = Softmax(H, V, rng=rng, dtype=dtype, bias=spec.bias, weight=tied)
        self.condition: Condition | None = None
        if condition_size and spec.is_control:
            raise ValueError(f"a condition needs a recurrent cell, not {spec.cell.name}")
        if condition_size:
            way = CONDITIONS[spec.condition]
            self.condition = way(self.stack, condition_size, bias=spec.bias, rng=rng, dtype=dtype)

    def parameters(self) -> Parameters:
        """Return `embedding.weight`, `recurrent.0.weight_ih`, `convolution.0.weight` or `hidden.0.weight`, …

        And `output.weight`, …; where there is one, `condition.weight`, …
        """
        embedding = prefixed("embedding", self.embedding.parameters()) if self.embedding else {}
        return (
            embedding
            | prefixed(self.spec.stack_name, self.stack.parameters())
            | prefixed("output", self.output.parameters())
            | (prefixed("condition", self.condition.parameters()) if self.condition else {})
        )

    def embed(self, ids: Array) -> Array | Lookup:
        """ids (T, B) → what the first layer reads: vectors (E, T, B), or a lookup of the ids."""
        if ids.size and not 0 <= ids.min() <= ids.max() < self.vocabulary_size:
            raise IndexError(f"token ids must be in 0..{self.vocabulary_size - 1}")
        return self.embedding.forward(ids) if self.embedding else Lookup(ids)

    def loss(
        self,
        batch: SupportsBatch,
        state: State | None = None,
        rng: np.random.Generator | None = None,
        *,
        gradient: bool = True,
    ) -> tuple[Loss, State, LanguageModelCache]:
        """Return the summed cross-entropy of the real targets in nats, the state after the batch, and the cache.

        A conditioned model reads `condition` (C, B) of the batch; a state that is given goes on, and has seen it where
        it gets in but once. Without `gradient` there is nothing in the cache to go backward from.
        """
        return self.loss_from(self.embed(batch.inputs), batch, state, rng, ids=batch.inputs, gradient=gradient)

    def loss_from(
        self,
        x: Array | Lookup,
        batch: SupportsBatch,
        state: State | None = None,
        rng: np.random.Generator | None = None,
        *,
        ids: Array | None = None,
        gradient: bool = True,
    ) -> tuple[Loss, State, LanguageModelCache]:
        """Return the same for given input vectors (E, T, B), or a lookup; padding is left out before the softmax."""
        condition = getattr(batch, "condition", None) if self.condition else None
        top, state, stack_cache = self._run(x, state, batch.mask, rng, condition)
        hidden, targets, mask = flat(top), batch.targets.ravel(), batch.mask
        if mask is not None:
            hidden, targets = hidden[:, mask.ravel()], targets[mask.ravel()]
        loss, output = self.output.loss(hidden, targets, gradient=gradient)
        return loss, state, LanguageModelCache(ids, stack_cache, mask, batch.targets.shape, output)

    def backward(self, cache: LanguageModelCache) -> tuple[Array | None, State]:
        """Add the gradient of the summed loss to every parameter.

        Returns ∂L/∂x, of vectors (E, T, B) or of a lookup's vectors (V, E) (None for ids that are one-hot), and
        ∂L/∂state of the state before the batch. That of a condition is added to `cache.stack.vector.grad`.
        """
        assert cache.output is not None
        d_hidden = self.output.add(cache.output)
        d_hidden = spread(d_hidden, None if cache.mask is None else cache.mask.ravel())
        d_hidden = d_hidden.reshape(-1, *cache.shape)
        if self.condition and isinstance(cache.stack, ConditionCache):
            d_x, d_state = self.condition.backward(d_hidden, cache.stack)
        else:
            assert isinstance(cache.stack, StackCache)
            d_x, d_state = self.stack.backward(d_hidden, cache.stack)
        if self.embedding and cache.ids is not None and d_x is not None:
            self.embedding.backward(d_x, cache.ids)
        return d_x, d_state

    def logits(
        self, ids: Array, state: State | None = None, *, condition: Array | None = None, last: bool = False
    ) -> tuple[Array, State]:
        """Return logits (V, T·B) for ids (T, B), or with `last` those (V, B) of the last step, and the state after."""
        top, state, _ = self._run(self.embed(ids), state, None, None, condition)
        return self.output.forward(flat(top[:, -1:] if last else top))[0], state

    def given(self, condition: Array) -> Self:
        """Return the model of sequences that all have one condition (C,): one without a condition, and none to train.

        It has the weights of this one, and what a step costs is what it costs without a condition.
        """
        assert self.condition
        model = copy(self)
        model.stack, model.condition = self.condition.given(condition), None
        return model

    def decoding_step(self) -> ConditionedStep | WindowStep:
        """Return what steps through many columns side by side, each with a condition of its own."""
        if self.spec.is_control:
            return WindowStep(self.logits)
        return ConditionedStep(self.embedding, self.stack, self.output, self.condition)

    def _run(
        self,
        x: Array | Lookup,
        state: State | None,
        mask: Array | None,
        rng: np.random.Generator | None,
        condition: Array | None,
    ) -> tuple[Array, State, StackCache | ConditionCache]:
        if self.condition:
            return self.condition.forward(self.condition.vector(condition), x, state, mask, rng)
        return self.stack.forward(x, state, mask, rng)
