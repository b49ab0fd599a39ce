"""Every cell against PyTorch: outputs, final states, loss and all gradients, over full and ragged lengths.

One direction and both; of both, ragged lengths alone, as PyTorch packs them.
"""

from pathlib import Path

import numpy as np
import pytest

from rnncli.models.stack_spec import StackSpec
from rnncli.nn.cells import CELLS, GRUCell, LSTMCell, RNNCell
from tests.golden.pytorch_names import assert_close, by_our_names, feature_major

HERE = Path(__file__).parent
GOLDEN = {
    "rnn_tanh": RNNCell(activation="tanh"),
    "rnn_relu": RNNCell(activation="relu"),
    "lstm": LSTMCell(),
    "gru": GRUCell(),
}
NOT_IN_PYTORCH = {RNNCell(activation="sigmoid")}


def test_every_cell_is_compared():
    variants = {cell for cls in CELLS.values() for cell in cls.variants()}
    assert set(GOLDEN.values()) == variants - NOT_IN_PYTORCH


@pytest.mark.parametrize("lengths", ["full", "ragged"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("name", GOLDEN)
def test_forward_and_every_gradient_equal_pytorch(name, layers, lengths):
    compare(name, GOLDEN[name], layers, lengths, bidirectional=False)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", [cls() for cls in CELLS.values()], ids=lambda cell: cell.name)
def test_in_both_directions_too(cell, layers):
    compare(f"bidirectional_{cell.name}", cell, layers, "ragged", bidirectional=True)


def compare(name, cell, layers, lengths, *, bidirectional):
    with np.load(HERE / f"{name}.npz") as file:
        prefix = f"{layers}/"
        golden = {key.removeprefix(prefix): file[key] for key in file if key.startswith(prefix)}
    results = {key.removeprefix(f"{lengths}/"): array for key, array in golden.items() if key.startswith(f"{lengths}/")}
    T, _, D = golden["x"].shape
    H = golden["h0"].shape[2]
    states = ["h0", "c0"][: len(cell.states)]
    real = np.arange(T)[:, None] < results["lengths"]
    mask = real if lengths == "ragged" else None
    ways = 2 if bidirectional else 1

    def layer_states(arrays, prefix=""):
        """(layers · directions, B, H) of each state → for each layer (S, directions · H, B)."""
        each = [arrays[f"{prefix}{s}"].reshape(layers, ways, -1, H) for s in states]
        return [np.stack([np.concatenate([way.T for way in s[layer]]) for s in each]) for layer in range(layers)]

    spec = StackSpec(cell=cell, hidden_size=H, num_layers=layers)
    stack = spec.build(D, rng=None, dtype=np.float64, bidirectional=bidirectional)
    parameters = stack.parameters()
    for key, value in by_our_names(cell, layers, golden, bidirectional=bidirectional).items():
        parameters[key].value[:] = value
    y, final, cache = stack.forward(feature_major(golden["x"]), layer_states(golden), mask)
    weight_of_y = feature_major(golden["weight_of_output"]) * real
    weight_of_final = layer_states(golden, "weight_of_")
    loss = (y * weight_of_y).sum() + sum((a * w).sum() for a, w in zip(final, weight_of_final, strict=True))
    d_x, d_state = stack.backward(weight_of_y, cache, weight_of_final)

    assert_close(y * real, feature_major(results["output"]), "outputs")
    assert_close(loss, results["loss"][()], "loss")
    assert_close(d_x, feature_major(results["d_x"]), "∂x")
    expected_final, expected_d = layer_states(results, "final_"), layer_states(results, "d_")
    for layer in range(layers):
        assert_close(final[layer], expected_final[layer], f"final states of layer {layer}")
        assert_close(d_state[layer], expected_d[layer], f"∂states of layer {layer}")
    gradients = {key.removeprefix("d_"): array for key, array in results.items() if key.startswith("d_")}
    expected = by_our_names(cell, layers, gradients, are_gradients=True, bidirectional=bidirectional)
    assert expected.keys() == parameters.keys()
    for key, gradient in expected.items():
        assert_close(parameters[key].grad, gradient, f"∂{key}")
