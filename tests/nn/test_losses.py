import numpy as np
import pytest

from rnncli.nn.losses import LOSSES, softmax_cross_entropy

V, N = 6, 9


@pytest.fixture
def logits():
    return 3 * np.random.default_rng(1).standard_normal((V, N))


@pytest.fixture
def targets():
    return np.random.default_rng(2).integers(V, size=N)


def test_loss_equals_log_sum_exp_done_naively(logits, targets):
    expected = sum(np.log(sum(np.exp(logits[:, n]))) - logits[targets[n], n] for n in range(N))
    loss, _ = softmax_cross_entropy(logits.copy(), targets)
    assert loss.sum == pytest.approx(expected, rel=1e-13)
    assert loss.count == N
    assert loss.mean == pytest.approx(expected / N, rel=1e-13)


def test_gradient_is_softmax_minus_one_hot_and_sums_to_zero(logits, targets):
    softmax = np.exp(logits) / np.exp(logits).sum(axis=0)
    _, d_logits = softmax_cross_entropy(logits, targets)
    np.testing.assert_allclose(d_logits, softmax - np.eye(V)[:, targets], atol=1e-15)
    np.testing.assert_allclose(d_logits.sum(axis=0), 0, atol=1e-15)
    assert d_logits is logits  # in place, as it promises


def test_gradient_equals_central_difference(logits, targets):
    _, d_logits = softmax_cross_entropy(logits.copy(), targets)
    epsilon = 1e-5
    for index in np.ndindex(V, N):
        shift = np.zeros((V, N))
        shift[index] = epsilon
        above, below = (softmax_cross_entropy(logits + sign * shift, targets)[0].sum for sign in (1, -1))
        assert (above - below) / (2 * epsilon) == pytest.approx(d_logits[index], abs=1e-8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_stable_at_logits_of_ten_thousand(dtype):
    logits = np.array([[1e4, 1e4, -1e4, 0], [-1e4, 1e4, -1e4, -1e4]], dtype)
    loss, d_logits = softmax_cross_entropy(logits, np.array([1, 0, 1, 0]))
    assert loss.sum == pytest.approx(2e4 + 2 * np.log(2), rel=1e-7)
    np.testing.assert_array_equal(d_logits, np.array([[1, -0.5, 0.5, 0], [-1, 0.5, -0.5, 0]], dtype))
    assert d_logits.dtype == dtype


def test_no_predictions_lose_nothing():
    loss, d_logits = softmax_cross_entropy(np.empty((V, 0)), np.empty(0, int))
    assert (loss.sum, loss.count) == (0.0, 0)
    assert d_logits.shape == (V, 0)


def test_a_float32_loss_is_summed_in_float64():
    """One hundred thousand equal losses keep their digits, which a running float32 sum does not."""
    count = 100_000
    loss, _ = softmax_cross_entropy(np.zeros((3, count), np.float32), np.zeros(count, int))
    assert loss.sum == pytest.approx(count * float(np.log(np.float32(3))), rel=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_returns_the_gradient_of_its_sum(name, logits, targets):
    direction = np.random.default_rng(3).standard_normal((V, N))
    epsilon = 1e-6
    above, below = (LOSSES[name](logits + sign * epsilon * direction, targets)[0].sum for sign in (1, -1))
    _, gradient = LOSSES[name](logits, targets)
    assert (above - below) / (2 * epsilon) == pytest.approx((gradient * direction).sum(), rel=1e-7)
