"""Losses: each returns the loss and the gradient of its *sum* together; whoever averages scales the gradient.

K outputs (V of them where they are classes of a big vocabulary) at each of N positions.
"""

from collections.abc import Callable

import numpy as np

from rnncli.nn.activations import sigmoid
from rnncli.nn.blocks import empty_like
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import Loss


def softmax_cross_entropy(logits: Array, targets: Array, weight: Array | None = None) -> tuple[Loss, Array]:
    """Negative log-likelihood under a softmax: L = Σₙ log Σⱼ exp oⱼₙ - o_{yₙ n}, and ∂L/∂o = ŷ - 1[y].

    logits (V, N) are overwritten by the returned gradient (V, N): a block of V x N is the largest array of a model.
    targets (N,) are class ids. Stable at any finite logits, since the largest of each column is subtracted first.
    weight (N,) multiplies the loss of each position; the count stays N, so that a weight of 2 counts like two
    mistakes (PyTorch's mean divides by the sum of the weights instead).
    """
    columns = np.arange(len(targets))
    logits -= logits.max(axis=0)
    chosen = logits[targets, columns]
    np.exp(logits, out=logits)
    total = logits.sum(axis=0)
    if weight is None:
        loss = np.log(total).sum(dtype=np.float64) - chosen.sum(dtype=np.float64)
    else:
        loss = ((np.log(total) - chosen) * weight).sum(dtype=np.float64)
    logits /= total
    logits[targets, columns] -= 1
    if weight is not None:
        logits *= weight
    return Loss(float(loss), len(targets)), logits


def sigmoid_cross_entropy(logits: Array, targets: Array, weight: Array | None = None) -> tuple[Loss, Array]:
    """Negative log-likelihood of K yes-or-no answers: L = Σ -y log σ(o) - (1-y) log(1 - σ(o)), and ∂L/∂o = σ(o) - y.

    logits (K, N) are overwritten by the returned gradient (K, N); targets (K, N) are 0 and 1, or between. Computed as
    max(o, 0) - o·y + log(1 + exp -|o|), which neither overflows nor takes the logarithm of 0. weight (N,) or (K, N)
    multiplies each loss. The count is K·N: the mean is that of an answer, as PyTorch's BCEWithLogitsLoss.
    """
    losses = np.maximum(logits, 0)
    losses -= logits * targets
    losses += np.log1p(np.exp(-np.abs(logits)))  # last, for it may be far smaller than both
    probabilities = empty_like(logits)
    sigmoid(logits, probabilities)
    np.subtract(probabilities, targets, out=logits)
    if weight is not None:
        losses *= weight
        logits *= weight
    return Loss(float(losses.sum(dtype=np.float64)), logits.size), logits


def squared_error(outputs: Array, targets: Array, weight: Array | None = None) -> tuple[Loss, Array]:
    """Squared error, without a half: L = Σ (o - y)², and ∂L/∂o = 2 (o - y).

    outputs (K, N) are overwritten by the returned gradient (K, N); targets (K, N) are real values. weight (N,) or
    (K, N) multiplies each loss. The count is K·N: the mean is the mean squared error, as PyTorch's MSELoss.
    """
    outputs -= targets
    losses = np.square(outputs)
    outputs *= 2
    if weight is not None:
        losses *= weight
        outputs *= weight
    return Loss(float(losses.sum(dtype=np.float64)), outputs.size), outputs


LOSSES: dict[str, Callable[[Array, Array, Array | None], tuple[Loss, Array]]] = {
    "softmax": softmax_cross_entropy,
    "sigmoid": sigmoid_cross_entropy,
    "linear": squared_error,
}
"""By the activation of the outputs: one class of several, a yes or no for each of several, real values."""


def activated(outputs: Array, activation: str) -> Array:
    """Make outputs (K, N) what they stand for, in place: probabilities under a softmax or sigmoids; values stay."""
    if activation == "softmax":
        outputs -= outputs.max(axis=0)
        np.exp(outputs, out=outputs)
        outputs /= outputs.sum(axis=0)
    elif activation == "sigmoid":
        sigmoid(outputs, outputs)
    return outputs
