"""What every reader of pairs yields, and the rules that hold whatever the format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rnncli.data.examples import Vectors
from rnncli.data.examples.example import missing
from rnncli.errors import DataError

SOURCE, TARGET = "source", "target"
"""The sides, and what the columns or keys are called that hold them unless others are named."""


class Pair(NamedTuple):
    """A source, its target, and where they stand."""

    source: str | Vectors
    """A text; or vectors (S, D), finite, as they were read: the very same array where pairs share it."""
    target: str | None
    """None where only sources are read."""
    where: str
    """The file and line as messages name them; where the sides stand in two files, those of one that is a text."""
    source_where: str = ""
    """The same of the source, where it stands elsewhere: the row of an array."""

    @property
    def place_of_source(self) -> str:
        """Where messages say that the source stands."""
        return self.source_where or self.where


@dataclass(frozen=True)
class PairColumns:
    """Which columns of CSV and TSV, by name or by number (from 1 on, or from the end), or which keys of JSONL."""

    source: str | int | None = None
    """None: "source"; where columns have no names, the first."""
    target: str | int | None = None
    """None: "target"; where columns have no names, the second."""
    vector: tuple[str, ...] = ()
    """Numbers, in this order, that are the source in place of a text. With * for a part of a name: "pixel*"."""


@dataclass(frozen=True)
class PairReading:
    """How files are read."""

    columns: PairColumns = PairColumns()
    encoding: str = "utf-8"
    targets: bool = True
    """Whether targets are read, and missed; else a file may hold them or not."""
    settable: bool = True
    """Whether who reads can name other columns, which hints then ask for; not where a model that is trained reads."""


def text_pair(source: str, target: str | None, where: str) -> Pair:
    """Return a pair of texts; raises DataError for one of nothing but white space."""
    if not source or source.isspace():
        raise empty("source", where)
    if target is not None and (not target or target.isspace()):
        raise empty("target", where)
    return Pair(source, target, where)


def vector_pair(source: Vectors, target: str | None, where: str) -> Pair:
    """Return a pair of vectors (S, D) and a text; raises DataError for a text of nothing but white space."""
    if target is not None and (not target or target.isspace()):
        raise empty("target", where)
    return Pair(source, target, where)


def no_such(kind: str, lacking: Mapping[str, str], names: Sequence[str], where: str, reading: PairReading) -> DataError:
    """Return the error for columns, or keys, that are not among the names there are, by the sides that need them.

    It is the first that is named; a hint says what to set for them all, where that can be done.
    """
    error = missing(kind, next(iter(lacking.values())), names, where)
    keys = " and ".join(f"data.{side}" for side in (SOURCE, TARGET) if side in lacking)
    return DataError(error.message, hint=error.hint + f": set {keys}" * reading.settable, where=where)


def empty(side: str, where: str) -> DataError:
    """Return the error for a side of a pair that has nothing to read."""
    return DataError(f"an empty {side}", hint="write one, or leave the pair out", where=where)
