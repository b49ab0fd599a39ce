"""Sequences whose every step has labels: CoNLL, CoNLL-U, CSV, TSV, JSONL; one of them in memory, and written back."""

from rnncli.data.tagged.example import Labels, Lines, Sequences, TagColumns, TaggedExample, written
from rnncli.data.tagged.formats import FORMATS, SUFFIXES, check_columns, format_of, format_of_text
from rnncli.data.tagged.kept_lines import kept_lines, stream_pieces
from rnncli.data.tagged.reading import read_tagged, tagged_lines

__all__ = [
    "FORMATS",
    "SUFFIXES",
    "Labels",
    "Lines",
    "Sequences",
    "TagColumns",
    "TaggedExample",
    "check_columns",
    "format_of",
    "format_of_text",
    "kept_lines",
    "read_tagged",
    "stream_pieces",
    "tagged_lines",
    "written",
]
