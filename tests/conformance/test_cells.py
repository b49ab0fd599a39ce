"""What every cell in the table keeps, in every architecture that it can stand in; a new cell is tested by its entry."""

import importlib
import inspect
import pkgutil
from types import SimpleNamespace
from typing import get_args, get_type_hints

import numpy as np
import pytest

from rnncli.models.gradient_cases import CONTROLLED, language_model_case, language_model_cases
from rnncli.models.language_model import EmbeddingSpec, LanguageModel, LanguageModelSpec
from rnncli.models.stack_spec import CONTROLS
from rnncli.nn import cells
from rnncli.nn.cells import CELLS
from rnncli.nn.gradient_check import compare_gradients
from rnncli.nn.layers import Lookup
from rnncli.nn.parameter import pack

V, H = 5, 4
TOLERANCE = 1e-6
RANDOM_SEED = 22  # one that leaves no layer of ReLUs dead: every sum would be 0, just where ReLU has no derivative

VARIANTS = [cell for cls in CELLS.values() for cell in cls.variants()]
EMBEDDINGS = {"learned": ("learned", False), "one_hot": ("one_hot", False), "tied": ("learned", True)}
EXTRAS = {
    "plain": {},
    "no bias": {"bias": False},
    "dropout": {"dropout": 0.4, "recurrent_dropout": 0.4},
    "no bias, dropout": {"bias": False, "dropout": 0.4, "recurrent_dropout": 0.4},
}

every_cell = pytest.mark.parametrize("cell", VARIANTS, ids=lambda cell: getattr(cell, "activation", cell.name))


def make_spec(cell, embedding="learned", layers=2, **options):
    kind, tied = EMBEDDINGS[embedding]
    size = H if tied else H - 1  # unequal sizes show a weight that is read transposed
    sizes = {"hidden_size": H, "num_layers": layers}
    return LanguageModelSpec(EmbeddingSpec(kind, size), tie_embeddings=tied, cell=cell, **sizes, **options)


def make_batch(seed=1):
    inputs, targets = np.random.default_rng(seed).integers(V, size=(2, 4, 3))
    return SimpleNamespace(inputs=inputs, targets=targets, mask=np.arange(4)[:, None] < [4, 1, 3])


def check(spec, *, masked, V=V):
    case = language_model_case(spec, V, title="", masked=masked, random_seed=RANDOM_SEED)
    names = set(LanguageModel(spec, V, rng=None).parameters()) | {"inputs"}
    if spec.initial_state == "zeros":
        names |= {f"state.{layer}" for layer in range(spec.num_layers)}
    report = compare_gradients(case.loss, case.values, case.grads)
    assert {entry.name for entry in report} == names
    for entry in report:
        assert entry.error < TOLERANCE, entry
        assert entry.checked == case.values[entry.name].size
        assert case.grads[entry.name].any(), f"no gradient reaches {entry.name}"


@every_cell
@pytest.mark.parametrize("start", ["zeros", "learned"])
@pytest.mark.parametrize("embedding", EMBEDDINGS)
@pytest.mark.parametrize("layers", [1, 2])
def test_gradients_with_and_without_padding(cell, layers, embedding, start):
    for masked in (False, True):
        check(make_spec(cell, embedding, layers, initial_state=start), masked=masked)


@every_cell
@pytest.mark.parametrize("extra", [extra for extra in EXTRAS if extra != "plain"])
@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_gradients_without_bias_and_with_dropout(cell, embedding, extra):
    for start in ("zeros", "learned"):
        check(make_spec(cell, embedding, initial_state=start, **EXTRAS[extra]), masked=True)


@every_cell
@pytest.mark.parametrize("extra", EXTRAS)
def test_gradients_of_a_tied_table_that_is_folded_into_the_first_layer(cell, extra):
    """As where there are fewer tokens than positions: its gradient comes from the output and from a sum by token."""
    spec = make_spec(cell, "tied", layers=1, **EXTRAS[extra])
    embed = LanguageModel(spec, 3, rng=None).embed
    assert isinstance(embed(np.zeros((4, 2), int)), Lookup)  # the positions of a case
    check(spec, masked=True, V=3)


