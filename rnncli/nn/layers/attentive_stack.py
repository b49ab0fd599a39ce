"""A stack whose top layer attends to another sequence, and may read at each step what it made of the step before.

T time steps, B sequences, S steps attended to, D inputs, H hidden units, F features attended to.
"""

from typing import NamedTuple

import numpy as np

from rnncli.nn.blocks import empty_sequence
from rnncli.nn.layers.attention import Attention, AttentionCache
from rnncli.nn.layers.input_product import Inputs
from rnncli.nn.layers.recurrent import Recurrent, finished
from rnncli.nn.layers.stack import Stack, StackCache
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import State


class AttentiveStackCache(NamedTuple):
    """The caches of the layers and of the attention above them."""

    stack: StackCache
    attention: AttentionCache


class AttentiveStack:
    """h̃_t of a stack's outputs h_t and of what it attends to; with input feeding its input is (x_t; h̃_{t-1}), h̃_0 = 0.

    Without input feeding all steps of a layer are made together. With it (Luong et al. 2015) each step goes through all
    layers before the next, one way and the other; what can wait, as the gradients of weights, is for all steps at once.
    """

    def __init__(self, stack: Stack, attention: Attention, *, input_feeding: bool) -> None:
        self.stack, self.attention, self.input_feeding = stack, attention, input_feeding

    def forward(
        self,
        x: Inputs,
        state: State | None,
        annotations: Array,
        annotations_mask: Array | None = None,
        mask: Array | None = None,
        rng: np.random.Generator | None = None,
        *,
        gradient: bool = True,
    ) -> tuple[Array, AttentiveStackCache]:
        """Run over x (D, T, B), from a state of each layer or their own: h̃ (H, T, B) and the cache.

        Masks (S, B) and (T, B) are True for real steps; `rng` draws dropout. Input feeding needs vectors, no lookup.
        """
        memory = self.attention.remember(annotations, annotations_mask)
        if self.input_feeding:
            assert isinstance(x, np.ndarray)
            assert state is not None
            return self._fed(x, state, self.attention.allocate(memory, x.shape[1], gradient=gradient), mask, rng)
        top, _, cache = self.stack.forward(x, state, mask, rng)
        attention = self.attention.allocate(memory, top.shape[1], gradient=gradient)
        return self.attention.attend(top, attention), AttentiveStackCache(cache, attention)

    def backward(self, d_output: Array, cache: AttentiveStackCache) -> tuple[Array | None, State, Array]:
        """∂L/∂h̃ (H, T, B) → ∂L/∂x as of a `Recurrent`, ∂L/∂state of every layer, and ∂L/∂h̄ (F, S, B)."""
        if self.input_feeding:
            return *self._fed_backward(d_output, cache), self.attention.finish(cache.attention)
        d_top = self.attention.backward(d_output, cache.attention)
        return *self.stack.backward(d_top, cache.stack), self.attention.finish(cache.attention)

    def _fed(
        self, x: Array, state: State, attention: AttentionCache, mask: Array | None, rng: np.random.Generator | None
    ) -> tuple[Array, AttentiveStackCache]:
        (D, T, B), H = x.shape, self.attention.query_size
        fed = empty_sequence(D + H, T, B, x.dtype)
        fed[:D], fed[D:, 0] = x, 0
        inputs, running, cache = [fed], [], StackCache([], [])
        for layer, initial in zip(self.stack.layers, state, strict=True):
            assert isinstance(layer, Recurrent)
            running.append(layer.forward_steps(inputs[-1], initial, mask, rng))
            inputs.append(empty_sequence(H, T, B, x.dtype))
            cache.dropouts.append(self.stack.dropout.draw((H, T, B), rng, x.dtype))
        outputs = inputs[1:]
        for t in range(T):
            for steps, output, dropped in zip(running, outputs, cache.dropouts, strict=True):
                output[:, t] = next(steps)[:, t]
                if dropped is not None:
                    output[:, t] *= dropped[:, t]
            self.attention.attend(outputs[-1][:, t : t + 1], attention, slice(t, t + 1))
            if t + 1 < T:
                fed[D:, t + 1] = attention.output[:, t]
        cache.layers.extend(finished(steps)[2] for steps in running)
        return attention.output, AttentiveStackCache(cache, attention)

    def _fed_backward(self, d_output: Array, cache: AttentiveStackCache) -> tuple[Array, State]:
        (H, T, B), layers = d_output.shape, self.stack.layers
        d_tops = [empty_sequence(H, T, B, d_output.dtype) for _ in layers]
        running = []
        for layer, d_h, layer_cache in zip(layers, d_tops, cache.stack.layers, strict=True):
            assert isinstance(layer, Recurrent)
            running.append(layer.backward_steps(d_h, layer_cache))
        d_fed: Array | None = None
        for t in reversed(range(T)):
            d_step = d_output[:, t] if d_fed is None else d_output[:, t] + d_fed
            d_below = self.attention.backward(d_step[:, None], cache.attention, slice(t, t + 1))[:, 0]
            for steps, d_h, dropped in zip(
                reversed(running), reversed(d_tops), reversed(cache.stack.dropouts), strict=True
            ):
                d_h[:, t] = d_below if dropped is None else d_below * dropped[:, t]
                d_below = next(steps)[:, t]
            d_fed = d_below[-H:]
        d_xs, d_state = zip(*(finished(steps) for steps in running), strict=True)
        return d_xs[0][:-H], list(d_state)
