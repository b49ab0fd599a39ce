import math

import numpy as np
import pytest

from rnncli.training.clipping import clip


@pytest.fixture(autouse=True)
def _overflow_is_no_warning():
    """As in a step, where it shows in the norm."""
    with np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("grads", "max_norm", "max_value", "norm", "clipped"),
    [
        ([3.0, 4.0], 1.0, None, 5.0, [0.6, 0.8]),
        ([3.0, 4.0], 5.1, None, 5.0, [3.0, 4.0]),
        ([3.0, 4.0], None, None, 5.0, [3.0, 4.0]),
        ([3.0, -4.0, 0.5], None, 1.0, math.sqrt(25.25), [1.0, -1.0, 0.5]),
        ([3.0, -4.0], 1.0, 3.0, 5.0, [math.sqrt(0.5), -math.sqrt(0.5)]),  # values first, then their norm
        ([0.0, 0.0], 1.0, 1.0, 0.0, [0.0, 0.0]),
        ([1e-30, 0.0], 1.0, None, 0.0, [1e-30, 0.0]),
    ],
)
def test_limits_by_hand(dtype, grads, max_norm, max_value, norm, clipped):
    array = np.array(grads, dtype)
    assert clip(array, max_norm, max_value) == pytest.approx(norm, rel=1e-6, abs=1e-20)
    np.testing.assert_allclose(array, clipped, rtol=1e-5)
    assert array.dtype == dtype


def test_squares_that_float32_cannot_hold():
    grads = np.full(10, 1e30, np.float32)
    assert clip(grads, 5.0, None) == pytest.approx(math.sqrt(10) * 1e30, rel=1e-6)
    np.testing.assert_allclose(grads, np.full(10, 5 / math.sqrt(10)), rtol=1e-5)
    grads = np.full(10, 1e30, np.float32)
    assert clip(grads, 5.0, 1e25) == pytest.approx(math.sqrt(10) * 1e30, rel=1e-6)
    np.testing.assert_allclose(grads, np.full(10, 5 / math.sqrt(10)), rtol=1e-5)


@pytest.mark.parametrize(("bad", "norm"), [(np.inf, math.inf), (-np.inf, math.inf), (np.nan, math.nan)])
def test_what_is_not_finite_shows_in_the_norm(bad, norm):
    for max_value in (None, 1.0):
        grads = np.array([1.0, bad, 2.0], np.float32)
        assert clip(grads, 5.0, max_value) == pytest.approx(norm, nan_ok=True)


def test_a_clipped_gradient_keeps_its_direction():
    grads = np.random.default_rng(1).standard_normal(1000)
    clipped = grads.copy()
    clip(clipped, 0.01, None)
    assert np.linalg.norm(clipped) == pytest.approx(0.01, rel=1e-5)
    assert clipped @ grads == pytest.approx(np.linalg.norm(clipped) * np.linalg.norm(grads), rel=1e-12)
