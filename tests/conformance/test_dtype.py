"""A model keeps its dtype in everything that it computes: float32 never widens, float64 never narrows."""

from types import SimpleNamespace

import numpy as np
import pytest

from rnncli.models.language_model import EmbeddingSpec, LanguageModel, LanguageModelSpec
from rnncli.nn.cells import CELLS
from rnncli.nn.layers import Lookup
from rnncli.nn.parameter import pack

VARIANTS = [cell for cls in CELLS.values() for cell in cls.variants()]
V, H = 5, 4
MASK = np.arange(6)[:, None] < [6, 2, 4]


def float_arrays(found, path=""):
    """Every array of floats, by where it was found in nested tuples and lists."""
    if isinstance(found, np.ndarray) and found.dtype.kind == "f":
        yield path, found
    elif isinstance(found, (tuple, list)):
        names = getattr(found, "_fields", range(len(found)))
        for name, part in zip(names, found, strict=True):
            yield from float_arrays(part, f"{path}.{name}")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("mask", [None, MASK], ids=["full", "masked"])
@pytest.mark.parametrize("embedding", ["learned", "folded", "one_hot", "tied"])
@pytest.mark.parametrize("cell", VARIANTS, ids=lambda cell: getattr(cell, "activation", cell.name))
def test_everything_computed_has_the_dtype_of_the_model(cell, embedding, mask, dtype):
    spec = LanguageModelSpec(
        EmbeddingSpec("one_hot" if embedding == "one_hot" else "learned", 2 if embedding == "learned" else H),
        tie_embeddings=embedding == "tied",
        cell=cell,
        hidden_size=H,
        initial_state="learned",
        dropout=0.3,
        recurrent_dropout=0.3,
    )
    model = LanguageModel(spec, V, rng=np.random.default_rng(1), dtype=dtype)
    parameters = model.parameters()
    single = {name: (parameter.value, parameter.grad) for name, parameter in parameters.items()}
    flat = pack(parameters)
    inputs, targets = np.random.default_rng(2).integers(V, size=(2, *MASK.shape))
    batch = SimpleNamespace(inputs=inputs, targets=targets, mask=mask)
    assert isinstance(model.embed(inputs), Lookup) == (embedding != "learned")
    loss, state, cache = model.loss(batch, None, np.random.default_rng(3))
    carried = model.loss(batch, state, np.random.default_rng(4))
    results = {
        "parameters": list(single.values()),
        "packed": [(parameter.value, parameter.grad) for parameter in parameters.values()],
        "flat": [flat.values, flat.grads],
        "embedded": [model.embed(inputs)],
        "cache": cache,
        "state": state,
        "carried": carried,
        "gradients": model.backward(cache),
        "logits": model.logits(inputs, state),
    }
    arrays = list(float_arrays(list(results.values())))
    assert len(arrays) > 30
    assert {path: array.dtype for path, array in arrays if array.dtype != dtype} == {}
    assert type(loss.sum) is float


@pytest.mark.parametrize("cell", VARIANTS, ids=lambda cell: getattr(cell, "activation", cell.name))
def test_float32_gradients_agree_with_float64(cell):
    spec = LanguageModelSpec(EmbeddingSpec(size=H), cell=cell, hidden_size=H)
    models = {dtype: LanguageModel(spec, V, rng=np.random.default_rng(1), dtype=dtype) for dtype in (np.float32, float)}
    flats = {dtype: pack(model.parameters()) for dtype, model in models.items()}
    inputs, targets = np.random.default_rng(2).integers(V, size=(2, *MASK.shape))
    for model in models.values():
        _, _, cache = model.loss(SimpleNamespace(inputs=inputs, targets=targets, mask=MASK))
        model.backward(cache)
    np.testing.assert_allclose(flats[np.float32].grads, flats[float].grads, rtol=1e-4, atol=1e-5)
