"""Scores of predictions, from arrays of targets and of predictions; NumPy only."""

from rnncli.metrics.bleu import bleu
from rnncli.metrics.classification import (
    UNKNOWN,
    ClassificationReport,
    LabelScore,
    classification_report,
    confusion,
)
from rnncli.metrics.closed_loop import ClosedLoopReport, FedScore, FedSums, PositionBin
from rnncli.metrics.edits import character_error_rate, edits, nearest_reference
from rnncli.metrics.lengths import LengthBin, by_length
from rnncli.metrics.perplexity import perplexity
from rnncli.metrics.regression import OutputScore, RegressionReport, regression_report
from rnncli.metrics.spans import SCHEMES, Span, faults, repaired, scheme_of, spans
from rnncli.metrics.tagging import SpanReport, TaggingReport, tagging_report
from rnncli.metrics.translation import TranslationReport, translation_report

__all__ = [
    "SCHEMES",
    "UNKNOWN",
    "ClassificationReport",
    "ClosedLoopReport",
    "FedScore",
    "FedSums",
    "LabelScore",
    "LengthBin",
    "OutputScore",
    "PositionBin",
    "RegressionReport",
    "Span",
    "SpanReport",
    "TaggingReport",
    "TranslationReport",
    "bleu",
    "by_length",
    "character_error_rate",
    "classification_report",
    "confusion",
    "edits",
    "faults",
    "nearest_reference",
    "perplexity",
    "regression_report",
    "repaired",
    "scheme_of",
    "spans",
    "tagging_report",
    "translation_report",
]
