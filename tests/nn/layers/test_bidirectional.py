"""Both directions against a plain loop over each sequence alone, its steps reversed for the second."""

import numpy as np
import pytest

from rnncli.nn.cells import GRUCell, LSTMCell, RNNCell
from rnncli.nn.gradient_check import compare_gradients
from rnncli.nn.layers import Bidirectional, Lookup, Recurrent
from tests.nn.layers.plain_loop import plain_loop

T, D, H = 6, 4, 3
LENGTHS = [4, 6, 1, 0, 6, 3]
B = len(LENGTHS)
RAGGED = np.arange(T)[:, None] < LENGTHS


def make(cell, inputs=D, **options):
    rng = np.random.default_rng(1)
    return Bidirectional(*(Recurrent(cell, inputs, H, rng=rng, dtype=np.float64, **options) for _ in range(2)))


def values(layer):
    return {name: parameter.value for name, parameter in layer.parameters().items()}


def gradients(layer):
    return {name: parameter.grad.copy() for name, parameter in layer.parameters().items()}


@pytest.fixture
def given(cell):
    """x, the states to begin in, and the gradients of the outputs and of the states at the end."""
    rng = np.random.default_rng(2)
    S = len(cell.states)
    shapes = (D, T, B), (S, 2 * H, B), (2 * H, T, B), (S, 2 * H, B)
    return [rng.standard_normal(shape) for shape in shapes]


def test_each_direction_equals_a_plain_loop_from_its_own_end(cell, given):
    x, state, _, _ = given
    layer = make(cell)
    y, final, _ = layer.forward(x, state, RAGGED)
    for b, length in enumerate(LENGTHS):
        real, one = slice(length), slice(b, b + 1)
        for way, rows in (("forward", slice(H)), ("backward", slice(H, None))):
            order = slice(None, None, -1) if way == "backward" else slice(None)
            expected_end, sequence = state[:, rows, one], x[:, real, one]
            if length:
                weights = values(layer.directions[way])
                outputs, expected_end = plain_loop(cell, weights, sequence[:, order], state[:, rows, one])
                np.testing.assert_allclose(y[rows, real, one], outputs[:, order], rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(final[:, rows, one], expected_end, rtol=1e-12, atol=1e-14)
            held = expected_end if way == "forward" else state[:, rows, one]
            np.testing.assert_allclose(
                y[rows, length:, one], np.repeat(held[:1].swapaxes(0, 1), T - length, axis=1), rtol=1e-12
            )


def test_what_the_first_step_says_depends_on_the_last_real_input_and_on_no_padding(given):
    x = given[0][:, :, :2]
    layer = make(LSTMCell()) if len(given[1]) == 2 else make(GRUCell())
    y, _, _ = layer.forward(x, None, RAGGED[:, :2])
    for step, is_read in ((3, True), (4, False)):  # of the first sequence, which has 4
        other = x.copy()
        other[:, step, 0] += 1
        y_other, _, _ = layer.forward(other, None, RAGGED[:, :2])
        assert (y_other[H:, 0, 0] != y[H:, 0, 0]).all() == is_read
        assert (y_other[H:, 0, 0] == y[H:, 0, 0]).all() != is_read
        np.testing.assert_array_equal(y_other[:H, 0], y[:H, 0])
        np.testing.assert_array_equal(y_other[:, :, 1], y[:, :, 1])


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("mask", [None, RAGGED], ids=["full", "ragged"])
def test_every_gradient_equals_central_differences(cell, given, mask, learned):
    x, state, d_y, d_final = given
    layer = make(cell, learned_initial_state=learned)
    arrays = values(layer) | {"x": x}
    if learned:
        rng = np.random.default_rng(3)
        for name in ("forward.initial_state", "backward.initial_state"):
            arrays[name][:] = rng.standard_normal(arrays[name].shape)
        state = None
    else:
        arrays["state"] = state

    def loss():
        y, final, _ = layer.forward(x, state, mask)
        return float((y * d_y).sum() + (final * d_final).sum())

    _, _, cache = layer.forward(x, state, mask)
    d_x, d_state = layer.backward(d_y, cache, d_final)
    found = gradients(layer) | {"x": d_x, "state": d_state}
    for entry in compare_gradients(loss, arrays, found, limit=30, rng=np.random.default_rng(4)):
        assert entry.error < 1e-6, entry
        assert found[entry.name].any()


@pytest.mark.parametrize("mask", [None, RAGGED], ids=["full", "ragged"])
@pytest.mark.parametrize("tokens", [5, 300])
def test_a_lookup_stands_for_its_vectors_in_both_directions(cell, given, tokens, mask):
    _, state, d_y, d_final = given
    rng = np.random.default_rng(5)
    ids, vectors = rng.integers(tokens, size=(T, B)), rng.standard_normal((tokens, D))
    by_lookup, by_vectors = make(cell), make(cell)
    results = []
    for layer, x in ((by_lookup, Lookup(ids, vectors)), (by_vectors, vectors.T[:, ids])):
        y, final, cache = layer.forward(x, state, mask)
        results.append((y, final, *layer.backward(d_y, cache, d_final)))
    summed = np.zeros_like(vectors)
    np.add.at(summed, ids, results[1][2].transpose(1, 2, 0))
    np.testing.assert_allclose(results[0][2], summed, rtol=1e-11, atol=1e-13)
    for index in (0, 1, 3):
        np.testing.assert_allclose(results[0][index], results[1][index], rtol=1e-11, atol=1e-13)
    for name, gradient in gradients(by_lookup).items():
        np.testing.assert_allclose(gradient, by_vectors.parameters()[name].grad, rtol=1e-11, atol=1e-12, err_msg=name)


def test_one_hot_ids_have_no_gradient_of_their_own(cell, given):
    ids = np.random.default_rng(5).integers(D, size=(T, B))
    by_ids, by_product = make(cell), make(cell)
    y, _, cache = by_ids.forward(Lookup(ids), None, RAGGED)
    y_product, _, cache_product = by_product.forward(np.eye(D)[:, ids], None, RAGGED)
    np.testing.assert_allclose(y, y_product, rtol=1e-12, atol=1e-14)
    assert by_ids.backward(given[2], cache)[0] is None
    by_product.backward(given[2], cache_product)
    for name, gradient in gradients(by_ids).items():
        np.testing.assert_allclose(gradient, by_product.parameters()[name].grad, rtol=1e-11, atol=1e-13, err_msg=name)


def test_backward_changes_neither_its_arguments_nor_the_cache(cell, given):
    x, state, d_y, d_final = given
    layer = make(cell)
    _, _, cache = layer.forward(x, state, RAGGED)
    before = [array.copy() for array in given]
    d_x, d_state = layer.backward(d_y, cache, d_final)
    once = gradients(layer)
    d_x_again, d_state_again = layer.backward(d_y, cache, d_final)
    for array, copy in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, copy)
    np.testing.assert_array_equal(d_x, d_x_again)
    np.testing.assert_array_equal(d_state, d_state_again)
    for name, gradient in gradients(layer).items():
        np.testing.assert_allclose(gradient, 2 * once[name], rtol=1e-14, atol=0, err_msg=name)


