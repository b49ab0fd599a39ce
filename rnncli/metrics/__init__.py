"""Scores of predictions, from arrays of targets and of predictions; NumPy only."""

from rnncli.metrics.classification import (
    UNKNOWN,
    ClassificationReport,
    LabelScore,
    classification_report,
    confusion,
)
from rnncli.metrics.lengths import LengthBin, by_length
from rnncli.metrics.regression import OutputScore, RegressionReport, regression_report

__all__ = [
    "UNKNOWN",
    "ClassificationReport",
    "LabelScore",
    "LengthBin",
    "OutputScore",
    "RegressionReport",
    "by_length",
    "classification_report",
    "confusion",
    "regression_report",
]
