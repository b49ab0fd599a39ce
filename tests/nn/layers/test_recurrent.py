"""The recurrent layer against a plain loop."""

import numpy as np
import pytest

from rnncli.nn import products
from rnncli.nn.cells import CELLS, LSTMCell, RNNCell
from rnncli.nn.layers import Lookup, Recurrent
from rnncli.nn.products import StepProduct
from tests.nn.layers.plain_loop import STEPS, plain_loop

T, B, D, H = 6, 3, 4, 5


def make(cell, seed=1, dtype=np.float64, sizes=(D, H), **options):
    return Recurrent(cell, *sizes, rng=np.random.default_rng(seed), dtype=dtype, **options)


def values(layer):
    return {name: parameter.value for name, parameter in layer.parameters().items()}


def gradients(layer):
    return {name: parameter.grad.copy() for name, parameter in layer.parameters().items()}


def assert_gradients_close(layer, expected):
    for name, parameter in layer.parameters().items():
        np.testing.assert_allclose(parameter.grad, expected[name], rtol=1e-11, atol=1e-13, err_msg=name)


@pytest.fixture
def x():
    return np.random.default_rng(2).standard_normal((D, T, B))


@pytest.fixture
def d_h():
    return np.random.default_rng(3).standard_normal((H, T, B))


def test_every_cell_has_a_plain_loop():
    assert STEPS.keys() == CELLS.keys()


