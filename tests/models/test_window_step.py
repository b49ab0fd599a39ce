"""The step routine of models without recurrent layers against their pass over the whole text."""

from types import SimpleNamespace

import numpy as np
import pytest

from rnncli.decoding import Sampling, beam_search, log_softmax, sample
from rnncli.models.language_model import EmbeddingSpec, LanguageModel, LanguageModelSpec
from rnncli.models.language_model_step import LanguageModelStep, step_of
from rnncli.models.stack_spec import CONTROLS, Conv1d, WindowedMLP
from rnncli.models.window_step import WindowStep
from rnncli.nn.cells import CELLS

V, H, T = 7, 6, 8
CELLS_HERE = [Conv1d(), Conv1d(kernel_size=2, dilation=2, activation="tanh"), WindowedMLP(window=3)]
every_control = pytest.mark.parametrize("cell", CELLS_HERE, ids=["conv1d", "dilated", "windowed"])
both_embeddings = pytest.mark.parametrize("kind", ["learned", "one_hot"])


def make(cell, kind="learned"):
    spec = LanguageModelSpec(embedding=EmbeddingSpec(kind, 3 if kind == "learned" else None), cell=cell, hidden_size=H)
    model = LanguageModel(spec, V, rng=np.random.default_rng(1), dtype=np.float64)
    model.output.weight.value *= 9
    return model


@pytest.mark.parametrize("B", [1, 4])
@both_embeddings
@every_control
def test_stepping_is_one_pass_over_the_text(cell, kind, B):
    model = make(cell, kind)
    ids = np.random.default_rng(3).integers(V, size=(T, B))
    expected = model.logits(ids)[0].reshape(V, T, B)
    _, state = model.logits(ids[:2])
    step = step_of(model)
    state = step.start(state)
    for t in range(2, T):
        logits, state = step(ids[t], state)
        np.testing.assert_allclose(logits, expected[:, t], rtol=1e-11, atol=1e-13)


@both_embeddings
@every_control
def test_a_selection_goes_on_as_its_columns_would(cell, kind):
    model = make(cell, kind)
    ids = np.random.default_rng(3).integers(V, size=(5, 4))
    _, state = model.logits(ids[:3])
    step, columns = step_of(model), np.array([2, 0, 2])
    state = step.start(state)
    before = [layer.copy() for layer in state]
    chosen = step.select(state, columns)
    assert not any(np.shares_memory(*pair) for pair in zip(chosen, state, strict=True))
    whole, _ = step(ids[3], state)
    some, chosen = step(ids[3, columns], chosen)
    np.testing.assert_allclose(some, whole[:, columns], rtol=1e-12)
    for layer, copy in zip(state, before, strict=True):
        np.testing.assert_array_equal(layer, copy)


@both_embeddings
@every_control
def test_samples_and_beams_are_those_of_whole_passes(cell, kind):
    model, step = make(cell, kind), step_of(make(cell, kind))
    logits, state = model.logits(np.zeros((1, 3), int))
    rngs = [np.random.default_rng(b) for b in range(3)]
    drawn = [ids for ids, *_ in sample(step, logits, step.start(state), rngs=rngs, length=20, sampling=Sampling())]
    text = np.concatenate((np.zeros((1, 3), int), drawn))
    rngs = [np.random.default_rng(b) for b in range(3)]
    for t in range(20):
        after = model.logits(text[: t + 1], last=True)[0]
        below = np.exp(after - after.max(axis=0)).cumsum(axis=0)
        uniforms = np.array([rng.random() for rng in rngs])
        np.testing.assert_array_equal(text[t + 1], (below > uniforms * below[-1]).argmax(axis=0))
    assert len(np.unique(text)) > 3

    logits, state = model.logits(np.zeros((1, 1), int))
    (found,) = beam_search(step, step.select, logits, step.start(state), beam_size=4, length=6, results=4)
    for hypothesis in found:
        ids = np.concatenate(([0], hypothesis.ids))
        scores = log_softmax(model.logits(ids[:-1, None])[0])[hypothesis.ids, np.arange(6)]
        assert hypothesis.log_probability == pytest.approx(scores.sum(), rel=1e-9)
    assert len({hypothesis.ids.tobytes() for hypothesis in found}) == 4


@pytest.mark.parametrize("name", [*CELLS, *CONTROLS])
def test_each_model_has_the_routine_that_fits_its_layers(name):
    step = step_of(make((CELLS | CONTROLS)[name]()))
    assert type(step) is (LanguageModelStep if name in CELLS else WindowStep)


@both_embeddings
@every_control
def test_beginning_with_a_text_and_in_the_middle_of_one(cell, kind):
    model = make(cell, kind)
    ids = np.random.default_rng(3).integers(V, size=(T, 4))
    expected = model.logits(ids)[0].reshape(V, T, 4)
    step = model.decoding_step()
    logits, state = step.begin(SimpleNamespace(inputs=ids))
    for t in range(T):
        np.testing.assert_allclose(logits, expected[:, t], rtol=1e-11, atol=1e-13)
        logits, state = step(ids[min(t + 1, T - 1)], state)
    logits, _ = step.begin(SimpleNamespace(inputs=ids[3:]), model.logits(ids[:3])[1])
    np.testing.assert_allclose(logits, expected[:, 3], rtol=1e-11, atol=1e-13)
