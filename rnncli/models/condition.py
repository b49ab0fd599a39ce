"""A vector v of each sequence that a stack of layers is conditioned on, and the ways for it to get in.

C numbers of a vector, T time steps, B sequences, E inputs of a step, L layers, S states, H hidden units, k gates.
"""

from abc import ABC, abstractmethod
from copy import copy
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from rnncli.nn.layers import Conditioned, Convolution, Linear, Lookup, Recurrent, Stack
from rnncli.nn.layers.input_product import InputProduct
from rnncli.nn.layers.stack import StackCache
from rnncli.nn.parameter import Array, Parameter, Parameters
from rnncli.nn.protocols import SequenceLayer, State

Way = Literal["bias", "initial_state", "input"]


class Beginning(NamedTuple):
    """What vectors make of a stack before its first step."""

    state: State  # of each layer, (S, H, B)
    bias: Array | None  # (k·H, B), added to the first layer's pre-activations at every step


class ConditionCache(NamedTuple):
    """What a forward pass leaves for its backward pass."""

    vector: Parameter  # v (C, B), whose gradient ∂L/∂v is added to
    stack: StackCache
    own: Any  # what the way of getting in needs


class Condition(ABC):
    """One way: it owns the map of v, and runs the stack, which it shares with the model, on what that makes."""

    has_bias: ClassVar[bool] = True

    def __init__(
        self, stack: Stack, size: int, *, bias: bool, rng: np.random.Generator | None, dtype: DTypeLike
    ) -> None:
        self.stack, self.size = stack, size
        self.linear = Linear(size, self.outputs(stack), rng=rng, dtype=dtype, bias=bias and self.has_bias)

    @staticmethod
    @abstractmethod
    def outputs(stack: Stack) -> int:
        """Return how many numbers of v's map the stack takes."""

    def parameters(self) -> Parameters:
        """Return `weight` = W, and where there is one `bias` = b."""
        return self.linear.parameters()

    def vector(self, v: Array | None) -> Parameter:
        """Return v (C, B) as a parameter of the model's dtype; ValueError for none, and for one of another size."""
        if v is None or len(v) != self.size:
            found = "none" if v is None else f"one of {len(v)}"
            raise ValueError(f"a sequence needs a condition of {self.size} numbers, not {found}")
        return Parameter(v.astype(self.linear.weight.value.dtype, copy=False))

    @abstractmethod
    def begin(self, v: Array) -> Beginning:
        """Return what v (C, B) makes of the stack before its first step, without dropout."""

    @abstractmethod
    def forward(
        self,
        v: Parameter,
        x: Array | Lookup,
        state: State | None,
        mask: Array | None,
        rng: np.random.Generator | None,
    ) -> tuple[Array, State, ConditionCache]:
        """Run the stack over x (E, T, B), or a lookup, as `Stack.forward` does; a state that is given goes on."""

    @abstractmethod
    def backward(self, d_y: Array, cache: ConditionCache) -> tuple[Array | None, State]:
        """Return what `Stack.backward` does; add to the gradients of W, b and v."""

    def given(self, v: Array) -> Stack:
        """Return the stack that does with no vectors what this one does when all of them are v (C,).

        It has the same weights, but for a bias of the first layer or initial states of its own: nothing to train.
        """
        state, bias = self.begin(self.vector(v[:, None]).value)
        layers = [copy(layer) for layer in self.stack.layers]
        for layer, before in zip(layers, state, strict=True):
            if isinstance(layer, Recurrent):
                layer.initial_state = Parameter(before[..., 0])
        first = layers[0]
        if bias is not None:
            assert isinstance(first, Recurrent | Convolution)
            first.bias = Parameter(bias[:, 0] + (first.bias.value if first.bias else 0))
            if isinstance(first, Recurrent):
                first.input_product = InputProduct(first.weight_ih, first.bias, first.cell.scales)
        return Stack(layers, self.stack.dropout.probability)


class BiasCondition(Condition):
    """a_t = W_ih x_t + W_hh h_{t-1} + b + R v in the first layer, at every step (Goodfellow et al. 2016, 10.2.4).

    `weight` is R (k·H, C); it has no bias of its own, as the layer has one. The only way that needs no hidden states to
    be handed on.
    """

    has_bias = False

    @staticmethod
    def outputs(stack: Stack) -> int:
        """k·H."""
        return len(weight_of(stack.layers[0]).value)

    def begin(self, v: Array) -> Beginning:
        """Each layer begins as it does itself, and R v (k·H, B) is added."""
        return Beginning([fresh_state(layer, v.shape[1]) for layer in self.stack.layers], self.linear.forward(v)[0])

    def forward(  # noqa: D102
        self, v: Parameter, x: Array | Lookup, state: State | None, mask: Array | None, rng: np.random.Generator | None
    ) -> tuple[Array, State, ConditionCache]:
        bias = Parameter(self.linear.forward(v.value)[0])
        y, after, cache = self.stack.forward(Conditioned(x, bias), state, mask, rng)
        return y, after, ConditionCache(v, cache, bias)

    def backward(self, d_y: Array, cache: ConditionCache) -> tuple[Array | None, State]:  # noqa: D102
        bias: Parameter = cache.own
        found = self.stack.backward(d_y, cache.stack)
        cache.vector.grad += self.linear.backward(bias.grad, cache.vector.value)
        bias.grad[:] = 0  # a pass may go backward again
        return found


