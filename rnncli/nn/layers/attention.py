"""Attention: at each step of one sequence a weighted mean of another, with weights that say where to look.

B sequences, S steps that are attended to, T steps that attend, F features of the former, H of the latter.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from rnncli.nn.blocks import empty, empty_sequence, flat
from rnncli.nn.initializers import uniform
from rnncli.nn.layers.attention_scores import SCORES, ScoreName
from rnncli.nn.parameter import Array, Parameters, prefixed

EVERY = slice(None)


class Memory(NamedTuple):
    """What is attended to, sequence by sequence."""

    values: Array  # h̄ (B, S, F)
    keys: Array  # (B, S, A), which queries are compared with
    barred: Array | None  # (B, 1, S), minus infinity at padding and 0 elsewhere; None where there is none

    def select(self, columns: Array) -> "Memory":
        """Return that of these sequences (B',)."""
        barred = None if self.barred is None else self.barred[columns]
        return Memory(self.values[columns], self.keys[columns], barred)


class AttentionCache(NamedTuple):
    """What a pass fills step by step, forward and then backward."""

    memory: Memory
    states: Array  # h (B, T, H)
    queries: Array  # (B, T, A)
    weights: Array  # α (B, T, S)
    joined: Array  # c above h (F + H, T, B)
    output: Array  # h̃ (H, T, B)
    d_scores: Array  # (B, T, S)
    d_queries: Array  # (B, T, A)
    d_contexts: Array  # (B, T, F)
    d_sums: Array  # of W_c (c; h), (H, T, B)
    d_keys: Array  # (B, S, A), where it adds up step by step


class Attention:
    """h̃_t = tanh(W_c (c_t; h_t)) with c_t = Σ_s α_ts h̄_s, α_t = softmax_s(e_ts) (Luong et al. 2015): W_c (H, F + H).

    The scores e_ts of h_t and h̄_s are a dot product, a general one, or additive. Padding among the h̄_s has weight 0.
    """

    def __init__(
        self, score: ScoreName, query_size: int, value_size: int, *, rng: np.random.Generator | None, dtype: DTypeLike
    ) -> None:
        H, F = query_size, value_size
        self.query_size, self.value_size = H, F
        self.score = SCORES[score](H, F, rng=rng, dtype=dtype)
        self.combine = uniform(rng, (H, F + H), F + H, dtype)

    def parameters(self) -> Parameters:
        """Return those of the score, `combine.weight`."""
        return self.score.parameters() | prefixed("combine", {"weight": self.combine})

    def remember(self, annotations: Array, mask: Array | None) -> Memory:
        """h̄ (F, S, B), with a mask (S, B), True for real steps → what is attended to."""
        values = np.ascontiguousarray(annotations.transpose(2, 1, 0))
        barred = None if mask is None else np.where(mask.T, 0, -np.inf).astype(values.dtype)[:, None]
        return Memory(values, self.score.keys(values), barred)

    def allocate(self, memory: Memory, steps: int, *, gradient: bool = True) -> AttentionCache:
        """Return the room for so many steps T; without `gradient` there is no going backward."""
        (B, S, F), A, dtype = memory.values.shape, memory.keys.shape[-1], memory.values.dtype
        H, T = self.query_size, steps
        back = T if gradient else 0
        return AttentionCache(
            memory,
            empty((B, T, H), dtype),
            empty((B, T, A), dtype),
            empty((B, T, S), dtype),
            empty_sequence(F + H, T, B, dtype),
            empty_sequence(H, T, B, dtype),
            empty((B, back, S), dtype),
            empty((B, back, A), dtype),
            empty((B, back, F), dtype),
            empty_sequence(H, back, B, dtype),
            np.zeros_like(memory.keys[:, : S if gradient else 0]),
        )

    def attend(self, h: Array, cache: AttentionCache, steps: slice = EVERY) -> Array:
        """h (H, t, B) of these steps → h̃ (H, t, B), a view of the cache's."""
        F, (values, keys, barred) = self.value_size, cache.memory
        states, weights, joined, output = (
            cache.states[:, steps],
            cache.weights[:, steps],
            cache.joined[:, steps],
            cache.output[:, steps],
        )
        states[:] = h.transpose(2, 1, 0)
        queries = self.score.queries(states)
        cache.queries[:, steps] = queries
        self.score.forward(queries, keys, weights)
        if barred is not None:
            weights += barred
        weights -= weights.max(axis=-1, keepdims=True)
        np.exp(weights, out=weights)
        weights /= weights.sum(axis=-1, keepdims=True)
        joined[:F] = (weights @ values).transpose(2, 1, 0)
        joined[F:] = h
        sums = self.combine.value @ flat(joined)
        np.tanh(sums.reshape(output.shape), out=output)
        return output

    def backward(self, d_output: Array, cache: AttentionCache, steps: slice = EVERY) -> Array:
        """∂L/∂h̃ (H, t, B) of these steps → ∂L/∂h (H, t, B); all else waits for `finish`."""
        F, (values, keys, _) = self.value_size, cache.memory
        weights, d_contexts, d_sums = cache.weights[:, steps], cache.d_contexts[:, steps], cache.d_sums[:, steps]
        output = cache.output[:, steps]
        np.multiply(output, output, out=d_sums)
        np.subtract(1, d_sums, out=d_sums)
        d_sums *= d_output
        d_joined = (self.combine.value.T @ flat(d_sums)).reshape(-1, *d_sums.shape[1:])
        d_contexts[:] = d_joined[:F].transpose(2, 1, 0)
        d_weights = d_contexts @ values.swapaxes(1, 2)
        d_scores = cache.d_scores[:, steps]
        d_weights -= np.einsum("bts,bts->bt", weights, d_weights)[..., None]
        np.multiply(weights, d_weights, out=d_scores)
        d_queries = self.score.backward(d_scores, cache.queries[:, steps], keys, cache.d_keys)
        cache.d_queries[:, steps] = d_queries
        d_h: Array = d_joined[F:]
        d_h += self.score.queries_backward(d_queries).transpose(2, 1, 0)
        return d_h

    def finish(self, cache: AttentionCache) -> Array:
        """Add to the gradient of every parameter, when all steps went backward; return ∂L/∂h̄ (F, S, B)."""
        self.combine.grad += flat(cache.d_sums) @ flat(cache.joined).T
        d_values = cache.weights.swapaxes(1, 2) @ cache.d_contexts
        d_values += self.score.keys_backward(
            cache.d_scores, cache.d_queries, cache.d_keys, cache.queries, cache.states, cache.memory.values
        )
        cache.d_keys[:] = 0  # a pass may go backward again
        return np.ascontiguousarray(d_values.transpose(2, 1, 0))
