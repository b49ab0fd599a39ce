"""A weighted mean of a sequence's outputs, with weights that are learned from the outputs themselves.

T time steps, B sequences, F features, A dimensions in which steps are compared.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from rnncli.nn.blocks import empty, empty_like, flat
from rnncli.nn.initializers import uniform
from rnncli.nn.parameter import Array, Parameters


class AttentionCache(NamedTuple):
    """What a forward pass leaves; `weights` is what there is to show."""

    weights: Array  # α (T, B), each sequence's adding up to 1
    y: Array  # (F, T, B), zero at padding
    hidden: Array  # (A, T·B), tanh(W y + b)


class Attention:
    """v = Σ_t α_t y_t with α = softmax over the real steps of e_t = uᵀ tanh(W y_t + b).

    Additive attention (Bahdanau et al. 2015) with one learned query u (Yang et al. 2016).
    Parameters: weight = W (A, F), bias = b (A,), query = u (A,).
    """

    def __init__(self, features: int, size: int, *, rng: np.random.Generator | None, dtype: DTypeLike) -> None:
        self.weight = uniform(rng, (size, features), features, dtype)
        self.bias = uniform(rng, (size,), features, dtype)
        self.query = uniform(rng, (size,), size, dtype)

    def parameters(self) -> Parameters:
        """Return W, b and u by name."""
        return {"weight": self.weight, "bias": self.bias, "query": self.query}

    def forward(self, y: Array, mask: Array | None) -> tuple[Array, AttentionCache]:
        """y (F, T, B), mask (T, B) → the vectors (F, B) and the cache."""
        T, B = y.shape[1:]
        y = y if mask is None or mask.all() else np.where(mask, y, 0)
        hidden = empty((len(self.weight.value), T * B), y.dtype)
        np.matmul(self.weight.value, flat(y), out=hidden)
        hidden += self.bias.value[:, None]
        np.tanh(hidden, out=hidden)
        weights = _softmax((self.query.value @ hidden).reshape(T, B), mask)
        return _sum(y, weights), AttentionCache(weights, y, hidden)

    def backward(self, d_vector: Array, cache: AttentionCache) -> Array:
        """∂α_t = ∂v·y_t, ∂e = α (∂α - Σ α ∂α), and on through tanh; return ∂y_t = α_t ∂v + Wᵀ ∂(W y_t + b)."""
        weights, y, hidden = cache
        d_weights = np.einsum("fb,ftb->tb", d_vector, y)
        d_e = weights * (d_weights - (weights * d_weights).sum(axis=0))
        self.query.grad += hidden @ d_e.ravel()
        d_a = empty_like(hidden)
        np.multiply(hidden, hidden, out=d_a)
        np.subtract(1, d_a, out=d_a)
        d_a *= d_e.ravel()
        d_a *= self.query.value[:, None]
        self.weight.grad += d_a @ flat(y).T
        self.bias.grad += d_a.sum(axis=1)
        d_y = empty(y.shape, y.dtype)
        np.matmul(self.weight.value.T, d_a, out=flat(d_y))
        d_y += d_vector[:, None] * weights
        return d_y


def _softmax(e: Array, mask: Array | None) -> Array:
    """Return e (T, B) as shares of 1 over each sequence's real steps, 0 at padding."""
    e = e if mask is None else np.where(mask, e, -np.inf)
    largest = e.max(axis=0, initial=-np.inf)
    powers: Array = np.exp(e - np.where(np.isfinite(largest), largest, 0).astype(e.dtype))
    powers /= np.maximum(powers.sum(axis=0), 1)  # below 1 only where there is no real step
    return powers


def _sum(y: Array, weights: Array) -> Array:
    """Σ_t α_t y_t: y (F, T, B), α (T, B)."""
    total: Array = np.einsum("ftb,tb->fb", y, weights)
    return total
