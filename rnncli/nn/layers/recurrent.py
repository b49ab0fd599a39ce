"""The recurrent layer: every matrix product, the time loop, the mask and the hand-over of state, around any cell.

T time steps, B sequences, D inputs, H hidden units, k gates, S states. A sequence is (features, T, B): a product over
all time steps is then one product, and step t is the view [:, t].
"""

from collections.abc import Generator
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from rnncli.nn.blocks import empty, empty_like, empty_sequence, flat
from rnncli.nn.initializers import uniform
from rnncli.nn.layers.dropout import Dropout
from rnncli.nn.layers.input_product import InputProduct, Inputs, shape_of, summed_product
from rnncli.nn.padding import padded_columns
from rnncli.nn.parameter import Array, Parameter, Parameters
from rnncli.nn.products import StepProduct
from rnncli.nn.protocols import Cell

Result = TypeVar("Result")


class RecurrentCache(NamedTuple):
    """What a forward pass leaves for its backward pass."""

    x: Inputs  # (D, T, B), or of token ids
    gates: Array  # (T, k, H, B), activations
    hidden: Array  # (H, T+1, B), the initial state first
    others: list[Array]  # (T+1, H, B) of each state beside it
    saved: Array  # (T, s, H, B)
    mask: Array | None  # (T, B)
    dropped: Array | None  # (H, B), the recurrent dropout of the whole window
    from_initial: bool  # whether the state began as this layer's own initial state


