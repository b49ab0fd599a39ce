"""Every readout against its definition, written out for each sequence alone, and against central differences."""

import numpy as np
import pytest

from rnncli.nn.gradient_check import compare_gradients
from rnncli.nn.layers.readouts import READOUTS, Attention, Last, Maximum, Mean

F, T = 4, 5
LENGTHS = [3, 5, 1, 0, 2]
B = len(LENGTHS)
RAGGED = np.arange(T)[:, None] < LENGTHS
HOLES = np.array([[0, 1, 1, 0, 1], [1, 0, 0, 1, 1], [1, 1, 0, 0, 1], [0, 0, 0, 1, 1], [1, 0, 0, 0, 1]], bool)

every_readout = pytest.mark.parametrize("name", READOUTS)
both_ways = pytest.mark.parametrize("bidirectional", [False, True])


def make(name, *, bidirectional=False, dtype=np.float64):
    return READOUTS[name](F, bidirectional, np.random.default_rng(1), dtype)


@pytest.fixture
def y():
    return np.random.default_rng(2).standard_normal((F, T, B))


@pytest.fixture
def d_vector():
    return np.random.default_rng(3).standard_normal((F, B))


def attend(readout, sequence):
    """Return α (t,) of one sequence (F, t), a step at a time."""
    W, b, u = readout.weight.value, readout.bias.value, readout.query.value
    e = np.array([u @ np.tanh(W @ step + b) for step in sequence.T])
    return np.exp(e) / np.exp(e).sum()


