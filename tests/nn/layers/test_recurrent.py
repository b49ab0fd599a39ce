"""The recurrent layer against a plain loop, batch-major and with a product for each gate, as lecture notes write it."""

import numpy as np
import pytest

from rnncli.nn.cells import CELLS, LSTMCell, RNNCell
from rnncli.nn.layers import Recurrent
from rnncli.nn.layers.recurrent import merge_time, split_time

T, B, D, H = 6, 3, 4, 5


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def gate_weights(layer, gate):
    """W_X (d, units), W_A (units, units) and b_A (units,) of one gate."""
    rows = slice(gate * H, (gate + 1) * H)
    b_A = layer.bias.value[rows] if layer.bias else np.zeros(H)
    return layer.weight_ih.value[rows].T, layer.weight_hh.value[rows].T, b_A


def rnn_loop(layer, X, state, kept):
    """A_t = g(X_t W_X + A_{t-1} W_A + b_A)."""
    W_X, W_A, b_A = gate_weights(layer, 0)
    g = {"tanh": np.tanh, "relu": lambda z: z * (z > 0), "sigmoid": sigmoid}[layer.cell.activation]
    (A,) = state
    outputs = []
    for X_t in X:
        A = g(X_t @ W_X + (A * kept) @ W_A + b_A)
        outputs.append(A)
    return outputs, [A]


def lstm_loop(layer, X, state, kept):
    """c_t = f c_{t-1} + i g and h_t = o tanh c_t."""
    gates = [gate_weights(layer, gate) for gate in range(4)]
    h, c = state
    outputs = []
    for X_t in X:
        i, f, g, o = (X_t @ W_X + (h * kept) @ W_A + b_A for W_X, W_A, b_A in gates)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return outputs, [h, c]


def gru_loop(layer, X, state, kept):
    """h_t = (1 - z) n + z h_{t-1}, the reset gate acting on the recurrent product."""
    (R_X, R_A, r_b), (Z_X, Z_A, z_b), (N_X, N_A, n_b) = (gate_weights(layer, gate) for gate in range(3))
    b_hn = layer.bias_hh.value if layer.bias_hh else np.zeros(H)
    (h,) = state
    outputs = []
    for X_t in X:
        r = sigmoid(X_t @ R_X + (h * kept) @ R_A + r_b)
        z = sigmoid(X_t @ Z_X + (h * kept) @ Z_A + z_b)
        n = np.tanh(X_t @ N_X + n_b + r * ((h * kept) @ N_A + b_hn))
        h = (1 - z) * n + z * h
        outputs.append(h)
    return outputs, [h]


LOOPS = {"rnn": rnn_loop, "lstm": lstm_loop, "gru": gru_loop}


def make(cell, seed=1, dtype=np.float64, **options):
    return Recurrent(cell, D, H, rng=np.random.default_rng(seed), dtype=dtype, **options)


def gradients(layer):
    return {name: parameter.grad.copy() for name, parameter in layer.parameters().items()}


def assert_gradients_close(layer, expected):
    for name, parameter in layer.parameters().items():
        np.testing.assert_allclose(parameter.grad, expected[name], rtol=1e-11, atol=1e-13, err_msg=name)


@pytest.fixture
def x():
    return np.random.default_rng(2).standard_normal((T, D, B))


@pytest.fixture
def d_h():
    return np.random.default_rng(3).standard_normal((T, H, B))


def test_every_cell_has_a_plain_loop():
    assert LOOPS.keys() == CELLS.keys()


