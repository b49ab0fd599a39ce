"""A model that reads nothing, against a plain loop of its layers' equations in which zeros stand for the input."""

import numpy as np
import pytest

from rnncli.models.autonomous_step import AutonomousStep
from rnncli.models.condition import CONDITIONS
from rnncli.models.language_model import EmbeddingSpec, LanguageModel, LanguageModelSpec
from rnncli.nn.cells import CELLS, GRUCell
from tests.nn.layers.plain_loop import STEPS

V, E, H, C, T = 7, 3, 6, 4, 9
VARIANTS = [cell for cls in CELLS.values() for cell in cls.variants()]
every_cell = pytest.mark.parametrize("cell", VARIANTS, ids=lambda cell: getattr(cell, "activation", cell.name))


def make(cell=None, kind="learned", condition=None, dtype=np.float64, **options):
    spec = LanguageModelSpec(
        EmbeddingSpec(kind, E), condition=condition or "bias", cell=cell or GRUCell(), hidden_size=H, **options
    )
    rng = np.random.default_rng(1)
    model = LanguageModel(spec, V, condition_size=C if condition else 0, rng=rng, dtype=dtype)
    for name, parameter in model.parameters().items():
        if name.endswith(("initial_state", "bias", "bias_hh")):
            parameter.value[:] = rng.standard_normal(parameter.value.shape)
    return model


def plain_step(model, x, state, bias=0.0):
    """The state of every layer, a list of arrays (B, H) each, after the first has read x (B, E)."""
    after, cell = [], model.spec.cell
    for layer, before in zip(model.stack.layers, state, strict=True):
        weights = {name: parameter.value for name, parameter in layer.parameters().items()}
        if not after:
            weights["bias"] = weights.get("bias", 0) + bias + np.zeros(len(weights["weight_ih"]))
        after.append(STEPS[cell.name](cell, weights, after[-1][0] if after else x, before, 1.0))
    return after


def plain_run(model, state, bias=0.0):
    """The logits (V, B) of T states and the states themselves, with nothing to read."""
    size, output, found = model.stack.layers[0].weight_ih.value.shape[1], model.output.parameters(), []
    for _ in range(T):
        state = plain_step(model, np.zeros((len(state[0][0]), size)), state, bias)
        logits = output["weight"].value @ state[-1][0].T
        found.append((logits + (output["bias"].value[:, None] if "bias" in output else 0), state))
    return found


def assert_runs(model, state, expected):
    step = AutonomousStep(model)
    state = step.start(state)
    for t, (logits, states) in enumerate(expected):
        said, state = step(np.full(state[0].shape[-1], t % V), state)
        np.testing.assert_allclose(said, logits, rtol=1e-11, atol=1e-12)
        for ours, theirs in zip(state, states, strict=True):
            np.testing.assert_allclose(ours, np.stack([one.T for one in theirs]), rtol=1e-11, atol=1e-12)
    assert len({logits.tobytes() for logits, _ in expected}) == T


@pytest.mark.parametrize("kind", ["learned", "one_hot"])
@pytest.mark.parametrize("options", [{}, {"num_layers": 1, "bias": False}, {"num_layers": 3}], ids=str)
@every_cell
def test_it_is_the_equations_of_the_layers_without_an_input(cell, options, kind):
    model = make(cell, kind, **options)
    _, state = model.logits(np.array([[1, 2], [3, 4]]))
    assert_runs(model, state, plain_run(model, [[one.T for one in layer] for layer in state]))


@every_cell
def test_it_begins_where_the_layers_begin(cell):
    for initial in ("zeros", "learned"):
        model = make(cell, initial_state=initial)
        states = len(cell.states)
        begin = [getattr(layer.initial_state, "value", np.zeros((states, H))) for layer in model.stack.layers]
        assert_runs(model, AutonomousStep(model).initial, plain_run(model, [[s[None] for s in one] for one in begin]))


@pytest.mark.parametrize("way", CONDITIONS)
@every_cell
def test_a_condition_stays_what_it_is(cell, way):
    """Added at every step as a bias, in the first state, or read as the one input that there is."""
    model, v, S = make(cell, condition=way), np.random.default_rng(5).standard_normal(C), len(cell.states)
    parameters = model.condition.parameters()
    made = parameters["weight"].value @ v + (parameters["bias"].value if "bias" in parameters else 0)
    state, bias = [[np.zeros((1, H))] * S] * 2, 0.0
    if way == "bias":
        bias = made
    elif way == "initial_state":
        state = [[s[None] for s in layer] for layer in made.reshape(2, S, H)]
    else:
        state = plain_step(model, made[None], state)
    given = model.given(v)
    assert_runs(given, AutonomousStep(given).initial, plain_run(model, state, bias))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_the_models_and_its_weights_and_the_states_given_stay_as_they_were(dtype):
    model = make(dtype=dtype)
    _, state = model.logits(np.array([[1, 2, 3]]))
    arrays = [parameter.value for parameter in model.parameters().values()] + state
    before = [array.tobytes() for array in arrays]
    logits, after = AutonomousStep(model).after(state)
    assert {array.dtype for array in (logits, *after)} == {np.dtype(dtype)}
    assert [array.tobytes() for array in arrays] == before
