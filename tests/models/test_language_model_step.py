"""The step routine against its naive twin: the model's own pass over one time step."""

import numpy as np
import pytest

from rnncli.decoding import Sampling, pick, sample
from rnncli.models import language_model_step
from rnncli.models.language_model import EmbeddingSpec, LanguageModel, LanguageModelSpec
from rnncli.models.language_model_step import LanguageModelStep
from rnncli.nn.cells import CELLS, GRUCell, LSTMCell, RNNCell
from rnncli.nn.parameter import pack

V, H, T = 11, 6, 5
VARIANTS = [cell for cls in CELLS.values() for cell in cls.variants()]
every_cell = pytest.mark.parametrize("cell", VARIANTS, ids=lambda cell: getattr(cell, "activation", cell.name))


def make(dtype=np.float64, seed=1, **options):
    spec = LanguageModelSpec(**({"embedding": EmbeddingSpec(size=3), "hidden_size": H} | options))
    model = LanguageModel(spec, V, rng=np.random.default_rng(seed), dtype=dtype)
    pack(model.parameters())
    for name, parameter in model.parameters().items():
        if name.endswith("initial_state"):
            parameter.value[:] = np.random.default_rng(2).standard_normal(parameter.value.shape)
    return model


def compare(model, B, **tolerance):
    """Both ways from the same state, over tokens that repeat within a step."""
    ids = np.random.default_rng(3).integers(V, size=(T, B))
    _, state = model.logits(ids[:1])
    step = LanguageModelStep(model)
    stepped = step.start(state)
    for t in range(1, T):
        expected, state = model.logits(ids[t : t + 1], state)
        logits, stepped = step(ids[t], stepped)
        assert logits.dtype == expected.dtype
        np.testing.assert_allclose(logits, expected, **tolerance)


@pytest.mark.parametrize("B", [1, 3, 64])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("kind", ["learned", "one_hot", "tied"])
@every_cell
def test_logits_are_those_of_the_model(cell, kind, layers, B):
    embedding = EmbeddingSpec("one_hot" if kind == "one_hot" else "learned", H if kind == "tied" else 3)
    model = make(cell=cell, num_layers=layers, embedding=embedding, tie_embeddings=kind == "tied")
    compare(model, B, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("table_size", [0, 2**20])
@pytest.mark.parametrize("kind", ["learned", "one_hot"])
@pytest.mark.parametrize("bias", [True, False])
@every_cell
def test_a_table_biases_and_initial_states(cell, bias, kind, table_size, monkeypatch):
    monkeypatch.setattr(language_model_step, "TABLE_SIZE", table_size)
    model = make(cell=cell, bias=bias, initial_state="learned", embedding=EmbeddingSpec(kind, 3))
    assert (LanguageModelStep(model).table is None) == (table_size == 0)
    for B in (1, 3):
        compare(model, B, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("B", [1, 64])
@every_cell
def test_in_single_precision(cell, B):
    model = make(np.float32, cell=cell, embedding=EmbeddingSpec(size=16), hidden_size=32)
    compare(model, B, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell", [RNNCell(), LSTMCell(), GRUCell()], ids=lambda cell: cell.name)
@pytest.mark.parametrize("B", [1, 64])
def test_samples_are_those_of_the_plain_path(cell, B):
    """Drawn token by token with the model's own pass, its softmax, and one random number at a time."""
    model = make(np.float32, cell=cell, embedding=EmbeddingSpec(size=16), hidden_size=32)
    model.output.weight.value *= 20
    logits, state = model.logits(np.zeros((1, B), int))
    step = LanguageModelStep(model)
    drawn = sample(
        step,
        logits.copy(),
        step.start(state),
        rngs=[np.random.default_rng(b) for b in range(B)],
        length=100,
        sampling=Sampling(),
    )
    found = np.array([ids for ids, _, _ in drawn])
    rngs, expected = [np.random.default_rng(b) for b in range(B)], []
    for _ in range(100):
        weights = np.exp(logits - logits.max(axis=0), dtype=np.float64)
        expected.append(pick(weights / weights.sum(axis=0), np.array([rng.random() for rng in rngs])))
        logits, state = model.logits(expected[-1][None], state)
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique(found)) > 5


@every_cell
def test_a_selection_goes_on_as_its_columns_would(cell):
    model = make(cell=cell)
    ids = np.random.default_rng(3).integers(V, size=(3, 4))
    _, state = model.logits(ids[:1])
    step = LanguageModelStep(model)
    _, stepped = step(ids[1], step.start(state))
    columns = np.array([2, 0, 2])
    chosen = step.select(stepped, columns)
    whole = step(ids[2], stepped)[0]
    for _ in range(2):  # the one it was chosen from has gone on meanwhile
        np.testing.assert_allclose(step(ids[2, columns], chosen)[0], whole[:, columns], rtol=1e-12, atol=1e-14)
        chosen, whole = step.select(chosen, np.arange(3)), step(ids[2], stepped)[0]


def test_weights_are_kept_cut_for_the_last_width_alone():
    step = LanguageModelStep(make(num_layers=2))
    state = step.start([np.zeros((len(LSTMCell.states), H, 6))] * 2)
    for B in (6, 5, 4):
        state = step.select(state, np.arange(B))
    assert [product.y.shape for product in step.step_products.values()] == [(4 * H, 4)] * 2


def test_the_state_given_and_the_weights_stay_as_they_were():
    model = make()
    _, state = model.logits(np.array([[1, 2]]))
    before = [array.tobytes() for array in (*state, *(p.value for p in model.parameters().values()))]
    step = LanguageModelStep(model)
    _, stepped = step(np.array([1, 2]), step.start(state))
    step(np.array([1, 2]), stepped)
    assert [array.tobytes() for array in (*state, *(p.value for p in model.parameters().values()))] == before
