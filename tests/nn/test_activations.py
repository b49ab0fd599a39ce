import numpy as np
import pytest

from rnncli.nn.activations import ACTIVATIONS

REFERENCE = {
    "tanh": lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)),
    "relu": lambda z: np.where(z > 0, z, 0.0),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
}
LIMITS = {"tanh": (-1.0, 1.0), "relu": (0.0, 1e4), "sigmoid": (0.0, 1.0)}


def test_every_activation_has_a_reference():
    assert REFERENCE.keys() == LIMITS.keys() == ACTIVATIONS.keys()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_forward_equals_the_reference(name):
    z = np.linspace(-6, 6, 48).reshape(4, 12)  # even count: no point on the kink of ReLU
    expected, y = REFERENCE[name](z), np.full_like(z, 7)  # whatever the room holds
    ACTIVATIONS[name].forward(z, y)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_backward_multiplies_by_the_slope(name):
    z, epsilon = np.linspace(-6, 6, 48), 1e-6
    slope = (REFERENCE[name](z + epsilon) - REFERENCE[name](z - epsilon)) / (2 * epsilon)
    y, d = REFERENCE[name](z), np.linspace(-2, 2, 48)
    y_before, d_before, out = y.copy(), d.copy(), np.full_like(y, 7)
    ACTIVATIONS[name].backward(d, y, out)
    np.testing.assert_allclose(out, d * slope, rtol=1e-8, atol=1e-9)
    np.testing.assert_array_equal(y, y_before)
    np.testing.assert_array_equal(d, d_before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_large_arguments_saturate_without_a_warning(name, dtype):
    z = np.array([-1e4, 1e4], dtype)
    y, out = np.empty_like(z), np.empty_like(z)
    ACTIVATIONS[name].forward(z, y)
    np.testing.assert_array_equal(y, np.array(LIMITS[name], dtype))
    ACTIVATIONS[name].backward(np.ones(2, dtype), y, out)
    np.testing.assert_array_equal(out, [0, 1] if name == "relu" else [0, 0])
    assert y.dtype == out.dtype == dtype
