"""How well each step of one sequence goes with each step of another: the scores of attention.

B sequences, S steps that are attended to, T steps that attend, F features of the former, H of the latter, A dimensions
in which they are compared. Sequence by sequence here: (B, steps, features).
"""

from typing import ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import DTypeLike

from rnncli.nn.initializers import uniform
from rnncli.nn.parameter import Array, Parameter, Parameters

ScoreName = Literal["dot", "general", "additive"]


class Score(Protocol):
    """e_ts of a query q_t, made of h_t, and a key k_s, made of h̄_s."""

    name: ClassVar[ScoreName]

    def __init__(
        self, query_size: int, value_size: int, *, rng: np.random.Generator | None, dtype: DTypeLike
    ) -> None: ...

    def parameters(self) -> Parameters:
        """Return every parameter by name."""
        ...

    def keys(self, values: Array) -> Array:
        """h̄ (B, S, F) → k (B, S, A)."""
        ...

    def queries(self, h: Array) -> Array:
        """h (B, T, H) → q (B, T, A)."""
        ...

    def forward(self, q: Array, k: Array, e: Array) -> None:
        """q (B, T, A), k (B, S, A) → e (B, T, S), which is filled."""
        ...

    def backward(self, d_e: Array, q: Array, k: Array, d_k: Array) -> Array:
        """Return ∂q (B, T, A) from ∂e (B, T, S), and add what comes of it step by step to ∂k (B, S, A)."""
        ...

    def queries_backward(self, d_q: Array) -> Array:
        """∂q (B, T, A) → ∂h (B, T, H)."""
        ...

    def keys_backward(self, d_e: Array, d_q: Array, d_k: Array, q: Array, h: Array, values: Array) -> Array:
        """Add to the gradient of every parameter; return ∂h̄ (B, S, F): once, of all steps T together."""
        ...


class DotScore:
    """e_ts = h_tᵀ h̄_s (Luong et al. 2015), where F = H."""

    name: ClassVar[ScoreName] = "dot"

    def __init__(self, query_size: int, value_size: int, *, rng: np.random.Generator | None, dtype: DTypeLike) -> None:
        del rng, dtype
        if query_size != value_size:
            raise ValueError(f"a dot product needs vectors of one size, not {query_size} and {value_size}")

    def parameters(self) -> Parameters:
        """There is none."""
        return {}

    def keys(self, values: Array) -> Array:
        """k = h̄."""
        return values

    def queries(self, h: Array) -> Array:
        """q = h."""
        return h

    def forward(self, q: Array, k: Array, e: Array) -> None:
        """e_ts = q_tᵀ k_s."""
        np.matmul(q, k.swapaxes(1, 2), out=e)

    def backward(self, d_e: Array, q: Array, k: Array, d_k: Array) -> Array:  # noqa: ARG002 - d_k waits for all steps
        """∂q_t = Σ_s ∂e_ts k_s."""
        d_q: Array = d_e @ k
        return d_q

    def queries_backward(self, d_q: Array) -> Array:
        """∂h = ∂q."""
        return d_q

    def keys_backward(self, d_e: Array, d_q: Array, d_k: Array, q: Array, h: Array, values: Array) -> Array:  # noqa: ARG002
        """∂k_s = Σ_t ∂e_ts q_t, and ∂h̄ = ∂k."""
        d_keys: Array = d_e.swapaxes(1, 2) @ q
        return d_keys


class GeneralScore(DotScore):
    """e_ts = h_tᵀ W h̄_s (Luong et al. 2015): W (H, F)."""

    name: ClassVar[ScoreName] = "general"

    def __init__(self, query_size: int, value_size: int, *, rng: np.random.Generator | None, dtype: DTypeLike) -> None:
        self.key = uniform(rng, (query_size, value_size), value_size, dtype)

    def parameters(self) -> Parameters:
        """Return W."""
        return {"key.weight": self.key}

    def keys(self, values: Array) -> Array:
        """k = W h̄: once for each h̄_s, however many steps T there are."""
        return _mapped(values, self.key)

    def keys_backward(self, d_e: Array, d_q: Array, d_k: Array, q: Array, h: Array, values: Array) -> Array:
        """∂k_s = Σ_t ∂e_ts q_t, ∂W += Σ ∂k_s h̄_sᵀ and ∂h̄ = Wᵀ ∂k."""
        return _map_backward(super().keys_backward(d_e, d_q, d_k, q, h, values), values, self.key)


