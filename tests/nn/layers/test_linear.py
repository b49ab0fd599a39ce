import numpy as np
import pytest

from rnncli.nn.layers import Linear
from rnncli.nn.parameter import Parameter

D, V, N = 3, 4, 5


@pytest.fixture
def x():
    return np.random.default_rng(2).standard_normal((D, N))


@pytest.mark.parametrize("bias", [True, False])
def test_forward_and_backward_element_by_element(bias, x):
    linear = Linear(D, V, rng=np.random.default_rng(1), dtype=np.float64, bias=bias)
    W, b = linear.weight.value, linear.bias.value if bias else np.zeros(V)
    y, cache = linear.forward(x)
    d_y = np.random.default_rng(3).standard_normal((V, N))
    d_x = linear.backward(d_y, cache)
    for v in range(V):
        for n in range(N):
            assert y[v, n] == pytest.approx(sum(W[v, d] * x[d, n] for d in range(D)) + b[v], rel=1e-13)
        for d in range(D):
            expected = sum(d_y[v, n] * x[d, n] for n in range(N))
            assert linear.weight.grad[v, d] == pytest.approx(expected, rel=1e-12)
        if bias:
            assert linear.bias.grad[v] == pytest.approx(sum(d_y[v]), rel=1e-12)
    for d in range(D):
        for n in range(N):
            assert d_x[d, n] == pytest.approx(sum(W[v, d] * d_y[v, n] for v in range(V)), rel=1e-12)


def test_gradients_add_up(x):
    linear = Linear(D, V, rng=np.random.default_rng(1), dtype=np.float64)
    _, cache = linear.forward(x)
    d_y = np.ones((V, N))
    linear.backward(d_y, cache)
    once = {name: parameter.grad.copy() for name, parameter in linear.parameters().items()}
    linear.backward(d_y, cache)
    for name, parameter in linear.parameters().items():
        np.testing.assert_array_equal(parameter.grad, 2 * once[name])


def test_parameters_are_its_own_only():
    shared = Parameter(np.ones((V, D)))
    tied = Linear(D, V, rng=np.random.default_rng(1), dtype=np.float64, weight=shared)
    assert list(tied.parameters()) == ["bias"]
    assert list(Linear(D, V, rng=None, dtype=np.float64, bias=False).parameters()) == ["weight"]
    y, cache = tied.forward(np.ones((D, 1)))
    np.testing.assert_allclose(y[:, 0], D + tied.bias.value)
    tied.backward(np.full((V, 1), 2.0), cache)
    np.testing.assert_array_equal(shared.grad, np.full((V, D), 2))
