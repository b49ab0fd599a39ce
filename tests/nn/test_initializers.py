import numpy as np
import pytest

from rnncli.nn.initializers import normal, uniform


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_uniform_fills_its_bounds_evenly(dtype):
    value = uniform(np.random.default_rng(1), (100, 400), 16, dtype).value
    assert value.dtype == dtype
    assert -0.25 <= value.min() < -0.2499
    assert 0.2499 < value.max() <= 0.25
    assert value.mean() == pytest.approx(0, abs=4 * 0.25 / np.sqrt(3 * value.size))
    assert value.std() == pytest.approx(0.25 / np.sqrt(3), rel=0.01)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_normal_has_its_deviation(dtype):
    value = normal(np.random.default_rng(1), (100, 400), 0.5, dtype).value
    assert value.dtype == dtype
    assert value.mean() == pytest.approx(0, abs=4 * 0.5 / np.sqrt(value.size))
    assert value.std() == pytest.approx(0.5, rel=0.02)


def test_without_a_generator_all_is_zero():
    for parameter in (uniform(None, (2, 3), 4, np.float32), normal(None, (2, 3), 1.0, np.float32)):
        np.testing.assert_array_equal(parameter.value, np.zeros((2, 3), np.float32))
        np.testing.assert_array_equal(parameter.grad, np.zeros((2, 3), np.float32))


def test_the_same_generator_draws_the_same_weights():
    first, second = (uniform(np.random.default_rng(7), (5, 5), 5, np.float32).value for _ in range(2))
    np.testing.assert_array_equal(first, second)
