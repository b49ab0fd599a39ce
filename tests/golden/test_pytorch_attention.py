"""Each attention against PyTorch: scores, weights, contexts, h̃ and all gradients, over full and padded sources."""

from pathlib import Path

import numpy as np
import pytest

from rnncli.nn.layers.attention import Attention
from rnncli.nn.layers.attention_scores import SCORES
from tests.golden.pytorch_names import assert_close

GIVEN = ("queries", "annotations", "weight_of_output")


@pytest.fixture(params=SCORES)
def kind(request):
    return request.param


@pytest.fixture(params=["full", "ragged"])
def golden(request, kind):
    """The arrays of one attention, with those of one batch under their plain names, and its mask (S, B)."""
    with np.load(Path(__file__).parent / "attention.npz") as file:
        arrays = {key.removeprefix(f"{kind}/"): file[key] for key in file if key.startswith(f"{kind}/")}
    arrays = {key.removeprefix(f"{request.param}/"): array for key, array in arrays.items()}
    mask = np.arange(arrays["annotations"].shape[1])[:, None] < arrays["lengths"]
    return arrays | {"mask": mask if request.param == "ragged" else None}


@pytest.fixture
def attention(kind, golden):
    H, F = golden["queries"].shape[2], golden["annotations"].shape[2]
    layer = Attention(kind, H, F, rng=None, dtype=np.float64)
    assert layer.parameters().keys() == {key for key in golden if f"d_{key}" in golden} - {*GIVEN}
    for name, parameter in layer.parameters().items():
        parameter.value[:] = golden[name]
    return layer


def feature_major(batch_major):
    """(B, T, F) → (F, T, B)."""
    return np.ascontiguousarray(batch_major.transpose(2, 1, 0))


def in_steps(golden, *, together):
    """All steps, or one after the other."""
    T = golden["queries"].shape[1]
    return [slice(None)] if together else [slice(t, t + 1) for t in range(T)]


def test_the_scores_equal_pytorch(attention, golden):
    queries, keys = attention.score.queries(golden["queries"]), attention.score.keys(golden["annotations"])
    scores = np.empty_like(golden["scores"])
    attention.score.forward(queries, keys, scores)
    assert_close(scores, golden["scores"], "scores")


@pytest.mark.parametrize("together", [True, False], ids=["all steps together", "step by step"])
def test_forward_and_every_gradient_equal_pytorch(attention, golden, together):
    queries, annotations, weight = (feature_major(golden[name]) for name in GIVEN)
    F, T = len(annotations), queries.shape[1]
    steps = in_steps(golden, together=together)
    cache = attention.allocate(attention.remember(annotations, golden["mask"]), T)
    outputs = [attention.attend(queries[:, each], cache, each) for each in steps]
    d_queries = [attention.backward(weight[:, each], cache, each) for each in reversed(steps)]
    d_annotations = attention.finish(cache)

    assert_close(np.concatenate(outputs, axis=1), feature_major(golden["output"]), "h̃")
    assert_close(cache.weights, golden["weights"], "weights")
    assert_close(cache.joined[:F], feature_major(golden["contexts"]), "contexts")
    assert_close(np.concatenate(d_queries[::-1], axis=1), feature_major(golden["d_queries"]), "∂queries")
    assert_close(d_annotations, feature_major(golden["d_annotations"]), "∂annotations")
    for name, parameter in attention.parameters().items():
        assert_close(parameter.grad, golden[f"d_{name}"], f"∂{name}")