@pytest.mark.parametrize("recurrent_dropout", [0.0, 0.5])
@pytest.mark.parametrize("bias", [True, False])
def test_forward_equals_the_plain_loop(cell, x, bias, recurrent_dropout):
    layer = make(cell, bias=bias, recurrent_dropout=recurrent_dropout)
    state = np.random.default_rng(4).standard_normal((len(cell.states), H, B))
    y, final, cache = layer.forward(x, state, rng=np.random.default_rng(5))
    kept = 1.0 if cache.dropped is None else cache.dropped.T
    assert (cache.dropped is not None) == (recurrent_dropout > 0)
    outputs, last = LOOPS[cell.name](layer, x.transpose(0, 2, 1), [s.T for s in state], kept)
    np.testing.assert_allclose(y.transpose(0, 2, 1), outputs, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(final.transpose(0, 2, 1), last, rtol=1e-12, atol=1e-14)


def test_no_state_begins_at_zeros(cell, x):
    layer = make(cell)
    y, final, _ = layer.forward(x)
    outputs, last = LOOPS[cell.name](layer, x.transpose(0, 2, 1), [np.zeros((B, H)) for _ in cell.states], 1.0)
    np.testing.assert_allclose(y.transpose(0, 2, 1), outputs, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(final.transpose(0, 2, 1), last, rtol=1e-12, atol=1e-14)


def test_the_split_products_equal_the_stacked_form(x):
    """h_t = tanh W (x_t; h_{t-1}), without a bias."""
    layer = make(RNNCell(), bias=False)
    W = np.hstack([layer.weight_ih.value, layer.weight_hh.value])
    y, _, _ = layer.forward(x)
    h = np.zeros((H, B))
    for t in range(T):
        h = np.tanh(W @ np.vstack([x[t], h]))
        np.testing.assert_allclose(y[t], h, rtol=1e-12, atol=1e-14)


def test_token_ids_stand_for_one_hot_vectors(cell, d_h):
    ids = np.random.default_rng(6).integers(D, size=(T, B)).astype(np.uint8)
    by_lookup, by_product = make(cell), make(cell)
    y, final, cache = by_lookup.forward(ids)
    y_product, final_product, cache_product = by_product.forward(np.eye(D)[ids].transpose(0, 2, 1))
    np.testing.assert_allclose(y, y_product, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(final, final_product, rtol=1e-13, atol=1e-15)
    d_x, d_state = by_lookup.backward(d_h, cache)
    assert d_x is None
    _, d_state_product = by_product.backward(d_h, cache_product)
    np.testing.assert_allclose(d_state, d_state_product, rtol=1e-12, atol=1e-14)
    assert_gradients_close(by_lookup, gradients(by_product))


@pytest.mark.parametrize("cut", [1, 2, T - 1])
def test_two_windows_equal_one_long_one(cell, x, d_h, cut):
    layer = make(cell)
    y, final, cache = layer.forward(x)
    y_1, between, cache_1 = layer.forward(x[:cut])
    y_2, final_2, cache_2 = layer.forward(x[cut:], between)
    np.testing.assert_array_equal(np.concatenate([y_1, y_2]), y)
    np.testing.assert_array_equal(final_2, final)

    d_final = np.random.default_rng(7).standard_normal(final.shape)
    d_x, d_first = layer.backward(d_h, cache, d_final)
    expected = gradients(layer)
    for parameter in layer.parameters().values():
        parameter.grad[:] = 0
    d_x_2, d_between = layer.backward(d_h[cut:], cache_2, d_final)
    d_x_1, d_first_1 = layer.backward(d_h[:cut], cache_1, d_between)
    np.testing.assert_allclose(np.concatenate([d_x_1, d_x_2]), d_x, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(d_first_1, d_first, rtol=1e-12, atol=1e-14)
    assert_gradients_close(layer, expected)


def test_a_second_forward_leaves_the_first_backward_alone(cell, x, d_h):
    alone, disturbed = make(cell), make(cell)
    y, final, cache = alone.forward(x)
    d_x, d_state = alone.backward(d_h, cache)
    y_2, final_2, cache_2 = disturbed.forward(x)
    disturbed.forward(-3 * x, final_2)
    disturbed.forward(x[:2, :, :1])
    d_x_2, d_state_2 = disturbed.backward(d_h, cache_2)
    for first, second in ((y, y_2), (final, final_2), (d_x, d_x_2), (d_state, d_state_2)):
        np.testing.assert_array_equal(first, second)
    for name, gradient in gradients(alone).items():
        np.testing.assert_array_equal(gradient, disturbed.parameters()[name].grad, err_msg=name)


def test_backward_changes_neither_its_arguments_nor_the_cache(cell, x, d_h):
    """So that a second backward pass of the same cache adds the same gradients again."""
    layer = make(cell)
    state = np.ones((len(cell.states), H, B))
    _, final, cache = layer.forward(x, state)
    arguments = d_h.copy(), final.copy(), state.copy()
    layer.backward(d_h, cache, final)
    once = gradients(layer)
    layer.backward(d_h, cache, final)
    for after, before in zip((d_h, final, state), arguments, strict=True):
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


def test_merge_and_split_time_are_inverse():
    a = np.arange(24.0).reshape(2, 3, 4)  # (T, F, B)
    merged = merge_time(a)
    np.testing.assert_array_equal(merged[1], [4, 5, 6, 7, 16, 17, 18, 19])
    np.testing.assert_array_equal(split_time(merged, 2), a)
