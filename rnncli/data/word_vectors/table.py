"""CSV and TSV with a header: the first column holds words, each other one a dimension, which the header names."""

import csv
from collections import Counter
from collections.abc import Iterator

from rnncli.data.examples.steps import numbers
from rnncli.data.word_vectors.kept import Kept, WordVectors, shown
from rnncli.data.word_vectors.stream import LARGEST, Stream
from rnncli.errors import DataError

_OFTEN = 1000  # rows between two reports


def read_table(stream: Stream, kept: Kept, delimiter: str) -> WordVectors:
    """Read the vectors of the words that are kept.

    Raises DataError for a dimension without a name or with that of another, rows of another width than the header,
    and quotes that do not pair.
    """
    count, dimensions = 0, tuple[str, ...]()
    for line, cells in _rows(stream, delimiter):
        where = f"{stream.name}:{line}"
        if not dimensions:
            dimensions = _names(cells, where, delimiter)
            continue
        count += 1
        if len(cells) != len(dimensions) + 1:
            found = f"{len(cells) - 1} number{'s' * (len(cells) != 2)}"
            message = f"a vector of {found}, where the header names {len(dimensions)} dimensions"
            raise DataError(message, hint="quote a word that holds the separator", where=where)
        word = kept.wants(cells[0].encode("utf-8", "surrogateescape"), where)
        if word is not None:
            kept.add(word, numbers(cells[1:], dimensions, where), where)
        if count % _OFTEN == 0:
            stream.report()
    if not count:
        raise DataError("no vectors", hint="below the header each row holds a word and its numbers", where=stream.name)
    return kept.done(len(dimensions), dimensions)


def _names(header: list[str], where: str, delimiter: str) -> tuple[str, ...]:
    """Return the names of the dimensions."""
    names = tuple(name.strip() for name in header[1:])
    if not names:
        kind = "a comma" if delimiter == "," else "a tab"
        raise DataError("the header names no dimension", hint=f"write word,royal,female with {kind}", where=where)
    if len(names) > LARGEST:
        message = f"{len(names):,} dimensions, where {LARGEST:,} are possible"
        raise DataError(message, hint="leave some out", where=where)
    if not all(names):
        message = f"column {names.index('') + 2} of the header has no name"
        raise DataError(message, hint="name the dimension, or leave the column out", where=where)
    ((name, times),) = Counter(names).most_common(1)
    if times > 1:
        raise DataError(f"two dimensions are called {shown(name)}", hint="rename one of them", where=where)
    return names


def _rows(stream: Stream, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with the number of the line that it begins in."""
    decoded = (
        (raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw).decode("utf-8", "surrogateescape")
        for number, raw in stream.lines()
    )
    reader = csv.reader(decoded, delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        message = f"a row that cannot be read as a table ({error})"
        raise DataError(
            message, hint='close each quote, and write "" for one inside', where=f"{stream.name}:{line}"
        ) from None
