"""Scores of predictions, from arrays of targets and of predictions; NumPy only."""

from rnncli.metrics.classification import (
    UNKNOWN,
    ClassificationReport,
    LabelScore,
    accuracy,
    classification_report,
    confusion,
    label_scores,
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
    "accuracy",
    "by_length",
    "classification_report",
    "confusion",
    "label_scores",
    "regression_report",
]
