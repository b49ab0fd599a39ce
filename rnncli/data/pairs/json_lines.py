"""JSONL: a JSON object a line, each a pair."""

import re
from collections.abc import Iterator
from typing import Any

from rnncli.data.examples import Report, Vectors, shown
from rnncli.data.examples.example import missing
from rnncli.data.examples.steps import as_vectors
from rnncli.data.examples.whole_lines import numbered_lines
from rnncli.data.files import Source
from rnncli.data.pairs.pair import SOURCE, TARGET, Pair, PairReading, no_such, text_pair, vector_pair
from rnncli.data.tagged.json_objects import json_object, kind
from rnncli.errors import DataError

_ONE_A_LINE = 'write one object a line: {"source": "...", "target": "..."}'
_NESTED = "translation"
_SURROGATE = re.compile(r"[\ud800-\udfff]")  # as \ud83d without its other half


def read_jsonl(source: Source, reading: PairReading, report: Report) -> Iterator[Pair]:
    """Yield a pair a line that is not blank; {"translation": {…}} may hold both texts.

    A source is a text, a list of numbers or a list of such lists. Raises DataError for what is no JSON object, a key
    that comes twice or is missing, an empty side, and lists that are none of finite numbers, all of one length.
    """
    columns = reading.columns
    needed = {side: str(key) for side, key in reading.needed().items()}
    for number, line in numbered_lines(source, reading.encoding, report):
        if not line or line.isspace():
            continue
        where = f"{source.name}:{number}"
        found = json_object(line, where, _ONE_A_LINE)
        nested = found.get(_NESTED)
        if isinstance(nested, dict):
            found = nested | found
        if lacking := {side: key for side, key in needed.items() if key not in found}:
            raise no_such("key", lacking, list(nested if isinstance(nested, dict) else found), where, reading)
        target = _text(found[needed[TARGET]], needed[TARGET], where) if reading.targets else None
        if columns.vector:
            for key in columns.vector:
                if key not in found:
                    raise missing("key", key, list(found), where)
                if not _is_number(found[key]):
                    raise DataError(f"{shown(key)} is {kind(found[key])}, not a number", hint="write one", where=where)
            yield vector_pair(_vectors([[found[key] for key in columns.vector]], "columns", where), target, where)
            continue
        key = needed[SOURCE]
        given = found[key]
        if isinstance(given, list):
            rows = given if any(isinstance(row, list) for row in given) else [given]
            yield vector_pair(_vectors(rows, key, where), target, where)
        else:
            yield text_pair(_text(given, key, where), target, where)


def _text(value: Any, key: str, where: str) -> str:
    if not isinstance(value, str):
        raise DataError(f"{shown(key)} is {kind(value)}, not a text", hint="quote it", where=where)
    if not value.isascii() and _SURROGATE.search(value):
        hint = "write a pair of surrogates for one character, or leave the line out"
        raise DataError(f"{shown(key)} holds half a character", hint=hint, where=where)
    return value


def _vectors(rows: list[Any], key: str, where: str) -> Vectors:
    """Return vectors (S, D) of S lists of D numbers."""
    widths = {len(row) if isinstance(row, list) else 0 for row in rows}
    if len(widths) > 1 or 0 in widths or not all(_is_number(value) for row in rows for value in row):
        if len(rows) > 1:
            message, hint = f"{shown(key)} is no list of lists of as many numbers each", "write [[0.5, 2], [1, 3]]"
        else:
            message, hint = f"{shown(key)} is no list of numbers", "write [0.5, 2]"
        raise DataError(message, hint=hint, where=where)
    try:
        return as_vectors(rows, where)
    except OverflowError:  # an integer of hundreds of digits
        raise DataError(
            "a number is beyond 3.4e38, the largest float32", hint="use another unit", where=where
        ) from None


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)
