"""Rows of numbers, joined to sequences of vectors."""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import groupby, islice
from operator import attrgetter
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from rnncli.data.examples.example import Example, Reading, Vectors, listed, shown
from rnncli.errors import DataError


class Row(Protocol):
    """What stands in a row of one step."""

    @property
    def where(self) -> str: ...  # noqa: D102
    @property
    def sequence(self) -> str | None: ...  # noqa: D102
    @property
    def time(self) -> str | None: ...  # noqa: D102


AnyRow = TypeVar("AnyRow", bound=Row)


MOST_ROWS = 1 << 20
"""Of one sequence: they are in memory together."""


class Step(NamedTuple):
    """A row: the vector of one step."""

    where: str
    sequence: str | None
    """What its sequence is called; None: it is one by itself."""
    time: str | None
    values: Sequence[float]
    labels: tuple[str, ...]


def numbers(cells: Sequence[str], names: Sequence[str], where: str) -> list[float]:
    """Return cells as numbers; raises DataError for the first that is not finite."""
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        values = [math.nan]
    if not all(map(math.isfinite, values)) or "_" in "".join(cells):  # Python's 1_000 is a number nowhere else
        name, cell = next(pair for pair in zip(names, cells, strict=True) if math.isnan(number(pair[1])))
        shape = f"{shown(cell)} is not a finite number" if cell.strip() else "no number"
        raise DataError(f"column {shown(name)}: {shape}", hint="write one, or leave the row out", where=where)
    return values


def number(text: str) -> float:
    """Return a text as a number; NaN for what is no finite one, or is one in Python alone, as 1_000."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) and "_" not in text else math.nan


def as_sequences(steps: Iterable[Step], reading: Reading) -> Iterator[Example]:
    """Yield the sequences of the steps of a file; only one of them is in memory.

    Raises DataError for a sequence that goes on after another began, or whose steps have different labels.
    """
    if reading.columns.sequence is None:
        for step in steps:
            yield Example(as_vectors([step.values], step.where), step.labels, step.where)
        return
    for rows in in_sequences(steps):
        first = rows[0]
        for step in rows:
            if step.labels != first.labels:
                here, there = (listed(labels) or "none" for labels in (step.labels, first.labels))
                message = (
                    f"sequence {shown(first.sequence or '')} has the label {here} here and {there} at {first.where}"
                )
                raise DataError(message, hint="give all rows of a sequence the same", where=step.where)
        ordered = rows if reading.columns.time is None else by_time(rows)
        yield Example(as_vectors([row.values for row in ordered], first.where), first.labels, first.where)


def in_sequences(rows: Iterable[AnyRow]) -> Iterator[list[AnyRow]]:
    """Yield the rows of each sequence as soon as they are complete.

    Raises DataError for a sequence that goes on after another began, and for one of more than MOST_ROWS.
    """
    first_seen: dict[str | None, str] = {}
    for name, group in groupby(rows, attrgetter("sequence")):
        first, *others = islice(group, MOST_ROWS + 1)
        check_rows(1 + len(others), first.where)
        if name in first_seen:
            message = f"sequence {shown(name or '')} goes on after others; it began at {first_seen[name]}"
            raise DataError(message, hint="sort the rows by sequence", where=first.where)
        first_seen[name] = first.where
        yield [first, *others]


def check_rows(count: int, where: str) -> None:
    """Raise DataError for more than MOST_ROWS of one sequence."""
    if count > MOST_ROWS:
        hint = "part it: by blank lines between sentences, or a column that data.sequence names"
        raise DataError(f"a sequence of more than {MOST_ROWS:,} rows", hint=hint, where=where)


def as_vectors(values: object, where: str) -> Vectors:
    """Return finite numbers as float32; raises DataError for one that is too large for it."""
    with np.errstate(over="ignore"):
        vectors = np.asarray(values).astype(np.float32)
    if not np.isfinite(vectors).all():
        raise DataError("a number is beyond 3.4e38, the largest float32", hint="use another unit", where=where)
    return vectors


def by_time(rows: list[AnyRow]) -> list[AnyRow]:
    """Sort by time; what has the same time stays in its order. Raises DataError for what is no time."""
    times = [_time(row) for row in rows]
    dates = [isinstance(time, datetime) for time in times]
    if any(dates) and not all(dates):
        row = rows[dates.index(not dates[0])]
        raise DataError("a date among numbers, or a number among dates", hint="write all times alike", where=row.where)
    return [rows[place] for place in sorted(range(len(rows)), key=times.__getitem__)]


def _time(row: Row) -> float | datetime:
    text = (row.time or "").strip()
    if not math.isnan(number(text)):
        with suppress(ValueError):
            return int(text)  # of nanoseconds since 1970 a float leaves out the last three digits
        return float(text)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        message = f"time {shown(text)} is neither a number nor an ISO 8601 date"
        raise DataError(message, hint="write it as 12.5 or 2024-05-31T12:00", where=row.where) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
