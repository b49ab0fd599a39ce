"""A tagger that is fed its labels: against the equations by plain loops, and what may not reach a step."""

from types import SimpleNamespace

import numpy as np
import pytest

from rnncli.errors import SpecError
from rnncli.models.character_encoder import CharacterEncoderSpec
from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.fed_labels import NONE, previous
from rnncli.models.input_layer import InputSizes
from rnncli.models.sequence_tagger import SequenceTagger
from rnncli.models.sequence_tagger_spec import SequenceTaggerSpec
from rnncli.nn.cells import CELLS, GRUCell, RNNCell
from rnncli.nn.parameter import pack
from rnncli.spec import from_plain, to_plain
from tests.nn.layers.plain_loop import plain_loop

V, K, H, E, T, B = 7, 3, 5, 3, 6, 4
LENGTHS = (6, 3, 1, 5)
MASK = np.arange(T)[:, None] < LENGTHS
ARCHITECTURES = [
    pytest.param(recurrence, cell, options, id=f"{recurrence} {name} {options}")
    for recurrence, name, cell, options in (
        ("output", "tanh", RNNCell(), {}),
        ("output", "relu", RNNCell(activation="relu"), {"num_layers": 2}),
        ("output", "sigmoid", RNNCell(activation="sigmoid"), {"bias": False}),
        ("both", "rnn", RNNCell(), {"num_layers": 2}),
        *(("both", name, cls(), {}) for name, cls in CELLS.items()),
        ("both", "gru", GRUCell(), {"initial_state": "learned", "bias": False}),
    )
]
every_architecture = pytest.mark.parametrize(("recurrence", "cell", "options"), ARCHITECTURES)
both_outputs = pytest.mark.parametrize("output", ["softmax", "sigmoid"])


def tagger(recurrence, cell=None, output="softmax", *, seed=5, **options):
    options = {"embedding": EmbeddingSpec(size=E), "hidden_size": H, "bidirectional": False} | options
    spec = SequenceTaggerSpec(recurrence=recurrence, cell=cell or RNNCell(), **options)
    sizes = InputSizes(V, characters=4)
    model = SequenceTagger(spec, K, output, sizes, rng=np.random.default_rng(seed), dtype=np.float64)
    for name, parameter in model.parameters().items():
        if name.endswith("initial_state"):
            parameter.value[:] = np.random.default_rng(4).standard_normal(parameter.value.shape)
        parameter.value *= 3  # so that each label counts
    return model


def batch_of(output="softmax", mask=MASK, seed=1):
    rng = np.random.default_rng(seed)
    shape = (T, B) if output == "softmax" else (K, T, B)
    return SimpleNamespace(
        inputs=rng.integers(V, size=(T, B)),
        targets=rng.integers(K if output == "softmax" else 2, size=shape),
        mask=mask,
        words=rng.integers(4, size=(T, B)),
        spelled=SimpleNamespace(characters=rng.integers(4, size=(3, 4)), mask=None),
    )


def by_hand(model, ids, label_before):
    """Scores (K, n) of one sequence, step by step; `label_before(t, scores)` is the label, or those, fed at step t."""
    W = {name: parameter.value for name, parameter in model.parameters().items()}
    spec, scores = model.spec, []
    prefix = "hidden" if spec.recurrence == "output" else "recurrent"
    layers = [
        {name.split(".")[2]: value for name, value in W.items() if name.startswith(f"{prefix}.{layer}.")}
        for layer in range(spec.num_layers)
    ]
    states = [
        None if spec.recurrence == "output" else w.get("initial_state", np.zeros((len(spec.cell.states), H)))[..., None]
        for w in layers
    ]
    g = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0), "sigmoid": lambda a: 1 / (1 + np.exp(-a))}
    for t, token in enumerate(ids):
        fed, y = label_before(t, scores), np.zeros(K + 1)
        if fed is None:
            y[K] = 1
        elif np.ndim(fed):
            y[:K] = fed
        else:
            y[fed] = 1
        h = np.concatenate((W["embedding.weight"][token], y))
        for index, weights in enumerate(layers):
            if spec.recurrence == "output":
                h = g[spec.cell.activation](weights["weight"] @ h + weights.get("bias", 0))
            else:
                found, states[index] = plain_loop(spec.cell, weights, h[:, None, None], states[index])
                h = found[:, 0, 0]
        scores.append(W["output.weight"] @ h + W.get("output.bias", 0))
    return np.stack(scores, axis=1)


