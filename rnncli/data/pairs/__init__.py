"""Pairs of a source and a target from files: parallel, TSV, CSV, JSONL; never a whole file in memory."""

from rnncli.data.pairs.formats import (
    FORMATS,
    SUFFIXES,
    by_content,
    check_columns,
    format_of,
    read_pairs,
    suffix_format,
)
from rnncli.data.pairs.pair import Pair, PairColumns, PairReading, empty, text_pair, vector_pair
from rnncli.data.pairs.parallel import halves

__all__ = [
    "FORMATS",
    "SUFFIXES",
    "Pair",
    "PairColumns",
    "PairReading",
    "by_content",
    "check_columns",
    "empty",
    "format_of",
    "halves",
    "read_pairs",
    "suffix_format",
    "text_pair",
    "vector_pair",
]
