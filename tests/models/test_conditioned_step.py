"""Stepping through many columns, each with a condition of its own, against passes over whole sequences."""

from types import SimpleNamespace

import numpy as np
import pytest

from rnncli.decoding import Sampling, beam_search, log_softmax, sample
from rnncli.models.condition import CONDITIONS
from rnncli.models.language_model import EmbeddingSpec, LanguageModel, LanguageModelSpec
from rnncli.nn.cells import CELLS, GRUCell, RNNCell

V, H, T, B, C = 7, 6, 6, 4, 3
VARIANTS = [cell for cls in CELLS.values() for cell in cls.variants()]
every_way = pytest.mark.parametrize("way", [*CONDITIONS, "none"])
every_cell = pytest.mark.parametrize("cell", VARIANTS, ids=lambda cell: getattr(cell, "activation", cell.name))


def make(way, cell=None, kind="learned", dtype=np.float64, **options):
    condition, size = ("bias", 0) if way == "none" else (way, C)
    spec = LanguageModelSpec(
        EmbeddingSpec(kind, 3), condition=condition, cell=cell or GRUCell(), hidden_size=H, **options
    )
    model = LanguageModel(spec, V, condition_size=size, rng=np.random.default_rng(1), dtype=dtype)
    for name, parameter in model.parameters().items():
        if name.endswith("initial_state"):
            parameter.value[:] = np.random.default_rng(2).standard_normal(parameter.value.shape)
        parameter.value *= 3  # so that each token's probabilities are its own
    return model


def make_batch(seed=3):
    """As captions are decoded: a target's other inputs are not looked at."""
    rng = np.random.default_rng(seed)
    return SimpleNamespace(inputs=rng.integers(V, size=(2, B)), condition=rng.standard_normal((C, B)))


