import numpy as np
import pytest

from rnncli.errors import SpecError
from rnncli.models.language_model import LanguageModelSpec
from rnncli.models.sequence_classifier import SequenceClassifierSpec
from rnncli.models.stack_spec import CONTROLS, Conv1d, StackSpec, WindowedMLP
from rnncli.nn.cells import CELLS, GRUCell, LSTMCell
from rnncli.nn.layers import Bidirectional, Convolution, Recurrent
from rnncli.spec import from_plain, to_plain

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


def windows(stack):
    """How many steps each layer reads, how far apart, and how many of them before its own."""
    return [(layer.kernel_size, layer.dilation, layer.before) for layer in stack.layers]


@pytest.mark.parametrize("centred", [False, True])
def test_each_convolution_is_dilated_once_more_than_the_one_below(centred):
    cell = Conv1d(kernel_size=3, dilation=2)
    stack = build(cell=cell, num_layers=4, bidirectional=centred, dropout=0.2)
    assert all(isinstance(layer, Convolution) for layer in stack.layers)
    assert windows(stack) == [(3, 2**layer, (1 if centred else 2) * 2**layer) for layer in range(4)]
    assert stack.output_size == H
    assert stack.dropout.probability == 0.2
    shapes = {name: parameter.value.shape for name, parameter in stack.parameters().items()}
    weights = {f"{layer}.weight": (H, 3 * (H if layer else D)) for layer in range(4)}
    assert shapes == weights | {f"{layer}.bias": (H,) for layer in range(4)}


@pytest.mark.parametrize("centred", [False, True])
def test_of_a_windowed_perceptron_only_the_first_layer_reads_other_steps(centred):
    stack = build(cell=WindowedMLP(window=5), num_layers=3, bidirectional=centred, bias=False)
    assert windows(stack) == [(5, 1, 2 if centred else 4), (1, 1, 0), (1, 1, 0)]
    shapes = {name: parameter.value.shape for name, parameter in stack.parameters().items()}
    assert shapes == {"0.weight": (H, 5 * D), "1.weight": (H, H), "2.weight": (H, H)}
    assert stack.output_size == H


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
@pytest.mark.parametrize("kind", [Conv1d, WindowedMLP])
def test_the_activation_of_a_control_is_that_of_each_layer(kind, activation):
    stack = build(cell=kind(activation=activation), num_layers=2)
    for parameter in stack.parameters().values():
        parameter.value[:] = 0
    for bias in (-2.0, 1.0):
        stack.parameters()["1.bias"].value[:] = bias
        expected = {"tanh": np.tanh(bias), "relu": max(bias, 0), "sigmoid": 1 / (1 + np.exp(-bias))}[activation]
        np.testing.assert_allclose(stack.forward(np.zeros((D, 2, 1)))[0], np.full((H, 2, 1), expected), rtol=1e-12)


def test_weights_of_a_control_are_drawn_layer_by_layer():
    stack, rng = build(cell=Conv1d(), num_layers=2, seed=7), np.random.default_rng(7)
    for layer, inputs in zip(stack.layers, (D, H), strict=True):
        drawn = Convolution(inputs, H, kernel_size=3, rng=rng, dtype=np.float64)
        for name, parameter in drawn.parameters().items():
            np.testing.assert_array_equal(layer.parameters()[name].value, parameter.value, err_msg=name)


def test_parameters_are_named_for_what_the_layers_are():
    assert {name: StackSpec(cell=cls()).stack_name for name, cls in (CELLS | CONTROLS).items()} == (
        dict.fromkeys(CELLS, "recurrent") | dict.fromkeys(CONTROLS, "convolution")
    )
    assert {cls for cls in (CELLS | CONTROLS).values() if StackSpec(cell=cls()).is_recurrent} == set(CELLS.values())


@pytest.mark.parametrize(
    ("given", "cell"),
    [
        ("conv1d", Conv1d()),
        ("none", WindowedMLP("none")),
        ("mlp", WindowedMLP("mlp")),
        ({"name": "conv1d", "kernel_size": 5}, Conv1d(kernel_size=5)),
        ({"name": "conv1d", "dilation": 2, "activation": "tanh"}, Conv1d(dilation=2, activation="tanh")),
        ({"name": "none", "window": 7, "activation": "relu"}, WindowedMLP(window=7, activation="relu")),
    ],
)
@pytest.mark.parametrize("schema", [LanguageModelSpec, SequenceClassifierSpec])
def test_a_spec_names_its_control(schema, given, cell):
    spec = from_plain({"cell": given}, schema, "spec.yaml")
    assert spec.cell == cell
    assert from_plain(to_plain(spec), schema, "best.npz") == spec


def test_the_defaults_of_the_controls():
    assert Conv1d() == Conv1d("conv1d", 3, 1, "relu")
    assert WindowedMLP() == WindowedMLP("none", 5, "tanh")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cell": "conv1d", "recurrent_dropout": 0.1}, "recurrent_dropout needs a recurrent cell, not conv1d"),
        ({"cell": "none", "recurrent_dropout": 0.1}, "recurrent_dropout needs a recurrent cell, not none"),
        ({"cell": "mlp", "initial_state": "learned"}, "initial_state: learned needs a recurrent cell, not mlp"),
        (
            {"cell": {"name": "conv1d", "dilation": 2}, "num_layers": 20},
            "the windows of the last of 20 layers are over 1,000,000 steps long",
        ),
        ({"cell": {"name": "conv1d", "dilation": 9}, "num_layers": 1_000_000}, "of the last of 1000000 layers are"),
        ({"cell": {"name": "conv1d", "kernel_size": 0}}, "cell.kernel_size must be greater than 0, not 0"),
        ({"cell": {"name": "none", "window": 10_001}}, "cell.window must be at most 10000, not 10001"),
        ({"cell": {"name": "none", "kernel_size": 3}}, 'unknown key "kernel_size" in cell (none)'),
        ({"cell": "conv"}, 'cell must be one of rnn, lstm, gru, conv1d, none, mlp, not "conv"; did you mean "conv1d"?'),
    ],
)
@pytest.mark.parametrize("schema", [LanguageModelSpec, SequenceClassifierSpec])
def test_what_makes_no_sense_of_a_control_is_refused(schema, given, message):
    with pytest.raises(SpecError) as refused:
        from_plain(given, schema, "spec.yaml")
    assert message in str(refused.value)


def test_the_longest_windows_are_allowed():
    cell = Conv1d(kernel_size=2, dilation=2)
    assert StackSpec(cell=cell, num_layers=20).build(1, rng=None, dtype=np.float32).layers[-1].reach == 2**19
    assert StackSpec(cell=Conv1d(kernel_size=1, dilation=9), num_layers=300).is_recurrent is False
