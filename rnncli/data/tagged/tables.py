"""CSV and TSV with a header: a row is a step, a token or numbers, and its label."""

import re
from collections.abc import Generator, Iterator
from functools import cache
from typing import NamedTuple

from rnncli.data.examples import Columns, Vectors, shown
from rnncli.data.examples.delimited import (
    Rows,
    column_names,
    column_place,
    no_header,
    table_rows,
    vector_places,
)
from rnncli.data.examples.steps import as_vectors, by_time, in_sequences, numbers
from rnncli.data.tagged.blocks import RowsLayout, body_and_end
from rnncli.data.tagged.cells import LabelCells
from rnncli.data.tagged.example import Labels, Lines, TagColumns, TaggedExample, TagReading
from rnncli.errors import DataError


def read_csv(lines: Lines, file: str, reading: TagReading) -> Generator[TaggedExample, None, str]:
    """Yield the sequences of comma-separated values: see `_read`."""
    return _read(lines, file, reading, ",")


def read_tsv(lines: Lines, file: str, reading: TagReading) -> Generator[TaggedExample, None, str]:
    """Yield the sequences of tab-separated values: see `_read`."""
    return _read(lines, file, reading, "\t")


def _read(lines: Lines, file: str, reading: TagReading, delimiter: str) -> Generator[TaggedExample, None, str]:
    """Yield the sequences of a table; blank lines are no rows.

    Raises DataError as `table_rows`, `column_names`, `in_sequences` and `by_time` do, for columns that are missing, an
    empty token, and what is no number.
    """
    kept = _Kept(lines)
    rows = table_rows(kept, file, delimiter)
    number, header = next(rows, (0, list[str]()))
    if not header:
        raise no_header(file)
    form = _form(column_names(header, f"{file}:{number}"), f"{file}:{number}", reading, delimiter)
    lead = form.header(kept.taken(), reading.columns.label)
    found = _rows(rows, kept, form, file)
    for group in [[*found]] if form.sequence is None else in_sequences(found):
        if group:
            yield _sequence(group, form, lead)
        lead = ""
    return kept.taken()


class _Kept(Iterator[str]):
    """The lines for a reader of tables, which are kept until they are taken as they are."""

    def __init__(self, lines: Lines) -> None:
        self._lines, self._kept = lines, list[str]()

    def __next__(self) -> str:
        _, line = next(self._lines)
        self._kept.append(line)
        return line

    def taken(self) -> str:
        """Return what was read since the last time."""
        text = "".join(self._kept)
        self._kept.clear()
        return text


class _Row(NamedTuple):
    where: str
    number: int
    sequence: str | None
    time: str | None
    token: str
    values: list[float]
    labels: Labels
    before: str
    """Blank lines."""
    text: str


class _Form(NamedTuple):
    """How the rows of a table are read: in which places, from 0, there is what."""

    names: list[str]
    token: int | None
    vector: list[int]
    label: int | None
    labelled: bool
    sequence: int | None
    time: int | None
    cells: LabelCells
    delimiter: str

    def header(self, text: str, label: str | int | None) -> str:
        """Return the header with a column for the labels."""
        if self.label is not None:
            return text
        body, end = body_and_end(text)
        return body + self.delimiter + _quoted(label if isinstance(label, str) else "label", self.delimiter) + end

    def put(self, row: str, labels: Labels, where: str) -> str:
        """Put the labels in the place of those that were there, or append them."""
        body, end = body_and_end(row)
        if self.label is None:
            return body + self.delimiter + _quoted(self.cells.cell("", labels, where), self.delimiter) + end
        start, stop = _span(body, self.label, self.delimiter)
        raw = body[start:stop]
        quoted = raw.startswith('"')
        value = raw[1:-1].replace('""', '"') if quoted else raw
        cell = self.cells.cell(value, labels, where)
        if cell == value:
            return row
        return body[:start] + _quoted(cell, '"' if quoted else self.delimiter, always=quoted) + body[stop:] + end