@every_architecture
@both_outputs
def test_the_loss_is_that_of_the_equations_fed_the_true_labels(output, recurrence, cell, options):
    model, batch = tagger(recurrence, cell, output, **options), batch_of(output)
    expected = 0.0
    forced = model.scores(batch, forced=True)
    for b, length in enumerate(LENGTHS):
        own = batch.targets[..., b]
        o = by_hand(model, batch.inputs[:length, b], lambda t, _, own=own: own[..., t - 1] if t else None)
        np.testing.assert_allclose(forced[:, :length, b], o, rtol=1e-10, atol=1e-12)
        if output == "softmax":
            p = o - np.log(np.exp(o).sum(axis=0))
            expected -= p[own[:length], np.arange(length)].sum()
        else:
            y = own[:, :length]
            expected += (np.log1p(np.exp(-o)) * y + np.log1p(np.exp(o)) * (1 - y)).sum()
    loss, _, _ = model.loss(batch)
    assert loss.sum == pytest.approx(expected, rel=1e-11)
    assert loss.count == sum(LENGTHS) * (K if output == "sigmoid" else 1)
    assert model.loss_of(forced, batch).sum == pytest.approx(expected, rel=1e-11)


@every_architecture
@both_outputs
def test_answers_are_those_of_the_equations_fed_their_own_labels(output, recurrence, cell, options):
    model, batch = tagger(recurrence, cell, output, **options), batch_of(output)

    def best(t, scores):
        if not t:
            return None
        return scores[-1].argmax() if output == "softmax" else 1 / (1 + np.exp(-scores[-1])) >= 0.3

    scores = model.scores(batch, threshold=0.3)
    for b, length in enumerate(LENGTHS):
        own = by_hand(model, batch.inputs[:length, b], best)
        np.testing.assert_allclose(scores[:, :length, b], own, rtol=1e-10, atol=1e-12)
    assert np.abs(scores - model.scores(batch, forced=True))[:, MASK].max() > 1e-2
    batch.targets = batch.targets[..., ::-1]  # which nobody looks at
    np.testing.assert_array_equal(model.scores(batch, threshold=0.3), scores)


@both_outputs
@pytest.mark.parametrize("recurrence", ["output", "both"])
def test_padding_changes_no_loss_and_no_gradient(recurrence, output):
    model, batch = tagger(recurrence, output=output), batch_of(output)

    def gradients(batch):
        flat = pack(model.parameters())
        flat.grads[:] = 0
        loss, _, cache = model.loss(batch)
        model.backward(cache)
        return loss.sum, flat.grads.copy()

    together, grads = gradients(batch)
    singles = []
    for b, length in enumerate(LENGTHS):
        own = slice(length), slice(b, b + 1)
        single = {"inputs": batch.inputs[own], "targets": batch.targets[..., *own], "words": batch.words[own]}
        singles.append(gradients(SimpleNamespace(**single, mask=None, spelled=None)))
    assert together == pytest.approx(sum(loss for loss, _ in singles), rel=1e-12)
    np.testing.assert_allclose(grads, sum(grad for _, grad in singles), rtol=1e-9, atol=1e-12)


def reached(model, batch, t):
    """The steps with inputs whose gradients another target at step t changes, of the last step at none."""
    x, found = np.random.default_rng(3).standard_normal((E, T, B)), []
    for shift in (0, 1):
        batch.targets[t] = (batch.targets[t] + shift) % K
        found.append(model.backward(model.loss_from(x, batch)[2])[0])
    return np.flatnonzero((found[0] != found[1]).any(axis=(0, 2))).tolist()


def test_no_gradient_of_a_step_reaches_the_inputs_of_another():
    """The steps decouple: a label is the target of its own step and an input of the next, and nothing else, exactly."""
    for t in range(T):
        own = [t, t + 1] if t + 1 < T else [t]
        assert reached(tagger("output"), batch_of(mask=None), t) == own
        assert reached(tagger("output", num_layers=3), batch_of(mask=None), t) == own
        assert reached(tagger("both"), batch_of(mask=None), t) == [*range(T)]  # the later steps read it


@pytest.mark.parametrize(("recurrence", "seen"), [("output", 1), ("both", T - 1)])
def test_what_a_step_is_told_of_the_labels_before(recurrence, seen):
    """With outputs alone the one before; with hidden states, too, all of them."""
    model, batch = tagger(recurrence), batch_of(mask=None)
    before = model.scores(batch, forced=True)
    batch.targets[0] = (batch.targets[0] + 1) % K
    changed = np.abs(model.scores(batch, forced=True) - before).max(axis=(0, 2))
    assert np.flatnonzero(changed).tolist() == [*range(1, 1 + seen)]


def test_a_missing_label_is_fed_as_none():
    model, batch = tagger("output"), batch_of(mask=None)
    whole = model.scores(batch, forced=True)
    batch.targets[2, 0] = NONE
    found = model.scores(batch, forced=True)
    changed = np.argwhere((found != whole).any(axis=0)).tolist()
    assert changed == [[3, 0]]
    fresh = batch_of(mask=None)
    fresh.inputs, fresh.targets = batch.inputs[3:], batch.targets[3:]
    np.testing.assert_allclose(found[:, 3, 0], model.scores(fresh, forced=True)[:, 0, 0], rtol=1e-12)
    assert model.loss(batch)[0].count == T * B - 1


