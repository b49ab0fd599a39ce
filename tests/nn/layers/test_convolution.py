"""The convolution against a plain loop, finite differences, and itself in other cuts."""

import tracemalloc
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.nn.gradient_check import compare_gradients
from rnncli.nn.layers import Conditioned, Convolution, Lookup, Stack
from rnncli.nn.parameter import Parameter

T, B, D, H, V = 6, 4, 3, 2, 5
LENGTHS = [6, 2, 0, 4]
RAGGED = np.arange(T)[:, None] < LENGTHS
FUNCTIONS = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0), "sigmoid": lambda a: 1 / (1 + np.exp(-a))}
KERNELS = [(1, 1), (2, 1), (3, 1), (3, 2), (4, 2), (8, 1), (2, 9)]  # the last two read more steps than there are


def make(kernel_size=3, dilation=1, inputs=D, seed=1, dtype=np.float64, **options):
    rng = np.random.default_rng(seed)
    return Convolution(inputs, H, kernel_size=kernel_size, dilation=dilation, rng=rng, dtype=dtype, **options)


def drawn(*shape, seed=2):
    return np.random.default_rng(seed).standard_normal(shape)


def state_of(layer, seed=3):
    return drawn(*layer.state_shape, B, seed=seed)


def by_loops(layer, x, state, lengths, g, *, centred):
    """y (H, T, B), one step and one sequence at a time; the state stands before x, zeros everywhere else."""
    K, dilation = layer.kernel_size, layer.dilation
    reach = (K - 1) * dilation
    back = reach // 2 if centred else reach
    y = np.zeros((H, T, B))
    for b, length in enumerate(lengths):
        steps = dict(enumerate(x[:, :length, b].T))
        if state is not None:
            steps |= {step - len(state): vector for step, vector in enumerate(state[..., b])}
        for t in range(length):
            a = layer.bias.value.copy()
            for k in range(K):
                a += layer.weight.value[:, k * D : (k + 1) * D] @ steps.get(t - back + k * dilation, np.zeros(D))
            y[:, t, b] = g(a)
    return y


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("activation", FUNCTIONS)
def test_every_output_is_the_sum_over_its_window(activation, kernel, centred):
    layer, x = make(*kernel, activation=activation, centred=centred), drawn(D, T, B)
    for state, mask in product((None, state_of(layer)), (None, RAGGED)):
        lengths = [T] * B if mask is None else LENGTHS
        y, final, _ = layer.forward(x, state, mask)
        expected = by_loops(layer, x, state, lengths, FUNCTIONS[activation], centred=centred)
        np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-14)
        before = np.zeros((*layer.state_shape, B)) if state is None else state
        for b, length in enumerate(lengths):
            read = np.concatenate((before[..., b], x[:, :length, b].T))
            np.testing.assert_array_equal(final[..., b], read[len(read) - len(before) :])


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("activation", FUNCTIONS)
@pytest.mark.parametrize("kernel", [(1, 1), (2, 2), (3, 1), (8, 1)])
def test_every_gradient_is_the_numeric_one(kernel, activation, centred, masked):
    layer = make(*kernel, activation=activation, centred=centred)
    mask, x, state = RAGGED if masked else None, drawn(D, T, B), state_of(layer)
    d_y, d_final = drawn(H, T, B, seed=4), state_of(layer, seed=5)

    def loss():
        y, final, _ = layer.forward(x, state, mask)
        return float((y * d_y).sum() + (final * d_final).sum())

    d_x, d_state = layer.backward(d_y, layer.forward(x, state, mask)[2], d_final)
    values = {"x": x, "weight": layer.weight.value, "bias": layer.bias.value}
    grads = {"x": d_x, "weight": layer.weight.grad, "bias": layer.bias.grad}
    if state.size:
        values["state"], grads["state"] = state, d_state
    assert d_state.shape == state.shape
    assert all(grad.any() for grad in grads.values())
    for entry in compare_gradients(loss, values, grads):
        assert entry.error < 1e-7, entry


