"""CSV with a header (RFC 4180), and TSV in which every character counts, quotes too: a row is a pair."""

from collections.abc import Iterator
from io import StringIO
from itertools import chain
from typing import NamedTuple

from rnncli.data.examples import Columns, Report
from rnncli.data.examples.delimited import Rows, column_names, column_place, no_header, table_rows, vector_places
from rnncli.data.examples.steps import as_vectors, numbers
from rnncli.data.examples.whole_lines import line_blocks, numbered_lines
from rnncli.data.files import Source
from rnncli.data.pairs.pair import SOURCE, TARGET, Pair, PairColumns, PairReading, no_such, text_pair, vector_pair
from rnncli.errors import DataError


class _Form(NamedTuple):
    """In which places, from 0, there is what."""

    source: int
    target: int | None
    vector: list[int]
    names: list[str]  # of the columns that make up the vector


def read_csv(source: Source, reading: PairReading, report: Report) -> Iterator[Pair]:
    """Yield a pair a row; blank lines are none.

    Raises DataError as `table_rows`, `column_names` and `column_place` do, for an empty side and what is no number.
    """
    blocks = line_blocks(source, reading.encoding, report)
    lines = chain.from_iterable(StringIO(block, newline="\n") for block in blocks)
    rows = table_rows(lines, source.name, ",")
    line, header = next(rows, (0, list[str]()))
    if not header:
        raise no_header(source.name)
    yield from _pairs(rows, _named(header, reading, f"{source.name}:{line}"), source.name)


def read_tsv(source: Source, reading: PairReading, report: Report) -> Iterator[Pair]:
    """Yield a pair a line; blank lines are none.

    The first line is a header where columns were given by their names, or if "source" and "target" are among its cells.
    Raises DataError for lines of different numbers of cells, columns that are missing or named twice, an empty side and
    what is no number.
    """
    lines = numbered_lines(source, reading.encoding, report)
    rows: Rows = ((number, line.split("\t")) for number, line in lines if line and not line.isspace())
    number, first = next(rows, (0, list[str]()))
    if not first:
        return
    where, columns = f"{source.name}:{number}", reading.columns
    named = bool(columns.vector) or str in (type(columns.source), type(columns.target))
    if named or {SOURCE, *([TARGET] if reading.targets else [])} <= {cell.strip() for cell in first}:
        form = _named(first, reading, where)
    else:
        form, rows = _numbered(len(first), reading, where), chain([(number, first)], rows)
    yield from _pairs(_even(rows, len(first), where, source.name), form, source.name)


def _even(rows: Rows, width: int, first: str, file: str) -> Rows:
    for number, cells in rows:
        if len(cells) != width:
            message = f"{len(cells)} cells between tabs, where {first} has {width}"
            raise DataError(message, hint="one tab between two cells, and none within", where=f"{file}:{number}")
        yield number, cells


def _pairs(rows: Rows, form: _Form, file: str) -> Iterator[Pair]:
    source, target, vector, names = form
    for number, cells in rows:
        where = f"{file}:{number}"
        text = None if target is None else cells[target]
        if vector:
            values = as_vectors([numbers([cells[place] for place in vector], names, where)], where)
            yield vector_pair(values, text, where)
        else:
            yield text_pair(cells[source], text, where)


def _named(header: list[str], reading: PairReading, where: str) -> _Form:
    """Return where the columns are below a header."""
    names, columns, needed = column_names(header, where), reading.columns, reading.needed()
    lacking = {side: name for side, name in needed.items() if isinstance(name, str) and name not in names}
    if lacking and len(names) > 1:  # of one, `column_place` says whether it is the separator that is another
        raise no_such("column", lacking, names, where, reading)
    target = _place(needed[TARGET], names, reading, where) if reading.targets else None
    if columns.vector:
        answer = TARGET if target is None else names[target]
        vector = vector_places(Columns(label=answer, vector=columns.vector), names, where)
        return _Form(0, target, vector, [names[place] for place in vector])
    return _different(_Form(_place(needed[SOURCE], names, reading, where), target, [], []), columns, where)


def _place(column: str | int, names: list[str], reading: PairReading, where: str) -> int:
    if isinstance(column, int):
        return _counted(column, len(names), reading, where)
    return column_place(column, names, where)


def _numbered(width: int, reading: PairReading, where: str) -> _Form:
    """Return where the columns are without a header."""
    columns = reading.columns
    source = _counted(columns.source if isinstance(columns.source, int) else 1, width, reading, where)
    target = None
    if reading.targets:
        target = _counted(columns.target if isinstance(columns.target, int) else 2, width, reading, where)
    return _different(_Form(source, target, [], []), columns, where)


def _counted(column: int, width: int, reading: PairReading, where: str) -> int:
    """Return the place, from 0, of a column counted from 1, or from the end."""
    if not (1 <= column <= width or -width <= column <= -1):
        message = f"no column {column}: there {'is 1' if width == 1 else f'are {width}'}"
        others = "; or set data.source, data.target" if reading.can_name_columns else ""
        raise DataError(message, hint=f"separate source and target by a tab{others}", where=where)
    return column - 1 if column > 0 else column + width


def _different(form: _Form, columns: PairColumns, where: str) -> _Form:
    """Raise DataError where the one column that was named is where the other is unless it is named."""
    if form.source == form.target and None in (columns.source, columns.target):
        side = SOURCE if columns.source is None else TARGET
        message = f"column {form.source + 1} would be the source and the target"
        raise DataError(message, hint=f"set data.{side} too", where=where)
    return form
