"""What is handed on from step to step: the recurrence of outputs, and what makes no sense of it."""

from types import SimpleNamespace

import numpy as np
import pytest

from rnncli.errors import SpecError
from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.language_model import LanguageModel, LanguageModelSpec
from rnncli.models.language_model_step import step_of
from rnncli.models.recurrence_gradient_cases import recurrence_cases
from rnncli.nn.cells import RNNCell
from rnncli.nn.gradient_check import compare_gradients
from rnncli.nn.layers import Convolution
from rnncli.nn.parameter import pack
from rnncli.spec import from_plain, to_plain

V, H, T, B, C = 7, 5, 6, 3, 2
MASK = np.arange(T)[:, None] < [6, 2, 4]
CASES = list(recurrence_cases(0))
FUNCTIONS = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0), "sigmoid": lambda a: 1 / (1 + np.exp(-a))}


def language_model(kind="learned", condition_size=0, **options):
    options = {"cell": RNNCell(), "num_layers": 1} | options
    spec = LanguageModelSpec(EmbeddingSpec(kind, 3), hidden_size=H, recurrence="output", **options)
    rng = np.random.default_rng(1)
    return LanguageModel(spec, V, condition_size=condition_size, rng=rng, dtype=np.float64)


def batch_of(mask=MASK, seed=2):
    rng = np.random.default_rng(seed)
    inputs, targets = rng.integers(V, size=(2, T, B))
    return SimpleNamespace(inputs=inputs, targets=targets, mask=mask, condition=rng.standard_normal((C, B)))


def by_hand(model, before, v):
    """Log-probabilities (V,) of what follows the token `before`: there is nothing else to know."""
    W = {name: parameter.value for name, parameter in model.parameters().items()}
    h = W["embedding.weight"][before] if model.embedding else np.eye(V)[before]
    for layer in range(model.spec.num_layers):
        a = W[f"hidden.{layer}.weight"] @ h + W.get(f"hidden.{layer}.bias", 0)
        if layer == 0 and "condition.weight" in W:
            a = a + W["condition.weight"] @ v
        h = FUNCTIONS[model.spec.cell.activation](a)
    o = W["output.weight"] @ h + W.get("output.bias", 0)
    return o - np.log(np.exp(o).sum())


@pytest.mark.parametrize("kind", ["learned", "one_hot"])
@pytest.mark.parametrize("condition_size", [0, C])
@pytest.mark.parametrize(
    "options", [{}, {"num_layers": 2}, {"bias": False, "cell": RNNCell(activation="relu")}], ids=str
)
def test_the_loss_of_a_language_model_is_that_of_the_equations(options, condition_size, kind):
    model, batch = language_model(kind, condition_size, **options), batch_of()
    found = [
        by_hand(model, batch.inputs[t, b], batch.condition[:, b])[batch.targets[t, b]] for t, b in np.argwhere(MASK)
    ]
    loss, _, _ = model.loss(batch)
    assert loss.count == MASK.sum()
    assert loss.sum == pytest.approx(-sum(found), rel=1e-12)


def reached(model, x, batch, t):
    """The steps whose gradients another target at step t changes."""
    found = []
    for shift in (0, 1):
        batch.targets[t] = (batch.targets[t] + shift) % V
        found.append(model.backward(model.loss_from(x, batch)[2])[0])
    return np.flatnonzero((found[0] != found[1]).any(axis=(0, 2))).tolist()


@pytest.mark.parametrize("num_layers", [1, 2])
def test_no_gradient_of_a_step_reaches_another(num_layers):
    """The steps decouple: of the loss at t nothing reaches the inputs of any other step, to the last bit."""
    x, batch = np.random.default_rng(3).standard_normal((3, T, B)), batch_of(None)
    sizes = {"hidden_size": H, "cell": RNNCell(), "num_layers": num_layers}
    spec = LanguageModelSpec(EmbeddingSpec("learned", 3), **sizes)
    hidden = LanguageModel(spec, V, rng=np.random.default_rng(1), dtype=np.float64)
    for t in range(T):
        assert reached(language_model(num_layers=num_layers), x, batch, t) == [t]
        assert reached(hidden, x, batch, t) == [*range(t + 1)]


