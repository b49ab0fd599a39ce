"""Every cell against PyTorch: outputs, final states, loss and all gradients, over full and ragged lengths."""

from pathlib import Path

import numpy as np
import pytest

from rnncli.nn.cells import CELLS, GRUCell, LSTMCell, RNNCell
from rnncli.nn.layers import Stack

HERE = Path(__file__).parent
GOLDEN = {
    "rnn_tanh": RNNCell(activation="tanh"),
    "rnn_relu": RNNCell(activation="relu"),
    "lstm": LSTMCell(),
    "gru": GRUCell(),
}
NOT_IN_PYTORCH = {RNNCell(activation="sigmoid")}


def feature_major(batch_major):
    """(T, B, F) → (F, T, B)."""
    return batch_major.transpose(2, 0, 1)


def by_our_names(cell, layers, arrays, *, are_gradients=False):
    """PyTorch's parameters under our names.

    Our bias is the sum of PyTorch's two, and its gradient that of either, but where the recurrent product of a gate is
    kept apart.
    """
    named = {}
    for layer in range(layers):
        ih, hh = arrays[f"bias_ih_l{layer}"], arrays[f"bias_hh_l{layer}"]
        joint = len(ih) - len(ih) // len(cell.gates) * len(cell.apart)
        bias = ih.copy()
        if not are_gradients:
            bias[:joint] += hh[:joint]
        ours = {
            "weight_ih": arrays[f"weight_ih_l{layer}"],
            "weight_hh": arrays[f"weight_hh_l{layer}"],
            "bias": bias,
            "bias_hh": hh[joint:],
        }
        named |= {f"{layer}.{name}": array for name, array in ours.items() if array.size}
    return named


def assert_close(actual, expected, what):
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-9, err_msg=what, strict=True)


def test_every_cell_is_compared():
    variants = {cell for cls in CELLS.values() for cell in cls.variants()}
    assert set(GOLDEN.values()) == variants - NOT_IN_PYTORCH


@pytest.mark.parametrize("lengths", ["full", "ragged"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("name", GOLDEN)
def test_forward_and_every_gradient_equal_pytorch(name, layers, lengths):
    cell = GOLDEN[name]
    with np.load(HERE / f"{name}.npz") as file:
        prefix = f"{layers}/"
        golden = {key.removeprefix(prefix): file[key] for key in file if key.startswith(prefix)}
    results = {key.removeprefix(f"{lengths}/"): array for key, array in golden.items() if key.startswith(f"{lengths}/")}
    T, _, D = golden["x"].shape
    H = golden["h0"].shape[2]
    states = ["h0", "c0"][: len(cell.states)]
    real = np.arange(T)[:, None] < results["lengths"]
    mask = real if lengths == "ragged" else None

    stack = Stack(cell, D, H, layers, rng=None, dtype=np.float64)
    parameters = stack.parameters()
    for key, value in by_our_names(cell, layers, golden).items():
        parameters[key].value[:] = value
    state = [np.stack([golden[s][layer].T for s in states]) for layer in range(layers)]
    y, final, cache = stack.forward(feature_major(golden["x"]), state, mask)
    weight_of_y = feature_major(golden["weight_of_output"]) * real
    weight_of_final = [np.stack([golden[f"weight_of_{s}"][layer].T for s in states]) for layer in range(layers)]
    loss = (y * weight_of_y).sum() + sum((a * w).sum() for a, w in zip(final, weight_of_final, strict=True))
    d_x, d_state = stack.backward(weight_of_y, cache, weight_of_final)

    assert_close(y * real, feature_major(results["output"]), "outputs")
    assert_close(loss, results["loss"][()], "loss")
    assert_close(d_x, feature_major(results["d_x"]), "∂x")
    for layer in range(layers):
        for index, s in enumerate(states):
            assert_close(final[layer][index], results[f"final_{s}"][layer].T, f"final {s} of layer {layer}")
            assert_close(d_state[layer][index], results[f"d_{s}"][layer].T, f"∂{s} of layer {layer}")
    gradients = {key.removeprefix("d_"): array for key, array in results.items() if key.startswith("d_")}
    expected = by_our_names(cell, layers, gradients, are_gradients=True)
    assert expected.keys() == parameters.keys()
    for key, gradient in expected.items():
        assert_close(parameters[key].grad, gradient, f"∂{key}")
