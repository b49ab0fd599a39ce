"""Backpropagation through time against the closed forms in which lecture notes write it, term by term.

One sequence; a = b + W h_{t-1} + U x, h = tanh a, o = c + V h, ŷ = softmax o, L = -Σ log ŷ[y], as in Goodfellow,
Bengio & Courville (2016), section 10.2.2. Inputs are one-hot.
"""

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

from rnncli.models.language_model import EmbeddingSpec, LanguageModel, LanguageModelSpec
from rnncli.nn.cells import RNNCell
from rnncli.nn.layers import Linear, Lookup, Recurrent
from rnncli.nn.losses import softmax_cross_entropy
from rnncli.nn.parameter import Array

CLASSES, H = 5, 4


class Network(NamedTuple):
    """The notation of the formulas, t = 1 … τ: h[0] is the initial state; x[0], y[0] and y_hat[0] stand idle."""

    W: Array
    U: Array
    b: Array
    V: Array
    c: Array
    h: list[Array]
    x: list[Array]
    y: list[int]
    y_hat: list[Array]

    @property
    def tau(self):
        return len(self.h) - 1

    def step_jacobian(self, t):
        """∂h_t/∂h_{t-1} = diag(1 - h_t²) W."""
        return np.diag(1 - self.h[t] ** 2) @ self.W

    def jacobian(self, t, i):
        """∂h_t/∂h_i, the product of the Jacobians of every step between; the identity for i = t."""
        product = np.eye(H)
        for k in range(t, i, -1):
            product = product @ self.step_jacobian(k)
        return product


def softmax(o):
    return np.exp(o) / np.exp(o).sum()


def run(recurrent, output, ids, targets, state):
    """Run a loop over one sequence with a layer's weights, in the notation of the formulas."""
    W, U, b = recurrent.weight_hh.value, recurrent.weight_ih.value, recurrent.bias.value
    V, c = output.weight.value, output.bias.value
    x = [np.zeros(CLASSES), *np.eye(CLASSES)[ids]]
    h, y_hat = [state], [np.zeros(CLASSES)]
    for x_t in x[1:]:
        h.append(np.tanh(b + W @ h[-1] + U @ x_t))
        y_hat.append(softmax(c + V @ h[-1]))
    return Network(W, U, b, V, c, h, x, [0, *targets], y_hat)


def make_model(tau):
    rng = np.random.default_rng(tau)
    spec = LanguageModelSpec(embedding=EmbeddingSpec("one_hot"), cell=RNNCell(), hidden_size=H, num_layers=1)
    model = LanguageModel(spec, CLASSES, rng=rng, dtype=np.float64)
    ids, targets = rng.integers(CLASSES, size=(2, tau))
    state = rng.standard_normal(H)
    batch = SimpleNamespace(inputs=ids[:, None], targets=targets[:, None], mask=None)
    network = run(model.stack.layers[0], model.output, ids, targets, state)
    return model, batch, network


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("tau", [1, 2, 7])
def test_the_recursion_over_h_and_the_gradient_of_every_parameter(tau):
    model, batch, n = make_model(tau)
    loss, _, cache = model.loss(batch, [n.h[0][None, :, None]])
    assert loss.sum == pytest.approx(-sum(np.log(n.y_hat[t][n.y[t]]) for t in range(1, tau + 1)), rel=1e-13)

    # ∇o_t = ŷ_t - 1[y_t]
    d_o = [n.y_hat[t] - np.eye(CLASSES)[n.y[t]] for t in range(tau + 1)]
    close(cache.output.d_x, n.V.T @ np.transpose(d_o[1:]))
    close(cache.output.d_weight, np.transpose(d_o[1:]) @ n.h[1:])
    close(cache.output.d_bias, np.sum(d_o[1:], axis=0))

    # ∇h_τ = Vᵀ ∇o_τ, and before it ∇h_t = Wᵀ diag(1 - h_{t+1}²) ∇h_{t+1} + Vᵀ ∇o_t
    d_h = [np.zeros(H)] * (tau + 1)
    d_h[tau] = n.V.T @ d_o[tau]
    for t in range(tau - 1, 0, -1):
        d_h[t] = n.W.T @ np.diag(1 - n.h[t + 1] ** 2) @ d_h[t + 1] + n.V.T @ d_o[t]

    steps = range(1, tau + 1)
    slope = [np.diag(1 - h**2) for h in n.h]
    expected = {
        "output.bias": sum(d_o[t] for t in steps),  # ∇c
        "recurrent.0.bias": sum(slope[t] @ d_h[t] for t in steps),  # ∇b
        "output.weight": sum(np.outer(d_o[t], n.h[t]) for t in steps),  # ∇V
        "recurrent.0.weight_hh": sum(slope[t] @ np.outer(d_h[t], n.h[t - 1]) for t in steps),  # ∇W
        "recurrent.0.weight_ih": sum(slope[t] @ np.outer(d_h[t], n.x[t]) for t in steps),  # ∇U
    }
    _, d_state = model.backward(cache)
    parameters = model.parameters()
    assert parameters.keys() == expected.keys()
    for name, gradient in expected.items():
        close(parameters[name].grad, gradient)
    close(d_state[0][0, :, 0], n.W.T @ slope[1] @ d_h[1])  # ∇h_0