def test_the_layers_have_no_weights_from_step_to_step():
    model = language_model(num_layers=2)
    assert all(isinstance(layer, Convolution) and layer.kernel_size == 1 for layer in model.stack.layers)
    shapes = {name: parameter.value.shape for name, parameter in model.parameters().items()}
    layers = {"hidden.0.weight": (H, 3), "hidden.0.bias": (H,), "hidden.1.weight": (H, H), "hidden.1.bias": (H,)}
    assert shapes == layers | {"embedding.weight": (V, 3), "output.weight": (V, H), "output.bias": (V,)}


@pytest.mark.parametrize("size", [0, C])
def test_generation_steps_as_a_pass_over_the_text_does(size):
    model, ids = language_model(condition_size=size), batch_of().inputs
    v = np.array([0.5, -1.0])
    given = model.given(v) if size else model
    expected = model.logits(ids, condition=np.repeat(v[:, None], B, axis=1) if size else None)[0].reshape(V, T, B)
    _, state = given.logits(ids[:2])
    step = step_of(given)
    state = step.start(state)
    for t in range(2, T):
        logits, state = step(ids[t], state)
        np.testing.assert_allclose(logits, expected[:, t], rtol=1e-11, atol=1e-13)


def test_a_model_that_is_given_its_condition_has_a_bias_of_its_own():
    model, v = language_model(condition_size=C), np.array([0.5, -1.0])
    before = {name: value.value.tobytes() for name, value in model.parameters().items()}
    flat = pack(model.parameters())
    given = model.given(v)
    found = given.logits(np.zeros((1, 1), int))[0]
    np.testing.assert_allclose(found, model.logits(np.zeros((1, 1), int), condition=v[:, None])[0], rtol=1e-12)
    assert np.abs(model.given(-v).logits(np.zeros((1, 1), int))[0] - found).max() > 1e-3
    assert flat.values.size == sum(p.value.size for p in model.parameters().values())
    assert {name: value.value.tobytes() for name, value in model.parameters().items()} == before


def test_the_key_is_read_and_written():
    spec = from_plain({"recurrence": "output", "cell": "rnn"}, LanguageModelSpec, "spec.yaml")
    assert spec == LanguageModelSpec(recurrence="output", cell=RNNCell())
    assert from_plain(to_plain(spec), LanguageModelSpec, "best.npz") == spec
    assert LanguageModelSpec().recurrence == "hidden"
    assert (spec.is_recurrent, LanguageModelSpec().is_recurrent) == (False, True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"recurrence": "out"}, 'recurrence must be one of hidden, output, both, not "out"'),
        (
            {"recurrence": "both"},
            "recurrence: both is the same as hidden: a language model reads its previous output anyway",
        ),
        (
            {"recurrence": "output"},
            "recurrence: output needs cell: rnn, not lstm, whose gates are for hidden states handed on",
        ),
        ({"recurrence": "output", "cell": "conv1d"}, "recurrence: output needs a recurrent cell, not conv1d"),
        (
            {"recurrence": "output", "cell": "rnn", "initial_state": "learned"},
            "initial_state: learned is for hidden states, and recurrence: output hands none on",
        ),
        (
            {"recurrence": "output", "cell": "rnn", "recurrent_dropout": 0.1},
            "recurrent_dropout is for hidden states, and recurrence: output hands none on",
        ),
        (
            {"recurrence": "output", "cell": "rnn", "condition": "input"},
            "condition: input is for hidden states, and recurrence: output hands none on: use bias",
        ),
        (
            {"recurrence": "output", "cell": "rnn", "condition": "initial_state"},
            "condition: initial_state is for hidden states, and recurrence: output hands none on: use bias",
        ),
    ],
)
def test_what_makes_no_sense_of_a_language_model_is_refused(given, message):
    with pytest.raises(SpecError) as refused:
        from_plain(given, LanguageModelSpec, "spec.yaml")
    assert str(refused.value.message) == message


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_gradients(case):
    for error in compare_gradients(case.loss, case.values, case.grads):
        assert error.error < 1e-6, error
        assert case.grads[error.name].any(), f"no gradient reaches {error.name}"


def test_the_cases_have_titles_of_their_own():
    assert len({case.title for case in CASES}) == len(CASES)
