import numpy as np
import pytest

from rnncli.models.stack_spec import StackSpec
from rnncli.nn.cells import GRUCell, LSTMCell
from rnncli.nn.layers import Bidirectional, Recurrent

D, H = 2, 5


def build(*, bidirectional=False, seed=1, dtype=np.float64, **options):
    rng = np.random.default_rng(seed)
    return StackSpec(hidden_size=H, **options).build(D, rng=rng, dtype=dtype, bidirectional=bidirectional)


def test_every_field_reaches_every_layer():
    stack = build(cell=GRUCell(), num_layers=3, bias=False, initial_state="learned", dropout=0.2, recurrent_dropout=0.3)
    assert stack.dropout.probability == 0.2
    assert [layer.recurrent_dropout.probability for layer in stack.layers] == [0.3] * 3
    assert {layer.cell for layer in stack.layers} == {GRUCell()}
    shapes = {name: parameter.value.shape for name, parameter in stack.parameters().items()}
    sizes = {"weight_hh": (3 * H, H), "initial_state": (1, H)}
    expected = {f"{layer}.{name}": shape for layer in range(3) for name, shape in sizes.items()}
    assert shapes == expected | {"0.weight_ih": (3 * H, D)} | {f"{layer}.weight_ih": (3 * H, H) for layer in (1, 2)}


def test_of_a_bidirectional_stack_the_upper_layers_read_both_halves():
    stack = build(num_layers=2, bidirectional=True)
    assert all(isinstance(layer, Bidirectional) for layer in stack.layers)
    assert stack.output_size == 2 * H
    shapes = {name: parameter.value.shape for name, parameter in stack.parameters().items()}
    sizes = {"weight_hh": (4 * H, H), "bias": (4 * H,)}
    ways = [f"{layer}.{direction}" for layer in (0, 1) for direction in ("forward", "backward")]
    expected = {f"{way}.{name}": shape for way in ways for name, shape in sizes.items()}
    expected |= {f"{way}.weight_ih": (4 * H, D if way.startswith("0") else 2 * H) for way in ways}
    assert shapes == expected


@pytest.mark.parametrize("bidirectional", [False, True])
def test_weights_are_drawn_layer_by_layer_and_forward_before_backward(bidirectional):
    """In the order in which they always were, so that a run of yesterday begins as it did."""
    rng = np.random.default_rng(7)
    stack = build(num_layers=2, bidirectional=bidirectional, seed=7)
    for index, layer in enumerate(stack.layers):
        for recurrent in layer.directions.values() if bidirectional else [layer]:
            inputs = D if index == 0 else stack.output_size
            drawn = Recurrent(LSTMCell(), inputs, H, rng=rng, dtype=np.float64)
            for name, parameter in drawn.parameters().items():
                np.testing.assert_array_equal(recurrent.parameters()[name].value, parameter.value, err_msg=name)


def test_layers_begin_with_weights_of_their_own():
    parameters = build(num_layers=2, bidirectional=True).parameters()
    weights = [parameter.value.ravel() for name, parameter in parameters.items() if name.endswith("weight_hh")]
    assert len(np.unique(weights)) == 4 * 4 * H * H


def test_without_a_generator_weights_wait_to_be_loaded():
    stack = StackSpec(hidden_size=H).build(D, rng=None, dtype=np.float32, bidirectional=True)
    assert {parameter.value.dtype for parameter in stack.parameters().values()} == {np.dtype(np.float32)}
    assert not any(parameter.value.any() for name, parameter in stack.parameters().items() if "weight" in name)
