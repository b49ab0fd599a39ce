"""CSV and TSV with a header (RFC 4180; TSV: the same with tabs): a row is an example, or a step of a sequence."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from io import StringIO
from itertools import chain
from operator import itemgetter

from rnncli.data.examples.example import Columns, Example, Reading, Report, check_labels, example, missing, shown
from rnncli.data.examples.steps import Step, as_sequences, numbers
from rnncli.data.examples.whole_lines import line_blocks
from rnncli.data.files import Source
from rnncli.errors import DataError

SEPARATOR = "|"
"""Between the labels of a cell that may hold several."""

Rows = Iterator[tuple[int, list[str]]]


def read_csv(source: Source, reading: Reading, report: Report) -> Iterator[Example]:
    """Yield an example a row, or a sequence, of comma-separated values: see `_read`."""
    return _read(source, reading, report, ",")


def read_tsv(source: Source, reading: Reading, report: Report) -> Iterator[Example]:
    """Yield an example a row, or a sequence, of tab-separated values: see `_read`."""
    return _read(source, reading, report, "\t")


def _read(source: Source, reading: Reading, report: Report, delimiter: str) -> Iterator[Example]:
    """Yield the examples of a table; blank lines are none.

    Raises DataError for names of columns that are empty, missing or there twice, rows of another width than the header,
    quotes that do not pair, and cells of more than 131,072 characters.
    """
    blocks = line_blocks(source, reading.encoding, report)
    lines = chain.from_iterable(StringIO(block, newline="\n") for block in blocks)
    rows = table_rows(lines, source.name, delimiter)
    line, header = next(rows, (0, []))
    if not header:
        raise no_header(source.name)
    where = f"{source.name}:{line}"
    names = column_names(header, where)
    if reading.columns.vector:
        return as_sequences(_steps(rows, names, where, source.name, reading), reading)
    return _texts(rows, names, where, source.name, reading)


def _texts(rows: Rows, names: list[str], header: str, file: str, reading: Reading) -> Iterator[Example]:
    text = column_place(reading.columns.text, names, header)
    label = column_place(reading.columns.label, names, header) if reading.labelled else 0
    for line, cells in rows:
        yield example(cells[text], cell_labels(cells[label], several=reading.multi_label), f"{file}:{line}", reading)


def _steps(rows: Rows, names: list[str], header: str, file: str, reading: Reading) -> Iterator[Step]:
    columns = reading.columns
    places = vector_places(columns, names, header)
    chosen = [names[place] for place in places]
    take: Callable[[list[str]], Sequence[str]] = (
        itemgetter(*places) if len(places) > 1 else lambda cells: [cells[places[0]]]
    )
    label = column_place(columns.label, names, header) if reading.labelled else None
    sequence = None if columns.sequence is None else column_place(columns.sequence, names, header)
    time = None if columns.time is None else column_place(columns.time, names, header)
    for line, cells in rows:
        where = f"{file}:{line}"
        labels = [] if label is None else cell_labels(cells[label], several=reading.multi_label)
        yield Step(
            where,
            None if sequence is None else cells[sequence],
            None if time is None else cells[time],
            numbers(take(cells), chosen, where),
            () if label is None else check_labels(labels, where, reading),
        )


def cell_labels(cell: str, *, several: bool) -> list[str]:
    """Return the labels of a cell, which may hold several of them or none, or one."""
    if not several:
        return [cell]
    return cell.split(SEPARATOR) if cell.strip() else []


def no_header(file: str) -> DataError:
    """Return the error for a table of blank lines."""
    return DataError("no header, only blank lines", hint="begin with the names of the columns", where=file)


def column_names(header: list[str], where: str) -> list[str]:
    """Return the names in a header; raises DataError for one that is empty or there twice."""
    names = [name.strip() for name in header]
    if not all(names):
        message = f"column {names.index('') + 1} of the header has no name"
        raise DataError(message, hint="name it, or leave it out (pandas: index=False)", where=where)
    if len(set(names)) < len(names):
        ((twice, _),) = Counter(names).most_common(1)
        raise DataError(f"two columns are called {shown(twice)}", hint="rename one of them", where=where)
    return names


def column_place(name: str, names: list[str], where: str) -> int:
    """Return the place of a column, from 0; raises DataError for one that is missing."""
    if name not in names:
        if len(names) == 1 and (other := next((mark for mark in ";\t|," if mark in names[0]), "")):
            hint = f"separate columns with a comma (csv) or a tab (tsv), not {other!r}"
            raise DataError(f"no column {shown(name)}, but only {shown(names[0])}", hint=hint, where=where)
        raise missing("column", name, names, where)
    return names.index(name)


def vector_places(columns: Columns, names: list[str], where: str) -> list[int]:
    """Return the places of the columns of numbers; raises DataError for one that is missing."""
    others = {columns.label, columns.sequence, columns.time}  # which no pattern means: the answer is no input
    places: list[int] = []
    for name in columns.vector:
        fitting = [
            i for i, other in enumerate(names) if "*" in name and fnmatchcase(other, name) and other not in others
        ]
        places += fitting if fitting and name not in names else [column_place(name, names, where)]
    return list(dict.fromkeys(places))


def table_rows(lines: Iterable[str], file: str, delimiter: str) -> Rows:
    """Yield the header and the rows, none of them blank, each with the number of the line that it begins in.

    No line is taken before the rows above it were. Raises DataError for a row of another width than the header, quotes
    that do not pair, and a cell that is too long.
    """
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line, width = 1, 0
    try:
        for cells in reader:
            if cells:
                width = width or len(cells)
                if len(cells) != width:
                    message = f"{len(cells)} cells where the header has {width}"
                    raise DataError(message, hint="quote cells that hold the separator", where=f"{file}:{line}")
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise _malformed(str(error), f"{file}:{line}", reader.line_num, delimiter) from None


def _malformed(message: str, where: str, line: int, delimiter: str) -> DataError:
    """Return the error for a row that begins at `where` and could be read up to a line."""
    if message.startswith("field larger"):
        message = f"a cell has more than {csv.field_size_limit():,} characters"
        return DataError(message, hint="close its quote, or use JSONL, which has no such limit", where=where)
    if message.startswith("unexpected end"):
        message, hint = "a quote that opens in this row is never closed", 'close it with "'
    else:
        message = f"a closing quote in line {line} is not followed by a separator"
        hint = 'write "" for a quote inside a quoted cell'
    if delimiter == "\t":  # whose writers often quote nothing
        hint += ', and write """ for one that begins a cell and quotes nothing; that cell ends with ", too'
    return DataError(message, hint=hint, where=where)
