"""What a tagger is fed of the step before: y_{t-1}, beside its inputs, where its outputs are recurrent.

T time steps, B sequences, K labels, E features of an input.
"""

import numpy as np

from rnncli.nn.blocks import empty_sequence
from rnncli.nn.parameter import Array

NONE = -1
"""In place of a label: before the first step, and where it is missing."""


def previous(targets: Array) -> Array:
    """Return the labels of the step before: class ids (T, B), or 0 or 1 for each of several (K, T, B); NONE at first.

    These are the true ones, which a model is fed in training (teacher forcing).
    """
    before = np.empty(targets.shape, targets.dtype if targets.ndim < 3 else np.int8)  # several may be booleans
    before[..., 1:, :] = targets[..., :-1, :]
    before[..., :1, :] = NONE
    return before


def joined(x: Array, fed: Array, labels: int) -> Array:
    """Return (x_t; y_{t-1}) of vectors x (E, T, B): (E + K + 1, T, B), of labels as `previous` has them.

    y is one-hot, or 0 or 1 for each of several labels; its last row says that there is none. The weights of these rows
    are the vectors of the labels, and of the beginning.
    """
    (E, T, B), K = x.shape, labels
    rows = empty_sequence(E + K + 1, T, B, x.dtype)
    rows[:E] = x
    if fed.ndim > 2:
        rows[E : E + K] = fed > 0
        rows[E + K] = fed[0] == NONE
    else:
        rows[E : E + K] = fed == np.arange(K)[:, None, None]
        rows[E + K] = fed < 0
    return rows
