"""The recurrent layer: every matrix product, the time loop, the mask and the hand-over of state, around any cell.

T time steps, B sequences, D inputs, H hidden units, k gates, S states.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from rnncli.nn.initializers import uniform
from rnncli.nn.layers.dropout import Dropout
from rnncli.nn.layers.embedding import add_rows
from rnncli.nn.parameter import Array, Parameter, Parameters
from rnncli.nn.protocols import Cell


class RecurrentCache(NamedTuple):
    """What a forward pass leaves for its backward pass."""

    x: Array  # (T, D, B), or token ids (T, B)
    gates: Array  # (T, k, H, B), activations
    states: Array  # (T+1, S, H, B), the initial state first
    saved: Array  # (T, s, H, B)
    mask: Array | None  # (T, B)
    dropped: Array | None  # (H, B), the recurrent dropout of the whole window
    from_initial: bool  # whether the state began as this layer's own initial state


def merge_time(a: Array) -> Array:
    """(T, F, B) → (F, T·B), a contiguous copy: one product then sums over all time steps."""
    return np.ascontiguousarray(a.transpose(1, 0, 2)).reshape(a.shape[1], -1)


def split_time(a: Array, steps: int) -> Array:
    """(F, T·B) → (T, F, B), the inverse of `merge_time`."""
    return np.ascontiguousarray(a.reshape(a.shape[0], steps, -1).transpose(1, 0, 2))


class Recurrent:
    """One recurrent layer, unrolled over time: h_t = cell(W x_t + b, U h_{t-1}).

    Parameters: weight_ih = W (k·H, D), weight_hh = U (k·H, H), bias = b (k·H,), bias_hh (H for each gate that the cell
    keeps apart), initial_state (S, H) when it is learned. Gates in PyTorch's order.

    Recurrent dropout drops units of h_{t-1} in the product U h_{t-1}, the same ones at every step of a window (Gal &
    Ghahramani 2016). Where the mask is False the state stands still and passes its gradient through unchanged, so
    padding changes nothing.
    """

    def __init__(
        self,
        cell: Cell,
        input_size: int,
        hidden_size: int,
        *,
        rng: np.random.Generator | None,
        dtype: DTypeLike,
        bias: bool = True,
        learned_initial_state: bool = False,
        recurrent_dropout: float = 0.0,
    ) -> None:
        k, H = len(cell.gates), hidden_size
        self.cell = cell
        self.hidden_size = H
        self.recurrent_dropout = Dropout(recurrent_dropout)
        self.weight_ih = uniform(rng, (k * H, input_size), H, dtype)
        self.weight_hh = uniform(rng, (k * H, H), H, dtype)
        self.bias = uniform(rng, (k * H,), H, dtype) if bias else None
        self.bias_hh = uniform(rng, (len(cell.apart) * H,), H, dtype) if bias and cell.apart else None
        if self.bias:
            cell.initialize_bias(self.bias.value.reshape(k, H))
        self.initial_state = Parameter(np.zeros((len(cell.states), H), dtype)) if learned_initial_state else None

    def parameters(self) -> Parameters:
        """Return the weights, and the biases and initial state where there are any."""
        named = {
            "weight_ih": self.weight_ih,
            "weight_hh": self.weight_hh,
            "bias": self.bias,
            "bias_hh": self.bias_hh,
            "initial_state": self.initial_state,
        }
        return {name: parameter for name, parameter in named.items() if parameter}

    def forward(
        self,
        x: Array,
        state: Array | None = None,
        mask: Array | None = None,
        rng: np.random.Generator | None = None,
    ) -> tuple[Array, Array, RecurrentCache]:
        """Run over x (T, D, B), or over token ids (T, B), which stand for one-hot vectors.

        Returns the outputs (T, H, B), the state after the last step (S, H, B), and the cache. `state` None begins at
        zeros or at the learned initial state; `mask` (T, B) is True for real steps; `rng` draws dropout.
        """
        cell, H = self.cell, self.hidden_size
        T, B = x.shape[0], x.shape[-1]
        k, joint = len(cell.gates), len(cell.gates) - len(cell.apart)
        dtype = self.weight_hh.value.dtype
        gates = self._project(x)
        states = np.empty((T + 1, len(cell.states), H, B), dtype)
        saved = np.empty((T, len(cell.saved), H, B), dtype)
        if state is not None:
            states[0] = state
        else:
            states[0] = 0 if self.initial_state is None else self.initial_state.value[:, :, None]
        dropped = self.recurrent_dropout.draw((H, B), rng, dtype)
        padding = _padding(mask, T)
        recurrent = np.empty((k, H, B), dtype)

        for t in range(T):
            h_prev = states[t, 0] if dropped is None else states[t, 0] * dropped
            np.matmul(self.weight_hh.value, h_prev, out=recurrent.reshape(k * H, B))
            gates[t, :joint] += recurrent[:joint]
            if cell.apart:
                saved[t, : k - joint] = recurrent[joint:]
                if self.bias_hh:
                    saved[t, : k - joint] += self.bias_hh.value.reshape(-1, H, 1)
            cell.forward(gates[t], states[t], states[t + 1], saved[t])
            if padding[t] is not None:
                np.copyto(states[t + 1], states[t], where=padding[t])

        return states[1:, 0], states[T].copy(), RecurrentCache(x, gates, states, saved, mask, dropped, state is None)

    def backward(self, d_h: Array, cache: RecurrentCache, d_state: Array | None = None) -> tuple[Array | None, Array]:
        """Backpropagate through time from ∂L/∂h (T, H, B), and ∂L/∂state (S, H, B) of the state after the last step.

        Returns ∂L/∂x (None for token ids) and ∂L/∂state of the state before the first step.
        """
        cell, H = self.cell, self.hidden_size
        x, gates, states, saved, mask, dropped, from_initial = cache
        T, k, _, B = gates.shape
        apart = len(cell.apart)
        joint = k - apart
        d_gates = np.empty_like(gates)
        d_recurrent = np.empty_like(gates) if apart else d_gates  # ∂L of U h; the same as of W x but for gates apart
        d_state = np.zeros_like(states[0]) if d_state is None else d_state.copy()
        padding = _padding(mask, T)
        weight_T = np.ascontiguousarray(self.weight_hh.value.T)
        through_product = np.empty((H, B), gates.dtype)

        for t in reversed(range(T)):
            d_state[0] += d_h[t]
            held = None if padding[t] is None else d_state * padding[t]
            cell.backward(d_state, gates[t], states[t], states[t + 1], saved[t], d_gates[t], d_recurrent[t, joint:])
            if apart:
                d_recurrent[t, :joint] = d_gates[t, :joint]
            if held is not None:
                for gradient in (d_gates[t], d_recurrent[t], d_state):
                    gradient[..., padding[t]] = 0
                d_state += held
            np.matmul(weight_T, d_recurrent[t].reshape(k * H, B), out=through_product)
            if dropped is not None:
                through_product *= dropped
            d_state[0] += through_product

        h_prev = states[:-1, 0] if dropped is None else states[:-1, 0] * dropped
        d_flat = merge_time(d_gates.reshape(T, k * H, B))
        d_recurrent_flat = merge_time(d_recurrent.reshape(T, k * H, B)) if apart else d_flat
        self.weight_hh.grad += d_recurrent_flat @ merge_time(h_prev).T
        if self.bias:
            self.bias.grad += d_flat.sum(axis=1)
        if self.bias_hh:
            self.bias_hh.grad += d_recurrent_flat[joint * H :].sum(axis=1)
        if self.initial_state and from_initial:
            self.initial_state.grad += d_state.sum(axis=-1)
        return self._project_backward(x, d_gates.reshape(T, k * H, B), d_flat), d_state

    def _project(self, x: Array) -> Array:
        """W x_t + b at every step, as (T, k, H, B); for token ids W x_t is a column of W."""
        if x.ndim == 2:
            gates = np.ascontiguousarray(self.weight_ih.value.T[x].transpose(0, 2, 1))
        else:
            gates = np.matmul(self.weight_ih.value, x)
        if self.bias:
            gates += self.bias.value[:, None]
        return gates.reshape(len(gates), len(self.cell.gates), self.hidden_size, -1)

    def _project_backward(self, x: Array, d_gates: Array, d_flat: Array) -> Array | None:
        """∂W += Σ_t ∂a_t x_tᵀ; return ∂x_t = Wᵀ ∂a_t."""
        if x.ndim == 2:
            add_rows(self.weight_ih.grad.T, x.ravel(), d_flat.T)
            return None
        self.weight_ih.grad += d_flat @ merge_time(x).T
        d_x: Array = np.matmul(self.weight_ih.value.T, d_gates)
        return d_x


def _padding(mask: Array | None, steps: int) -> list[Array | None]:
    """For each step the padded sequences (B,), or None where all are real and nothing needs to be held."""
    if mask is None:
        return [None] * steps
    return [None if row.all() else ~row for row in mask]
