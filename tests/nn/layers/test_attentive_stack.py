"""A stack that attends: input feeding is the loop of its equations, and gradients go all the ways there are."""

from itertools import product

import numpy as np
import pytest

from rnncli.nn.cells import CELLS
from rnncli.nn.gradient_check import compare_gradients
from rnncli.nn.layers import Attention, AttentiveStack, Recurrent, Stack

E, H, F, S, T = 3, 4, 5, 4, 5
LENGTHS, SOURCES = (5, 3, 1), (4, 1, 2)
B = len(LENGTHS)
MASK, SOURCE_MASK = (np.arange(n)[:, None] < np.array(each) for n, each in ((T, LENGTHS), (S, SOURCES)))


def stack_of(cell, layers, *, feeding, dropout=0.0, score="general"):
    rng = np.random.default_rng(3)
    sizes = [E + H * feeding, *[H] * (layers - 1)]
    recurrent = [
        Recurrent(CELLS[cell](), size, H, rng=rng, dtype=np.float64, recurrent_dropout=dropout) for size in sizes
    ]
    attention = Attention(score, H, F, rng=rng, dtype=np.float64)
    return AttentiveStack(Stack(recurrent, dropout), attention, input_feeding=feeding)


def drawn(model, seed=1):
    rng = np.random.default_rng(seed)
    state = [rng.standard_normal((*layer.state_shape, B)) for layer in model.stack.layers]
    return rng.standard_normal((E, T, B)), state, rng.standard_normal((F, S, B))


@pytest.mark.parametrize("cell", CELLS)
def test_input_feeding_is_the_loop_of_its_equations(cell):
    model = stack_of(cell, 2, feeding=True)
    x, state, annotations = drawn(model)
    output, _ = model.forward(x, state, annotations, SOURCE_MASK, MASK)
    fed, memory = np.zeros((H, B)), model.attention.remember(annotations, SOURCE_MASK)
    for t in range(T):
        below, after = np.concatenate((x[:, t], fed))[:, None], []
        for layer, before in zip(model.stack.layers, state, strict=True):
            below, new, _ = layer.forward(below, before, MASK[t : t + 1])
            after.append(new)
        fed = model.attention.attend(below, model.attention.allocate(memory, 1))[:, 0].copy()
        state = after
        np.testing.assert_allclose(output[:, t][:, MASK[t]], fed[:, MASK[t]], rtol=1e-10)


@pytest.mark.parametrize(("cell", "feeding", "layers"), [*product(CELLS, (False, True), (1, 2))])
def test_gradients_are_those_of_finite_differences(cell, feeding, layers):
    model = stack_of(cell, layers, feeding=feeding, dropout=0.3)
    (x, state, annotations), weight = drawn(model), np.random.default_rng(2).standard_normal((H, T, B)) * MASK

    def run():
        return model.forward(x, state, annotations, SOURCE_MASK, MASK, np.random.default_rng(7))

    parameters = model.stack.parameters() | model.attention.parameters()
    _, cache = run()
    d_x, d_state, d_annotations = model.backward(weight, cache)
    values = {"x": x, "annotations": annotations} | {name: p.value for name, p in parameters.items()}
    grads = {"x": d_x, "annotations": d_annotations} | {name: p.grad for name, p in parameters.items()}
    for index, (array, gradient) in enumerate(zip(state, d_state, strict=True)):
        values[f"state.{index}"], grads[f"state.{index}"] = array, gradient
    errors = compare_gradients(
        lambda: float((run()[0] * weight).sum()), values, grads, limit=12, rng=np.random.default_rng(0)
    )
    assert max(error.error for error in errors) < 1e-6
    assert not d_x[:, ~MASK].any()
    assert not d_annotations[:, ~SOURCE_MASK].any()


@pytest.mark.parametrize("feeding", [False, True])
def test_two_forward_passes_do_not_disturb_each_other(feeding):
    model = stack_of("lstm", 2, feeding=feeding)
    first, second = drawn(model), drawn(model, seed=9)
    output, cache = model.forward(*first, SOURCE_MASK, MASK)
    kept = output.copy()
    model.forward(*second, SOURCE_MASK, MASK)
    np.testing.assert_array_equal(output, kept)
    d_x, _, _ = model.backward(np.ones((H, T, B)), cache)
    alone = stack_of("lstm", 2, feeding=feeding)
    _, other = alone.forward(*first, SOURCE_MASK, MASK)
    np.testing.assert_array_equal(d_x, alone.backward(np.ones((H, T, B)), other)[0])
