"""The formats of tagged sequences, known by the names of files or by how they begin."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

from rnncli.data.files import Source
from rnncli.data.tagged.blocks import is_blank
from rnncli.data.tagged.conll import columns_of, is_document, read_conll
from rnncli.data.tagged.conllu import COLUMNS, column_number, read_conllu
from rnncli.data.tagged.example import TagColumns, TagReader
from rnncli.data.tagged.json_lines import read_jsonl
from rnncli.data.tagged.tables import read_csv, read_tsv
from rnncli.errors import DataError, SpecError

FORMATS: dict[str, TagReader] = {
    "conll": read_conll,
    "conllu": read_conllu,
    "csv": read_csv,
    "tsv": read_tsv,
    "jsonl": read_jsonl,
}

SUFFIXES: Mapping[str, str] = MappingProxyType(
    dict.fromkeys((".conll", ".bio", ".iob", ".iob2", ".bioes"), "conll")
    | {".conllu": "conllu", ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".npz": "npz"}
)
_KNOWN = "name it .conll, .conllu, .csv, .tsv, .jsonl or .npz, or set data.format"
_HEAD = 1 << 16  # bytes by which a format is known
_ALIKE = 0.9  # of the lines of a file in columns have as many as the first, or it is in none
_FIRST_ID = re.compile(r"1(-[0-9]+)?|0\.1")


def format_of(sources: Sequence[Source]) -> str:
    """Return the format that all of the sources are in, a name of FORMATS or "npz".

    Raises DataError where there is no format, or more than one.
    """
    found: dict[str, Source] = {}
    for source in sources:
        found.setdefault(SUFFIXES.get(Path(source.path).suffix.lower()) or _by_content(source), source)
    if len(found) > 1:
        (first, source), (second, other) = list(found.items())[:2]
        message = f"{other.name} is {second}, but {source.name} is {first}"
        raise DataError(message, hint="give files of one format")
    return next(iter(found))


def _by_content(source: Source) -> str:
    with source.open() as file:
        head = source.read(file, _HEAD)
    # Without the marks and zeros of UTF-16 what tells formats apart looks as in any other encoding
    text = head.replace(b"\0", b"").decode("utf-8", "replace").lstrip("\ufeff\ufffd")
    name = format_of_text(text if len(head) < _HEAD else text[: text.rfind("\n") + 1])
    if not name:
        raise DataError("it is in no format of tagged sequences", hint=_KNOWN, where=source.name)
    return name


def format_of_text(text: str) -> str:
    """Return the format of a text, or of the whole lines that it begins with; "" for none.

    Lines of ten columns between tabs, numbered from 1, and comments such as "# sent_id" are conllu; other lines that
    have two or more columns, nearly all as many, and blank lines between them, conll; an object, jsonl.
    """
    lines = text.split("\n")
    filled = [line for line in lines if not (is_blank(line) or is_document(line))]
    if not filled:
        return ""
    if filled[0].startswith("{"):
        return "jsonl"
    rows = [line for line in filled if not line.startswith("# ")]
    columns = columns_of(rows[0]) if rows else []
    is_numbered = len(columns) == len(COLUMNS) and "\t" in rows[0] and _FIRST_ID.fullmatch(columns[0])
    if is_numbered or filled[0].startswith(("# sent_id", "# newdoc", "# text = ")):
        return "conllu"
    alike = sum(len(columns_of(line)) == len(columns) for line in rows)
    ends = any(is_blank(after) and not is_blank(line) for line, after in pairwise(lines[:-1]))
    return "conll" if len(columns) >= 2 and alike >= _ALIKE * len(rows) and ends else ""


def check_columns(name: str, columns: TagColumns) -> None:
    """Raise SpecError for columns that the format, or the rest of them, do not go with."""
    if columns.token is not None and columns.token == columns.label:
        raise SpecError(f"data.token and data.label are both {columns.token!r}", hint="name two columns")
    if name in ("csv", "tsv"):
        if columns.vector and columns.token is not None:
            raise SpecError("a token and vectors of numbers", hint="leave data.token or data.columns out")
        return
    if columns.vector or columns.sequence is not None or columns.time is not None:
        hint = "leave data.columns, data.sequence and data.time out, or use csv"
        raise SpecError(f"{name} has no columns that are named so", hint=hint)
    for key, column in (("token", columns.token), ("label", columns.label)):
        if column is not None and (hint := _unfit(name, column)):
            raise SpecError(f"data.{key} is {column!r}, which {name} does not have", hint=hint)


def _unfit(name: str, column: str | int) -> str:
    """Return what to do about a column that a format cannot have; "" where it can."""
    if name == "conll":
        fits = re.fullmatch(r"-?0*[1-9][0-9]{0,3}", str(column))
        return "" if fits else "give the number of a column, from 1 on, or from the end -1, -2, …"
    if name == "conllu":
        return "" if column_number(column, 0) else f"the columns are {', '.join(COLUMNS)}, or 1 to {len(COLUMNS)}"
    if name == "jsonl":
        return "give the name of a key" if isinstance(column, int) else ""
    return "its arrays are x, lengths, y and labels: leave data.token and data.label out"
