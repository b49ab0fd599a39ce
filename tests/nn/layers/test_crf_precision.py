"""The conditional random field at scores and transitions of any size, in float32 and over many steps."""

from math import log

import numpy as np
import pytest

from rnncli.nn.layers import CRF, crf
from tests.nn.layers.plain_crf import (
    EXACT,
    TOLERANCE,
    both_dtypes,
    every_mask,
    everything,
    lengths_of,
    make,
    make_batch,
    plain_decoding,
    plain_loss,
    plain_marginals,
)

both_ways = pytest.mark.parametrize("products", [True, False])


@every_mask
@both_dtypes
@pytest.mark.parametrize("large", ["scores", "transitions", "start", "end", "all"])
def test_stable_at_ten_thousand(large, dtype, mask):
    """Of -10⁴, 0 and 10⁴, so that float32 holds every sum and many label sequences are equally good."""
    layer, (scores, targets) = CRF(3, rng=None, dtype=dtype), make_batch(3, dtype=dtype)
    rng = np.random.default_rng(3)
    for name, value in {name: parameter.value for name, parameter in layer.parameters().items()}.items():
        value[:] = rng.integers(-1, 2, value.shape) * (1e4 if large in {name, "all"} else 1)
    scores[:] = rng.integers(-1, 2, scores.shape) * (1e4 if large in {"scores", "all"} else 1)
    lengths = lengths_of(mask, scores)
    loss, _, d_scores, *_, marginals, ids = everything(layer, scores, targets, mask)
    expected = plain_marginals(layer, scores, lengths)
    assert loss == pytest.approx(plain_loss(layer, scores, targets, lengths), **EXACT[dtype])
    np.testing.assert_allclose(marginals, expected, **TOLERANCE[dtype])
    assert np.isfinite(d_scores).all()
    np.testing.assert_array_equal(ids, plain_decoding(layer, scores, lengths))


@both_dtypes
@pytest.mark.parametrize("far", [5, 30, 35, 36, 45, 55, 70, 90, 110, 300, 330, 340, 400, 500, 600, 700, 1000])
def test_transitions_that_make_up_for_probabilities_too_small_for_the_dtype(far, dtype):
    """The only label sequences that count, 000 and 010, score the same; under the first, step 2 has exp(-2 far)."""
    layer, targets = CRF(2, rng=None, dtype=dtype), np.array([[0], [1], [0]])
    layer.transitions.value[:] = [[0, -far], [-far, -far]]
    scores = np.array([[0, -2 * far, 0], [-3000, 0, -3000]], dtype)[:, :, None]
    loss, gradient = layer.loss(scores, targets, None)
    assert loss.sum == pytest.approx(log(2), rel=1e-4 if dtype == np.float32 else 1e-11)
    np.testing.assert_allclose(layer.marginals(scores, None)[:, :, 0], [[1, 0.5, 1], [0, 0.5, 0]], rtol=1e-4)
    np.testing.assert_allclose(gradient.d_transitions, [[1, -0.5], [-0.5, 0]], atol=1e-4)


@pytest.mark.parametrize(("dtype", "limit"), [(np.float32, 35.7), (np.float64, 336.2)])
def test_products_are_taken_wherever_they_are_exact(dtype, limit, monkeypatch):
    """The faster way, for any transitions that differ by no more than training makes them."""
    layer, (scores, targets) = make(3, dtype), make_batch(3, dtype=dtype)
    taken = []
    for way in (crf._Products, crf._Logarithms):
        monkeypatch.setattr(
            way, "filter", lambda self, s, way=way, plain=way.filter: taken.append(way) or plain(self, s)
        )
    for spread in (0.99 * limit, 1.01 * limit):
        for least in (-spread, 1000 - spread, -spread / 2):  # only differences matter
            layer.transitions.value[:] = least
            layer.transitions.value[1, 2] += spread
            layer.loss(scores, targets, None)
            layer.marginals(scores, None)
    assert taken == [crf._Products] * 6 + [crf._Logarithms] * 6


@every_mask
@both_ways
def test_float32_is_close_to_float64(products, mask, monkeypatch):
    monkeypatch.setattr(crf._Products, "are_exact", lambda A: products)
    scores, targets = make_batch(17)
    exact = everything(make(17), scores, targets, mask)
    close = everything(make(17, np.float32), scores.astype(np.float32), targets, mask)
    for found, expected in zip(close, exact, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6)


def test_the_loss_is_summed_in_float64():
    """100.25 at each of 135,259 steps: a sum that float32 cannot hold."""
    steps, batch = 41, 3299
    layer, targets = CRF(2, rng=None, dtype=np.float32), np.ones((steps, batch), np.int8)
    scores = np.zeros((2, steps, batch), np.float32)
    scores[1] = -100.25
    loss, _ = layer.loss(scores, targets, None, gradient=False)
    assert loss.sum == 100.25 * steps * batch
    assert float(np.float32(loss.sum)) != loss.sum
    layer.transitions.value[1, 1] = -0.3
    loss, _ = layer.loss(scores, targets, None, gradient=False)
    transitions = float(np.float32(0.3)) * (steps - 1) * batch
    assert loss.sum == pytest.approx(100.25 * steps * batch + transitions, rel=1e-13)
    even, _ = CRF(2, rng=None, dtype=np.float32).loss(0 * scores, targets, None, gradient=False)
    assert even.mean == pytest.approx(float(np.log(np.float32(2))), rel=1e-13)


def test_decoding_long_sequences_loses_no_precision():
    """A score of -5,000 a step, ten million in all, where float32 knows no quarters: yet one quarter decides."""
    steps = 2001
    layer = CRF(3, rng=None, dtype=np.float32)
    layer.transitions.value[:] = [[0, -5000, -5000], [-5000, 0, 0], [-5000, 0, 0]]
    scores = np.zeros((3, steps, 1), np.float32)
    scores[0, ::2] = scores[1:, 1::2] = 11_000
    scores[2, 1::2] += 0.25
    np.testing.assert_array_equal(layer.decode(scores, None)[:, 0], np.arange(steps) % 2 * 2)


@both_ways
def test_long_sequences_lose_no_precision(products, monkeypatch):
    monkeypatch.setattr(crf._Products, "are_exact", lambda A: products)
    scores, targets = make_batch(3, 2000, 2)
    loss, count, *gradient, marginals, ids = everything(make(3), scores, targets, None)
    close = everything(make(3, np.float32), scores.astype(np.float32), targets, None)
    assert close[:2] == (pytest.approx(loss, rel=1e-6), count)
    for found, expected in zip(close[2:6], gradient, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=5e-3)  # a sum over 4,000 steps at most
    np.testing.assert_allclose(close[6], marginals, rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(close[7], ids)
    np.testing.assert_allclose(marginals.sum(axis=0), 1, rtol=1e-12)
    assert loss / count > 1