class InitialStateCondition(Condition):
    """h_0 and all other states of all layers are W v + b, in place of zeros: `weight` W (L·S·H, C), `bias` b (L·S·H,).

    Layer by layer, the states of each in the order of its cell.
    """

    @staticmethod
    def outputs(stack: Stack) -> int:
        """L·S·H."""
        return sum(S * H for S, H in (layer.state_shape for layer in stack.layers))

    def begin(self, v: Array) -> Beginning:
        """Each layer begins with its part of W v + b."""
        states, _ = self.linear.forward(v)
        return Beginning([*states.reshape(len(self.stack.layers), *self.stack.layers[0].state_shape, -1)], None)

    def forward(  # noqa: D102
        self, v: Parameter, x: Array | Lookup, state: State | None, mask: Array | None, rng: np.random.Generator | None
    ) -> tuple[Array, State, ConditionCache]:
        begins = state is None
        y, after, cache = self.stack.forward(x, self.begin(v.value).state if state is None else state, mask, rng)
        return y, after, ConditionCache(v, cache, begins)

    def backward(self, d_y: Array, cache: ConditionCache) -> tuple[Array | None, State]:  # noqa: D102
        d_x, d_state = self.stack.backward(d_y, cache.stack)
        if cache.own:
            d_states = np.stack(d_state).reshape(-1, d_y.shape[-1])
            cache.vector.grad += self.linear.backward(d_states, cache.vector.value)
        return d_x, d_state


class InputCondition(Condition):
    """x_0 = W v + b is read as one step before the first: `weight` W (E, C), `bias` b (E,) (Vinyals et al. 2015).

    Nothing is predicted there. Recurrent dropout draws other units for it than for the window that follows.
    """

    @staticmethod
    def outputs(stack: Stack) -> int:
        """E."""
        size: int = weight_of(stack.layers[0]).value.shape[1]
        return size

    def begin(self, v: Array) -> Beginning:
        """Each layer begins as it is after the step."""
        return Beginning(self._step(v, None)[0], None)

    def forward(  # noqa: D102
        self, v: Parameter, x: Array | Lookup, state: State | None, mask: Array | None, rng: np.random.Generator | None
    ) -> tuple[Array, State, ConditionCache]:
        before: StackCache | None = None
        if state is None:
            state, before = self._step(v.value, rng)
        y, after, cache = self.stack.forward(x, state, mask, rng)
        return y, after, ConditionCache(v, cache, before)

    def backward(self, d_y: Array, cache: ConditionCache) -> tuple[Array | None, State]:  # noqa: D102
        d_x, d_state = self.stack.backward(d_y, cache.stack)
        before: StackCache | None = cache.own
        if before is not None:
            d_first, d_state = self.stack.backward(np.zeros_like(d_y[:, :1]), before, d_state)
            assert d_first is not None
            cache.vector.grad += self.linear.backward(d_first[:, 0], cache.vector.value)
        return d_x, d_state

    def _step(self, v: Array, rng: np.random.Generator | None) -> tuple[State, StackCache]:
        x, _ = self.linear.forward(v)
        _, state, cache = self.stack.forward(x[:, None], None, None, rng)
        return state, cache


CONDITIONS: dict[Way, type[Condition]] = {
    "bias": BiasCondition,
    "initial_state": InitialStateCondition,
    "input": InputCondition,
}


def weight_of(layer: SequenceLayer) -> Parameter:
    """Return what a layer multiplies its inputs with, (k·H, E), or (H, E) of one that reads a single step."""
    assert isinstance(layer, Recurrent | Convolution)
    return layer.weight_ih if isinstance(layer, Recurrent) else layer.weight


def fresh_state(layer: SequenceLayer, batch_size: int) -> Array:
    """Return the state (S, H, B) that a layer begins with of itself."""
    initial = layer.initial_state if isinstance(layer, Recurrent) else None
    state = initial.value if initial else np.zeros(layer.state_shape, weight_of(layer).value.dtype)
    return np.repeat(state[..., None], batch_size, axis=2)
