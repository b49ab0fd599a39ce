import numpy as np
import pytest

from rnncli.nn.losses import LOSSES, sigmoid_cross_entropy, softmax_cross_entropy, squared_error

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


def make_targets(name):
    """Class ids (N,), or answers and values (V, N)."""
    rng = np.random.default_rng(4)
    kinds = {
        "softmax": rng.integers(V, size=N),
        "sigmoid": rng.integers(2, size=(V, N)) * 1.0,
        "linear": rng.standard_normal((V, N)),
    }
    return kinds[name]


def make_weight(kind):
    shape = {"none": None, "by position": (N,), "by answer": (V, N)}[kind]
    return None if shape is None else np.random.default_rng(5).uniform(0.2, 3, shape)


every_loss = pytest.mark.parametrize("name", LOSSES)
WEIGHTS = {"softmax": ["none", "by position"], "sigmoid": ["none", "by position", "by answer"]}
every_weight = pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name in LOSSES for kind in WEIGHTS.get(name, WEIGHTS["sigmoid"])]
)


@every_weight
def test_every_loss_returns_the_gradient_of_its_sum(name, kind, logits):
    targets, weight = make_targets(name), make_weight(kind)
    epsilon = 1e-5
    expected = np.zeros((V, N))
    for index in np.ndindex(V, N):
        shift = np.zeros((V, N))
        shift[index] = epsilon
        above, below = (LOSSES[name](logits + sign * shift, targets, weight)[0].sum for sign in (1, -1))
        expected[index] = (above - below) / (2 * epsilon)
    before = targets.copy(), None if weight is None else weight.copy()
    _, gradient = LOSSES[name](logits, targets, weight)
    np.testing.assert_allclose(gradient, expected, rtol=1e-7, atol=1e-8)
    assert gradient is logits
    np.testing.assert_array_equal(targets, before[0])
    np.testing.assert_array_equal(weight, before[1])


@every_weight
def test_a_weight_multiplies_the_loss_of_its_position(name, kind, logits):
    """As if a position of weight 3 were there three times, but for the count."""
    targets, weight = make_targets(name), make_weight(kind)
    loss, _ = LOSSES[name](logits.copy(), targets, weight)
    one_by_one = 0.0
    for n in range(N):
        of_position = logits[:, n : n + 1], targets[..., n : n + 1]
        if kind == "by answer":
            parts = [(o[None], y[None], w) for o, y, w in zip(*of_position, weight[:, n], strict=True)]
        else:
            parts = [(*of_position, 1.0 if weight is None else weight[n])]
        one_by_one += sum(w * LOSSES[name](o.copy(), y, None)[0].sum for o, y, w in parts)
    assert loss.sum == pytest.approx(one_by_one, rel=1e-13)
    assert loss.count == (N if name == "softmax" else V * N)


@every_loss
def test_no_positions_lose_nothing_and_have_no_mean(name):
    targets = np.empty(0, int) if name == "softmax" else np.empty((V, 0))
    loss, gradient = LOSSES[name](np.empty((V, 0)), targets, np.empty(0))
    assert (loss.sum, loss.count) == (0.0, 0)
    assert gradient.shape == (V, 0)


@every_loss
def test_float32_stays_float32_and_is_summed_in_float64(name):
    count = 100_000
    outputs = np.full((2, count), 0.5, np.float32)
    targets = np.zeros(count, int) if name == "softmax" else np.zeros((2, count), np.float32)
    one = np.full((2, 1), 0.5, np.float32)
    for weight in (None, np.full(count, 3, np.float32)):
        single, _ = LOSSES[name](one.copy(), targets[..., :1], None if weight is None else weight[:1])
        loss, gradient = LOSSES[name](outputs.copy(), targets, weight)
        assert loss.sum == pytest.approx(count * single.sum, rel=1e-12)
        assert gradient.dtype == np.float32


def test_sigmoid_cross_entropy_equals_its_definition(logits):
    targets = make_targets("sigmoid")
    p = 1 / (1 + np.exp(-logits))
    expected = -(targets * np.log(p) + (1 - targets) * np.log(1 - p)).sum()
    loss, gradient = sigmoid_cross_entropy(logits, targets)
    assert loss.sum == pytest.approx(expected, rel=1e-13)
    assert loss.mean == pytest.approx(expected / (V * N), rel=1e-13)
    np.testing.assert_allclose(gradient, p - targets, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_cross_entropy_is_stable_at_logits_of_ten_thousand(dtype):
    logits = np.array([[1e4, 1e4, -1e4, -1e4, 0, 0]], dtype)
    loss, gradient = sigmoid_cross_entropy(logits, np.array([[1, 0, 1, 0, 1, 0]], dtype))
    assert loss.sum == pytest.approx(2e4 + 2 * np.log(2), rel=1e-7)
    np.testing.assert_array_equal(gradient, np.array([[0, 1, -1, 0, -0.5, 0.5]], dtype))
    tiny, _ = sigmoid_cross_entropy(np.array([[30.0]]), np.array([[1.0]]))
    assert tiny.sum == pytest.approx(np.exp(-30), rel=1e-12, abs=0)  # which 1 - σ(30) would round away


def test_squared_error_has_no_half():
    """So that its mean is the mean squared error."""
    outputs, targets = np.array([[1.0, 4.0], [0.0, -2.0]]), np.array([[3.0, 4.0], [1.0, 1.0]])
    loss, gradient = squared_error(outputs, targets)
    assert (loss.sum, loss.mean) == (4 + 0 + 1 + 9, 3.5)
    np.testing.assert_array_equal(gradient, [[-4, 0], [-2, -6]])
