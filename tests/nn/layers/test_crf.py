"""The conditional random field against every label sequence, and against central differences."""

import tracemalloc
from itertools import product

import numpy as np
import pytest

from rnncli.nn import blocks
from rnncli.nn.gradient_check import compare_gradients
from rnncli.nn.layers import CRF, crf
from tests.nn.layers.plain_crf import (
    EXACT,
    LENGTHS,
    RAGGED,
    TOLERANCE,
    B,
    T,
    both_dtypes,
    every_mask,
    everything,
    lengths_of,
    make,
    make_batch,
    plain_decoding,
    plain_loss,
    plain_marginals,
    score,
)


@pytest.fixture(params=["products", "logarithms", "logarithms in parts"])
def way(request, monkeypatch):
    """How sums over label sequences are made, whatever the transitions."""
    monkeypatch.setattr(crf._Products, "are_exact", lambda A: request.param == "products")
    if request.param.endswith("parts"):
        monkeypatch.setattr(crf, "CACHED", 2 * 3 * B)  # of 3 labels 2 at a time


@every_mask
@both_dtypes
@pytest.mark.parametrize("K", [1, 2, 3])
@pytest.mark.parametrize("steps", [1, T])
def test_loss_marginals_and_decoding_are_those_of_all_label_sequences(K, steps, mask, dtype, way):
    layer, (scores, targets) = make(K, dtype), make_batch(K, steps, dtype=dtype)
    mask = None if mask is None else mask[:steps]
    lengths = lengths_of(mask, scores)
    loss, gradient = layer.loss(scores, targets, mask)
    assert loss.sum == pytest.approx(plain_loss(layer, scores, targets, lengths), **EXACT[dtype])
    assert loss.count == sum(lengths)
    assert layer.loss(scores, targets, mask, gradient=False) == (loss, None)

    expected = plain_marginals(layer, scores, lengths)
    marginals = layer.marginals(scores, mask)
    np.testing.assert_allclose(marginals, expected, **TOLERANCE[dtype])
    real = np.ones(targets.shape, bool) if mask is None else mask
    np.testing.assert_allclose(marginals.sum(axis=0), real, **TOLERANCE[dtype])
    d_scores = expected - (np.arange(K)[:, None, None] == targets) * real
    np.testing.assert_allclose(gradient.d_scores, d_scores, **TOLERANCE[dtype])
    for array in (marginals, *gradient):
        assert array.dtype == dtype
    np.testing.assert_array_equal(layer.decode(scores, mask), plain_decoding(layer, scores, lengths))


@every_mask
def test_every_gradient_equals_central_differences(mask, way):
    layer, (scores, targets) = make(3), make_batch(3)
    targets[0, 1] = -1
    loss, gradient = layer.loss(scores, targets, mask)
    assert loss.count == sum(lengths_of(mask, scores)) - (T if mask is None else mask[:, 1].sum())
    parameters = layer.parameters()
    assert not any(parameter.grad.any() for parameter in parameters.values())  # until they are added
    grads = {"scores": layer.add(gradient)} | {name: parameter.grad.copy() for name, parameter in parameters.items()}
    values = {"scores": scores} | {name: parameter.value for name, parameter in parameters.items()}
    for entry in compare_gradients(lambda: layer.loss(scores, targets, mask, gradient=False)[0].sum, values, grads):
        assert entry.error < 1e-7, entry
        assert grads[entry.name].any()
    assert layer.add(gradient) is gradient.d_scores
    for name, parameter in parameters.items():
        np.testing.assert_array_equal(parameter.grad, 2 * grads[name])


