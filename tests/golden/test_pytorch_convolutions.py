"""Stacked convolutions against PyTorch: outputs and all gradients, over full and ragged lengths."""

from pathlib import Path

import numpy as np
import pytest

from rnncli.models.stack_spec import Conv1d, StackSpec
from tests.golden.pytorch_names import assert_close, feature_major

HERE = Path(__file__).parent


def by_taps(weight):
    """PyTorch's weight (H, D, K) as ours, (H, K·D)."""
    return weight.transpose(0, 2, 1).reshape(len(weight), -1)


@pytest.mark.parametrize("lengths", ["full", "ragged"])
@pytest.mark.parametrize(
    ("activation", "centred"), [("tanh", False), ("relu", False), ("relu", True), ("sigmoid", True)]
)
def test_forward_and_every_gradient_equal_pytorch(activation, centred, lengths):
    with np.load(HERE / "convolution.npz") as file:
        prefix = f"{activation}/{'centred' if centred else 'causal'}/"
        golden = {key.removeprefix(prefix): file[key] for key in file if key.startswith(prefix)}
    results = {key.removeprefix(f"{lengths}/"): array for key, array in golden.items() if key.startswith(f"{lengths}/")}
    T, _, D = golden["x"].shape
    H, _, kernel_size = golden["0.weight"].shape
    cell = Conv1d(kernel_size=kernel_size, dilation=2, activation=activation)
    stack = StackSpec(cell=cell, hidden_size=H, num_layers=2).build(
        D, rng=None, dtype=np.float64, bidirectional=centred
    )
    parameters = stack.parameters()
    assert parameters.keys() == {"0.weight", "0.bias", "1.weight", "1.bias"}
    for name, parameter in parameters.items():
        parameter.value[:] = by_taps(golden[name]) if name.endswith("weight") else golden[name]
    mask = np.arange(T)[:, None] < results["lengths"] if lengths == "ragged" else None
    y, _, cache = stack.forward(feature_major(golden["x"]), None, mask)
    d_x, _ = stack.backward(feature_major(golden["weight_of_output"]), cache)
    assert_close(y, feature_major(results["output"]), "outputs")
    assert_close(d_x, feature_major(results["d_x"]), "∂x")
    for name, parameter in parameters.items():
        expected = results[f"d_{name}"]
        assert_close(parameter.grad, by_taps(expected) if name.endswith("weight") else expected, name)
