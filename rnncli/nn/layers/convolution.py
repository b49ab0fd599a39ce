"""Convolution over time: an output for each step, from a window of steps around it or before it.

T time steps, B sequences, D inputs, H outputs, V tokens. A window has K steps; the last one comes R = (K-1)·dilation
steps after the first.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from rnncli.nn.activations import ACTIVATIONS
from rnncli.nn.blocks import empty, empty_like, empty_sequence, flat
from rnncli.nn.initializers import uniform
from rnncli.nn.layers.embedding import Lookup, add_by_id
from rnncli.nn.layers.input_product import Conditioned, Inputs, shape_of
from rnncli.nn.parameter import Array, Parameter, Parameters


class ConvolutionCache(NamedTuple):
    """What a forward pass leaves for its backward pass."""

    y: Array  # (H, T, B)
    mask: Array | None  # (T, B)
    last: tuple[Array, Array]  # (S, B) and (B,): where in the R+T steps that are read the state afterwards stands
    windows: Array | None  # (K·D, T, B), the vectors that each step reads
    ids: Array | None  # (R+T, B), or of a lookup the ids that are read, -1 for none
    vectors: Array | None  # (V + S·B, D), and what they stand for, those of the state last
    has_vectors: bool  # whether it is a lookup of vectors
    condition: Parameter | None  # (H, B), a bias of each sequence


class Convolution:
    """y_t = g(Σ_k W_k x_{t+o_k} + b), k = 1..K, at steps o_k that are `dilation` apart; g = tanh, ReLU or sigmoid.

    A causal layer reads back from its own step: o = -R, …, -dilation, 0. A centred one reads R // 2 steps back and the
    others ahead, as PyTorch's padding="same" has it. What lies before the first step and behind the last reads as
    zeros, and so does padding, where y is zero. Time-delay network (Waibel et al. 1989), dilated (Yu & Koltun 2016).

    Parameters: weight = (W_1 … W_K) (H, K·D), that of the earliest step first; bias = b (H,).

    The state of a causal layer is the last S = R inputs, the earliest first: vectors (S, D, B), or of one-hot inputs
    their ids (S, 1, B), -1 for none, which have no gradient. A centred layer has none: S = 0.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        kernel_size: int,
        dilation: int = 1,
        activation: str = "relu",
        centred: bool = False,
        rng: np.random.Generator | None,
        dtype: DTypeLike,
        bias: bool = True,
    ) -> None:
        inputs, self.reach = kernel_size * input_size, (kernel_size - 1) * dilation
        self.output_size, self.kernel_size, self.dilation = output_size, kernel_size, dilation
        self.before = self.reach // 2 if centred else self.reach
        self.state_shape = 0 if centred else self.reach, input_size
        self.activation = ACTIVATIONS[activation]
        self.weight = uniform(rng, (output_size, inputs), inputs, dtype)
        self.bias = uniform(rng, (output_size,), inputs, dtype) if bias else None

    def parameters(self) -> Parameters:
        """Return the weight, and the bias if there is one."""
        return {"weight": self.weight} | ({"bias": self.bias} if self.bias else {})

    def forward(
        self,
        x: Inputs,
        state: Array | None = None,
        mask: Array | None = None,
        rng: np.random.Generator | None = None,  # noqa: ARG002 - there is nothing to drop
    ) -> tuple[Array, Array, ConvolutionCache]:
        """Run over x (D, T, B), or over a lookup of token ids (T, B); conditioned ones have a bias (H, B).

        Returns the outputs (H, T, B), the state after the last real step, and the cache. `state` None begins behind
        zeros; `mask` (T, B) is True for real steps, and False only behind them.
        """
        (T, B), condition = shape_of(x), None
        if isinstance(x, Conditioned):
            x, condition = x
        lengths = np.full(B, T) if mask is None else mask.sum(axis=0)
        last = np.arange(self.state_shape[0])[:, None] + lengths, np.arange(B)
        y = empty_sequence(self.output_size, T, B, self.weight.value.dtype)
        windows = ids = vectors = None
        has_vectors = isinstance(x, Lookup) and x.vectors is not None
        if isinstance(x, Lookup):
            ids, vectors = self._lookup(x, state, mask)
            self._look_up(ids, vectors, y)
            final = ids[last][:, None] if vectors is None else vectors[ids[last]].swapaxes(1, 2)
        else:
            steps = self._padded(x, state, mask, 0)
            windows = self._windows(steps, T)
            np.matmul(self.weight.value, flat(windows), out=flat(y))
            final = steps[:, *last].swapaxes(0, 1)
        if self.bias:
            y += self.bias.value[:, None, None]
        if condition:
            y += condition.value[:, None]
        self.activation.forward(y, y)
        if mask is not None:
            y *= mask
        return y, final, ConvolutionCache(y, mask, last, windows, ids, vectors, has_vectors, condition)

    def backward(self, d_y: Array, cache: ConvolutionCache, d_state: Array | None = None) -> tuple[Array | None, Array]:
        """∂a = ∂y · g'(a), ∂W_k += Σ_t ∂a_t x_{t+o_k}ᵀ, ∂b += Σ_t ∂a_t, ∂x_{t+o_k} += W_kᵀ ∂a_t.

        From ∂L/∂y (H, T, B), and ∂L/∂state of the state after the last real step. Returns ∂L/∂x, which for a lookup is
        that of its vectors (None for one-hot ones), and ∂L/∂state of the state before the first step.
        """
        y, mask, last, windows, ids, *_ = cache
        H, T, B = y.shape
        d_a = empty_sequence(H, T, B, y.dtype)
        self.activation.backward(d_y, y, d_a)
        if mask is not None:
            d_a *= mask
        if self.bias:
            self.bias.grad += flat(d_a).sum(axis=1)
        if cache.condition:
            cache.condition.grad += d_a.sum(axis=1)
        if ids is not None:
            return self._lookup_backward(d_a, cache, d_state)
        assert windows is not None
        self.weight.grad += np.matmul(flat(d_a), flat(windows).T, out=empty_like(self.weight.grad))
        d_windows = empty_sequence(len(windows), T, B, y.dtype)
        np.matmul(self.weight.value.T, flat(d_a), out=flat(d_windows))
        d_steps = self._windows_backward(d_windows)
        if d_state is not None:
            d_steps[:, *last] += d_state.swapaxes(0, 1)
        d_x = d_steps[:, self.before : self.before + T]
        if mask is not None:
            d_x *= mask
        return d_x, d_steps[:, : self.state_shape[0]].swapaxes(0, 1)

    def _padded(self, x: Array, state: Array | None, mask: Array | None, nothing: int) -> Array:
        """Return the steps (F, R+T, B) that are read: the state (S, F, B), x (F, T, B), and `nothing` elsewhere."""
        F, T, B = x.shape
        steps = empty_sequence(F, self.reach + T, B, x.dtype)
        steps[:, : self.before] = nothing
        steps[:, self.before + T :] = nothing
        if state is not None and len(state):
            np.copyto(steps[:, : self.before], state.swapaxes(0, 1), casting="equiv")
        inside = steps[:, self.before : self.before + T]
        inside[:] = x
        if mask is not None:
            np.copyto(inside, nothing, where=~mask)
        return steps

    def _windows(self, steps: Array, T: int) -> Array:
        """Return what each of T steps reads of the steps (D, R+T, B): (K·D, T, B)."""
        D, _, B = steps.shape
        if self.kernel_size == 1:
            return steps
        windows = empty_sequence(self.kernel_size * D, T, B, steps.dtype)
        for k in range(self.kernel_size):
            windows[k * D : (k + 1) * D] = steps[:, k * self.dilation :][:, :T]
        return windows

    def _windows_backward(self, d_windows: Array) -> Array:
        """∂ of a step is the sum over the windows that read it: (K·D, T, B) → (D, R+T, B)."""
        (rows, T, B), K = d_windows.shape, self.kernel_size
        if K == 1:
            return d_windows
        D = rows // K
        d_steps = empty_sequence(D, self.reach + T, B, d_windows.dtype)
        d_steps[:] = 0
        for k in range(K):
            d_steps[:, k * self.dilation :][:, :T] += d_windows[k * D : (k + 1) * D]
        return d_steps

    def _lookup(self, x: Lookup, state: Array | None, mask: Array | None) -> tuple[Array, Array | None]:
        """Return the ids that are read (R+T, B), and the vectors they stand for, None for one-hot ones.

        Vectors of a state become those of S·B more tokens.
        """
        vectors, (S, D), B = x.vectors, self.state_shape, x.ids.shape[1]
        if vectors is None and state is not None and state.dtype.kind == "f":
            vectors = np.eye(D, dtype=state.dtype)
        if vectors is not None:
            V, before = len(vectors), np.zeros((S, D, B), vectors.dtype) if state is None else state
            vectors = np.concatenate((vectors, before.swapaxes(1, 2).reshape(-1, D)))
            state = np.arange(V, len(vectors)).reshape(S, 1, B)
        return self._padded(x.ids[None].astype(np.intp), state, mask, -1)[0], vectors

    def _look_up(self, ids: Array, vectors: Array | None, a: Array) -> None:
        """Fill a (H, T, B) with Σ_k W_k x of the ids that each step reads, -1 for zeros."""
        (H, T, _), K, a = a.shape, self.kernel_size, flat(a)
        table = self.weight.value  # (H, K·V)
        if vectors is not None:
            table = (table.reshape(H * K, -1) @ vectors.T).reshape(H, -1)
        V, term = table.shape[1] // K, empty(a.shape, a.dtype)
        for k in range(K):
            read = ids[k * self.dilation :][:T].ravel()
            into = term if k else a
            np.take(table, read + k * V, axis=1, out=into, mode="clip")
            if (nothing := read < 0).any():
                into[:, nothing] = 0
            if k:
                a += term

    def _lookup_backward(
        self, d_a: Array, cache: ConvolutionCache, d_state: Array | None
    ) -> tuple[Array | None, Array]:
        """Add to ∂W by the ids that were read; return the same as `backward`."""
        assert cache.ids is not None
        ids, vectors, weight, (S, D) = cache.ids, cache.vectors, self.weight, self.state_shape
        (H, T, B), K = d_a.shape, self.kernel_size
        d_table = weight.grad if vectors is None else np.zeros((H, K * len(vectors)), d_a.dtype)
        V = d_table.shape[1] // K
        given = V if vectors is None else V - S * B
        for k in range(K):
            start, sums = k * self.dilation, d_table[:, k * V : (k + 1) * V]
            n = 0 if vectors is None else min(T, max(0, S - start))  # steps at which the state is read, each once
            sums[:, given + start * B :][:, : n * B] = flat(d_a[:, :n])
            d, read = d_a[:, n:], ids[start + n : start + T]
            some = read >= 0
            add_by_id(sums[:, :given], *((d, read) if some.all() else (flat(d)[:, some.ravel()], read[some])))
        if vectors is None:
            return None, np.zeros((S, 1, B), d_a.dtype)
        d_rows = d_table.reshape(H * K, V)
        weight.grad.reshape(H * K, D)[:] += d_rows @ vectors
        d_vectors = d_rows.T @ weight.value.reshape(H * K, D)
        if d_state is not None:
            add_by_id(d_vectors.T, d_state.swapaxes(0, 1), ids[cache.last])
        d_before = d_vectors[given:].reshape(S, B, D).swapaxes(1, 2)
        return (d_vectors[:given] if cache.has_vectors else None), d_before
