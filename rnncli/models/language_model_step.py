"""The language model one token at a time: the step routine of generation, specialised to the weights of a model.

B columns, V vocabulary size, L layers, H hidden units, S states, s saved arrays, k gates, a of them with their
recurrent products kept apart.
"""

from typing import Any, NamedTuple, Protocol

import numpy as np

from rnncli.models.language_model import LanguageModel
from rnncli.models.window_step import WindowStep
from rnncli.nn.blocks import CACHE_LINE, empty
from rnncli.nn.cell_step import Calls, arrange, cell_calls
from rnncli.nn.layers import Recurrent
from rnncli.nn.parameter import Array
from rnncli.nn.products import StepProduct
from rnncli.nn.protocols import State

TABLE_SIZE = 2**20
"""Up to so many numbers, what each token adds to the gates of the first layer is worked out beforehand."""


class StepRoutine(Protocol):
    """What generation asks of a model."""

    def start(self, state: State) -> Any:
        """Return the state to step on from, given that of each layer (S, F, B)."""
        ...

    def select(self, state: Any, columns: Array) -> Any:
        """Return a state made of copies of these columns (B',)."""
        ...

    def __call__(self, ids: Array, state: Any) -> tuple[Array, Any]:
        """Return the logits (V, B) that follow ids (B,), and the new state; the next step may overwrite both."""
        ...


def step_of(model: LanguageModel) -> StepRoutine:
    """Return the step routine that fits the model's layers."""
    return LanguageModelStep(model) if model.spec.is_recurrent else WindowStep(model.logits)


class Product(NamedTuple):
    """One matrix product of a layer's step."""

    weight: Array  # stored by columns, which is multiplied with a vector fastest
    of: slice  # the rows, of all layers' outputs, that it is multiplied with
    into: slice  # the rows of the layer's gates that it adds to


class StepState(NamedTuple):
    """The hidden state of B columns in the memory of a step, and the calls that make one."""

    memory: Array  # (R, B)
    before: Calls  # what does not depend on the tokens
    sums: Array  # ((k+a)·H, B), the first layer's products
    gates: Array  # likewise, with what the tokens add
    looked_up: Array  # (B, (k+a)·H and some more), for that
    after: Calls
    logits: Array  # (V, B)