@pytest.mark.parametrize("kind", ["learned", "one_hot"])
@pytest.mark.parametrize("options", [{}, {"num_layers": 1, "bias": False}], ids=["two layers", "no bias"])
@every_way
@every_cell
def test_stepping_is_one_pass(cell, way, options, kind):
    model, batch = make(way, cell, kind, **options), make_batch()
    ids = np.random.default_rng(4).integers(V, size=(T, B))
    ids[0] = batch.inputs[0]
    expected = model.logits(ids, condition=batch.condition)[0].reshape(V, T, B)
    step = model.decoding_step()
    logits, state = step.begin(batch)
    np.testing.assert_allclose(logits, expected[:, 0], rtol=1e-11, atol=1e-12)
    for t in range(1, T):
        logits, state = step(ids[t], state)
        np.testing.assert_allclose(logits, expected[:, t], rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("kind", ["learned", "one_hot"])
@pytest.mark.parametrize("options", [{}, {"num_layers": 1, "bias": False}], ids=["two layers", "no bias"])
@pytest.mark.parametrize("way", ["bias", "none"])
def test_with_a_recurrence_of_outputs_a_step_is_of_its_token_alone(way, options, kind):
    model, batch = make(way, RNNCell(), kind, recurrence="output", **options), make_batch()
    step, rng = model.decoding_step(), np.random.default_rng(4)
    _, state = step.begin(batch)
    columns = np.array([2, 0, 2, 3])
    state, condition = step.select(state, columns), batch.condition[:, columns]
    for _ in range(3):
        ids = rng.integers(V, size=B)
        logits, state = step(ids, state)
        expected = model.logits(ids[None], condition=condition)[0]
        np.testing.assert_allclose(logits, expected, rtol=1e-11, atol=1e-12)
    assert model.decoding_step().begin(batch)[0].shape == (V, B)


@pytest.mark.parametrize("way", ["bias", "input", "none"])
def test_from_a_learned_initial_state(way):
    model, batch = make(way, initial_state="learned"), make_batch()
    expected, _ = model.logits(batch.inputs[:1], condition=batch.condition)
    np.testing.assert_allclose(model.decoding_step().begin(batch)[0], expected, rtol=1e-11)


@every_way
@every_cell
def test_a_selection_goes_on_as_its_columns_would(cell, way):
    model, batch = make(way, cell), make_batch()
    step = model.decoding_step()
    _, state = step.begin(batch)
    columns = np.array([2, 0, 2, 3, 1])
    ids = np.array([1, 2, 3, 4])
    chosen = step.select(state, columns)
    before = [layer.tobytes() for layer in state.layers]
    whole, after = step(ids, state)
    some, chosen = step(ids[columns], chosen)
    np.testing.assert_allclose(some, whole[:, columns], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(step(ids[columns], chosen)[0], step(ids, after)[0][:, columns], rtol=1e-12, atol=1e-14)
    assert [layer.tobytes() for layer in state.layers] == before


@every_way
def test_beams_of_many_columns_are_those_of_each_alone(way):
    model, batch = make(way), make_batch()
    step = model.decoding_step()

    def search(columns):
        part = SimpleNamespace(inputs=batch.inputs[:, columns], condition=batch.condition[:, columns])
        logits, state = step.begin(part)
        return beam_search(step, step.select, logits, state, beam_size=3, length=5, end_id=0, results=3)

    together = search(slice(None))
    alone = [found for b in range(B) for found in search(slice(b, b + 1))]
    for ours, theirs in zip(together, alone, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one.ids, other.ids)
            assert one.score == pytest.approx(other.score, rel=1e-9)
    for b, hypotheses in enumerate(together):
        for found in hypotheses:
            ids = np.concatenate((batch.inputs[0, b : b + 1], found.ids))
            logits, _ = model.logits(ids[:-1, None], condition=batch.condition[:, b : b + 1])
            scores = log_softmax(logits)[found.ids, np.arange(len(found.ids))]
            np.testing.assert_allclose(found.log_probabilities, scores, rtol=1e-9)
    assert len({hypotheses[0].score for hypotheses in together}) == (len(set(batch.inputs[0])) if way == "none" else B)


@every_way
def test_samples_are_those_of_whole_passes(way):
    model, batch = make(way), make_batch()
    step = model.decoding_step()
    logits, state = step.begin(batch)
    rngs = [np.random.default_rng(b) for b in range(B)]
    drawn = [ids for ids, *_ in sample(step, logits, state, rngs=rngs, length=8, sampling=Sampling())]
    text, rngs = batch.inputs[:1], [np.random.default_rng(b) for b in range(B)]
    for ids in drawn:
        after, _ = model.logits(text, condition=batch.condition, last=True)
        below = np.exp(after - after.max(axis=0)).cumsum(axis=0)
        uniforms = np.array([rng.random() for rng in rngs])
        np.testing.assert_array_equal(ids, (below > uniforms * below[-1]).argmax(axis=0))
        text = np.vstack((text, ids))
    assert len(np.unique(text)) > 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every_way
def test_the_dtype_is_the_models_and_its_weights_stay_as_they_were(way, dtype):
    model, batch = make(way, dtype=dtype), make_batch()
    before = {name: parameter.value.tobytes() for name, parameter in model.parameters().items()}
    step = model.decoding_step()
    logits, state = step.begin(batch)
    logits, state = step(np.zeros(B, int), step.select(state, np.arange(B)))
    arrays = [logits, *state.layers] + ([state.bias] if way == "bias" else [])
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}
    assert {name: parameter.value.tobytes() for name, parameter in model.parameters().items()} == before


@pytest.mark.parametrize("way", [*CONDITIONS, "none"])
@every_cell
def test_beginning_from_a_state_goes_on_with_the_pass_before(cell, way):
    model, batch = make(way, cell), make_batch()
    condition = None if way == "none" else batch.condition
    ids = np.random.default_rng(4).integers(V, size=(T, B))
    expected = model.logits(ids, condition=condition)[0].reshape(V, T, B)
    _, state = model.logits(ids[:3], condition=condition)
    before = [layer.copy() for layer in state]
    step = model.decoding_step()
    logits, carried = step.begin(SimpleNamespace(inputs=ids[3:], condition=condition), state)
    for t in range(3, T):
        np.testing.assert_allclose(logits, expected[:, t], rtol=1e-10, atol=1e-12)
        logits, carried = step(ids[min(t + 1, T - 1)], carried)
    for layer, kept in zip(state, before, strict=True):
        np.testing.assert_array_equal(layer, kept)
