"""Vectors from `.npy` and `.npz` files, and beside them the sentences that say what they show.

R rows, D numbers of a vector, N steps of all sequences, T of the longest.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnncli.data import Source
from rnncli.data.examples import Vectors, shown, spelled
from rnncli.data.examples.whole_lines import numbered_lines
from rnncli.data.pairs import (
    Pair,
    PairReading,
    by_content,
    check_columns,
    halves,
    read_pairs,
    suffix_format,
    vector_pair,
)
from rnncli.errors import DataError
from rnncli.storage import read_given_array, read_given_arrays
from rnncli.tasks.vector_files import Array, described, finite, present, sequences_of

NAMES = ("x", "lengths", "names")
"""The arrays that are read."""
_SAVE = "save x as (R, D); for sequences lengths too, or x as (R, T, D)"


class Rows(NamedTuple):
    """What an array file holds."""

    vectors: list[Vectors]  # R of them, (S, D) each; for a row that is a single vector S is 1
    names: dict[str, int] | None
    """The row of each name."""


def read_array_pairs(
    entries: Sequence[Sequence[Source]],
    reading: PairReading,
    notices: list[str],
    *,
    report: Callable[[int], object] = bool,
) -> Iterator[Pair]:
    """Yield pairs of vectors and sentences: the first half of the entries are arrays, the second as many texts.

    Of an array x (R, D), or x (N, D) and `lengths` (R,), or x (R, T, D), the i-th row goes with the i-th line. Where
    there are two columns, or keys, the first says which row goes with the second: by its name in the array `names`
    (R,), else by its number from 0. A row may have several sentences; that it has none is said in `notices`.

    Raises DataError for other arrays, as many lines as there are no rows, a row that there is not, an empty sentence.
    """
    check_columns("arrays", reading.columns)
    done = 0

    def progress(size: int) -> None:
        report(done + size)

    for arrays, sentences in halves(entries, ("arrays", "sentences")):
        rows = read_rows(arrays)
        done += arrays.size
        used = np.zeros(len(rows.vectors), bool)
        for row, sentence, where in _sentences(sentences, reading, rows, progress):
            used[row] = True
            yield vector_pair(rows.vectors[row], sentence, where)._replace(source_where=_place(arrays, row))
        done += sentences.size
        if not used.all():
            count, first = int((~used).sum()), int(used.argmin())
            notices.append(f"{arrays.name}: rows without a sentence, left out: {count:,}, first row {first}")


def read_array_sources(sources: Sequence[Source]) -> Iterator[Pair]:
    """Yield the rows of array files as sources without targets."""
    for source in sources:
        rows = read_rows(source)
        names = {row: name for name, row in (rows.names or {}).items()}
        for number, vectors in enumerate(rows.vectors):
            called = f" ({shown(names[number])})" if names else ""
            yield Pair(vectors, None, _place(source, number) + called)


def _place(source: Source, row: int) -> str:
    return f"{source.name}: row {row}"


def read_rows(source: Source) -> Rows:
    """Return the rows of an array file; raises DataError for arrays of another shape, and what is not finite."""
    with source.open() as raw:
        if Path(source.path).suffix.lower() == ".npy":
            arrays = {"x": read_given_array(raw, source.name)}
        else:
            arrays = read_given_arrays(raw, source.name, NAMES)
    x = present(arrays, "x", source.name)
    if x.ndim not in (1, 2, 3) or x.dtype.kind == "U" or 0 in x.shape:
        raise DataError(f"x is {described(x)}", hint=_SAVE, where=source.name)
    if "lengths" in arrays or x.ndim == 3:
        found = sequences_of(arrays, source.name)
        vectors = [finite(sequence, _place(source, row)) for row, sequence in enumerate(found)]
    else:
        vectors = _single(x.reshape(len(x), -1), source)
    return Rows(vectors, _names(arrays["names"], len(vectors), source.name) if "names" in arrays else None)


def _single(x: Array, source: Source) -> list[Vectors]:
    """Return the rows (R, D) as views, (1, D) each."""
    with np.errstate(over="ignore"):
        vectors = np.ascontiguousarray(x, np.float32)
    broken = ~np.isfinite(vectors).all(axis=1)
    if broken.any():
        row = int(broken.argmax())
        finite(x[row : row + 1], _place(source, row))
    return [vectors[row : row + 1] for row in range(len(vectors))]


def _names(names: Array, count: int, file: str) -> dict[str, int]:
    if names.ndim != 1 or len(names) != count:
        message = f"names is {described(names)} for {count:,} rows"
        raise DataError(message, hint="save a name for each", where=file)
    found: dict[str, int] = {}
    for row, value in enumerate(names.tolist()):
        name = spelled(value, "a name in names", file)
        if found.setdefault(name, row) != row:
            raise DataError(f"two rows are called {shown(name)}", hint="rename one of them", where=file)
    return found


def _sentences(
    source: Source, reading: PairReading, rows: Rows, report: Callable[[int], object]
) -> Iterator[tuple[int, str, str]]:
    """Yield the row that each sentence goes with, the sentence and its place."""
    name = suffix_format(source) if suffix_format(source) in ("csv", "jsonl") else by_content(source)
    if name in ("csv", "tsv", "jsonl"):
        for pair in read_pairs([[source]], name, reading, report=report):
            assert pair.target is not None
            if not isinstance(pair.source, str):
                raise DataError("vectors, where a row's name or number is expected", where=pair.where)
            yield _row(pair.source, rows, pair.where), pair.target, pair.where
        return
    lines, count = 0, len(rows.vectors)
    for lines, line in numbered_lines(source, reading.encoding, report):
        if lines <= count:  # else all are counted, for the message
            yield lines - 1, line, f"{source.name}:{lines}"
    if lines != count:
        message = f"{lines:,} sentences for {count:,} rows"
        hint = "give a line for each row, or the number of its row and a tab before each sentence"
        raise DataError(message, hint=hint, where=source.name)


def _row(name: str, rows: Rows, where: str) -> int:
    """Return the row of a name or number."""
    if rows.names is not None:
        if name not in rows.names:
            raise DataError(f"no row is called {shown(name)}", hint="write one of the array names", where=where)
        return rows.names[name]
    if not (name.isascii() and name.isdigit() and len(name) < 19 and int(name) < len(rows.vectors)):
        message = f"{shown(name)} is no number of a row, from 0 to {len(rows.vectors) - 1:,}"
        raise DataError(message, hint="write one, or save an array names", where=where)
    return int(name)
