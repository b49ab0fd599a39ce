"""Attention: scores against their formulas, weights over real steps alone, gradients, steps one by one."""

import numpy as np
import pytest

from rnncli.nn.gradient_check import compare_gradients
from rnncli.nn.layers import Attention
from rnncli.nn.layers.attention_scores import SCORES

H, S, T, LENGTHS = 4, 5, 3, (5, 2, 1)
B = len(LENGTHS)
MASK = np.arange(S)[:, None] < np.array(LENGTHS)


def attention_of(name, seed=0):
    """The layer, and the size of what it attends to."""
    F = H if name == "dot" else 6
    return Attention(name, H, F, rng=np.random.default_rng(seed), dtype=np.float64), F


def drawn(F, seed=1):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((H, T, B)), rng.standard_normal((F, S, B))


def score(layer, h, annotation):
    """e of one pair of vectors, as the formulas have it."""
    weights = {name: parameter.value for name, parameter in layer.score.parameters().items()}
    if layer.score.name == "dot":
        return h @ annotation
    if layer.score.name == "general":
        return h @ weights["key.weight"] @ annotation
    return weights["vector"] @ np.tanh(weights["query.weight"] @ h + weights["key.weight"] @ annotation)


def test_there_are_the_three_scores():
    assert [*SCORES] == ["dot", "general", "additive"]


@pytest.mark.parametrize("name", SCORES)
def test_outputs_are_those_of_the_formulas_step_by_step(name):
    layer, F = attention_of(name)
    h, annotations = drawn(F)
    cache = layer.allocate(layer.remember(annotations, MASK), T)
    output = layer.attend(h, cache)
    for b, length in enumerate(LENGTHS):
        for t in range(T):
            e = np.array([score(layer, h[:, t, b], annotations[:, s, b]) for s in range(length)])
            weights = np.exp(e) / np.exp(e).sum()
            context = annotations[:, :length, b] @ weights
            expected = np.tanh(layer.combine.value @ np.concatenate((context, h[:, t, b])))
            np.testing.assert_allclose(output[:, t, b], expected, rtol=1e-12)
            np.testing.assert_allclose(cache.weights[b, t], [*weights, *[0] * (S - length)], rtol=1e-12)


@pytest.mark.parametrize("name", SCORES)
def test_gradients_are_those_of_finite_differences(name):
    layer, F = attention_of(name)
    (h, annotations), weight = drawn(F), np.random.default_rng(2).standard_normal((H, T, B))

    def run():
        cache = layer.allocate(layer.remember(annotations, MASK), T)
        return layer.attend(h, cache), cache

    parameters = layer.parameters()
    _, cache = run()
    d_h = layer.backward(weight, cache)
    values = {"h": h, "annotations": annotations} | {name: p.value for name, p in parameters.items()}
    grads = {"h": d_h, "annotations": layer.finish(cache)} | {name: p.grad for name, p in parameters.items()}
    errors = compare_gradients(lambda: float((run()[0] * weight).sum()), values, grads)
    assert max(error.error for error in errors) < 1e-6
    assert not grads["annotations"][:, ~MASK].any()


@pytest.mark.parametrize("name", SCORES)
def test_steps_one_by_one_are_all_steps_together(name):
    layer, F = attention_of(name)
    (h, annotations), weight = drawn(F), np.random.default_rng(2).standard_normal((H, T, B))
    found = []
    for parts in ([slice(None)], [slice(t, t + 1) for t in range(T)]):
        for parameter in layer.parameters().values():
            parameter.grad[:] = 0
        cache = layer.allocate(layer.remember(annotations, MASK), T)
        outputs = [layer.attend(h[:, steps], cache, steps).copy() for steps in parts]
        d_h = [layer.backward(weight[:, steps], cache, steps) for steps in reversed(parts)]
        gradients = [layer.finish(cache), *(parameter.grad.copy() for parameter in layer.parameters().values())]
        found.append([np.concatenate(outputs, 1), np.concatenate(d_h[::-1], 1), *gradients])
    for together, one_by_one in zip(*found, strict=True):
        np.testing.assert_allclose(one_by_one, together, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", SCORES)
def test_padding_changes_nothing(name):
    layer, F = attention_of(name)
    h, annotations = drawn(F)
    output = layer.attend(h, layer.allocate(layer.remember(annotations, MASK), T)).copy()
    annotations[:, ~MASK] = 1e6
    np.testing.assert_array_equal(layer.attend(h, layer.allocate(layer.remember(annotations, MASK), T)), output)
    alone = layer.attend(h[..., 1:2], layer.allocate(layer.remember(annotations[:, : LENGTHS[1], 1:2], None), T))
    np.testing.assert_allclose(alone, output[..., 1:2], rtol=1e-12)


def test_weights_are_stable_at_large_scores():
    layer, _ = attention_of("dot")
    h, annotations = drawn(H)
    cache = layer.allocate(layer.remember(1e4 * annotations, MASK), T)
    assert np.isfinite(layer.attend(h, cache)).all()
    np.testing.assert_allclose(cache.weights.sum(-1), 1)


def test_going_backward_twice_adds_the_same_twice():
    layer, F = attention_of("additive")
    h, annotations = drawn(F)
    cache = layer.allocate(layer.remember(annotations, MASK), T)
    layer.attend(h, cache)
    ones = np.ones((H, T, B))
    found = [(layer.backward(ones, cache).copy(), layer.finish(cache)) for _ in range(2)]
    for first, second in zip(*found, strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_dot_product_needs_one_size():
    with pytest.raises(ValueError, match="a dot product needs vectors of one size, not 4 and 6"):
        Attention("dot", 4, 6, rng=None, dtype=np.float64)
