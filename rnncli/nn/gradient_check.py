"""Numeric against analytic gradients: what the tests and the `gradcheck` command both use."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from rnncli.nn.parameter import Array

FLOOR = 1e-3
"""Gradients below this are compared by absolute error over FLOOR: under it a central difference is rounding noise."""


class GradientError(NamedTuple):
    """The worst disagreement in one array: its relative error, and where it stands."""

    name: str
    error: float
    where: tuple[int, ...]
    analytic: float
    numeric: float
    checked: int


def compare_gradients(
    loss: Callable[[], float],
    values: Mapping[str, Array],
    grads: Mapping[str, Array],
    *,
    epsilon: float = 1e-5,
    limit: int | None = None,
    rng: np.random.Generator | None = None,
) -> list[GradientError]:
    """Compare each array's analytic gradient with the central difference (L(v + ε) - L(v - ε)) / 2ε of every element.

    `loss` reads the arrays of `values`, which are float64, changed in place and put back. With a `limit`, that many
    elements of each larger array are drawn by `rng`. The relative error is |a - n| / max(|a|, |n|, FLOOR).
    """
    report = []
    for name, value in values.items():
        elements = np.arange(value.size)
        if limit is not None and value.size > limit and rng is not None:
            elements = np.sort(rng.choice(value.size, limit, replace=False))
        numeric = np.empty(len(elements))
        for position, element in enumerate(elements):
            index = np.unravel_index(element, value.shape)
            original = value[index]
            value[index] = original + epsilon
            above = loss()
            value[index] = original - epsilon
            below = loss()
            value[index] = original
            numeric[position] = (above - below) / (2 * epsilon)
        analytic = grads[name].ravel()[elements]
        scale = np.maximum(np.maximum(np.abs(analytic), np.abs(numeric)), FLOOR)
        errors = np.abs(analytic - numeric) / scale
        errors[~np.isfinite(errors)] = np.inf
        worst = int(errors.argmax())
        where = tuple(int(i) for i in np.unravel_index(elements[worst], value.shape))
        report.append(
            GradientError(
                name, float(errors[worst]), where, float(analytic[worst]), float(numeric[worst]), len(elements)
            )
        )
    return report