def direct(n, i):
    """∂h_i/∂W, ∂h_i/∂b and ∂h_i/∂U with h_{i-1} held fixed: element [a, b, c] is ∂(h_i)_a/∂W_bc."""
    slope = np.diag(1 - n.h[i] ** 2)
    return np.einsum("ab,c->abc", slope, n.h[i - 1]), slope, np.einsum("ab,c->abc", slope, n.x[i])


def loss_by_state(n, t):
    """∂L_t/∂ŷ_t · ∂ŷ_t/∂o_t · ∂o_t/∂h_t, a row vector."""
    d_y_hat = np.zeros(CLASSES)
    d_y_hat[n.y[t]] = -1 / n.y_hat[t][n.y[t]]
    return d_y_hat @ (np.diag(n.y_hat[t]) - np.outer(n.y_hat[t], n.y_hat[t])) @ n.V


def sum_over_paths(n, t):
    """∂L_t/∂θ = Σᵢ ∂L_t/∂ŷ_t · ∂ŷ_t/∂h_i · ∂h_i/∂θ, i = 1 … t, for θ = W, b, U."""
    total = [np.zeros((H, H)), np.zeros(H), np.zeros((H, CLASSES))]
    for i in range(1, t + 1):
        to_state = loss_by_state(n, t) @ n.jacobian(t, i)
        for gradient, of_state in zip(total, direct(n, i), strict=True):
            gradient[:] += np.tensordot(to_state, of_state, axes=1)
    return total


@pytest.mark.parametrize("cells", [3, 8])
def test_one_loss_at_the_end_is_the_sum_over_paths(cells):
    """Three cells and T cells, with one output at the end: no output before it adds to the gradient."""
    rng = np.random.default_rng(cells)
    recurrent = Recurrent(RNNCell(), CLASSES, H, rng=rng, dtype=np.float64)
    output = Linear(H, CLASSES, rng=rng, dtype=np.float64)
    ids, targets = rng.integers(CLASSES, size=(2, cells))
    n = run(recurrent, output, ids, targets, np.zeros(H))

    y, _, cache = recurrent.forward(Lookup(ids[:, None]))
    logits, hidden = output.forward(y[:, -1])
    _, d_logits = softmax_cross_entropy(logits, targets[-1:])
    d_y = np.zeros_like(y)
    d_y[:, -1] = output.backward(d_logits, hidden)
    recurrent.backward(d_y, cache)

    layers = (recurrent.weight_hh, recurrent.bias, recurrent.weight_ih)
    for parameter, gradient in zip(layers, sum_over_paths(n, cells), strict=True):
        close(parameter.grad, gradient)
    d_o = n.y_hat[cells] - np.eye(CLASSES)[n.y[cells]]
    close(output.weight.grad, np.outer(d_o, n.h[cells]))
    close(output.bias.grad, d_o)


def test_a_loss_at_every_step_is_the_sum_over_all_paths_to_every_step():
    model, batch, n = make_model(6)
    _, _, cache = model.loss(batch, [n.h[0][None, :, None]])
    model.backward(cache)
    W, b, U = (sum(parts) for parts in zip(*(sum_over_paths(n, t) for t in range(1, 7)), strict=True))
    parameters = model.parameters()
    close(parameters["recurrent.0.weight_hh"].grad, W)
    close(parameters["recurrent.0.bias"].grad, b)
    close(parameters["recurrent.0.weight_ih"].grad, U)


@pytest.mark.parametrize("t", [1, 2, 9])
def test_the_gradient_of_a_late_loss_by_the_first_state_is_a_product_over_time(t):
    """∂C_t/∂h_1 = ∂C_t/∂y_t · ∂y_t/∂h_t · ∂h_t/∂h_{t-1} ⋯ ∂h_2/∂h_1."""
    model, _, n = make_model(9)
    recurrent = model.stack.layers[0]
    expected = loss_by_state(n, t) @ n.jacobian(t, 1)
    d_last = model.output.backward((n.y_hat[t] - np.eye(CLASSES)[n.y[t]])[:, None], n.h[t][:, None])
    if t > 1:
        ids = np.argmax(n.x[2 : t + 1], axis=1)[:, None]
        y, _, cache = recurrent.forward(Lookup(ids), n.h[1][None, :, None])
        close(y[:, -1, 0], n.h[t])
        _, d_state = recurrent.backward(np.zeros_like(y), cache, d_last[None])
        d_last = d_state[0]
    close(d_last[:, 0], expected)
