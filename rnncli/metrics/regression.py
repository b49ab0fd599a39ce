"""Scores of regressors: mean absolute and squared errors, and the share of the variance that was explained.

Letters: N examples, K outputs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnncli.metrics.lengths import Array


@dataclass(frozen=True)
class OutputScore:
    """The errors of one output, in its own unit; mse in that unit squared."""

    name: str
    mae: float
    mse: float
    rmse: float
    r2: float


@dataclass(frozen=True)
class RegressionReport:
    """Scores of the predictions on one split: of each output, and over all.

    Over all outputs mae, mse and r2 are the plain means, and rmse is the root of that mse.
    """

    examples: int
    mae: float
    mse: float
    rmse: float
    r2: float
    outputs: tuple[OutputScore, ...]

    @property
    def means(self) -> dict[str, float]:
        """The scores over all outputs, by name."""
        return {"mae": self.mae, "mse": self.mse, "rmse": self.rmse, "r2": self.r2}


def regression_report(targets: Array, predicted: Array, names: Sequence[str]) -> RegressionReport:
    """Compare predictions (K, N) with targets (K, N), given the names of the K outputs; of one output, (N,) will do.

    mae = 1/N Σ |ŷ - y|      mse = 1/N Σ (ŷ - y)²      rmse = √mse      r2 = 1 - Σ (ŷ - y)² / Σ (y - ȳ)²

    Where all targets are equal, r2 is 1 for predictions without error and 0 for others, as in scikit-learn; of fewer
    than two examples it is NaN, and of none every score. Raises ValueError for arrays that do not belong together.
    """
    if targets.shape != predicted.shape:
        raise ValueError(f"targets are {targets.shape}, predictions {predicted.shape}")
    y, guess = (np.atleast_2d(array).astype(np.float64) for array in (targets, predicted))
    with np.errstate(over="ignore", invalid="ignore"):  # a model that diverged has an infinite error, or NaN
        outputs = tuple(_output(*row) for row in zip(names, y, guess, strict=True))
        mae, mse, r2 = (_mean(np.array([getattr(each, name) for each in outputs])) for name in ("mae", "mse", "r2"))
    return RegressionReport(y.shape[1], mae, mse, math.sqrt(mse), r2, outputs)


def _output(name: str, y: Array, guess: Array) -> OutputScore:
    error = guess - y
    mse = _mean(error**2)
    return OutputScore(name, _mean(np.abs(error)), mse, math.sqrt(mse), _explained(y, mse))


def _explained(y: Array, mse: float) -> float:
    if y.size < 2 or math.isnan(mse):
        return math.nan
    variance = float(y.var()) if y.min() < y.max() else 0.0  # the mean of equal values, rounded, may differ from them
    return 1 - mse / variance if variance else float(mse == 0)


def _mean(values: Array) -> float:
    return float(values.mean()) if values.size else math.nan