def _quoted(cell: str, delimiter: str, *, always: bool = False) -> str:
    needed = always or not {delimiter, '"', "\r", "\n"}.isdisjoint(cell)
    return '"' + cell.replace('"', '""') + '"' if needed else cell


@cache
def _cell(delimiter: str) -> re.Pattern[str]:
    return re.compile(rf'"(?:[^"]|"")*+"|[^{delimiter}]*+')


def _span(body: str, place: int, delimiter: str) -> tuple[int, int]:
    """Return where a cell of a sound row begins and ends."""
    start, pattern = 0, _cell(delimiter)
    for _ in range(place):
        found = pattern.match(body, start)
        assert found
        start = found.end() + len(delimiter)
    found = pattern.match(body, start)
    assert found
    return found.span()


def _form(names: list[str], where: str, reading: TagReading, delimiter: str) -> _Form:
    columns = reading.columns
    cells = LabelCells(reading.multi_label, "")
    known = Columns("", _name(columns.label, "label", names), columns.vector, columns.sequence, columns.time)
    label = known.label in names
    return _Form(
        names,
        None if columns.vector else _token(columns, names, where, delimiter),
        vector_places(known, names, where),
        column_place(known.label, names, where) if label or reading.labelled else None,
        reading.labelled,
        None if columns.sequence is None else column_place(columns.sequence, names, where),
        None if columns.time is None else column_place(columns.time, names, where),
        cells,
        delimiter,
    )


def _token(columns: TagColumns, names: list[str], where: str, delimiter: str) -> int:
    try:
        return column_place(_name(columns.token, "token", names), names, where)
    except DataError as error:
        hint = error.hint + ("; lines without a header are data.format=conll" if delimiter == "\t" else "")
        raise DataError(error.message, hint=hint, where=where) from None


def _name(column: str | int | None, default: str, names: list[str]) -> str:
    """Return the name of a column that may have been given by its number."""
    if isinstance(column, int):
        inside = 1 <= column <= len(names) or -len(names) <= column <= -1
        return names[column - 1 if column > 0 else column] if inside else str(column)
    return default if column is None else column


def _rows(rows: Rows, kept: _Kept, form: _Form, file: str) -> Iterator[_Row]:
    vector_names = [form.names[place] for place in form.vector]
    for number, cells in rows:
        where, text = f"{file}:{number}", kept.taken()
        row = text.lstrip("\r\n")
        token = "" if form.token is None else cells[form.token]
        if form.token is not None and not token:
            message = f"column {shown(form.names[form.token])}, of the token, is empty"
            raise DataError(message, hint="write one, or leave the row out", where=where)
        yield _Row(
            where,
            number,
            None if form.sequence is None else cells[form.sequence],
            None if form.time is None else cells[form.time],
            token.replace("\r\n", "\n"),
            numbers([cells[place] for place in form.vector], vector_names, where) if form.vector else [],
            form.cells.labels(cells[form.label], file, number) if form.labelled and form.label is not None else (),
            text[: len(text) - len(row)],
            row,
        )


def _sequence(rows: list[_Row], form: _Form, lead: str) -> TaggedExample:
    steps = rows if form.time is None else by_time(rows)
    texts = [(number, text) for row in rows for number, text in ((0, row.before), (row.number, row.text)) if text]
    return TaggedExample(
        tuple(row.token for row in steps) if form.token is not None else _vectors(steps),
        tuple(row.labels for row in steps) if form.labelled else (),
        steps[0].where,
        tuple(row.number for row in steps),
        RowsLayout(lead, texts, form.put),
    )


def _vectors(rows: list[_Row]) -> Vectors:
    try:
        return as_vectors([row.values for row in rows], rows[0].where)
    except DataError:
        for row in rows:
            as_vectors([row.values], row.where)
        raise
