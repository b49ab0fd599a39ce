import numpy as np
import pytest

from rnncli.nn.layers import Dropout

SHAPE = (200, 500)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_dropped_is_p_and_the_mean_is_kept(p):
    y, _ = Dropout(p).forward(np.ones(SHAPE), np.random.default_rng(1))
    n = y.size
    assert (y == 0).mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / n))
    np.testing.assert_allclose(y[y != 0], 1 / (1 - p), rtol=1e-15)
    assert y.mean() == pytest.approx(1, abs=4 * np.sqrt(p / (1 - p) / n))


def test_units_are_dropped_independently():
    p = 0.3
    y, _ = Dropout(p).forward(np.ones(SHAPE), np.random.default_rng(1))
    dropped = y == 0
    for both in (dropped[1:] & dropped[:-1], dropped[:, 1:] & dropped[:, :-1]):
        assert both.mean() == pytest.approx(p * p, abs=0.005)


def test_without_a_generator_or_a_probability_x_passes_untouched():
    x = np.random.default_rng(1).standard_normal(SHAPE)
    rng = np.random.default_rng(2)
    for y, mask in (Dropout(0.5).forward(x, None), Dropout(0.0).forward(x, rng)):
        assert y is x
        assert mask is None
    assert rng.random() == np.random.default_rng(2).random()  # a probability of 0 draws nothing
    assert Dropout(0.5).backward(x, None) is x


def test_the_same_generator_drops_the_same_units():
    x = np.random.default_rng(1).standard_normal(SHAPE)
    first, second, other = (Dropout(0.5).forward(x, np.random.default_rng(seed))[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, second)
    assert (first != other).mean() == pytest.approx(0.5, abs=0.02)


def test_backward_multiplies_by_the_mask_that_forward_drew():
    x, d_y = np.random.default_rng(1).standard_normal((2, *SHAPE))
    y, mask = Dropout(0.4).forward(x, np.random.default_rng(2))
    np.testing.assert_allclose(Dropout(0.4).backward(d_y, mask), d_y * (y / x), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_mask_does_not_depend_on_the_dtype(dtype):
    y, mask = Dropout(0.25).forward(np.ones(SHAPE, dtype), np.random.default_rng(5))
    assert y.dtype == mask.dtype == dtype
    double = Dropout(0.25).draw(SHAPE, np.random.default_rng(5), np.float64)
    np.testing.assert_array_equal(mask != 0, double != 0)