def run(layer, x, state, mask, d_y, d_final):
    """Outputs, final state, gradients of inputs and state, and of the parameters."""
    for parameter in layer.parameters().values():
        parameter.grad[:] = 0
    y, final, cache = layer.forward(x, state, mask)
    results = (y, final, *layer.backward(d_y, cache, d_final))
    return results, {name: parameter.grad.copy() for name, parameter in layer.parameters().items()}


@pytest.mark.parametrize("has_state", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("kernel", KERNELS)
def test_a_lookup_is_the_same_as_its_vectors(kernel, centred, masked, has_state):
    layer, rng = make(*kernel, centred=centred), np.random.default_rng(7)
    ids, vectors = rng.integers(V, size=(T, B)), rng.standard_normal((V, D))
    state, mask = state_of(layer) if has_state else None, RAGGED if masked else None
    d_y, d_final = drawn(H, T, B, seed=4), state_of(layer, seed=5)
    by_ids, grads = run(layer, Lookup(ids, vectors), state, mask, d_y, d_final)
    by_vectors, expected = run(layer, np.moveaxis(vectors[ids], -1, 0), state, mask, d_y, d_final)
    summed = np.zeros_like(vectors)
    np.add.at(summed, ids, np.moveaxis(by_vectors[2], 0, -1))
    np.testing.assert_allclose(by_ids[2], summed, rtol=1e-11, atol=1e-13)
    for index in (0, 1, 3):
        np.testing.assert_allclose(by_ids[index], by_vectors[index], rtol=1e-11, atol=1e-13)
    for name, gradient in expected.items():
        np.testing.assert_allclose(grads[name], gradient, rtol=1e-11, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("given_as", [None, "vectors", "ids"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("kernel", [(1, 1), (3, 1), (2, 2), (8, 1)])
def test_one_hot_ids_are_the_same_as_one_hot_vectors(kernel, masked, given_as):
    """A state of ids goes on with ids; of vectors that stand for ids, with vectors."""
    layer, rng = make(*kernel, inputs=V), np.random.default_rng(7)
    S, _ = layer.state_shape
    ids, before, mask = rng.integers(V, size=(T, B)), rng.integers(-1, V, size=(S, 1, B)), RAGGED if masked else None
    eye = np.eye(V + 1, V)  # of -1 the last row, zeros
    vectors = np.moveaxis(eye[before[:, 0]], -1, 1) if given_as else None
    d_y, d_final = drawn(H, T, B, seed=4), drawn(S, V, B, seed=5)
    state = before if given_as == "ids" else vectors
    by_ids, grads = run(layer, Lookup(ids), state, mask, d_y, d_final if given_as == "vectors" else None)
    by_vectors, expected = run(layer, np.moveaxis(eye[ids], -1, 0), vectors, mask, d_y, d_final)
    np.testing.assert_allclose(by_ids[0], by_vectors[0], rtol=1e-12, atol=1e-14)
    assert by_ids[2] is None
    if given_as == "vectors":
        np.testing.assert_allclose(by_ids[1], by_vectors[1], rtol=1e-12)
        np.testing.assert_allclose(by_ids[3], by_vectors[3], rtol=1e-11, atol=1e-13)
    else:
        assert by_ids[1].dtype.kind == "i"
        np.testing.assert_array_equal(np.moveaxis(eye[by_ids[1][:, 0]], -1, 1), by_vectors[1])
        assert not by_ids[3].any()
    for name, gradient in expected.items():
        np.testing.assert_allclose(grads[name], gradient, rtol=1e-11, atol=1e-12, err_msg=name)


def sources(seed=7):
    """The same kinds of inputs from step to step: vectors, tokens with vectors, and one-hot tokens."""
    rng = np.random.default_rng(seed)
    ids, vectors = rng.integers(V, size=(T, B)), rng.standard_normal((V, D))
    return {
        "vectors": (D, lambda steps: np.moveaxis(vectors[ids[steps]], -1, 0)),
        "lookup": (D, lambda steps: Lookup(ids[steps], vectors)),
        "one-hot": (V, lambda steps: Lookup(ids[steps])),
    }


@pytest.mark.parametrize("source", ["vectors", "lookup", "one-hot"])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("cut", [1, 2, T - 1])
def test_two_windows_are_one_long_one(kernel, cut, source):
    inputs, read = sources()[source]
    layer, d_y = make(*kernel, inputs=inputs), drawn(H, T, B, seed=4)
    first, second = slice(cut), slice(cut, T)
    d_final = None if source == "one-hot" else state_of(layer, seed=5)
    whole, grads = run(layer, read(slice(T)), None, None, d_y, d_final)
    for parameter in layer.parameters().values():
        parameter.grad[:] = 0
    y_1, between, cache_1 = layer.forward(read(first))
    y_2, final, cache_2 = layer.forward(read(second), between)
    np.testing.assert_allclose(np.concatenate((y_1, y_2), axis=1), whole[0], rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(final, whole[1])
    d_2, d_between = layer.backward(d_y[:, second], cache_2, d_final)
    d_1, d_first = layer.backward(d_y[:, first], cache_1, d_between)
    if source == "vectors":
        np.testing.assert_allclose(np.concatenate((d_1, d_2), axis=1), whole[2], rtol=1e-12, atol=1e-13)
    elif source == "lookup":
        np.testing.assert_allclose(d_1 + d_2, whole[2], rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(d_first, whole[3], rtol=1e-12, atol=1e-13)
    for name, parameter in layer.parameters().items():  # inputs of the first window count in the second one, too
        np.testing.assert_allclose(parameter.grad, grads[name], rtol=1e-11, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("source", ["vectors", "lookup", "one-hot"])
@pytest.mark.parametrize("kernel", [(3, 1), (3, 2), (8, 1)])
def test_ragged_sequences_go_on_after_their_own_last_step(kernel, source):
    """In windows of 2 steps, of which some sequences have none: what the first of them left is read on."""
    inputs, read = sources()[source]
    layer, ids = make(*kernel, inputs=inputs), np.arange(T)
    state = None
    for start in range(0, T, 2):
        _, state, _ = layer.forward(read(slice(start, start + 2)), state, RAGGED[start : start + 2])
    for b, length in enumerate(LENGTHS):
        _, alone, _ = layer.forward(read(ids[:length]))
        np.testing.assert_array_equal(state[..., b], alone[..., b])


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(0, T), min_size=B, max_size=B),
    garbage=st.floats(-1e6, 1e6),
    centred=st.booleans(),
    dilation=st.integers(1, 3),
    source=st.sampled_from(["vectors", "lookup", "one-hot"]),
)
def test_a_masked_batch_is_its_sequences_one_by_one(lengths, garbage, centred, dilation, source):
    """Two layers, of which the upper one reads what the lower one leaves at padding."""
    inputs, read = sources()[source]
    rng = np.random.default_rng(1)
    options = {"kernel_size": 3, "centred": centred, "activation": "sigmoid", "rng": rng, "dtype": np.float64}
    stack = Stack([Convolution(inputs, H, **options), Convolution(H, H, dilation=dilation, **options)])
    mask, d_y = np.arange(T)[:, None] < lengths, drawn(H, T, B, seed=4)
    x = read(slice(T))
    if isinstance(x, Lookup):
        x = x._replace(ids=np.where(mask, x.ids, int(abs(garbage)) % V))
    else:
        x = np.where(mask, x, garbage)
    y, final, cache = stack.forward(x, None, mask)
    d_x, d_state = stack.backward(d_y, cache)  # which is not zero at padding, and counts for nothing there
    batch = {name: parameter.grad.copy() for name, parameter in stack.parameters().items()}
    for parameter in stack.parameters().values():
        parameter.grad[:] = 0
    d_vectors = 0
    for b, length in enumerate(lengths):
        alone = read((slice(length), slice(b, b + 1)))
        y_b, final_b, cache_b = stack.forward(alone)
        d_x_b, d_state_b = stack.backward(d_y[:, :length, b : b + 1], cache_b)
        np.testing.assert_allclose(y[:, :length, b : b + 1], y_b, rtol=1e-12, atol=1e-14)
        for found, expected in zip((*final, *d_state), (*final_b, *d_state_b), strict=True):
            np.testing.assert_allclose(found[..., b : b + 1], expected, rtol=1e-11, atol=1e-13)
        if source == "vectors":
            np.testing.assert_allclose(d_x[:, :length, b : b + 1], d_x_b, rtol=1e-11, atol=1e-13)
        elif source == "lookup":
            d_vectors = d_vectors + d_x_b
    assert not y[:, ~mask].any()
    if source == "vectors":
        assert not d_x[:, ~mask].any()
    elif source == "lookup":
        np.testing.assert_allclose(d_x, d_vectors, rtol=1e-11, atol=1e-13)
    for name, parameter in stack.parameters().items():
        np.testing.assert_allclose(batch[name], parameter.grad, rtol=1e-11, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("kernel", [(1, 1), (3, 2)])
@pytest.mark.parametrize("source", ["vectors", "lookup", "one-hot"])
def test_a_mask_without_padding_changes_no_bit(kernel, source):
    inputs, read = sources()[source]
    layer, d_y = make(*kernel, inputs=inputs), drawn(H, T, B, seed=4)
    without, grads = run(layer, read(slice(T)), None, None, d_y, None)
    masked, others = run(layer, read(slice(T)), None, np.ones((T, B), bool), d_y, None)
    for one, other in zip((*without, *grads.values()), (*masked, *others.values()), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kernel", [(1, 1), (3, 1)])
@pytest.mark.parametrize("source", ["vectors", "lookup", "one-hot"])
@pytest.mark.parametrize("masked", [False, True])
def test_passes_leave_each_other_and_what_they_were_given_alone(kernel, source, masked):
    inputs, read = sources()[source]
    layer, d_y, mask = make(*kernel, inputs=inputs), drawn(H, T, B, seed=4), RAGGED if masked else None
    x, d_y_before = read(slice(T)), d_y.copy()
    given = [array for array in (x if isinstance(x, Lookup) else (x,)) if array is not None]
    before = [array.copy() for array in given]
    expected, once = run(layer, x, None, mask, d_y, None)
    kept = [None if array is None else array.copy() for array in expected]
    y, final, cache = layer.forward(x, None, mask)
    layer.backward(-d_y, layer.forward(x, final)[2])
    for parameter in layer.parameters().values():
        parameter.grad[:] = 0
    final[:] = 0  # the caller's to change
    for times in (1, 2):
        again = layer.backward(d_y, cache)
        for found, wanted in zip((y, *again), (kept[0], *kept[2:]), strict=True):
            np.testing.assert_array_equal(found, wanted)
        for name, parameter in layer.parameters().items():
            np.testing.assert_allclose(parameter.grad, times * once[name], rtol=1e-14, err_msg=name)
    for found, wanted in zip((*given, d_y, *expected), (*before, d_y_before, *kept), strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("source", ["vectors", "lookup", "one-hot"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("kernel", [(1, 1), (3, 2)])
def test_a_bias_of_each_sequence_is_that_of_a_layer_of_its_own(kernel, masked, source):
    inputs, read = sources()[source]
    layer, x = make(*kernel, inputs=inputs, activation="tanh"), read(slice(T))
    mask, d_y, bias = RAGGED if masked else None, drawn(H, T, B, seed=4), Parameter(drawn(H, B, seed=6))
    (y, final, d_x, _), grads = run(layer, Conditioned(x, bias), None, mask, d_y, None)
    own, found = layer.bias.value.copy(), []
    for b in range(B):
        layer.bias.value[:] = own + bias.value[:, b]
        only = d_y * (np.arange(B) == b)  # the other columns have no loss
        found.append(run(layer, x, None, mask, only, None))
        np.testing.assert_allclose(y[..., b], found[b][0][0][..., b], rtol=1e-12)
        np.testing.assert_allclose(bias.grad[:, b], found[b][1]["bias"], rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(final, found[0][0][1])
    for name, gradient in grads.items():
        np.testing.assert_allclose(gradient, sum(each[name] for _, each in found), rtol=1e-11, atol=1e-13, err_msg=name)
    if d_x is not None:
        np.testing.assert_allclose(d_x, sum(each[2] for each, _ in found), rtol=1e-11, atol=1e-13)


def test_ids_of_many_tokens_are_never_made_dense():
    many, steps, batch = 200_000, 20, 10
    layer = make(inputs=many, dtype=np.float32)
    ids = np.random.default_rng(1).integers(many, size=(steps, batch))
    state = None
    tracemalloc.start()
    try:
        for _ in range(2):
            _, state, cache = layer.forward(Lookup(ids), state)
            layer.backward(np.ones((H, steps, batch), np.float32), cache)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < many  # bytes; a single dense step of a single sequence takes 4 a token
    read, counts = np.unique(ids, return_counts=True)
    assert np.count_nonzero(layer.weight.grad[0, 2 * many :]) <= len(read)
    assert state.shape == (2, 1, batch)
    assert counts.sum() == steps * batch


def test_parameters_shapes_and_how_they_are_drawn():
    layer = make(5, inputs=40, seed=1)
    parameters = layer.parameters()
    assert {name: parameter.value.shape for name, parameter in parameters.items()} == {
        "weight": (H, 5 * 40),
        "bias": (H,),
    }
    bound = (5 * 40) ** -0.5  # as PyTorch draws them
    for parameter in parameters.values():
        assert np.abs(parameter.value).max() < bound
    assert np.abs(layer.weight.value).max() > 0.95 * bound
    assert list(make(bias=False).parameters()) == ["weight"]
    empty = Convolution(D, H, kernel_size=2, rng=None, dtype=np.float32)
    assert not any(parameter.value.any() for parameter in empty.parameters().values())


def test_without_bias_zeros_stay_zeros():
    layer = make(3, bias=False, activation="tanh")
    y, _, _ = layer.forward(np.zeros((D, T, B)))
    assert not y.any()
    x = drawn(D, T, B)
    with_bias = make(3, activation="tanh")
    with_bias.bias.value[:] = 0
    with_bias.weight.value[:] = layer.weight.value
    np.testing.assert_array_equal(layer.forward(x)[0], with_bias.forward(x)[0])


def test_the_shape_of_a_state_and_of_the_outputs():
    assert make(3, 4).state_shape == (8, D)
    assert make(1).state_shape == (0, D)
    assert make(3, 4, centred=True).state_shape == (0, D)
    assert make().output_size == H


@pytest.mark.parametrize("source", ["vectors", "lookup", "one-hot"])
@pytest.mark.parametrize("centred", [False, True])
def test_float32_stays_float32(source, centred):
    inputs, read = sources()[source]
    layer, x = make(inputs=inputs, dtype=np.float32, centred=centred), read(slice(T))
    single = x.astype(np.float32) if isinstance(x, np.ndarray) else x
    if isinstance(x, Lookup) and x.vectors is not None:
        single = x._replace(vectors=x.vectors.astype(np.float32))
    y, final, cache = layer.forward(single, None, RAGGED)
    found = [y, *layer.backward(np.ones_like(y), cache)] + [final] * (source != "one-hot")
    state = state_of(layer).astype(np.float32)
    y, final, cache = layer.forward(single, state)
    found += [y, final, *layer.backward(np.ones_like(y), cache, state)]
    assert {array.dtype for array in found if array is not None} == {np.dtype(np.float32)}


@pytest.mark.parametrize("source", ["vectors", "lookup", "one-hot"])
def test_no_steps_at_all(source):
    inputs, read = sources()[source]
    layer = make(inputs=inputs)
    _, state, _ = layer.forward(read(slice(T)))
    y, final, cache = layer.forward(read(slice(0)), state)
    assert y.shape == (H, 0, B)
    np.testing.assert_array_equal(final, state)
    layer.backward(y, cache)
    assert not layer.weight.grad.any()
