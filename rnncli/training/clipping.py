"""Limits on the gradient, so that no single step goes too far."""

import math

import numpy as np

from rnncli.nn.parameter import Array


def clip(grads: Array, max_norm: float | None, max_value: float | None) -> float:
    """Limit each gradient to ±max_value, then their global L2 norm to max_norm, in place; return the norm before.

    Source: Pascanu et al. (2013).
    """
    norm = clipped = _norm(grads)
    if max_value is not None:
        np.clip(grads, -max_value, max_value, out=grads)
        clipped = _norm(grads)
    if max_norm is not None:
        scale = max_norm / (clipped + 1e-6)  # PyTorch's guard, kept so that clipped runs compare
        if scale < 1:
            grads *= scale
    return norm


def _norm(grads: Array) -> float:
    squared = float(np.dot(grads, grads))
    if not math.isfinite(squared):  # it may be float32 that ran out, not the gradient
        squared = float(np.square(grads, dtype=np.float64).sum())
    return math.sqrt(squared)  # of NaN it is NaN
