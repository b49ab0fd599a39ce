"""What a condition does to a language model, by plain loops; and a model that is given one."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

from rnncli.models.condition import CONDITIONS
from rnncli.models.language_model import EmbeddingSpec, LanguageModel, LanguageModelSpec
from rnncli.models.language_model_step import step_of
from rnncli.models.stack_spec import CONTROLS
from rnncli.nn.cells import CELLS, GRUCell, LSTMCell
from rnncli.nn.layers import Lookup
from rnncli.nn.parameter import pack
from tests.nn.layers.plain_loop import plain_loop

V, H, T, B, C = 7, 5, 5, 3, 2
VARIANTS = [cell for cls in CELLS.values() for cell in cls.variants()]
MASK = np.arange(T)[:, None] < [5, 2, 4]
every_way = pytest.mark.parametrize("way", CONDITIONS)
every_cell = pytest.mark.parametrize("cell", VARIANTS, ids=lambda cell: getattr(cell, "activation", cell.name))
LSTM = LSTMCell()
KINDS = ("learned", "folded", "one_hot", "tied")
every_embedding = pytest.mark.parametrize("kind", KINDS)


def make(way, cell=LSTM, kind="learned", dtype=np.float64, size=C, **options):
    embedding = EmbeddingSpec("one_hot" if kind == "one_hot" else "learned", H if kind in ("tied", "folded") else 2)
    spec = LanguageModelSpec(
        embedding, condition=way, cell=cell, hidden_size=H, tie_embeddings=kind == "tied", **options
    )
    model = LanguageModel(spec, V, condition_size=size, rng=np.random.default_rng(1), dtype=dtype)
    for name, parameter in model.parameters().items():
        if name.endswith("initial_state"):
            parameter.value[:] = np.random.default_rng(4).standard_normal(parameter.value.shape)
    return model


def make_batch(mask=MASK, seed=2, dtype=np.float64):
    rng = np.random.default_rng(seed)
    inputs, targets = rng.integers(V, size=(2, T, B))
    return SimpleNamespace(inputs=inputs, targets=targets, mask=mask, condition=rng.standard_normal((C, B), dtype))


def by_hand(model, ids, v):
    """Log-probabilities (n, V) after each token of one sequence under one condition, from the equations alone."""
    W = {name: parameter.value for name, parameter in model.parameters().items()}
    x = (W["embedding.weight"] if model.embedding else np.eye(V))[ids].T
    layers = [
        {name.split(".")[2]: value for name, value in W.items() if name.startswith(f"recurrent.{layer}.")}
        for layer in range(model.spec.num_layers)
    ]
    states = len(model.spec.cell.states)
    start = [weights.get("initial_state", np.zeros((states, H))) for weights in layers]
    made = W["condition.weight"] @ v + W.get("condition.bias", 0)
    if model.spec.condition == "bias":
        layers[0]["bias"] = layers[0].get("bias", 0) + made
    elif model.spec.condition == "input":
        x = np.column_stack((made, x))
    else:
        start = made.reshape(len(layers), states, H)
    x = x[:, :, None]
    for weights, state in zip(layers, start, strict=True):
        x, _ = plain_loop(model.spec.cell, weights, x, state[:, :, None])
    h = x[:, -len(ids) :, 0]
    logits = W["embedding.weight" if model.spec.tie_embeddings else "output.weight"] @ h
    logits += W["output.bias"][:, None] if "output.bias" in W else 0
    return (logits - np.log(np.exp(logits).sum(axis=0))).T


def gradients(model, batch, state=None):
    flat = pack(model.parameters())
    _, _, cache = model.loss(batch, state)
    model.backward(cache)
    grads = {name: flat.grads[place].copy() for name, place in flat.slices.items()}
    return grads | {"condition": cache.stack.vector.grad.copy()}


OPTIONS = ({}, {"num_layers": 1}, {"bias": False}, {"initial_state": "learned"})
IN_TURN = [
    (way, cell, kind, OPTIONS[(number + number // 4) % (3 if way == "initial_state" else 4)])
    for number, (way, cell, kind) in enumerate(product(CONDITIONS, VARIANTS, KINDS))
]


@pytest.mark.parametrize(("way", "cell", "kind", "options"), IN_TURN)
def test_the_loss_is_that_of_the_equations_sequence_by_sequence(way, cell, kind, options):
    """Each sequence alone and at its own length: neither padding nor its neighbours count."""
    model, batch = make(way, cell, kind, **options), make_batch()
    assert isinstance(model.embed(batch.inputs), Lookup) == (kind != "learned")
    expected = 0.0
    for b, length in enumerate(MASK.sum(axis=0)):
        found = by_hand(model, batch.inputs[:length, b], batch.condition[:, b])
        expected -= found[np.arange(length), batch.targets[:length, b]].sum()
    loss, _, _ = model.loss(batch)
    assert loss.sum == pytest.approx(expected, rel=1e-11)
    assert loss.count == MASK.sum()
    others = make_batch()
    others.condition = others.condition[:, ::-1]
    assert abs(model.loss(others)[0].sum - expected) > 1e-5


SHAPES = {  # of the weight, and of the bias where there is one
    "bias": {"rnn": ((H, C), None), "lstm": ((4 * H, C), None), "gru": ((3 * H, C), None)},
    "initial_state": {
        "rnn": ((2 * H, C), (2 * H,)),
        "lstm": ((2 * 2 * H, C), (2 * 2 * H,)),
        "gru": ((2 * H, C), (2 * H,)),
    },
    "input": dict.fromkeys(CELLS, ((2, C), (2,))),
}


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("cell", CELLS)
@every_way
def test_parameters_by_name_and_shape(way, cell, bias):
    own = {name: p.value for name, p in make(way, CELLS[cell](), bias=bias).parameters().items()}
    plain = LanguageModel(make(way, CELLS[cell](), bias=bias).spec, V, rng=np.random.default_rng(1), dtype=np.float64)
    weight, of_bias = SHAPES[way][cell]
    expected = {"condition.weight": weight} | ({"condition.bias": of_bias} if of_bias and bias else {})
    assert {name: value.shape for name, value in own.items() if name not in plain.parameters()} == expected
    for name, parameter in plain.parameters().items():  # drawn as they are without a condition
        np.testing.assert_array_equal(own[name], parameter.value)
    assert 0.3 / C**0.5 < np.abs(own["condition.weight"]).max() <= 1 / C**0.5


@every_embedding
@every_way
def test_gradients_by_complex_steps_of_the_equations(way, kind):
    """∂L/∂a = Im L(a + iε) / ε, exact to rounding: of the vectors, and of all that makes something of them."""
    model, batch = make(way, GRUCell(), kind), make_batch()
    grads = gradients(model, batch)
    lengths, epsilon = MASK.sum(axis=0), 1e-30

    def loss(v):
        found = [by_hand(model, batch.inputs[:n, b], v[:, b]) for b, n in enumerate(lengths)]
        return -sum(
            p[np.arange(n), batch.targets[:n, b]].sum() for b, (n, p) in enumerate(zip(lengths, found, strict=True))
        )

    for c, b in np.ndindex(C, B):
        moved = batch.condition.astype(complex)
        moved[c, b] += epsilon * 1j
        assert grads["condition"][c, b] == pytest.approx(loss(moved).imag / epsilon, rel=1e-9)
    parameters = {name: p for name, p in model.parameters().items() if name.startswith("condition")}
    for name, parameter in parameters.items():
        plain, numeric = parameter.value, []
        for place in np.ndindex(plain.shape):
            parameter.value = plain.astype(complex)
            parameter.value[place] += epsilon * 1j
            numeric.append(loss(batch.condition).imag / epsilon)
        parameter.value = plain
        np.testing.assert_allclose(grads[name], numeric, rtol=1e-9, atol=1e-12)


@every_way
def test_a_pass_may_go_backward_again(way):
    model, batch = make(way), make_batch()
    once = gradients(model, batch)
    flat = pack(model.parameters())
    _, _, cache = model.loss(batch)
    model.backward(cache)
    model.backward(cache)
    for name, place in flat.slices.items():
        np.testing.assert_allclose(flat.grads[place], 2 * once[name], rtol=1e-12)
    np.testing.assert_allclose(cache.stack.vector.grad, 2 * once["condition"], rtol=1e-12)


@every_way
@every_cell
def test_windows_that_go_on_are_one_pass(cell, way):
    """As truncated backpropagation has them: the second window begins where the first one ended."""
    model, batch = make(way, cell), make_batch(mask=None)
    whole, _, _ = model.loss(batch)
    total, state = 0.0, None
    for part in (slice(0, 2), slice(2, T)):
        given = {name: getattr(batch, name)[part] for name in ("inputs", "targets")}
        loss, state, _ = model.loss(SimpleNamespace(**given, mask=None, condition=batch.condition), state)
        total += loss.sum
    assert total == pytest.approx(whole.sum, rel=1e-12)


@every_way
def test_a_state_that_is_given_goes_on_and_gives_the_condition_that_was_before_no_gradient(way):
    model, batch = make(way), make_batch()
    _, state, _ = model.loss(make_batch(seed=3))
    grads = gradients(model, batch, state)
    seen = way == "bias"
    assert grads["condition"].any() == seen
    assert grads["condition.weight"].any() == seen
    assert grads["recurrent.0.weight_hh"].any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("given", [np.float32, np.float64, np.uint8])
@every_way
def test_everything_has_the_dtype_of_the_model(way, given, dtype):
    model = make(way, dtype=dtype, initial_state="zeros", dropout=0.3, recurrent_dropout=0.3)
    batch = make_batch()
    batch.condition = batch.condition.astype(given)
    _, state, cache = model.loss(batch, None, np.random.default_rng(3))
    d_x, d_state = model.backward(cache)
    logits, after = model.logits(batch.inputs, condition=batch.condition)
    stepped, decoding = model.decoding_step().begin(batch)
    arrays = [*state, d_x, *d_state, logits, *after, cache.stack.vector.value, cache.stack.vector.grad]
    arrays += [
        stepped,
        *decoding.layers,
        *(layer.value for layer in model.given(batch.condition[:, 0]).parameters().values()),
    ]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}
    assert {parameter.grad.dtype for parameter in model.parameters().values()} == {np.dtype(dtype)}


@every_way
def test_dropout_is_drawn_by_the_generator_alone(way):
    model, batch = make(way, dropout=0.4, recurrent_dropout=0.4), make_batch()
    one, again, other, none = (
        model.loss(batch, None, rng)[0].sum for rng in (*map(np.random.default_rng, (6, 6, 7)), None)
    )
    assert one == again
    assert len({one, other, none}) == 3


@pytest.mark.parametrize(("way", "cell", "kind", "options"), IN_TURN)
def test_a_model_that_is_given_its_condition_is_one_without(way, cell, kind, options):
    model = make(way, cell, kind, **options)
    v = np.random.default_rng(5).standard_normal(C)
    before = {name: parameter.value.tobytes() for name, parameter in model.parameters().items()}
    given, ids = model.given(v), np.random.default_rng(6).integers(V, size=(T, 2))
    assert given.condition is None
    expected, _ = model.logits(ids, condition=np.repeat(v[:, None], 2, axis=1))
    found, _ = given.logits(ids)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)
    _, state = given.logits(ids[:2])
    step = step_of(given)
    state = step.start(state)
    for t in range(2, T):
        logits, state = step(ids[t], state)
        np.testing.assert_allclose(logits, expected.reshape(V, T, 2)[:, t], rtol=1e-11, atol=1e-13)
    assert {name: parameter.value.tobytes() for name, parameter in model.parameters().items()} == before
    assert np.abs(model.given(-v).logits(ids)[0] - found).max() > 1e-5


@pytest.mark.parametrize("condition", [None, np.ones((C + 1, B)), np.ones((C - 1, B))])
@every_way
def test_a_condition_of_another_size_or_none_is_refused(way, condition):
    model, batch = make(way), make_batch()
    batch.condition = condition
    found = "none" if condition is None else f"one of {len(condition)}"
    with pytest.raises(ValueError, match=f"needs a condition of {C} numbers, not {found}"):
        model.loss(batch)


def test_what_is_not_recurrent_has_no_condition():
    for name, cell in CONTROLS.items():
        with pytest.raises(ValueError, match="a condition needs a recurrent cell, not"):
            make("bias", cell())
        assert LanguageModel(LanguageModelSpec(cell=cell()), V, rng=None).condition is None, name


def test_states_are_learned_or_made_by_the_condition():
    with pytest.raises(ValueError, match="condition: initial_state makes all initial states"):
        LanguageModelSpec(condition="initial_state", initial_state="learned")


def test_a_model_without_a_condition_reads_none():
    model = LanguageModel(LanguageModelSpec(hidden_size=H), V, rng=np.random.default_rng(1))
    batch = make_batch()
    without = SimpleNamespace(inputs=batch.inputs, targets=batch.targets, mask=batch.mask)
    assert model.loss(batch)[0] == model.loss(without)[0]
