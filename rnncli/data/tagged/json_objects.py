"""A JSON object in a line: what it holds, and where, so that one member can be put in the place of another."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from rnncli.data.examples import shown
from rnncli.errors import DataError

_ONE_A_LINE = 'write one object a line: {"tokens": ["..."], "labels": ["..."]}'
_SPACE = re.compile(r"[ \t]*")  # of JSON's white space, what a line can hold


class _RefusedError(ValueError):
    """What Python's parser would let pass."""


def json_object(line: str, where: str, one_a_line: str = _ONE_A_LINE) -> dict[str, Any]:
    """Return what a line holds; `one_a_line` is a hint that shows what it should.

    Raises DataError for what is no JSON object, NaN, an infinity, and a key that comes twice.
    """
    line = line.rstrip("\r\n")
    try:
        found, end = _decoder().raw_decode(line, _after_space(line, 0))
    except json.JSONDecodeError as error:
        raise DataError(f"no JSON: {error.msg}", hint=one_a_line, where=f"{where}:{error.colno}") from None
    except _RefusedError as error:
        raise DataError(str(error), hint="mend it, or leave the line out", where=where) from None
    except (ValueError, RecursionError):  # an integer of thousands of digits, brackets within brackets
        raise DataError("a number too long, or lists too deep", hint="leave the line out", where=where) from None
    if (end := _after_space(line, end)) < len(line):
        raise DataError("more follows the JSON", hint=one_a_line, where=f"{where}:{end + 1}")
    if not isinstance(found, dict):
        raise DataError(f"{kind(found)} where an object is expected", hint=one_a_line, where=where)
    return found


@cache
def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_number)


def kind(value: Any) -> str:
    """Return what a value of JSON is called."""
    if isinstance(value, bool) or value is None:
        return "null" if value is None else "true or false"
    kinds = {str: "a text", list: "a list", dict: "an object"}
    return next((name for each, name in kinds.items() if isinstance(value, each)), "a number")


class Member(NamedTuple):
    """Where a member of an object stands in its line."""

    key: str
    key_end: int
    start: int
    """Of its value."""
    end: int


def with_member(line: str, key: str, value: Any) -> str:
    """Return a line that holds an object with a value in the place of another, or behind all; the rest as it was."""
    every = [*_members(line)]
    first = every[0]
    loose = line[first.key_end : first.start].endswith(" ")
    separators = (", ", ": ") if loose else (",", ":")
    text = json.dumps(value, ensure_ascii=False, separators=separators)
    for member in every:
        if member.key == key:
            return line[: member.start] + text + line[member.end :]
    comma, colon = separators
    end = every[-1].end
    return line[:end] + comma + json.dumps(key, ensure_ascii=False) + colon + text + line[end:]


def _members(line: str) -> Iterator[Member]:
    """Yield the members of a sound object that has any."""
    decoder = json.JSONDecoder()
    place = line.index("{")
    while line[place] != "}":
        key, key_end = decoder.raw_decode(line, _after_space(line, place + 1))
        start = _after_space(line, _after_space(line, key_end) + 1)
        _, end = decoder.raw_decode(line, start)
        yield Member(key, key_end, start, end)
        place = _after_space(line, end)


def _after_space(line: str, place: int) -> int:
    found = _SPACE.match(line, place)
    assert found
    return found.end()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise _RefusedError(f"the key {shown(twice)} comes twice")
    return found


def _no_number(constant: str) -> None:
    raise _RefusedError(f"{constant} is no number in JSON")
