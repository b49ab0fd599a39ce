import tracemalloc

import numpy as np
import pytest

from rnncli.nn import blocks
from rnncli.nn.layers import Softmax, softmax
from rnncli.nn.losses import softmax_cross_entropy
from rnncli.nn.parameter import Parameter

D = 5
TOLERANCE = {np.float64: {"rtol": 1e-12, "atol": 1e-13}, np.float32: {"rtol": 1e-4, "atol": 1e-5}}


def whole(weight, bias, x, targets):
    """The loss and every gradient from all logits at once, in float64."""
    W, x = weight.astype(float), x.astype(float)
    logits = W @ x + (0 if bias is None else bias.astype(float)[:, None])
    loss, d_logits = softmax_cross_entropy(logits, targets)
    return loss, W.T @ d_logits, d_logits @ x.T, d_logits.sum(axis=1)


def make(V, dtype=np.float64, **options):
    return Softmax(D, V, rng=np.random.default_rng(1), dtype=dtype, **options)


def make_batch(V, N, dtype=np.float64):
    rng = np.random.default_rng(2)
    return rng.standard_normal((D, N)).astype(dtype), rng.integers(V, size=N)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("N", [0, 1, 6, 7, 20])
@pytest.mark.parametrize(("largest", "cached"), [(1 << 24, 1 << 18), (7, 3), (2, 7), (7, 1), (1, 1)])  # x V; 0 is 1
@pytest.mark.parametrize("V", [1, 11, softmax.MANY - 1, softmax.MANY])
def test_the_loss_and_its_gradients_are_those_of_all_logits(V, largest, cached, N, bias, dtype, monkeypatch):
    """In whatever parts they are made: the last ones, and the pieces within them, smaller than the others."""
    monkeypatch.setattr(softmax, "LARGEST", largest * V + V - 1)
    monkeypatch.setattr(softmax, "CACHED", cached * V)
    output, (x, targets) = make(V, dtype, bias=bias), make_batch(V, N, dtype)
    before = x.copy(), targets.copy(), output.weight.value.copy()
    loss, gradient = output.loss(x, targets)
    expected = whole(output.weight.value, output.bias and output.bias.value, x, targets)
    assert loss.count == N
    assert loss.sum == pytest.approx(expected[0].sum, rel=1e-12 if dtype is np.float64 else 1e-5)
    for found, exact in zip(gradient, expected[1:], strict=True):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, exact, **TOLERANCE[dtype])
    assert not output.weight.grad.any()  # until they are added
    for array, copy in zip((x, targets, output.weight.value), before, strict=True):
        np.testing.assert_array_equal(array, copy)

    without, nothing = output.loss(x, targets, gradient=False)
    assert without == loss
    assert nothing is None

    for times in (1, 2):
        assert output.add(gradient) is gradient.d_x
        np.testing.assert_array_equal(output.weight.grad, times * gradient.d_weight)
        if bias:
            np.testing.assert_array_equal(output.bias.grad, times * gradient.d_bias)


def test_logits_smaller_than_one_position_are_still_made_one_at_a_time(monkeypatch):
    monkeypatch.setattr(softmax, "LARGEST", 3)
    monkeypatch.setattr(softmax, "CACHED", 2)
    output, (x, targets) = make(11), make_batch(11, 4)
    loss, gradient = output.loss(x, targets)
    expected = whole(output.weight.value, output.bias.value, x, targets)
    assert loss.sum == pytest.approx(expected[0].sum, rel=1e-13)
    np.testing.assert_allclose(gradient.d_weight, expected[2], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("V", [11, softmax.MANY])
def test_x_may_be_cut_from_a_longer_sequence(V):
    """As what a recurrent layer returns is, of which the first column is its initial state."""
    output, (x, targets) = make(V), make_batch(V, 12)
    loss, gradient = output.loss(x[:, 2:], targets[2:])
    loss_of_copy, expected = output.loss(x[:, 2:].copy(), targets[2:])
    assert loss.sum == pytest.approx(loss_of_copy.sum, rel=1e-14)
    for found, other in zip(gradient, expected, strict=True):
        np.testing.assert_allclose(found, other, rtol=1e-12, atol=1e-14)


def test_the_gradients_are_those_of_the_loss():
    output, (x, targets) = make(11), make_batch(11, 7)
    _, gradient = output.loss(x, targets)
    epsilon, rng = 1e-6, np.random.default_rng(3)
    for value, found in zip((x, output.weight.value, output.bias.value), gradient, strict=True):
        direction, start, losses = rng.standard_normal(value.shape), value.copy(), []
        for sign in (1, -1):
            value[:] = start + sign * epsilon * direction
            losses.append(output.loss(x, targets, gradient=False)[0].sum)
        value[:] = start
        assert (losses[0] - losses[1]) / (2 * epsilon) == pytest.approx((found * direction).sum(), rel=1e-7)


def test_a_tied_weight_gathers_the_gradient_where_it_belongs():
    table = Parameter(np.random.default_rng(4).standard_normal((11, D)))
    tied, (x, targets) = make(11, weight=table), make_batch(11, 7)
    assert list(tied.parameters()) == ["bias"]
    _, gradient = tied.loss(x, targets)
    table.grad[:] = 1
    tied.add(gradient)
    expected = whole(table.value, tied.bias.value, x, targets)
    np.testing.assert_allclose(table.grad, 1 + expected[2], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(tied.bias.grad, expected[3], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("V", [11, softmax.MANY])
def test_gradients_never_change_later(V):
    output, held = make(V), []
    for N in (9, 9, 4, 9):
        _, gradient = output.loss(*make_batch(V, N))
        held += [(array, array.copy()) for array in gradient]
    for array, copy in held:
        np.testing.assert_array_equal(array, copy)


def test_of_many_logits_no_more_than_one_part_is_ever_held(monkeypatch):
    """50,000 classes at 1,000 positions would be 200 MB."""
    monkeypatch.setattr(blocks, "_POOL", blocks._Pool())
    V, N = 50_000, 1000
    output = Softmax(64, V, rng=np.random.default_rng(1), dtype=np.float32)
    x, targets = np.random.default_rng(2).standard_normal((64, N), np.float32), np.arange(N)
    tracemalloc.start()
    try:
        output.loss(x, targets)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    part, weights = 4 * softmax.LARGEST, output.weight.value.nbytes
    # Beside the logits: the gradient of the weights, and that of one part of the positions which is added to it
    assert part < peak < 1.05 * part + 2.1 * weights