@every_cell
@pytest.mark.parametrize("embedding", ["learned", "one_hot"])
def test_the_checker_reports_one_element_of_each_array_that_is_one_percent_off(cell, embedding):
    spec = make_spec(cell, embedding, initial_state="learned")
    case = language_model_case(spec, V, title="", masked=True, random_seed=RANDOM_SEED)
    wrong_at = {name: np.unravel_index(np.abs(grad).argmax(), grad.shape) for name, grad in case.grads.items()}
    for name, index in wrong_at.items():
        case.grads[name][index] *= 1.01
    for entry in compare_gradients(case.loss, case.values, case.grads):
        assert entry.where == wrong_at[entry.name], entry
        assert entry.error > 100 * TOLERANCE, entry


@every_cell
@pytest.mark.parametrize("extra", EXTRAS)
@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_the_same_seed_gives_the_same_bits(cell, embedding, extra):
    results = []
    for _ in range(2):
        spec = make_spec(cell, embedding, initial_state="learned", **EXTRAS[extra])
        model = LanguageModel(spec, V, rng=np.random.default_rng(5))
        flat = pack(model.parameters())
        loss, state, cache = model.loss(make_batch(), None, np.random.default_rng(6))
        model.backward(cache)
        results.append((loss.sum, flat.values.tobytes(), flat.grads.tobytes(), [s.tobytes() for s in state]))
    assert results[0] == results[1]
    assert np.isfinite(results[0][0])


@every_cell
@pytest.mark.parametrize("extra", EXTRAS)
@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_the_flat_values_are_the_whole_model(cell, embedding, extra):
    """Copied into a model that began elsewhere, they give the same loss, states and gradients, to the bit."""
    spec = make_spec(cell, embedding, initial_state="learned", **EXTRAS[extra])
    saved, loaded = (LanguageModel(spec, V, rng=rng) for rng in (np.random.default_rng(5), None))
    source, target = pack(saved.parameters()), pack(loaded.parameters())
    source.values[:] += 0.1 * np.random.default_rng(6).standard_normal(source.values.size).astype(np.float32)
    assert source.slices == target.slices
    batch = make_batch()
    assert saved.loss(batch)[0] != loaded.loss(batch)[0]
    target.values[:] = source.values
    results = []
    for model, flat in ((saved, source), (loaded, target)):
        loss, state, cache = model.loss(batch, None, np.random.default_rng(7))
        model.backward(cache)
        results.append((loss, [s.tobytes() for s in state], flat.grads.tobytes()))
    assert results[0] == results[1]


def test_every_cell_that_is_written_is_in_the_table_and_in_the_spec():
    written = set()
    for module in pkgutil.iter_modules(cells.__path__):
        found = importlib.import_module(f"{cells.__name__}.{module.name}")
        written |= {
            cls
            for _, cls in inspect.getmembers(found, inspect.isclass)
            if cls.__module__ == found.__name__ and hasattr(cls, "variants")
        }
    assert written == set(CELLS.values())
    assert set(get_args(get_type_hints(LanguageModelSpec)["cell"])) == {*CELLS.values(), *CONTROLS.values()}


def test_every_cell_stands_in_this_suite_and_in_the_gradcheck_command():
    assert {type(cell) for cell in VARIANTS} == set(CELLS.values())
    controls = [control for control, _ in CONTROLLED]
    assert {type(control) for control in controls} == set(CONTROLS.values())
    titles = {case.title.split(",")[0] for case in language_model_cases(random_seed=1)}
    assert titles == {f"{cell.name} {getattr(cell, 'activation', '')}".strip() for cell in (*VARIANTS, *controls)}


@pytest.mark.parametrize("name", CELLS)
def test_an_entry_describes_its_cell(name):
    cls = CELLS[name]
    assert cls.variants()
    assert cls.variants()[0] == cls(), "the first variant is the default"
    assert len(set(cls.variants())) == len(cls.variants())
    assert all(cell.name == name for cell in cls.variants())
    assert cls.apart == cls.gates[len(cls.gates) - len(cls.apart) :]
    assert len(cls.saved) >= len(cls.apart)
    assert cls.states[0] == "hidden"
