"""The conditional random field by its definition: every label sequence, scored one at a time."""

from itertools import pairwise, product
from math import log

import numpy as np
import pytest

from rnncli.nn.layers import CRF

T = 4
LENGTHS = [2, 4, 0, 1, 3, 4]
B = len(LENGTHS)
RAGGED = np.arange(T)[:, None] < LENGTHS
SORTED = np.arange(T)[:, None] < sorted(LENGTHS, reverse=True)

TOLERANCE = {np.float64: {"rtol": 1e-12, "atol": 1e-13}, np.float32: {"rtol": 1e-4, "atol": 1e-5}}
EXACT = {np.float64: {"rel": 1e-13}, np.float32: {"rel": 1e-6}}

every_mask = pytest.mark.parametrize("mask", [None, RAGGED, SORTED], ids=["full", "ragged", "sorted"])
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def make(K, dtype=np.float64, scale=1.0):
    layer, rng = CRF(K, rng=None, dtype=dtype), np.random.default_rng(1)
    for parameter in layer.parameters().values():
        parameter.value[:] = scale * rng.standard_normal(parameter.value.shape)
    return layer


def make_batch(K, steps=T, batch=B, dtype=np.float64):
    rng = np.random.default_rng(2)
    return rng.standard_normal((K, steps, batch)).astype(dtype), rng.integers(K, size=(steps, batch))


def score(layer, scores, labels):
    """Of one sequence, scores (K, t) and t labels: the definition, in Python's numbers."""
    total = float(layer.start.value[labels[0]]) + float(layer.end.value[labels[-1]])
    total += sum(float(scores[label, t]) for t, label in enumerate(labels))
    return total + sum(float(layer.transitions.value[i, j]) for i, j in pairwise(labels))


def enumerate_all(layer, scores):
    """Of one sequence (K, t): all label sequences, their scores and their probabilities."""
    sequences = list(product(range(len(scores)), repeat=scores.shape[1]))
    all_scores = np.array([score(layer, scores, labels) for labels in sequences])
    weights = np.exp(all_scores - all_scores.max())
    return sequences, all_scores, weights / weights.sum()


def plain_loss(layer, scores, targets, lengths):
    """Of all sequences of a batch: Σ log Z - score."""
    total = 0.0
    for b, t in enumerate(lengths):
        if t:
            _, all_scores, _ = enumerate_all(layer, scores[:, :t, b])
            differences = all_scores - score(layer, scores[:, :t, b], targets[:t, b].tolist())
            total += differences.max() + log(np.exp(differences - differences.max()).sum())
    return total


def plain_marginals(layer, scores, lengths):
    marginals = np.zeros(scores.shape)
    for b, t in enumerate(lengths):
        if t:
            sequences, _, probabilities = enumerate_all(layer, scores[:, :t, b])
            for labels, probability in zip(sequences, probabilities, strict=True):
                marginals[labels, range(t), b] += probability
    return marginals


def plain_decoding(layer, scores, lengths):
    """Of the best label sequences that with the lowest last label, of those the lowest before it, and so on."""
    ids = np.zeros(scores.shape[1:], int)
    for b, t in enumerate(lengths):
        if t:
            sequences, all_scores, _ = enumerate_all(layer, scores[:, :t, b])
            best = [labels for labels, s in zip(sequences, all_scores, strict=True) if s == all_scores.max()]
            ids[:t, b] = min(best, key=lambda labels: labels[::-1])
    return ids


def lengths_of(mask, scores):
    return [scores.shape[1]] * scores.shape[2] if mask is None else mask.sum(axis=0).tolist()


def everything(layer, scores, targets, mask):
    loss, gradient = layer.loss(scores, targets, mask)
    return loss.sum, loss.count, *gradient, layer.marginals(scores, mask), layer.decode(scores, mask)
