import numpy as np
import pytest

from rnncli.nn.cells import GRUCell, LSTMCell
from rnncli.nn.layers import Bidirectional, Recurrent, Stack

T, B, D, H = 4, 3, 2, 5


def make(layers, dropout=0.0):
    rng = np.random.default_rng(1)
    sizes = [D, *[H] * (layers - 1)]
    return Stack([Recurrent(LSTMCell(), size, H, rng=rng, dtype=np.float64) for size in sizes], dropout)


@pytest.fixture
def x():
    return np.random.default_rng(2).standard_normal((D, T, B))


def test_parameters_are_named_by_layer():
    first = Recurrent(GRUCell(), D, H, rng=None, dtype=np.float64, learned_initial_state=True)
    second = Recurrent(LSTMCell(), H, H + 1, rng=None, dtype=np.float64, bias=False)
    stack = Stack([first, second])
    shapes = {name: parameter.value.shape for name, parameter in stack.parameters().items()}
    assert shapes == {
        "0.weight_ih": (3 * H, D),
        "0.weight_hh": (3 * H, H),
        "0.bias": (3 * H,),
        "0.bias_hh": (H,),
        "0.initial_state": (1, H),
        "1.weight_ih": (4 * (H + 1), H),
        "1.weight_hh": (4 * (H + 1), H + 1),
    }
    assert stack.output_size == H + 1


def test_each_layer_reads_the_outputs_of_the_one_below(x):
    stack = make(3)
    y, final, cache = stack.forward(x)
    d_y = np.random.default_rng(3).standard_normal((H, T, B))
    d_final = list(np.random.default_rng(4).standard_normal((3, 2, H, B)))
    d_x, d_state = stack.backward(d_y, cache, d_final)
    stacked = {name: parameter.grad.copy() for name, parameter in stack.parameters().items()}

    for parameter in stack.parameters().values():
        parameter.grad[:] = 0
    between, caches = x, []
    for layer, expected in zip(stack.layers, final, strict=True):
        between, last, layer_cache = layer.forward(between)
        np.testing.assert_array_equal(last, expected)
        caches.append(layer_cache)
    np.testing.assert_array_equal(y, between)
    d = d_y
    for index in (2, 1, 0):
        d, d_before = stack.layers[index].backward(d, caches[index], d_final[index])
        np.testing.assert_array_equal(d_state[index], d_before)
    np.testing.assert_array_equal(d_x, d)
    for name, parameter in stack.parameters().items():
        np.testing.assert_array_equal(stacked[name], parameter.grad, err_msg=name)


def test_dropout_acts_on_what_goes_up_and_never_on_what_goes_on_in_time(x):
    plain, dropping = make(2), make(2, dropout=0.5)
    y, final, _ = plain.forward(x)
    y_dropped, final_dropped, cache = dropping.forward(x, rng=np.random.default_rng(5))
    lower, upper = cache.dropouts
    assert set(np.unique([lower, upper])) == {0.0, 2.0}
    np.testing.assert_array_equal(final_dropped[0], final[0])  # the lowest layer reads undropped inputs and states
    assert not np.allclose(final_dropped[1], final[1])
    between, _, _ = plain.layers[0].forward(x)
    above, _, _ = plain.layers[1].forward(between * lower)
    np.testing.assert_array_equal(y_dropped, above * upper)
    np.testing.assert_array_equal(dropping.forward(x)[0], y)


def test_the_state_of_each_layer_is_handed_over(x):
    stack = make(2)
    y, final, _ = stack.forward(x)
    y_1, between, _ = stack.forward(x[:, :1])
    y_2, final_2, _ = stack.forward(x[:, 1:], between)
    np.testing.assert_array_equal(np.concatenate([y_1, y_2], axis=1), y)
    np.testing.assert_array_equal(final_2, final)


def test_layers_of_any_kind_stand_on_each_other(x):
    """A bidirectional one below a plain one, which reads its 2H rows."""
    rng = np.random.default_rng(1)
    below, above = (
        Bidirectional(*(Recurrent(GRUCell(), D, H, rng=rng, dtype=np.float64) for _ in range(2))),
        Recurrent(LSTMCell(), 2 * H, H, rng=rng, dtype=np.float64),
    )
    y, final, cache = Stack([below, above]).forward(x)
    between, below_end, below_cache = below.forward(x)
    expected, above_end, above_cache = above.forward(between)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(final[0], below_end)
    np.testing.assert_array_equal(final[1], above_end)
    d_y = np.random.default_rng(3).standard_normal(y.shape)
    d_x, d_state = Stack([below, above]).backward(d_y, cache)
    d_between, d_above = above.backward(d_y, above_cache)
    expected_d_x, d_below = below.backward(d_between, below_cache)
    np.testing.assert_array_equal(d_x, expected_d_x)
    np.testing.assert_array_equal(d_state[0], d_below)
    np.testing.assert_array_equal(d_state[1], d_above)
