"""The language model: tokens in, a distribution over the next token out, at every step."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from rnncli.models.embedding_spec import EmbeddingSpec, Pretrained
from rnncli.models.stack_spec import StackSpec
from rnncli.nn.blocks import flat
from rnncli.nn.layers import Lookup, Softmax
from rnncli.nn.layers.softmax import SoftmaxGradient
from rnncli.nn.layers.stack import StackCache
from rnncli.nn.padding import spread
from rnncli.nn.parameter import Array, Parameters, prefixed
from rnncli.nn.protocols import Loss, State, SupportsBatch


@dataclass(frozen=True)
class LanguageModelSpec(StackSpec):
    """The architecture of a language model: the `model` section of a spec."""

    embedding: EmbeddingSpec = EmbeddingSpec()
    tie_embeddings: bool = False

    def __post_init__(self) -> None:
        """Refuse combinations that make no sense."""
        super().__post_init__()
        if self.tie_embeddings and self.embedding.kind != "learned":
            raise ValueError("tie_embeddings needs embedding.kind: learned")
        if self.tie_embeddings and self.embedding.size != self.hidden_size:
            raise ValueError(
                f"tie_embeddings needs embedding.size ({self.embedding.size}) equal to hidden_size ({self.hidden_size})"
            )


class LanguageModelCache(NamedTuple):
    """What the loss leaves for the backward pass."""

    ids: Array | None  # (T, B) when the input vectors came from the embedding
    stack: StackCache
    mask: Array | None  # (T, B), True at the N real positions
    shape: tuple[int, int]  # T, B
    output: SoftmaxGradient | None


class LanguageModel:
    """Embedding → recurrent stack → linear → softmax: a, h, o, ŷ at every step (Mikolov et al. 2010).

    Or in place of the recurrent stack a control's, with causal windows (Bengio et al. 2003). V classes, E embedding
    size, H hidden units; ids (T, B).
    """

    def __init__(
        self,
        spec: LanguageModelSpec,
        vocabulary_size: int,
        *,
        pretrained: Pretrained | None = None,
        rng: np.random.Generator | None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        V, H = vocabulary_size, spec.hidden_size
        self.spec = spec
        self.vocabulary_size = V
        # A tied table is also the output weight, so it begins at that weight's scale
        deviation = H**-0.5 if spec.tie_embeddings else 1.0
        self.embedding = spec.embedding.build(V, pretrained, rng=rng, dtype=dtype, deviation=deviation)
        self.stack = spec.build(self.embedding.size if self.embedding else V, rng=rng, dtype=dtype)
        tied = self.embedding.weight if self.embedding and spec.tie_embeddings else None
        self.output = Softmax(H, V, rng=rng, dtype=dtype, bias=spec.bias, weight=tied)

    def parameters(self) -> Parameters:
        """Return `embedding.weight`, `recurrent.0.weight_ih` or `convolution.0.weight`, …, `output.weight`, …"""
        embedding = prefixed("embedding", self.embedding.parameters()) if self.embedding else {}
        return (
            embedding
            | prefixed(self.spec.stack_name, self.stack.parameters())
            | prefixed("output", self.output.parameters())
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

        Without `gradient` there is nothing in the cache to go backward from.
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
        top, state, stack_cache = self.stack.forward(x, state, batch.mask, rng)
        hidden, targets, mask = flat(top), batch.targets.ravel(), batch.mask
        if mask is not None:
            hidden, targets = hidden[:, mask.ravel()], targets[mask.ravel()]
        loss, output = self.output.loss(hidden, targets, gradient=gradient)
        return loss, state, LanguageModelCache(ids, stack_cache, mask, batch.targets.shape, output)

    def backward(self, cache: LanguageModelCache) -> tuple[Array | None, State]:
        """Add the gradient of the summed loss to every parameter.

        Returns ∂L/∂x, of vectors (E, T, B) or of a lookup's vectors (V, E) (None for ids that are one-hot), and
        ∂L/∂state of the state before the batch.
        """
        assert cache.output is not None
        d_hidden = self.output.add(cache.output)
        d_hidden = spread(d_hidden, None if cache.mask is None else cache.mask.ravel())
        d_x, d_state = self.stack.backward(d_hidden.reshape(-1, *cache.shape), cache.stack)
        if self.embedding and cache.ids is not None and d_x is not None:
            self.embedding.backward(d_x, cache.ids)
        return d_x, d_state

    def logits(self, ids: Array, state: State | None = None, *, last: bool = False) -> tuple[Array, State]:
        """Return logits (V, T·B) for ids (T, B), or with `last` those (V, B) of the last step, and the state after."""
        top, state, _ = self.stack.forward(self.embed(ids), state)
        return self.output.forward(flat(top[:, -1:] if last else top))[0], state
