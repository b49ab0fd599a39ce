"""JSONL: a JSON object a line, each a sequence: its tokens or vectors, and a list of their labels."""

import json
import math
import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from rnncli.data.examples import Reading, Vectors, check_labels, shown, spelled
from rnncli.data.examples.example import missing
from rnncli.data.examples.steps import as_vectors
from rnncli.data.labelled import step_place
from rnncli.data.tagged.blocks import is_blank
from rnncli.data.tagged.example import Labels, Lines, TaggedExample, TagReading
from rnncli.data.tagged.json_objects import json_object, kind, with_member
from rnncli.errors import DataError

_SURROGATE = re.compile(r"[\ud800-\udfff]")  # as \ud83d without its other half


def read_jsonl(lines: Lines, file: str, reading: TagReading) -> Generator[TaggedExample, None, str]:
    """Yield a sequence a line that is not blank; of a text for a list of tokens, each character is one.

    A label is a text, a number, true or false, or where there may be several a list of those. Raises DataError for what
    is no JSON object, lists of two lengths, vectors of two widths, and a key that is missing.
    """
    lead = ""
    label = str(reading.columns.label or "labels")
    for number, line in lines:
        if is_blank(line):
            lead += line
            continue
        where = f"{file}:{number}"
        found = json_object(line, where)
        steps = _steps(found, reading, where)
        labels: tuple[Labels, ...] = ()
        if reading.labelled:
            if label not in found:
                raise missing("key", label, list(found), where)
            labels = _labels(found[label], label, len(steps), where, several=reading.multi_label)
        yield TaggedExample(steps, labels, where, (), ObjectLayout(lead, line, label, reading.multi_label))
        lead = ""
    return lead


@dataclass(frozen=True, slots=True)
class ObjectLayout:
    """A line, and which of its keys has the labels."""

    lead: str
    """Blank lines before it."""
    line: str
    key: str
    several: bool

    @property
    def ending(self) -> str:
        """The line."""
        return self.line

    def text(self, example: TaggedExample, labels: Sequence[Labels]) -> str:
        """Return the line with a list of labels: numbers where those that were there are numbers."""
        before = json_object(self.line, example.where).get(self.key)
        try:
            known = _labels(before, self.key, len(labels), example.where, several=self.several)
        except DataError:  # of a file whose labels were not read, and need not be any
            known, before = (), None
        if [*map(set, known)] == [*map(set, labels)]:
            return self.lead + self.line
        values = [value for each in before or [] for value in (each if isinstance(each, list) else [each])]
        plain = bool(values) and not any(isinstance(value, str) for value in values)
        new = [[_value(name, plain=plain) for name in names] for names in labels]
        single = [names[0] if names else None for names in new]
        return self.lead + with_member(self.line, self.key, new if self.several else single)

    def after(self, lead: str) -> Self:
        """Return it with more text before it."""
        return replace(self, lead=lead + self.lead)


def _value(label: str, *, plain: bool) -> Any:
    """Return a label, or the number or truth value that is spelled so, where those before were `plain` ones."""
    if plain:
        try:
            value = json.loads(label)
            if not isinstance(value, str) and spelled(value, "", "") == label:
                return value
        except (ValueError, RecursionError, DataError):
            pass
    return label


def _labels(values: Any, key: str, count: int, where: str, *, several: bool) -> tuple[Labels, ...]:
    if not isinstance(values, list):
        raise DataError(f"{shown(key)} is {kind(values)}, not a list", hint="write a label for each step", where=where)
    if len(values) != count:
        message = f"{len(values)} labels for {count} steps"
        raise DataError(message, hint="write one for each", where=where)
    reading, found = Reading(multi_label=several), []
    for step, value in enumerate(values):
        names = value if isinstance(value, list) else [value]
        if all(isinstance(name, str) for name in names):
            texts = names
        else:
            texts = [spelled(name, f"a label of {shown(key)}", step_place(where, 0, step)) for name in names]
        found.append(check_labels(texts, step_place(where, 0, step), reading))
    return tuple(found)


def _steps(found: dict[str, Any], reading: TagReading, where: str) -> tuple[str, ...] | Vectors:
    key = reading.columns.token
    key = str(key or ("vectors" if "vectors" in found and "tokens" not in found else "tokens"))
    if key not in found:
        raise missing("key", key, list(found), where)
    values = found[key]
    if not isinstance(values, (list, str)):
        hint = "write a list of tokens or vectors, or a text of which each character is a token"
        raise DataError(f"{shown(key)} is {kind(values)}, not a list", hint=hint, where=where)
    if not values:
        raise DataError(f"{shown(key)} is empty", hint="leave the line out", where=where)
    if isinstance(values, list) and isinstance(values[0], list):
        return _vectors(values, where)
    return _tokens(values, where)


def _tokens(values: Sequence[Any], where: str) -> tuple[str, ...]:
    for step, value in enumerate(values):
        place = step_place(where, 0, step)
        if not isinstance(value, str):
            raise DataError(f"the token is {kind(value)}, not a text", hint="quote it", where=place)
        if not value:
            raise DataError("the token is empty", hint="write one, or leave it and its label out", where=place)
        if not value.isascii() and _SURROGATE.search(value):
            hint = "write a pair of surrogates for one character, or leave the line out"
            raise DataError("the token holds half a character", hint=hint, where=place)
    return tuple(values)


def _vectors(values: list[Any], where: str) -> Vectors:
    width = len(values[0])
    for step, vector in enumerate(values):
        place = step_place(where, 0, step)
        if not isinstance(vector, list):
            raise DataError(f"{kind(vector)} among vectors", hint="write a list of numbers", where=place)
        if len(vector) != width or not vector:
            message = f"a vector of {len(vector)} numbers" + (f", the first has {width}" if width else "")
            raise DataError(message, hint="give all as many", where=place)
        for value in vector:
            if type(value) not in (int, float):
                raise DataError(f"{kind(value)} in a vector", hint="write a number", where=place)
    numbers = [[_number(value) for value in vector] for vector in values]
    try:
        return as_vectors(numbers, where)
    except DataError:
        for step, vector in enumerate(numbers):
            as_vectors([vector], step_place(where, 0, step))
        raise


def _number(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of hundreds of digits
        return math.inf