@both_dtypes
@pytest.mark.parametrize("garbage", [1e38, -1e38, np.inf, np.nan])
@pytest.mark.parametrize("label", [-1, 999])
def test_whatever_stands_at_padding_changes_no_bit(label, garbage, dtype, way):
    layer, (scores, targets) = make(3, dtype), make_batch(3, dtype=dtype)
    scores[0, T - 1], targets[T - 1] = 50, 2
    expected = everything(layer, scores, targets, RAGGED)
    padded = np.where(RAGGED, scores, dtype(garbage)), np.where(RAGGED, targets, label)
    for found, clean in zip(everything(layer, *padded, RAGGED), expected, strict=True):
        np.testing.assert_array_equal(found, clean)
    for array in (expected[2], expected[6]):
        assert not array[:, ~RAGGED].any()
    assert not expected[7][~RAGGED].any()


def test_a_batch_is_its_sequences_one_by_one(way):
    layer, (scores, targets) = make(3), make_batch(3)
    loss, count, *gradient, marginals, ids = everything(layer, scores, targets, RAGGED)
    sums, parameters = np.zeros(2), [np.zeros_like(array) for array in gradient[1:]]
    for b, t in enumerate(LENGTHS):
        alone = scores[:, :t, b : b + 1], targets[:t, b : b + 1]
        one_loss, one_count, d_scores, *others, one_marginals, one_ids = everything(layer, *alone, None)
        sums += one_loss, one_count
        parameters = [total + array for total, array in zip(parameters, others, strict=True)]
        np.testing.assert_allclose(gradient[0][:, :t, b], d_scores[:, :, 0], rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(marginals[:, :t, b], one_marginals[:, :, 0], rtol=1e-12, atol=1e-14)
        np.testing.assert_array_equal(ids[:t, b], one_ids[:, 0])
    np.testing.assert_allclose((loss, count), sums, rtol=1e-13)
    for found, total in zip(gradient[1:], parameters, strict=True):
        np.testing.assert_allclose(found, total, rtol=1e-12, atol=1e-13)


def test_sequences_with_a_label_that_is_not_known_are_left_out(way):
    layer, (scores, targets) = make(3), make_batch(3)
    targets[3, 1], targets[0, 4] = -1, -7
    targets[3, 0] = -1  # padding
    kept = [0, 2, 3, 5]
    loss, gradient = layer.loss(scores, targets, RAGGED)
    expected, of_kept = layer.loss(scores[:, :, kept], targets[:, kept], RAGGED[:, kept])
    assert loss.count == expected.count == 7
    assert loss.sum == pytest.approx(expected.sum, rel=1e-14)
    assert not gradient.d_scores[:, :, [1, 4]].any()
    np.testing.assert_allclose(gradient.d_scores[:, :, kept], of_kept.d_scores, rtol=1e-13, atol=1e-15)
    for found, other in zip(gradient[1:], of_kept[1:], strict=True):
        np.testing.assert_allclose(found, other, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("shape", [(0, 2), (3, 0), (0, 0), (3, 2)])
def test_of_no_real_step_there_is_no_loss_and_no_gradient(shape, way):
    layer, targets = make(3), np.zeros(shape, int)
    for mask in (np.zeros(shape, bool), None) if 0 in shape else (np.zeros(shape, bool),):
        loss, count, *arrays, ids = everything(layer, np.ones((3, *shape)), targets, mask)
        assert (loss, count) == (0, 0)
        assert not any(array.any() for array in arrays)
        np.testing.assert_array_equal(ids, targets)


@pytest.mark.parametrize("type_of_ids", [np.int8, np.uint8, np.int32])
def test_ids_may_be_of_a_type_too_small_for_pairs_of_labels(type_of_ids, way):
    layer, (scores, targets) = make(50), make_batch(50)
    for found, expected in zip(
        everything(layer, scores, targets.astype(type_of_ids), RAGGED),
        everything(layer, scores, targets, RAGGED),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("cached", [1, 1 << 18])
def test_of_equally_good_labels_the_lowest_is_decoded(cached, monkeypatch):
    monkeypatch.setattr(crf, "CACHED", cached)
    layer, (scores, _) = make(3), make_batch(3, batch=60)
    assert not CRF(3, rng=None, dtype=float).decode(0 * scores, None).any()
    rng = np.random.default_rng(4)
    for parameter in layer.parameters().values():
        parameter.value[:] = rng.integers(-1, 2, parameter.value.shape)
    scores[:] = rng.integers(-1, 2, scores.shape)
    lengths = rng.integers(T + 1, size=60)
    mask = np.arange(T)[:, None] < lengths
    np.testing.assert_array_equal(layer.decode(scores, mask), plain_decoding(layer, scores, lengths))


def test_the_decoded_sequences_score_highest_where_no_one_can_try_them_all():
    """11⁴⁰ label sequences: no single change, no change of two neighbours, no random sequence scores higher."""
    layer, (scores, _) = make(11), make_batch(11, 40, 2)
    ids, rng = layer.decode(scores, None), np.random.default_rng(5)
    for b in range(2):
        best, alone = ids[:, b].tolist(), scores[:, :, b]
        highest = score(layer, alone, best)
        assert highest > score(layer, alone, alone.argmax(axis=0).tolist()) + 1
        for t in range(39):
            for i, j in product(range(11), repeat=2):
                assert score(layer, alone, [*best[:t], i, j, *best[t + 2 :]]) <= highest + 1e-12
        for _ in range(100):
            assert score(layer, alone, rng.integers(11, size=40).tolist()) < highest


def test_arguments_stay_and_what_was_returned_never_changes(way):
    layer, (scores, targets) = make(3), make_batch(3)
    before = [array.copy() for array in (scores, targets, layer.transitions.value, layer.start.value, layer.end.value)]
    held = []
    for batch in (B, B, 3, B):
        results = everything(layer, scores[:, :, :batch], targets[:, :batch], RAGGED[:, :batch])[2:]
        held += [(array, array.copy()) for array in results]
    for array, copy in held:
        np.testing.assert_array_equal(array, copy)
    for array, copy in zip(
        (scores, targets, layer.transitions.value, layer.start.value, layer.end.value), before, strict=True
    ):
        np.testing.assert_array_equal(array, copy)


def test_the_gradient_of_the_scores_lies_as_products_want_it():
    """Its (K, T·B) form is a view."""
    layer, (scores, targets) = make(3), make_batch(3)
    _, gradient = layer.loss(scores, targets, RAGGED)
    assert np.shares_memory(blocks.flat(gradient.d_scores), gradient.d_scores)


@pytest.mark.parametrize("pass_over", ["decode", "loss in logarithms", "loss"])
def test_of_all_pairs_of_labels_only_a_part_is_ever_held(pass_over, monkeypatch):
    """300 x 300 x 64 float32 would be 23 MB."""
    monkeypatch.setattr(blocks, "_POOL", blocks._Pool())
    layer, (scores, targets) = make(300, np.float32), make_batch(300, 3, 64, np.float32)
    if pass_over == "loss in logarithms":
        layer.transitions.value[0, 0] = 1000
    tracemalloc.start()
    try:
        if pass_over == "decode":
            layer.decode(scores, None)
        else:
            layer.loss(scores, targets, None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * 4 * crf.CACHED + 8 * scores.nbytes + 6 * layer.transitions.value.nbytes


def test_parameters_begin_between_a_tenth_and_minus_a_tenth():
    layer = CRF(40, rng=np.random.default_rng(6), dtype=np.float32)
    shapes = {name: parameter.value.shape for name, parameter in layer.parameters().items()}
    assert shapes == {"transitions": (40, 40), "start": (40,), "end": (40,)}
    for parameter in layer.parameters().values():
        assert parameter.value.dtype == np.float32
        assert 0.09 < np.abs(parameter.value).max() <= 0.1
        assert parameter.value.std() == pytest.approx(0.1 / 3**0.5, rel=0.2)
    assert not any(parameter.value.any() for parameter in CRF(40, rng=None, dtype=float).parameters().values())
