import numpy as np
import pytest

from rnncli.nn.gradient_check import FLOOR, compare_gradients


@pytest.fixture
def cubic():
    """L = Σ a³ + Σ a·b, and its true gradients."""
    rng = np.random.default_rng(1)
    values = {"a": rng.standard_normal((3, 4)), "b": rng.standard_normal((3, 4))}
    grads = {"a": 3 * values["a"] ** 2 + values["b"], "b": values["a"].copy()}
    return lambda: float((values["a"] ** 3).sum() + (values["a"] * values["b"]).sum()), values, grads


def test_true_gradients_agree_and_values_are_put_back(cubic):
    loss, values, grads = cubic
    before = {name: value.copy() for name, value in values.items()}
    report = compare_gradients(loss, values, grads)
    assert [(entry.name, entry.checked) for entry in report] == [("a", 12), ("b", 12)]
    assert all(entry.error < 1e-7 for entry in report)
    for name, value in values.items():
        np.testing.assert_array_equal(value, before[name])


def test_a_wrong_element_is_named_with_both_of_its_values(cubic):
    loss, values, grads = cubic
    true = grads["b"][1, 2]
    grads["b"][1, 2] = 1.01 * true
    a, b = compare_gradients(loss, values, grads)
    assert a.error < 1e-7
    assert b.where == (1, 2)
    assert b.error == pytest.approx(0.01 / 1.01, rel=1e-4)
    assert b.analytic == 1.01 * true
    assert b.numeric == pytest.approx(true, rel=1e-7)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_is_infinitely_wrong(cubic, bad):
    loss, values, grads = cubic
    grads["a"][2, 0] = bad
    with np.errstate(invalid="ignore"):
        worst = compare_gradients(loss, values, grads)[0]
    assert (worst.error, worst.where) == (np.inf, (2, 0))


def test_below_the_floor_the_error_is_absolute():
    value = {"a": np.array([1.0])}
    (report,) = compare_gradients(lambda: 0.0, value, {"a": np.array([FLOOR / 4])})
    assert report.error == pytest.approx(0.25)


def test_a_limit_draws_that_many_elements_of_larger_arrays():
    values = {"large": np.arange(50.0), "small": np.arange(3.0)}
    grads = {name: 2 * value for name, value in values.items()}
    evaluations = 0

    def loss():
        nonlocal evaluations
        evaluations += 1
        return float(sum((value**2).sum() for value in values.values()))

    large, small = compare_gradients(loss, values, grads, limit=5, rng=np.random.default_rng(1))
    assert (large.checked, small.checked, evaluations) == (5, 3, 16)
    assert max(large.error, small.error) < 1e-7
