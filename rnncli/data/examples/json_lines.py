"""JSONL: a JSON object a line, each an example or a step of one (RFC 8259, jsonlines.org)."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from rnncli.data.examples.example import Example, Reading, Report, check_labels, example, missing, shown, spelled
from rnncli.data.examples.steps import Step, as_sequences
from rnncli.data.examples.whole_lines import numbered_lines
from rnncli.data.files import Source
from rnncli.errors import DataError

_ONE_A_LINE = 'write one object a line: {"text": "...", "label": "..."}'
_SPACE = " \t"  # of JSON's white space, what a line can hold
_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*+"|(NaN|-?Infinity)')
_SURROGATE = re.compile(r"[\ud800-\udfff]")  # as \ud83d without its other half
_KINDS = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


class _ConstantError(ValueError):
    """NaN or an infinity, which Python's parser would let pass."""


class _TwiceError(ValueError):
    """A key that another of the same name follows, which it would let win."""


def read_jsonl(source: Source, reading: Reading, report: Report) -> Iterator[Example]:
    """Yield an example a line that is not blank; a label is a text, a number, true or false, or a list of those.

    Raises DataError for what is no JSON object, NaN, an infinity, a key that comes twice, and a key that is missing.
    """
    if reading.columns.vector:
        return as_sequences(_steps(source, reading, report), reading)
    return _texts(source, reading, report)


def _texts(source: Source, reading: Reading, report: Report) -> Iterator[Example]:
    columns = reading.columns
    for where, found in _objects(source, reading, report):
        text = _member(found, columns.text, where)
        if not isinstance(text, str):
            raise DataError(f"{shown(columns.text)} is {_KINDS[type(text)]}, not a text", hint="quote it", where=where)
        if not text.isascii() and _SURROGATE.search(text):
            hint = "write a pair of surrogates for one character, or leave the line out"
            raise DataError(f"{shown(columns.text)} holds half a character", hint=hint, where=where)
        yield example(text, _labels(found, columns.label, where) if reading.labelled else (), where, reading)


def _steps(source: Source, reading: Reading, report: Report) -> Iterator[Step]:
    columns = reading.columns
    for where, found in _objects(source, reading, report):
        labels: tuple[str, ...] = ()
        if reading.labelled:
            labels = check_labels(_labels(found, columns.label, where), where, reading)
        sequence, time = (
            None if key is None else spelled(_member(found, key, where), shown(key), where)
            for key in (columns.sequence, columns.time)
        )
        values = [_number(_member(found, key, where), key, where) for key in columns.vector]
        yield Step(where, sequence, time, values, labels)


def _number(value: Any, key: str, where: str) -> float:
    if type(value) not in (int, float):
        kind = _KINDS.get(type(value), "a text")
        raise DataError(f"{shown(key)} is {kind}, not a number", hint="write one, or leave the line out", where=where)
    try:
        return float(value)
    except OverflowError:  # an integer of hundreds of digits
        return math.inf


def _labels(found: dict[str, Any], key: str, where: str) -> list[str]:
    value = _member(found, key, where)
    return [spelled(label, shown(key), where) for label in (value if isinstance(value, list) else [value])]


def _member(found: dict[str, Any], key: str, where: str) -> Any:
    if key not in found:
        raise missing("key", key, list(found), where)
    return found[key]


def _objects(source: Source, reading: Reading, report: Report) -> Iterator[tuple[str, dict[str, Any]]]:
    decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)
    for number, line in numbered_lines(source, reading.encoding, report):
        if not line or line.isspace():
            continue
        where = f"{source.name}:{number}"
        try:
            found, end = decoder.raw_decode(line, len(line) - len(line.lstrip(_SPACE)))
        except json.JSONDecodeError as error:
            raise DataError(f"no JSON: {error.msg}", hint=_ONE_A_LINE, where=f"{where}:{error.colno}") from None
        except _ConstantError as error:
            place = next(match.start() for match in _CONSTANT.finditer(line) if match[1])
            hint = "leave the line out"
            raise DataError(f"{error} is no number in JSON", hint=hint, where=f"{where}:{place + 1}") from None
        except _TwiceError as error:
            raise DataError(f"the key {shown(str(error))} comes twice", hint="keep one of them", where=where) from None
        except (ValueError, RecursionError):  # an integer of thousands of digits, brackets within brackets
            raise DataError("a number too long, or lists too deep", hint="leave the line out", where=where) from None
        if line[end:].strip(_SPACE):
            raise DataError("more follows the JSON", hint=_ONE_A_LINE, where=f"{where}:{end + 1}")
        if not isinstance(found, dict):
            kind = _KINDS.get(type(found), "a text")
            raise DataError(f"{kind} where an object is expected", hint=_ONE_A_LINE, where=where)
        yield where, found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise _TwiceError(twice)
    return found


def _refuse_constant(constant: str) -> None:
    raise _ConstantError(constant)