class Recurrent:
    """One recurrent layer, unrolled over time: h_t = cell(W x_t + b, U h_{t-1}).

    Parameters: weight_ih = W (k·H, D), weight_hh = U (k·H, H), bias = b (k·H,), bias_hh = b' (H for each gate that the
    cell keeps apart), initial_state (S, H) when it is learned. Gates in PyTorch's order.

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
        self.hidden_size = self.output_size = H
        self.recurrent_dropout = Dropout(recurrent_dropout)
        self.weight_ih = uniform(rng, (k * H, input_size), H, dtype)
        self.weight_hh = uniform(rng, (k * H, H), H, dtype)
        self.bias = uniform(rng, (k * H,), H, dtype) if bias else None
        self.bias_hh = uniform(rng, (len(cell.apart) * H,), H, dtype) if bias and cell.apart else None
        if self.bias:
            cell.initialize_bias(self.bias.value.reshape(k, H))
        self.input_product = InputProduct(self.weight_ih, self.bias, cell.scales)
        self.initial_state = Parameter(np.zeros((len(cell.states), H), dtype)) if learned_initial_state else None

    @property
    def state_shape(self) -> tuple[int, int]:
        """S and H of a state (S, H, B)."""
        return len(self.cell.states), self.hidden_size

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
        x: Inputs,
        state: Array | None = None,
        mask: Array | None = None,
        rng: np.random.Generator | None = None,
    ) -> tuple[Array, Array, RecurrentCache]:
        """Run over x (D, T, B), or over a lookup of token ids (T, B).

        Returns the outputs (H, T, B), the state after the last step (S, H, B), and the cache. `state` None begins at
        zeros or at the learned initial state; `mask` (T, B) is True for real steps; `rng` draws dropout.
        """
        return finished(self.forward_steps(x, state, mask, rng))

    def forward_steps(
        self, x: Inputs, state: Array | None, mask: Array | None, rng: np.random.Generator | None
    ) -> Generator[Array, None, tuple[Array, Array, RecurrentCache]]:
        """Run step by step: yield the outputs (H, T, B) after each step, when they are there up to it.

        A step reads its x when it is asked for, so that it may depend on the outputs before. Returns as `forward` does.
        """
        cell, H = self.cell, self.hidden_size
        T, B = shape_of(x)
        k, joint = len(cell.gates), len(cell.gates) - len(cell.apart)
        dtype = self.weight_hh.value.dtype
        from_initial = state is None
        if state is None:
            start = np.zeros((len(cell.states), H), dtype) if self.initial_state is None else self.initial_state.value
            state = np.repeat(start[:, :, None], B, axis=2)
        gates, saved = empty((T, k, H, B), dtype), empty((T, len(cell.saved), H, B), dtype)
        hidden = empty_sequence(H, T + 1, B, dtype)
        others = [empty((T + 1, H, B), dtype) for _ in cell.states[1:]]
        for sequence, first in zip((hidden.swapaxes(0, 1), *others), state, strict=True):
            sequence[0] = first
        h, h_next = hidden[:, 0].copy(), empty((H, B), dtype)
        dropped = self.recurrent_dropout.draw((H, B), rng, dtype)
        padding = padded_columns(mask, T)
        product = StepProduct(self.input_product.scaled(self.weight_hh.value), B)
        a, steps = self.input_product.forward(x)
        a, recurrent = a.reshape(k, H, B), product.y.reshape(k, H, B)
        joint_a, joint_recurrent = a[:joint], recurrent[:joint]

        before: tuple[Array, ...] = (h, *[other[0] for other in others])
        for t in steps:
            product(h if dropped is None else h * dropped)
            joint_a += joint_recurrent
            if cell.apart:
                saved[t, : k - joint] = recurrent[joint:]
                if self.bias_hh:
                    saved[t, : k - joint] += self.bias_hh.value.reshape(-1, H, 1)
            after = (h_next, *[other[t + 1] for other in others])
            cell.forward(a, gates[t], before, after, saved[t])
            padded = padding[t]
            if padded is not None:
                for old, new in zip(before, after, strict=True):
                    new[:, padded] = old[:, padded]
            hidden[:, t + 1] = h_next
            before, h, h_next = after, h_next, h
            yield hidden[:, 1:]

        cache = RecurrentCache(x, gates, hidden, others, saved, mask, dropped, from_initial)
        return hidden[:, 1:], np.stack(before), cache

    def backward(self, d_h: Array, cache: RecurrentCache, d_state: Array | None = None) -> tuple[Array | None, Array]:
        """Backpropagate through time from ∂L/∂h (H, T, B), and ∂L/∂state (S, H, B) of the state after the last step.

        Returns ∂L/∂x, which for a lookup is that of its vectors (None for one-hot ones), and ∂L/∂state of the state
        before the first step.
        """
        return finished(self._backward_steps(d_h, cache, d_state))

    def backward_steps(self, d_h: Array, cache: RecurrentCache) -> Generator[Array, None, tuple[Array | None, Array]]:
        """Backpropagate step by step: yield ∂L/∂x (D, T, B) after each step, the last first, when it is there for it.

        x must be vectors. A step reads its ∂L/∂h when it is asked for. Returns as `backward` does.
        """
        D, (_, T, B) = self.weight_ih.value.shape[1], d_h.shape
        d_x, product = empty_sequence(D, T, B, d_h.dtype), StepProduct(self.weight_ih.value.T, B)
        steps = self._backward_steps(d_h, cache, None, d_x)
        for t, d_a in zip(reversed(range(T)), steps, strict=False):
            d_x[:, t] = product(d_a)
            yield d_x
        return finished(steps)

    def _backward_steps(
        self, d_h: Array, cache: RecurrentCache, d_state: Array | None, d_x: Array | None = None
    ) -> Generator[Array, None, tuple[Array | None, Array]]:
        """Return what `backward` does, or `d_x`; yield after each step ∂L/∂(W x + b) (k·H, B) of it, the last first."""
        cell, H = self.cell, self.hidden_size
        x, gates, hidden, others, saved, mask, dropped, from_initial = cache
        T, k, _, B = gates.shape
        joint = k - len(cell.apart)
        d_state = np.zeros((len(cell.states), H, B), gates.dtype) if d_state is None else d_state.copy()
        product = StepProduct(self.weight_hh.value.T, B)
        d_recurrent = empty((k, H, B), gates.dtype)  # ∂L of U h + b' at one step
        d_a = empty_like(d_recurrent) if cell.apart else d_recurrent  # of W x + b: the same but for gates apart
        scratch = empty_like(d_a)
        d_inputs = empty_sequence(k * H, T, B, gates.dtype)
        d_apart = empty_sequence((k - joint) * H, T, B, gates.dtype)
        padding = padded_columns(mask, T)
        d_hidden, d_a_rows, d_recurrent_rows = d_state[0], d_a.reshape(k * H, B), d_recurrent.reshape(k * H, B)

        after: tuple[Array, ...] = (hidden[:, T], *[other[T] for other in others])
        for t in reversed(range(T)):
            d_hidden += d_h[:, t]
            padded = padding[t]
            held = None if padded is None else d_state[..., padded].copy()
            before = (hidden[:, t], *[other[t] for other in others])
            cell.backward(d_state, gates[t], before, after, saved[t], d_a, d_recurrent[joint:], scratch)
            after = before
            if held is not None:
                for gradient in (d_a, d_recurrent) if cell.apart else (d_a,):
                    gradient[..., padded] = 0
            if cell.apart:
                d_recurrent[:joint] = d_a[:joint]
            d_inputs[:, t] = d_a_rows
            if cell.apart:
                d_apart[:, t] = d_recurrent_rows[joint * H :]
            d_h_prev = product(d_recurrent_rows)
            if dropped is not None:
                d_h_prev *= dropped
            if cell.passes_hidden:
                d_hidden += d_h_prev
            else:
                d_hidden[:] = d_h_prev
            if held is not None:
                d_state[..., padded] = held
            yield d_a_rows

        h_prev = hidden[:, :T] if dropped is None else hidden[:, :T] * dropped[:, None]
        self._recurrent_backward(h_prev, d_inputs, d_apart)
        if self.initial_state and from_initial:
            self.initial_state.grad += d_state.sum(axis=-1)
        return self.input_product.backward(x, d_inputs, d_x), d_state

    def _recurrent_backward(self, h_prev: Array, d_inputs: Array, d_apart: Array) -> None:
        """∂U += Σ_t ∂a_t h_{t-1}ᵀ and ∂b' += Σ_t ∂a_t, from those of W x + b and, of gates apart, of U h + b'."""
        joint = len(d_inputs) - len(d_apart)
        for rows, d in ((slice(joint), d_inputs[:joint]), (slice(joint, None), d_apart)):
            if len(d):
                self.weight_hh.grad[rows] += summed_product(flat(d), flat(h_prev).T)
        if self.bias_hh:
            self.bias_hh.grad += flat(d_apart).sum(axis=1)


def finished(steps: Generator[object, None, Result]) -> Result:
    """Take all steps that are left, and return what comes of them."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
