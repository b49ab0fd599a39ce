"""The language model: tokens in, a distribution over the next token out, at every step."""

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import DTypeLike

from rnncli.nn.cells import AnyCell, LSTMCell
from rnncli.nn.layers import Embedding, Linear, Stack
from rnncli.nn.layers.recurrent import merge_time, split_time
from rnncli.nn.layers.stack import StackCache
from rnncli.nn.losses import LOSSES
from rnncli.nn.parameter import Array, Parameters, prefixed
from rnncli.nn.protocols import Loss, State, SupportsBatch

Probability = Annotated[float, Ge(0), Lt(1)]
Size = Annotated[int, Gt(0), Le(1_000_000)]


@dataclass(frozen=True)
class EmbeddingSpec:
    """How a token becomes a vector: its own learned one, or a one-hot one (kept as its index)."""

    kind: Literal["learned", "one_hot"] = "learned"
    size: Size = 64


@dataclass(frozen=True)
class LanguageModelSpec:
    """The architecture of a language model: the `model` section of a spec."""

    embedding: EmbeddingSpec = EmbeddingSpec()
    tie_embeddings: bool = False
    cell: AnyCell = LSTMCell()
    hidden_size: Size = 128
    num_layers: Size = 2
    bias: bool = True
    initial_state: Literal["zeros", "learned"] = "zeros"
    dropout: Probability = 0.0
    recurrent_dropout: Probability = 0.0

    def __post_init__(self) -> None:
        """Refuse combinations that make no sense."""
        if self.tie_embeddings and self.embedding.kind != "learned":
            raise ValueError("tie_embeddings needs embedding.kind: learned")
        if self.tie_embeddings and self.embedding.size != self.hidden_size:
            raise ValueError(
                f"tie_embeddings needs embedding.size ({self.embedding.size}) equal to hidden_size ({self.hidden_size})"
            )


class LanguageModelCache(NamedTuple):
    """What the loss leaves for the backward pass."""

    ids: Array | None  # (T, B) when the input vectors came from the embedding
    steps: int
    stack: StackCache
    hidden: Array  # (H, N), the hidden states of the N real positions
    real: Array | None  # (T·B,), True at real positions
    d_logits: Array  # (V, N)


class LanguageModel:
    """Embedding → recurrent stack → linear → softmax: a, h, o, ŷ at every step (Mikolov et al. 2010).

    V classes, E embedding size, H hidden units; ids (T, B).
    """

    def __init__(
        self,
        spec: LanguageModelSpec,
        vocabulary_size: int,
        *,
        rng: np.random.Generator | None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        V, E, H = vocabulary_size, spec.embedding.size, spec.hidden_size
        self.spec = spec
        self.vocabulary_size = V
        # A tied table is also the output weight, so it begins at that weight's scale
        deviation = H**-0.5 if spec.tie_embeddings else 1.0
        learned = spec.embedding.kind == "learned"
        self.embedding = Embedding(V, E, rng=rng, dtype=dtype, deviation=deviation) if learned else None
        self.recurrent = Stack(
            spec.cell,
            E if learned else V,
            H,
            spec.num_layers,
            rng=rng,
            dtype=dtype,
            bias=spec.bias,
            learned_initial_state=spec.initial_state == "learned",
            dropout=spec.dropout,
            recurrent_dropout=spec.recurrent_dropout,
        )
        tied = self.embedding.weight if self.embedding and spec.tie_embeddings else None
        self.output = Linear(H, V, rng=rng, dtype=dtype, bias=spec.bias, weight=tied)

    def parameters(self) -> Parameters:
        """Return `embedding.weight`, `recurrent.0.weight_ih`, …, `output.weight`, `output.bias`."""
        embedding = prefixed("embedding", self.embedding.parameters()) if self.embedding else {}
        return (
            embedding
            | prefixed("recurrent", self.recurrent.parameters())
            | prefixed("output", self.output.parameters())
        )

    def embed(self, ids: Array) -> Array:
        """ids (T, B) → vectors (T, E, B); one-hot ones stay ids, which the first layer reads as lookups."""
        return self.embedding.forward(ids)[0] if self.embedding else ids

    def loss(
        self, batch: SupportsBatch, state: State | None = None, rng: np.random.Generator | None = None
    ) -> tuple[Loss, State, LanguageModelCache]:
        """Return the summed cross-entropy of the real targets in nats, the state after the batch, and the cache."""
        return self.loss_from_vectors(self.embed(batch.inputs), batch, state, rng, ids=batch.inputs)

    def loss_from_vectors(
        self,
        vectors: Array,
        batch: SupportsBatch,
        state: State | None = None,
        rng: np.random.Generator | None = None,
        ids: Array | None = None,
    ) -> tuple[Loss, State, LanguageModelCache]:
        """Return the same with the input vectors (T, E, B) given; padding is left out before the softmax."""
        top, state, stack_cache = self.recurrent.forward(vectors, state, batch.mask, rng)
        hidden, targets, real = merge_time(top), batch.targets.ravel(), None
        if batch.mask is not None:
            real = batch.mask.ravel()
            hidden, targets = hidden[:, real], targets[real]
        logits, _ = self.output.forward(hidden)
        loss, d_logits = LOSSES["softmax_cross_entropy"](logits, targets)
        return loss, state, LanguageModelCache(ids, len(vectors), stack_cache, hidden, real, d_logits)

    def backward(self, cache: LanguageModelCache) -> tuple[Array | None, State]:
        """Add the gradient of the summed loss to every parameter.

        Returns ∂L/∂vectors (T, E, B) (None for ids that are one-hot) and ∂L/∂state of the state before the batch.
        """
        d_hidden = self.output.backward(cache.d_logits, cache.hidden)
        if cache.real is not None:
            every = np.zeros((len(d_hidden), len(cache.real)), d_hidden.dtype)
            every[:, cache.real] = d_hidden
            d_hidden = every
        d_vectors, d_state = self.recurrent.backward(split_time(d_hidden, cache.steps), cache.stack)
        if self.embedding and cache.ids is not None and d_vectors is not None:
            self.embedding.backward(d_vectors, cache.ids)
        return d_vectors, d_state

    def logits(self, ids: Array, state: State | None = None, *, last: bool = False) -> tuple[Array, State]:
        """Return logits (V, T·B) for ids (T, B), or with `last` those (V, B) of the last step, and the state after."""
        top, state, _ = self.recurrent.forward(self.embed(ids), state)
        return self.output.forward(merge_time(top[-1:] if last else top))[0], state

    def step(self, ids: Array, state: State | None) -> tuple[Array, State]:
        """Return logits (V, B) of the token after ids (B,), and the state to go on from: T = 1."""
        return self.logits(ids[None, :], state)