@both_outputs
def test_labels_that_a_batch_brings_are_fed_in_place_of_the_true_ones(output):
    model, batch = tagger("both", output=output), batch_of(output)
    others = batch_of(output, seed=9).targets
    loss = model.loss(batch)[0].sum
    batch.fed = previous(batch.targets)
    assert model.loss(batch)[0].sum == loss
    batch.fed = previous(others)
    found = model.loss(batch)[0].sum
    assert abs(found - loss) > 1e-2
    targets, batch.targets, batch.fed = batch.targets, others, None
    scores = model.scores(batch, forced=True)
    batch.targets = targets
    assert model.loss_of(scores, batch).sum == pytest.approx(found, rel=1e-12)


def test_labels_a_step_later():
    np.testing.assert_array_equal(previous(np.array([[1], [2], [0]])), [[NONE], [1], [2]])
    several = previous(np.array([[[True], [False]], [[True], [True]]]))
    np.testing.assert_array_equal(several, [[[NONE], [1]], [[NONE], [1]]])


@pytest.mark.parametrize("options", [{}, {"characters": CharacterEncoderSpec(embedding_size=2, hidden_size=2)}])
@pytest.mark.parametrize(("recurrence", "cell"), [("output", "rnn"), *(("both", cell) for cell in CELLS)])
@both_outputs
def test_stepping_is_one_pass(output, recurrence, cell, options):
    model, batch = tagger(recurrence, CELLS[cell](), output, **options), batch_of(output, None)
    expected, fed = model.scores(batch, forced=True), previous(batch.targets)
    step = model.decoding_step()
    scores, state = step.begin(batch)
    np.testing.assert_allclose(scores, expected[:, 0], rtol=1e-11, atol=1e-12)
    columns = np.array([2, 0, 2, 3, 1])
    for t in range(1, T):
        some, _ = step(fed[..., t, columns], step.select(state, columns))
        scores, state = step(fed[..., t, :], state)
        np.testing.assert_allclose(scores, expected[:, t], rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(some, scores[:, columns], rtol=1e-11, atol=1e-12)
    with pytest.raises(IndexError):
        step(fed[..., 0, :], state)


def test_vectors_of_labels_stand_beside_those_of_inputs():
    spelled = CharacterEncoderSpec(embedding_size=2, hidden_size=2)
    shapes = {name: p.value.shape for name, p in tagger("both", GRUCell(), characters=spelled).parameters().items()}
    assert shapes["recurrent.0.weight_ih"] == (3 * H, E + 4 + K + 1)
    shapes = {name: p.value.shape for name, p in tagger("output").parameters().items()}
    hidden = {"hidden.0.weight": (H, E + K + 1), "hidden.0.bias": (H,)}
    assert shapes == hidden | {"embedding.weight": (V, E), "output.weight": (K, H), "output.bias": (K,)}


def test_the_key_is_read_and_written():
    spec = from_plain({"recurrence": "both", "bidirectional": False}, SequenceTaggerSpec, "spec.yaml")
    assert spec == SequenceTaggerSpec(recurrence="both", bidirectional=False)
    assert from_plain(to_plain(spec), SequenceTaggerSpec, "best.npz") == spec
    assert SequenceTaggerSpec().recurrence == "hidden"


ALONE = {"recurrence": "output", "cell": "rnn", "bidirectional": False}
BOTH = {"recurrence": "both", "bidirectional": False}
AHEAD = "hands each label on to the next step, and nothing ahead is labelled yet: set bidirectional: false"
TOGETHER = "labels each step by the one before, and a crf all of them together: set crf: false"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (ALONE | {"bidirectional": True}, f"recurrence: output {AHEAD}"),
        ({"recurrence": "both"}, f"recurrence: both {AHEAD}"),
        (ALONE | {"crf": True}, f"recurrence: output {TOGETHER}"),
        (BOTH | {"crf": True}, f"recurrence: both {TOGETHER}"),
        (
            ALONE | {"cell": "gru"},
            "recurrence: output needs cell: rnn, not gru, whose gates are for hidden states handed on",
        ),
        (BOTH | {"cell": "conv1d"}, "recurrence: both needs a recurrent cell, not conv1d"),
        (
            ALONE | {"recurrent_dropout": 0.5},
            "recurrent_dropout is for hidden states, and recurrence: output hands none on",
        ),
        (
            ALONE | {"initial_state": "learned"},
            "initial_state: learned is for hidden states, and recurrence: output hands none on",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(given, message):
    with pytest.raises(SpecError) as refused:
        from_plain(given, SequenceTaggerSpec, "spec.yaml")
    assert str(refused.value.message) == message
