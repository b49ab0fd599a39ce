"""Labelled examples from files: fastText, CSV, TSV, JSONL, a folder for each label; never a whole file in memory."""

from rnncli.data.examples.example import (
    Columns,
    Example,
    LabelCountError,
    Reading,
    Report,
    Vectors,
    check_labels,
    is_label,
    shown,
    spelled,
)
from rnncli.data.examples.fasttext import without_labels
from rnncli.data.examples.formats import FORMATS, SUFFIXES, Reader, check_columns, format_of, read_examples
from rnncli.data.examples.label_folders import folder_label

__all__ = [
    "FORMATS",
    "SUFFIXES",
    "Columns",
    "Example",
    "LabelCountError",
    "Reader",
    "Reading",
    "Report",
    "Vectors",
    "check_columns",
    "check_labels",
    "folder_label",
    "format_of",
    "is_label",
    "read_examples",
    "shown",
    "spelled",
    "without_labels",
]
