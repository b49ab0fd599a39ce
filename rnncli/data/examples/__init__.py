"""Labelled examples from files: fastText, CSV, TSV, JSONL, a folder for each label; never a whole file in memory."""

from rnncli.data.examples.example import Columns, Example, Reading, Report, Vectors, check_labels, shown, spelled
from rnncli.data.examples.fasttext import without_labels
from rnncli.data.examples.formats import FORMATS, SUFFIXES, Reader, format_of, read_examples

__all__ = [
    "FORMATS",
    "SUFFIXES",
    "Columns",
    "Example",
    "Reader",
    "Reading",
    "Report",
    "Vectors",
    "check_labels",
    "format_of",
    "read_examples",
    "shown",
    "spelled",
    "without_labels",
]
