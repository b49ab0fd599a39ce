"""CoNLL: a line a token, its columns between tabs or spaces, a blank line after each sentence (Tjong Kim Sang 2002)."""

from collections.abc import Generator
from itertools import chain
from typing import NamedTuple

from rnncli.data.examples import shown
from rnncli.data.tagged.blocks import Rows, RowsLayout, blocks, body_and_end, is_blank
from rnncli.data.tagged.cells import LabelCells
from rnncli.data.tagged.example import Labels, Lines, TaggedExample, TagReading
from rnncli.errors import DataError

DOCUMENT = "-DOCSTART-"
"""Begins a line between two documents, which is no token."""
NONE = "_"
"""What is written for no label, and where there may be none means that."""


def read_conll(lines: Lines, file: str, reading: TagReading) -> Generator[TaggedExample, None, str]:
    """Yield the sentences.

    A line with a tab has columns between tabs, any other between spaces, in runs. Lines of DOCUMENT are no tokens, nor
    is a line above the first token of a sentence that begins with "# ", unless it has as many columns as a token.
    Raises DataError for a token of more or fewer columns than the first of the file, and one that is empty.
    """
    lines, first = _with_first_token(lines)
    if first is None:
        return "".join(line for _, line in lines)
    rest, form = "", _form(*first, file, reading)
    for lead, rows in blocks(lines, form.is_between, file):
        if rows:
            yield _sentence(lead, rows, form, file)
        else:
            rest = lead
    return rest


def columns_of(line: str) -> list[str]:
    """Return the columns of a line."""
    body, _ = body_and_end(line)
    if "\t" in body:
        return body.split("\t")
    columns = body.split(" ")
    return [column for column in columns if column] if "" in columns else columns


def is_document(line: str) -> bool:
    """Return whether a line stands between two documents."""
    return line.startswith(DOCUMENT) and columns_of(line)[0] == DOCUMENT


class _Form(NamedTuple):
    """How the lines of a file are read."""

    first: int
    """The line of its first token, which the others are like."""
    width: int
    tabs: bool
    token: int
    label: int | None
    cells: LabelCells

    def is_between(self, line: str, begun: bool) -> bool:
        if line.startswith("# ") and not begun:
            return ("\t" in line) != self.tabs or len(columns_of(line)) != self.width
        return is_document(line)

    def put(self, row: str, labels: Labels, where: str) -> str:
        """Append the labels as a last column, where tools that score predictions look for them."""
        body, end = body_and_end(row)
        cell = self.cells.cell("", labels, where)
        separator = " " if " " in body and "\t" not in body else "\t"
        if separator in cell:
            message = f"the label {shown(cell)} cannot be written in a column, where a space separates columns"
            raise DataError(message, hint="separate the columns with tabs", where=where)
        return f"{body}{'' if body.endswith(' ') and separator == ' ' else separator}{cell}{end}"


def _sentence(lead: str, rows: Rows, form: _Form, file: str) -> TaggedExample:
    tokens: list[str] = []
    labels: list[Labels] = []
    numbers: list[int] = []
    for number, line in rows:
        if is_blank(line):
            continue
        columns = columns_of(line)
        if len(columns) != form.width:
            raise _ragged(line, len(columns), form, f"{file}:{number}")
        token = columns[form.token]
        if not token:
            hint = "write one, or leave the line out"
            raise DataError(f"column {form.token + 1}, of the tokens, is empty", hint=hint, where=f"{file}:{number}")
        tokens.append(token)
        numbers.append(number)
        if form.label is not None:
            labels.append(form.cells.labels(columns[form.label], file, number))
    layout = RowsLayout(lead, rows, form.put)
    return TaggedExample(tuple(tokens), tuple(labels), f"{file}:{numbers[0]}", tuple(numbers), layout)


def _form(number: int, line: str, file: str, reading: TagReading) -> _Form:
    where, width = f"{file}:{number}", len(columns_of(line))
    token = _place(reading.columns.token, 1, width, where)
    label = _place(reading.columns.label, -1, width, where) if reading.labelled else None
    if token == label:
        message = f"column {token + 1} holds the token, and no other the label"
        raise DataError(message, hint="separate columns with a tab or a space, or set data.label", where=where)
    return _Form(number, width, "\t" in line, token, label, LabelCells(reading.multi_label, NONE))


def _place(column: str | int | None, default: int, width: int, where: str) -> int:
    number = default if column is None else int(column)
    if not (1 <= number <= width or -width <= number <= -1):
        hint = f"the columns are 1 to {width}, or from the end -1 to -{width}"
        raise DataError(f"no column {number}", hint=hint, where=where)
    return number - 1 if number > 0 else width + number


def _ragged(line: str, width: int, form: _Form, where: str) -> DataError:
    message = f"{width} columns where line {form.first} has {form.width}"
    if ("\t" in line) != form.tabs:
        hint = "separate the columns of all lines with tabs, or of all with spaces"
    elif width > form.width and not form.tabs:
        hint = "a token seems to hold a space: separate the columns of all lines with tabs"
    else:
        hint = "write _ in a column without a value, and end a sentence with a blank line"
    return DataError(message, hint=hint, where=where)


def _with_first_token(lines: Lines) -> tuple[Lines, tuple[int, str] | None]:
    """Return all the lines, and the first that cannot be a comment."""
    passed = []
    for number, line in lines:
        passed.append((number, line))
        if not (is_blank(line) or is_document(line) or line.startswith("# ")):
            return chain(passed, lines), passed[-1]
    return iter(passed), None