class LanguageModelStep:
    """The logits that follow one more token, as `LanguageModel.logits` gives them, by the weights of this moment.

    What is the same for every token is done once. A layer's weights stand side by side, for one product a step, and
    what each token of a small vocabulary adds to the first layer's gates is a row of a table.

    The rows of a step's memory are the outputs of all layers, a row of ones, and for each layer the block of
    `cell_calls`. The ones meet the biases of the top layer and of the logits, which so cost nothing of their own.
    """

    def __init__(self, model: LanguageModel) -> None:
        self.model = model
        self.layers = [layer for layer in model.stack.layers if isinstance(layer, Recurrent)]
        cell, H, self.dtype = self.layers[0].cell, self.layers[0].hidden_size, self.layers[0].weight_hh.value.dtype
        self.H, self.others, self.gates = H, (len(cell.states) - 1) * H, (len(cell.gates) + len(cell.apart)) * H
        self.blocks = len(self.layers) * H + CACHE_LINE  # where they begin
        self.block = self.others + (len(cell.gates) + len(cell.saved)) * H
        self.products = [_products(layer, index) for index, layer in enumerate(self.layers)]
        self.step_products: dict[tuple[int, int], StepProduct] = {}  # a copy of the weights: of the last width
        self.biases = [_biases(layer) for layer in self.layers]
        self.biased_top: Array | None = None
        if len(self.layers) > 1 and not cell.apart:
            (top,) = self.products[-1]
            self.biased_top = _by_columns(top.weight, self.biases[-1])
            self.products[-1] = [top._replace(weight=self.biased_top[:, :-1])]
        V, output = model.vocabulary_size, model.output
        self.biased_output: Array | None = None
        if output.bias and V * H <= TABLE_SIZE:
            self.biased_output = _by_columns(output.weight.value, output.bias.value[:, None])
        self.table: Array | None = None
        if V * self.gates <= TABLE_SIZE:
            # not a power of two long: the same places of such rows would share few sets of a cache
            self.table = empty((V, self.gates + CACHE_LINE), self.dtype)
            self.table[:, : self.gates] = self._inputs(np.arange(V)).T
            self.columns = self.table[:, : self.gates, None]

    def start(self, state: State) -> StepState:
        """Return the state to step on from, given that of each layer (S, H, B)."""
        L, B = len(state), state[0].shape[-1]
        memory = empty((self.blocks + L * self.block, B), self.dtype)
        memory[:] = 0
        memory[L * self.H] = 1
        for index, (hidden, *others) in enumerate(state):
            memory[index * self.H : (index + 1) * self.H] = hidden
            self._block(memory, index)[: self.others] = np.reshape(others, (self.others, B))
        return self._bind(memory)

    def select(self, state: StepState, columns: Array) -> StepState:
        """Return a state made of copies of these columns (B',)."""
        return self._bind(state.memory.take(columns, axis=1))

    def __call__(self, ids: Array, state: StepState) -> tuple[Array, StepState]:
        """Return the logits (V, B) that follow ids (B,), and the state again: the next step overwrites both."""
        _, before, sums, gates, looked_up, after, logits = state
        for function, arguments in before:
            function(*arguments)
        if self.table is None:
            inputs = self._inputs(ids)
        elif len(ids) == 1:
            inputs = self.columns[ids.item()]
        else:
            self.table.take(ids, 0, looked_up, "clip")
            inputs = looked_up[:, : self.gates].T
        np.add(sums, inputs, gates)
        for function, arguments in after:
            function(*arguments)
        return logits, state

    def _block(self, memory: Array, index: int) -> Array:
        """Return a layer's block of a step's memory."""
        start = self.blocks + index * self.block
        return memory[start : start + self.block]

    def _gates(self, memory: Array, index: int) -> Array:
        """Return the rows of a layer's block that its gates begin as: ((k+a)·H, B)."""
        return self._block(memory, index)[self.others : self.others + self.gates]

    def _inputs(self, ids: Array) -> Array:
        """W x + b of the first layer for tokens (N,), above the b' of the products kept apart: ((k+a)·H, N)."""
        layer, embedding = self.layers[0], self.model.embedding
        W = layer.weight_ih.value
        inputs = np.repeat(self.biases[0], len(ids), axis=1)
        inputs[: len(W)] += arrange(layer.cell, W @ embedding.vectors(ids).T if embedding else W[:, ids])
        return inputs

    def _bind(self, memory: Array) -> StepState:
        """Make the calls of a step in this memory (R, B)."""
        L, H, B, output = len(self.layers), self.H, memory.shape[1], self.model.output
        before, first_sums = self._product_calls(0, memory)
        after: Calls = []
        for index, layer in enumerate(self.layers):
            block, hidden = self._block(memory, index), memory[index * H : (index + 1) * H]
            gates = self._gates(memory, index)
            if index == L - 1 and B == 1 and self.biased_top is not None:
                after.append((self.biased_top.dot, (memory[(L - 2) * H : L * H + 1], gates)))
            elif index:
                products, sums = self._product_calls(index, memory)
                after += [*products, (np.add, (sums, np.repeat(self.biases[index], B, axis=1), gates))]
            after += cell_calls(layer.cell, hidden, block.reshape(-1, H, B))
        logits = empty((len(output.weight.value), B), self.dtype)
        if self.biased_output is not None:
            after.append((self.biased_output.dot, (memory[(L - 1) * H : L * H + 1], logits)))
        else:
            after.append((output.weight.value.dot, (memory[(L - 1) * H : L * H], logits)))
            if output.bias:
                after.append((np.add, (logits, np.repeat(output.bias.value[:, None], B, axis=1), logits)))
        looked_up = empty((B, self.gates + CACHE_LINE), self.dtype)
        return StepState(memory, before, first_sums, self._gates(memory, 0), looked_up, after, logits)

    def _product_calls(self, index: int, memory: Array) -> tuple[Calls, Array]:
        """Return the calls of a layer's products, and the sums ((k+a)·H, B) that they fill."""
        B = memory.shape[1]
        sums = empty((self.gates, B), self.dtype)
        sums[:] = 0
        calls: Calls = []
        for number, (weight, of, into) in enumerate(self.products[index]):
            if B == 1:
                calls.append((weight.dot, (memory[of], sums[into])))
                continue
            product = self.step_products.get((index, number))
            if product is None or product.y.shape[1] != B:
                product = self.step_products[index, number] = StepProduct(weight, B)
            calls.append((product, (memory[of],)))
            if len(product.y) == len(sums):
                return calls, product.y
            calls.append((np.copyto, (sums[into], product.y)))
        return calls, sums


def _products(layer: Recurrent, index: int) -> list[Product]:
    """Return the products of a layer: with the output of the one below, and its own of the step before."""
    cell, H, kH = layer.cell, layer.hidden_size, len(layer.weight_hh.value)
    below, own = slice((index - 1) * H, index * H), slice(index * H, (index + 1) * H)
    joint = kH - len(cell.apart) * H  # rows in which the two are added
    W, U = arrange(cell, layer.weight_ih.value), arrange(cell, layer.weight_hh.value)
    if index:
        products = [Product(np.hstack((W[:joint], U[:joint])), slice(below.start, own.stop), slice(joint))]
    else:  # below are the tokens
        products = [Product(U[:joint], own, slice(joint))]
    if cell.apart:
        products.append(Product(U[joint:], own, slice(kH, None)))
    if cell.apart and index:
        products.append(Product(W[joint:], below, slice(joint, kH)))
    return [product._replace(weight=_by_columns(product.weight)) for product in products]


def _by_columns(*parts: Array) -> Array:
    """Return the parts (M, n) side by side, stored by columns."""
    stored = empty((sum(part.shape[1] for part in parts), len(parts[0])), parts[0].dtype)
    np.concatenate(parts, axis=1, out=stored.T)
    return stored.T


def _biases(layer: Recurrent) -> Array:
    """Return b above the b' of the products kept apart, arranged: ((k+a)·H, 1), zeros where there is none."""
    kH, apart = len(layer.weight_hh.value), len(layer.cell.apart) * layer.hidden_size
    biases = np.zeros((kH + apart, 1), layer.weight_hh.value.dtype)
    if layer.bias:
        biases[:kH] = arrange(layer.cell, layer.bias.value[:, None])
    if layer.bias_hh:
        biases[kH:] = layer.bias_hh.value[:, None]
    return biases