def test_the_directions_drop_units_of_their_own():
    layer = make(RNNCell(), recurrent_dropout=0.5)
    x = np.random.default_rng(2).standard_normal((D, T, B))
    first, again = (layer.forward(x, rng=np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first[0], again[0])
    assert not np.array_equal(first[2].forward.dropped, first[2].backward.dropped)
    assert not np.array_equal(first[0], layer.forward(x)[0])


def test_parameters_are_named_by_direction():
    layer = make(GRUCell())
    names = ("weight_ih", "weight_hh", "bias", "bias_hh")
    assert list(layer.parameters()) == [f"{way}.{name}" for way in ("forward", "backward") for name in names]
    for way in ("forward", "backward"):
        assert layer.parameters()[f"{way}.bias"] is layer.directions[way].bias
    assert layer.output_size == 2 * H
    assert layer.state_shape == (1, 2 * H)
    assert make(LSTMCell()).state_shape == (2, 2 * H)


def test_float32_stays_float32(cell):
    rng = np.random.default_rng(1)
    layer = Bidirectional(*(Recurrent(cell, D, H, rng=rng, dtype=np.float32) for _ in range(2)))
    x = rng.standard_normal((D, T, B), dtype=np.float32)
    y, final, cache = layer.forward(x, None, RAGGED)
    assert {array.dtype for array in (y, final, *layer.backward(y, cache))} == {np.dtype(np.float32)}
