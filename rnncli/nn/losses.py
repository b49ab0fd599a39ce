"""Losses: each returns the loss and the gradient of its *sum* together; whoever averages scales the gradient."""

from collections.abc import Callable

import numpy as np

from rnncli.nn.parameter import Array
from rnncli.nn.protocols import Loss


def softmax_cross_entropy(logits: Array, targets: Array) -> tuple[Loss, Array]:
    """Negative log-likelihood under a softmax: L = Σₙ log Σⱼ exp oⱼₙ - o_{yₙ n}, and ∂L/∂o = ŷ - 1[y].

    logits (V, N) are overwritten by the returned gradient (V, N): a block of V x N is the largest array of a model.
    targets (N,) are class ids. Stable at any finite logits, since the largest of each column is subtracted first.
    """
    columns = np.arange(len(targets))
    logits -= logits.max(axis=0)
    chosen = logits[targets, columns]
    np.exp(logits, out=logits)
    total = logits.sum(axis=0)
    loss = np.log(total).sum(dtype=np.float64) - chosen.sum(dtype=np.float64)
    logits /= total
    logits[targets, columns] -= 1
    return Loss(float(loss), len(targets)), logits


LOSSES: dict[str, Callable[[Array, Array], tuple[Loss, Array]]] = {"softmax_cross_entropy": softmax_cross_entropy}