@pytest.mark.parametrize("recurrent_dropout", [0.0, 0.5])
@pytest.mark.parametrize("bias", [True, False])
def test_forward_equals_the_plain_loop(cell, x, bias, recurrent_dropout):
    layer = make(cell, bias=bias, recurrent_dropout=recurrent_dropout)
    state = np.random.default_rng(4).standard_normal((len(cell.states), H, B))
    y, final, cache = layer.forward(x, state, rng=np.random.default_rng(5))
    kept = 1.0 if cache.dropped is None else cache.dropped.T
    assert (cache.dropped is not None) == (recurrent_dropout > 0)
    outputs, last = plain_loop(cell, values(layer), x, state, kept)
    np.testing.assert_allclose(y, outputs, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(final, last, rtol=1e-12, atol=1e-14)


def test_no_state_begins_at_zeros(cell, x):
    layer = make(cell)
    y, final, _ = layer.forward(x)
    outputs, last = plain_loop(cell, values(layer), x, np.zeros((len(cell.states), H, B)))
    np.testing.assert_allclose(y, outputs, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(final, last, rtol=1e-12, atol=1e-14)


SIZES = {  # B, D, H
    "smallest": (4, 5, 32),  # that is cut: B = 4 and 32 rows
    "one part": (9, 3, 45),  # rows that do not fill blocks of 32
    "even": (64, 63, 320),  # without any padding
    "several parts": (50, 300, 171),  # of columns that do not divide evenly
    "several parts, low blocks": (128, 5, 331),
}


@pytest.mark.parametrize("variant", ["plain", "masked", "dropped, no bias", "masked, dropped"])
@pytest.mark.parametrize("size", SIZES)
def test_a_layer_cut_in_blocks_equals_the_plain_loop_and_its_derivatives(cell, size, variant, monkeypatch):
    """Where the product of a step is cut, and where it is not; in float64, and float32 as near as it comes."""
    steps, (batch, inputs, units) = 3, SIZES[size]
    options = {"recurrent_dropout": 0.5 * ("dropped" in variant), "bias": "no bias" not in variant}
    rng = np.random.default_rng(7)
    x, d_h = rng.standard_normal((inputs, steps, batch)), rng.standard_normal((units, steps, batch))
    state, d_final = rng.standard_normal((2, len(cell.states), units, batch))
    mask = rng.random((steps, batch)) < 0.7 if "masked" in variant else None
    weights = values(make(cell, dtype=np.float32, sizes=(inputs, units), **options))  # the same in both dtypes

    results = {}
    for small_kernels in (True, False):
        monkeypatch.setattr(products, "SMALL_KERNELS", small_kernels)
        is_cut = not np.shares_memory(StepProduct(weights["weight_hh"], batch)._blocks, weights["weight_hh"])
        assert is_cut == small_kernels
        for dtype in (np.float64, np.float32):
            layer = make(cell, dtype=dtype, sizes=(inputs, units), **options)
            for name, parameter in layer.parameters().items():
                parameter.value[:] = weights[name]
            given = [array.astype(dtype) for array in (x, state, d_h, d_final)]
            y, final, cache = layer.forward(given[0], given[1], mask, np.random.default_rng(5))
            d_x, d_state = layer.backward(given[2], cache, given[3])
            found = {"y": y, "final": final, "x": d_x, "state": d_state, **gradients(layer)}
            assert {array.dtype for array in found.values()} == {np.dtype(dtype)}
            results[small_kernels, dtype] = found

    kept = 1.0 if cache.dropped is None else cache.dropped.T.astype(float)
    doubles = {name: array.astype(float) for name, array in weights.items()}
    expected_y, expected_final = plain_loop(cell, doubles, x, state, kept, mask)
    derivatives = {}
    arrays = {"x": x, "state": state, **doubles}
    for name, array in arrays.items():  # by a step of 10⁻¹⁰⁰ i: exact, for nothing is subtracted
        direction = rng.standard_normal(array.shape)
        moved = arrays | {name: array + 1e-100j * direction}
        y, final = plain_loop(cell, moved, moved["x"], moved["state"], kept, mask)
        derivatives[name] = direction, ((y * d_h).sum() + (final * d_final).sum()).imag / 1e-100

    for (_, dtype), found in results.items():
        if dtype is np.float64:
            np.testing.assert_allclose(found["y"], expected_y, rtol=1e-11, atol=1e-13)
            np.testing.assert_allclose(found["final"], expected_final, rtol=1e-11, atol=1e-13)
            for name, (direction, derivative) in derivatives.items():
                size = np.linalg.norm(found[name])  # what a sum of so many terms of either sign comes to
                assert (found[name] * direction).sum() == pytest.approx(derivative, rel=0, abs=1e-12 * size), name
        for name, exact in results[True, np.float64].items() if dtype is np.float32 else ():
            error = np.abs(found[name] - exact).max()
            assert error < 1e-5 * max(1, np.abs(exact).max()), name


def test_the_split_products_equal_the_stacked_form(x):
    """h_t = tanh W (x_t; h_{t-1}), without a bias."""
    layer = make(RNNCell(), bias=False)
    W = np.hstack([layer.weight_ih.value, layer.weight_hh.value])
    y, _, _ = layer.forward(x)
    h = np.zeros((H, B))
    for t in range(T):
        h = np.tanh(W @ np.vstack([x[:, t], h]))
        np.testing.assert_allclose(y[:, t], h, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
@pytest.mark.parametrize("tokens", [4, 200])  # few: summed by a one-hot product; many: sorted, and most ids missing
@pytest.mark.parametrize("bias", [True, False])
def test_token_ids_stand_for_one_hot_vectors(cell, tokens, dtype, bias):
    rng = np.random.default_rng(6)
    ids, d_h = rng.integers(tokens, size=(T, B)).astype(dtype), rng.standard_normal((H, T, B))
    by_lookup, by_product = (make(cell, sizes=(tokens, H), bias=bias) for _ in range(2))
    y, final, cache = by_lookup.forward(Lookup(ids))
    y_product, final_product, cache_product = by_product.forward(np.eye(tokens)[:, ids])
    np.testing.assert_allclose(y, y_product, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(final, final_product, rtol=1e-12, atol=1e-14)
    d_x, d_state = by_lookup.backward(d_h, cache)
    assert d_x is None
    _, d_state_product = by_product.backward(d_h, cache_product)
    np.testing.assert_allclose(d_state, d_state_product, rtol=1e-12, atol=1e-13)
    assert_gradients_close(by_lookup, gradients(by_product))
    missing = np.setdiff1d(np.arange(tokens), ids)
    assert not by_lookup.weight_ih.grad[:, missing].any()


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("tokens", [7, 300])
@pytest.mark.parametrize("bias", [True, False])
def test_a_lookup_stands_for_the_vectors_that_it_looks_up(cell, bias, tokens, masked):
    rng = np.random.default_rng(6)
    ids, d_h = rng.integers(tokens, size=(T, B)), rng.standard_normal((H, T, B))
    ids[ids == 3] = 2  # a token that never comes, while others come again
    vectors, (state, d_final) = rng.standard_normal((tokens, D)), rng.standard_normal((2, len(cell.states), H, B))
    mask = rng.random((T, B)) < 0.7 if masked else None
    by_lookup, by_vectors = make(cell, bias=bias), make(cell, bias=bias)
    results = []
    for layer, x in ((by_lookup, Lookup(ids, vectors)), (by_vectors, vectors[ids].transpose(2, 0, 1))):
        y, final, cache = layer.forward(x, state, mask)
        results.append((y, final, *layer.backward(d_h, cache, d_final)))
    (*looked_up, d_vectors, d_state), (*by_hand, d_x, d_state_by_hand) = results
    for one, other in zip((*looked_up, d_state), (*by_hand, d_state_by_hand), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-13)
    once = gradients(by_vectors)
    assert_gradients_close(by_lookup, once)
    _, _, cache = by_lookup.forward(Lookup(ids, vectors), state, mask)
    by_lookup.backward(d_h, cache, d_final)
    assert_gradients_close(by_lookup, {name: 2 * gradient for name, gradient in once.items()})  # they add up
    expected = np.zeros_like(vectors)
    np.add.at(expected, ids, d_x.transpose(1, 2, 0))
    np.testing.assert_allclose(d_vectors, expected, rtol=1e-11, atol=1e-13)
    assert not d_vectors[3].any()


def test_a_state_has_the_shape_that_the_layer_tells(cell, x):
    layer = make(cell)
    assert layer.state_shape == (len(cell.states), H)
    assert layer.forward(x)[1].shape == (*layer.state_shape, B)


@pytest.mark.parametrize("cut", [1, 2, T - 1])
def test_two_windows_equal_one_long_one(cell, x, d_h, cut):
    layer = make(cell)
    y, final, cache = layer.forward(x)
    y_1, between, cache_1 = layer.forward(x[:, :cut])
    y_2, final_2, cache_2 = layer.forward(x[:, cut:], between)
    np.testing.assert_array_equal(np.concatenate([y_1, y_2], axis=1), y)
    np.testing.assert_array_equal(final_2, final)

    d_final = np.random.default_rng(7).standard_normal(final.shape)
    d_x, d_first = layer.backward(d_h, cache, d_final)
    expected = gradients(layer)
    for parameter in layer.parameters().values():
        parameter.grad[:] = 0
    d_x_2, d_between = layer.backward(d_h[:, cut:], cache_2, d_final)
    d_x_1, d_first_1 = layer.backward(d_h[:, :cut], cache_1, d_between)
    np.testing.assert_allclose(np.concatenate([d_x_1, d_x_2], axis=1), d_x, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(d_first_1, d_first, rtol=1e-12, atol=1e-14)
    assert_gradients_close(layer, expected)


@pytest.mark.parametrize("small_kernels", [True, False])
@pytest.mark.parametrize("sizes", [(T, B, D, H), (T, 16, 40, 64), (16, 64, 3, 8)])  # the last: rows of 4096 bytes
def test_a_second_forward_leaves_the_first_backward_alone(cell, sizes, small_kernels, monkeypatch):
    monkeypatch.setattr(products, "SMALL_KERNELS", small_kernels)
    steps, batch, inputs, units = sizes
    rng = np.random.default_rng(9)
    x, d_h = rng.standard_normal((inputs, steps, batch)), rng.standard_normal((units, steps, batch))
    alone, disturbed = (make(cell, sizes=(inputs, units)) for _ in range(2))
    y, final, cache = alone.forward(x)
    d_x, d_state = alone.backward(d_h, cache)
    y_2, final_2, cache_2 = disturbed.forward(x)
    disturbed.forward(-3 * x, final_2)
    _, _, discarded = disturbed.forward(x[:, :2, :1])
    make(cell, sizes=(inputs, units)).backward(d_h[:, :2, :1], discarded)
    d_x_2, d_state_2 = disturbed.backward(d_h, cache_2)
    for first, second in ((y, y_2), (final, final_2), (d_x, d_x_2), (d_state, d_state_2)):
        np.testing.assert_array_equal(first, second)
    for name, gradient in gradients(alone).items():
        np.testing.assert_array_equal(gradient, disturbed.parameters()[name].grad, err_msg=name)


@pytest.mark.parametrize("small_kernels", [True, False])
def test_what_was_returned_never_changes_later(cell, small_kernels, monkeypatch):
    """Whatever runs after it, in the same shapes and in others, and even when the cache is gone."""
    monkeypatch.setattr(products, "SMALL_KERNELS", small_kernels)
    rng = np.random.default_rng(9)
    layer = make(cell, sizes=(40, 64))
    held = []
    for steps, batch in [(T, 16), (T, 16), (3, 16), (T, 5), (1, 16), (T, 16)]:
        x, d_h = rng.standard_normal((40, steps, batch)), rng.standard_normal((64, steps, batch))
        y, final, cache = layer.forward(x, mask=rng.random((steps, batch)) < 0.8)
        lookup = Lookup(rng.integers(20, size=(steps, batch)), rng.standard_normal((20, 40)))
        y_2, final_2, cache_2 = layer.forward(lookup)
        returned = (y, final, y_2, final_2, *layer.backward(d_h, cache), *layer.backward(d_h, cache_2))
        held.extend((array, array.copy()) for array in returned)
        del y, final, cache, y_2, final_2, cache_2, returned
    for array, as_returned in held:
        np.testing.assert_array_equal(array, as_returned)


def test_backward_changes_neither_its_arguments_nor_the_cache(cell, x, d_h):
    """So that a second backward pass of the same cache adds the same gradients again."""
    layer = make(cell)
    state = np.ones((len(cell.states), H, B))
    _, final, cache = layer.forward(x, state)
    arguments = x.copy(), d_h.copy(), final.copy(), state.copy()
    layer.backward(d_h, cache, final)
    once = gradients(layer)
    layer.backward(d_h, cache, final)
    for after, before in zip((x, d_h, final, state), arguments, strict=True):
        np.testing.assert_array_equal(after, before)
    assert_gradients_close(layer, {name: 2 * gradient for name, gradient in once.items()})


def test_changing_a_state_that_was_handed_over_leaves_backward_alone(cell, x, d_h):
    layer = make(cell)
    given = np.ones((len(cell.states), H, B))
    _, final, cache = layer.forward(x, given)
    d_x, d_state = layer.backward(d_h, cache)
    given[:] = final[:] = 7.0
    d_x_again, d_state_again = layer.backward(d_h, cache)
    np.testing.assert_array_equal(d_x, d_x_again)
    np.testing.assert_array_equal(d_state, d_state_again)


def test_a_learned_initial_state_learns_only_where_it_was_used(cell, x, d_h):
    layer = make(cell, learned_initial_state=True)
    layer.initial_state.value[:] = np.random.default_rng(8).standard_normal((len(cell.states), H))
    given = np.repeat(layer.initial_state.value[:, :, None], B, axis=2)
    y, _, cache = layer.forward(x)
    y_given, _, cache_given = layer.forward(x, given)
    np.testing.assert_array_equal(y, y_given)
    _, d_state = layer.backward(d_h, cache_given)
    assert not layer.initial_state.grad.any()
    layer.backward(d_h, cache)
    np.testing.assert_allclose(layer.initial_state.grad, d_state.sum(axis=2), rtol=1e-12)


def test_recurrent_dropout_drops_units_for_a_whole_window_and_only_in_training(cell, x):
    layer = make(cell, recurrent_dropout=0.5)
    plain = make(cell)
    np.testing.assert_array_equal(layer.forward(x)[0], plain.forward(x)[0])
    first, again, other = (layer.forward(x, rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[0], again[0])
    assert not np.array_equal(first[2].dropped, other[2].dropped)
    assert set(np.unique(first[2].dropped)) == {0.0, 2.0}


def test_the_forget_bias_is_the_only_bias_set_apart():
    forget = slice(H, 2 * H)  # second of input, forget, candidate, output
    low, high = (make(LSTMCell(forget_bias=bias)).bias.value for bias in (1.0, 2.5))
    np.testing.assert_array_equal(low[forget], np.full(H, 1.0))
    np.testing.assert_array_equal(high[forget], np.full(H, 2.5))
    np.testing.assert_array_equal(np.delete(low, forget), np.delete(high, forget))
    assert np.abs(np.delete(low, forget)).max() <= H**-0.5