class AdditiveScore:
    """e_ts = vᵀ tanh(W_q h_t + W_k h̄_s) (Bahdanau et al. 2015, of h_t in place of h_{t-1}): W_q (H, H), W_k (H, F).

    The tanh of all steps together would be (B, T, S, A): it is made for a step at a time, and again backward.
    """

    name: ClassVar[ScoreName] = "additive"

    def __init__(self, query_size: int, value_size: int, *, rng: np.random.Generator | None, dtype: DTypeLike) -> None:
        A = query_size
        self.key = uniform(rng, (A, value_size), value_size, dtype)
        self.query = uniform(rng, (A, query_size), query_size, dtype)
        self.vector = uniform(rng, (A,), A, dtype)

    def parameters(self) -> Parameters:
        """Return W_k, W_q and v."""
        return {"key.weight": self.key, "query.weight": self.query, "vector": self.vector}

    def keys(self, values: Array) -> Array:
        """k = W_k h̄."""
        return _mapped(values, self.key)

    def queries(self, h: Array) -> Array:
        """q = W_q h."""
        return _mapped(h, self.query)

    def forward(self, q: Array, k: Array, e: Array) -> None:
        """e_ts = vᵀ tanh(q_t + k_s)."""
        for t in range(q.shape[1]):
            np.matmul(np.tanh(k + q[:, t, None]), self.vector.value, out=e[:, t])

    def backward(self, d_e: Array, q: Array, k: Array, d_k: Array) -> Array:
        """∂v += Σ ∂e_ts u_ts, and ∂q_t = Σ_s, ∂k_s += Σ_t of ∂e_ts v (1 - u_ts²), with u_ts = tanh(q_t + k_s)."""
        d_q, A = np.empty_like(q), q.shape[-1]
        for t in range(q.shape[1]):
            u = np.tanh(k + q[:, t, None])
            d_step = d_e[:, t]
            self.vector.grad += np.ascontiguousarray(d_step).reshape(-1) @ u.reshape(-1, A)
            np.multiply(u, u, out=u)
            np.subtract(1, u, out=u)
            u *= d_step[..., None]
            u *= self.vector.value
            d_k += u
            u.sum(axis=1, out=d_q[:, t])
        return d_q

    def queries_backward(self, d_q: Array) -> Array:
        """∂h = W_qᵀ ∂q."""
        return d_q @ self.query.value

    def keys_backward(self, d_e: Array, d_q: Array, d_k: Array, q: Array, h: Array, values: Array) -> Array:  # noqa: ARG002
        """∂W_q += Σ ∂q_t h_tᵀ, ∂W_k += Σ ∂k_s h̄_sᵀ and ∂h̄ = W_kᵀ ∂k."""
        self.query.grad += _rows(d_q).T @ _rows(h)
        return _map_backward(d_k, values, self.key)


SCORES: dict[ScoreName, type[Score]] = {each.name: each for each in (DotScore, GeneralScore, AdditiveScore)}


def _rows(x: Array) -> Array:
    """(B, N, F) → (B·N, F)."""
    return x.reshape(-1, x.shape[-1])


def _mapped(x: Array, weight: Parameter) -> Array:
    """Return W x of every vector of x (B, N, F): (B, N, A)."""
    return (_rows(x) @ weight.value.T).reshape(*x.shape[:2], -1)


def _map_backward(d_y: Array, x: Array, weight: Parameter) -> Array:
    """Add to ∂W from ∂(W x) (B, N, A); return ∂x (B, N, F)."""
    weight.grad += _rows(d_y).T @ _rows(x)
    return (_rows(d_y) @ weight.value).reshape(x.shape)
