"""Sentences of a line a token, with blank lines between them: where one ends, and how it is written back."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

from rnncli.data.examples.steps import MOST_ROWS, check_rows
from rnncli.data.tagged.example import Labels, Lines, TaggedExample

Rows = list[tuple[int, str]]


def is_blank(line: str) -> bool:
    """Return whether a line ends a sentence: other white space may be a token."""
    return not line.strip(" \t\r\n")


def blocks(lines: Lines, between: Callable[[str, bool], bool], file: str) -> Iterator[tuple[str, Rows]]:
    """Yield each sentence as soon as it is whole, its blank line with it, and what stood before it.

    `between` tells of a line, and of whether a sentence has begun, that it stands between two. At last comes what is
    left, with no rows. Raises DataError for a sentence that does not end, as `check_rows` does.
    """
    lead: list[str] = []
    rows: Rows = []
    for number, line in lines:
        ends = is_blank(line)
        outside = (ends and not rows) or (not ends and between(line, bool(rows)))
        if not outside:
            rows.append((number, line))
            if len(rows) > MOST_ROWS:
                check_rows(len(rows), f"{file}:{rows[0][0]}")
        if rows and (ends or outside):
            yield "".join(lead), rows
            lead, rows = [], []
        if outside:
            lead.append(line)
    if rows:
        yield "".join(lead), rows
        lead = []
    yield "".join(lead), []


@dataclass(frozen=True, slots=True)
class RowsLayout:
    """Rows in the order of the file, each with the number of the line that it begins in; some are those of steps."""

    lead: str
    """What stood before them."""
    rows: Sequence[tuple[int, str]]
    put: Callable[[str, Labels, str], str]
    """Returns a row with these labels, given where it stands."""

    @property
    def ending(self) -> str:
        """The last row."""
        return self.rows[-1][1]

    def text(self, example: TaggedExample, labels: Sequence[Labels]) -> str:
        """Return lead and rows, with the labels of the steps."""
        given = dict(zip(example.lines, labels, strict=True))
        file = example.where.rpartition(":")[0]
        rows = (
            self.put(row, given[number], f"{file}:{number}") if number in given else row for number, row in self.rows
        )
        return self.lead + "".join(rows)

    def after(self, lead: str) -> Self:
        """Return it with more text before it."""
        return replace(self, lead=lead + self.lead)


def body_and_end(row: str) -> tuple[str, str]:
    """Return a row without the LF or CRLF that ends it, and that."""
    body = row.rstrip("\r\n")
    return body, row[len(body) :]
