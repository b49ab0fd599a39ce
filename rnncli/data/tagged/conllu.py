"""CoNLL-U: a line a word, ten columns between tabs, a blank line after each sentence (universaldependencies.org)."""

import re
from collections.abc import Generator
from typing import NamedTuple

from rnncli.data.examples import shown
from rnncli.data.tagged.blocks import Rows, RowsLayout, blocks, body_and_end, is_blank
from rnncli.data.tagged.cells import LabelCells
from rnncli.data.tagged.conll import NONE
from rnncli.data.tagged.example import Labels, Lines, TaggedExample, TagReading
from rnncli.errors import DataError

COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
_FORM, _UPOS = 2, 4  # their numbers
_NO_WORD = re.compile(r"[0-9]+[-.][0-9]+")
"""The id of a range of words, such as 1-2 before du in French, and that of an empty node, such as 8.1."""


def read_conllu(lines: Lines, file: str, reading: TagReading) -> Generator[TaggedExample, None, str]:
    """Yield the sentences; comments, ranges of words and empty nodes are no tokens.

    Raises DataError for a line of other than ten columns, ids that do not count the words, a sentence without one, an
    empty token, and for the label _, which stands for none, unless there may be none.
    """
    token, label = column_number(reading.columns.token, _FORM), column_number(reading.columns.label, _UPOS)
    form = _Form(token - 1, label - 1, reading.labelled, LabelCells(reading.multi_label, NONE))
    rest = ""
    for lead, rows in blocks(lines, _nothing_is_between, file):
        if rows:
            yield _sentence(lead, rows, form, file)
        else:
            rest = lead
    return rest


def column_number(column: str | int | None, default: int) -> int:
    """Return the number of a column, from 1 on, 0 for one that there is not."""
    if column is None:
        return default
    name = str(column).lower()
    if name in COLUMNS:
        return COLUMNS.index(name) + 1
    number = int(name) if re.fullmatch(r"-?[0-9]{1,4}", name) else 0
    number = number if number > 0 else number + len(COLUMNS) + 1
    return number if 1 <= number <= len(COLUMNS) else 0


def _nothing_is_between(line: str, begun: bool) -> bool:  # noqa: ARG001 - as `blocks` asks
    return False


class _Form(NamedTuple):
    """How the lines of a file are read."""

    token: int
    label: int
    labelled: bool
    cells: LabelCells

    def put(self, row: str, labels: Labels, where: str) -> str:
        """Put the labels in the place of those that were there."""
        body, end = body_and_end(row)
        columns = body.split("\t")
        columns[self.label] = self.cells.cell(columns[self.label], labels, where)
        return "\t".join(columns) + end


def _sentence(lead: str, rows: Rows, form: _Form, file: str) -> TaggedExample:
    tokens: list[str] = []
    labels: list[Labels] = []
    numbers: list[int] = []
    for number, line in rows:
        if line.startswith("#") or is_blank(line):
            continue
        columns = line.split("\t")
        if len(columns) != len(COLUMNS):
            raise _not_ten(columns, f"{file}:{number}")
        if columns[0] != str(len(tokens) + 1):
            if _NO_WORD.fullmatch(columns[0]):
                continue
            message = f"the id is {shown(columns[0])} where {len(tokens) + 1} is expected"
            hint = "number the words of a sentence from 1 on, and end it with a blank line"
            raise DataError(message, hint=hint, where=f"{file}:{number}")
        columns[-1] = columns[-1].rstrip("\r\n")
        token = columns[form.token]
        if not token:
            message, hint = f"{COLUMNS[form.token]}, of the token, is empty", "write _ for an unknown word"
            raise DataError(message, hint=hint, where=f"{file}:{number}")
        tokens.append(token)
        numbers.append(number)
        if form.labelled:
            labels.append(_labels(columns[form.label], form, file, number))
    if not tokens:
        message, hint = "a sentence without words", "leave it out, comments and all"
        raise DataError(message, hint=hint, where=f"{file}:{rows[0][0]}")
    layout = RowsLayout(lead, rows, form.put)
    return TaggedExample(tuple(tokens), tuple(labels), f"{file}:{numbers[0]}", tuple(numbers), layout)


def _labels(cell: str, form: _Form, file: str, number: int) -> Labels:
    if cell == NONE and not form.cells.several:
        message = f"{COLUMNS[form.label]} is _: no label"
        hint = "name another column in data.label, leave the sentence out, or set data.multi_label"
        raise DataError(message, hint=hint, where=f"{file}:{number}")
    return form.cells.labels(cell, file, number)


def _not_ten(columns: list[str], where: str) -> DataError:
    hint = "separate ten columns with tabs, _ where one has no value; for others set data.format=conll"
    return DataError(f"{len(columns)} columns where CoNLL-U has {len(COLUMNS)}", hint=hint, where=where)