def plain(name, readout, sequence, *, bidirectional):
    """The vector of one sequence (F, t) without padding."""
    if not sequence.shape[1]:
        return np.zeros(F)
    if name == "last":
        return np.concatenate([sequence[: F // 2, -1], sequence[F // 2 :, 0 if bidirectional else -1]])
    if name == "attention":
        return sequence @ attend(readout, sequence)
    return {"mean": np.mean, "max": np.max}[name](sequence, axis=1)


def test_the_names_stand_for_the_readouts():
    kinds = {name: type(make(name)) for name in READOUTS}
    assert kinds == {"last": Last, "mean": Mean, "max": Maximum, "attention": Attention}


@every_readout
@both_ways
@pytest.mark.parametrize("mask", [None, RAGGED, HOLES], ids=["full", "ragged", "holes"])
def test_the_vectors_are_those_of_each_sequence_alone(name, bidirectional, mask, y):
    readout = make(name, bidirectional=bidirectional)
    vector, _ = readout.forward(y, mask)
    for b in range(B):
        sequence = y[:, :, b] if mask is None else y[:, mask[:, b], b]
        expected = plain(name, readout, sequence, bidirectional=bidirectional)
        np.testing.assert_allclose(vector[:, b], expected, rtol=1e-13, atol=1e-15)


@every_readout
@both_ways
@pytest.mark.parametrize("mask", [None, RAGGED, HOLES], ids=["full", "ragged", "holes"])
def test_every_gradient_equals_central_differences(name, bidirectional, mask, y, d_vector):
    readout = make(name, bidirectional=bidirectional)
    _, cache = readout.forward(y, mask)
    grads = {"y": readout.backward(d_vector, cache)}
    grads |= {key: parameter.grad for key, parameter in readout.parameters().items()}
    values = {"y": y} | {key: parameter.value for key, parameter in readout.parameters().items()}
    for entry in compare_gradients(lambda: float((readout.forward(y, mask)[0] * d_vector).sum()), values, grads):
        assert entry.error < 1e-7, entry
        assert grads[entry.name].any()


@every_readout
@both_ways
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("garbage", [1e30, np.inf, -np.inf, np.nan])
def test_whatever_stands_at_padding_changes_no_bit(name, bidirectional, garbage, dtype, y, d_vector):
    y, d_vector = y.astype(dtype), d_vector.astype(dtype)
    results = []
    for padding in (0, garbage):
        readout = make(name, bidirectional=bidirectional, dtype=dtype)
        vector, cache = readout.forward(np.where(RAGGED, y, dtype(padding)), RAGGED)
        d_y = readout.backward(d_vector, cache)
        assert not d_y[:, ~RAGGED].any()
        assert vector.dtype == d_y.dtype == dtype
        results.append((vector, d_y, *(parameter.grad for parameter in readout.parameters().values())))
    for clean, padded in zip(*results, strict=True):
        np.testing.assert_array_equal(clean, padded)


@every_readout
@both_ways
def test_a_mask_without_padding_changes_nothing(name, bidirectional, y, d_vector):
    results = []
    for mask in (None, np.ones((T, B), bool)):
        readout = make(name, bidirectional=bidirectional)
        vector, cache = readout.forward(y, mask)
        results.append((vector, readout.backward(d_vector, cache)))
    for without, masked in zip(*results, strict=True):
        np.testing.assert_allclose(without, masked, rtol=1e-15)


@every_readout
@both_ways
def test_sequences_without_a_real_step_read_as_zeros_and_give_no_gradient(name, bidirectional, y, d_vector):
    readout = make(name, bidirectional=bidirectional)
    for steps in (0, T):
        mask = np.zeros((steps, B), bool)
        for given in (mask, None) if not steps else (mask,):
            vector, cache = readout.forward(y[:, :steps], given)
            np.testing.assert_array_equal(vector, np.zeros((F, B)))
            np.testing.assert_array_equal(readout.backward(d_vector, cache), np.zeros((F, steps, B)))
    assert not any(parameter.grad.any() for parameter in readout.parameters().values())


@every_readout
def test_gradients_add_up_and_arguments_stay(name, y, d_vector):
    readout = make(name)
    before = y.copy(), d_vector.copy()
    vector, cache = readout.forward(y, RAGGED)
    d_y = readout.backward(d_vector, cache)
    once = {key: parameter.grad.copy() for key, parameter in readout.parameters().items()}
    vector_again, cache_again = readout.forward(-y, RAGGED)  # between the passes of the first
    vector_again[:] = 7
    del cache_again
    np.testing.assert_array_equal(readout.backward(d_vector, cache), d_y)
    for key, parameter in readout.parameters().items():
        np.testing.assert_allclose(parameter.grad, 2 * once[key], rtol=1e-14)
    np.testing.assert_array_equal(vector, readout.forward(y, RAGGED)[0])
    for array, copy in zip((y, d_vector), before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_of_equal_outputs_the_first_real_one_has_the_gradient(d_vector):
    y = np.zeros((F, T, B))
    y[:, 0] = -1
    y[1] = 0
    _, cache = Maximum().forward(y, None)
    d_y = Maximum().backward(d_vector, cache)
    assert not d_y[:, 2:].any()
    np.testing.assert_array_equal(d_y[1, 0], d_vector[1])
    np.testing.assert_array_equal(d_y[[0, 2, 3], 1], d_vector[[0, 2, 3]])


def test_what_attention_weighs_can_be_read(y):
    """α (T, B): of every sequence 1 in all, nothing at padding."""
    readout = make("attention")
    readout.weight.value *= 5
    _, cache = readout.forward(y, RAGGED)
    assert cache.weights.shape == (T, B)
    np.testing.assert_allclose(cache.weights.sum(axis=0), np.array(LENGTHS) > 0, rtol=1e-14)
    assert not cache.weights[~RAGGED].any()
    for b in (0, 1, 2, 4):
        alpha = attend(readout, y[:, RAGGED[:, b], b])
        np.testing.assert_allclose(cache.weights[RAGGED[:, b], b], alpha, rtol=1e-13)
    assert np.ptp(cache.weights[:, 1]) > 0.05


def test_attention_is_stable_where_one_step_weighs_all(y, d_vector):
    readout = make("attention")
    readout.query.value[:] = 1e4
    vector, cache = readout.forward(y, RAGGED)
    first = cache.weights.argmax(axis=0)
    np.testing.assert_allclose(vector[:, :3], y[:, first[:3], [0, 1, 2]], rtol=1e-12)
    assert np.isfinite(readout.backward(d_vector, cache)).all()


def test_attention_may_compare_in_fewer_dimensions(y):
    readout = Attention(F, 2, rng=np.random.default_rng(1), dtype=np.float64)
    shapes = {name: parameter.value.shape for name, parameter in readout.parameters().items()}
    assert shapes == {"weight": (2, F), "bias": (2,), "query": (2,)}
    np.testing.assert_allclose(readout.forward(y, None)[1].weights[:, 0], attend(readout, y[:, :, 0]), rtol=1e-13)
