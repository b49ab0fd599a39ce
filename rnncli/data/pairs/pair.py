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
    """The file and line, as messages name them: of an array and its sentences, those of the sentence."""
    source_where: str = ""
    """The file and row of the source, where it is that of an array and the sentence stands elsewhere; else ""."""

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
    can_name_columns: bool = True
    """Whether hints may ask for other columns to be named: in training alone, as the spec of a trained model stands."""

    def needed(self) -> dict[str, str | int]:
        """Return the column, or the key, of each side that one is read from, the target's first."""
        named: dict[str, str | int | None] = {TARGET: self.columns.target} if self.targets else {}
        if not self.columns.vector:
            named[SOURCE] = self.columns.source
        return {side: side if column is None else column for side, column in named.items()}


def text_pair(source: str, target: str | None, where: str) -> Pair:
    """Return a pair of texts; raises DataError for one of nothing but white space.

    A source to which no target belongs may be as blank: whoever answers sources says so, and goes on with the next.
    """
    if target is not None and not source.strip():
        raise empty("source", where)
    if target is not None and not target.strip():
        raise empty("target", where)
    return Pair(source, target, where)


def vector_pair(source: Vectors, target: str | None, where: str) -> Pair:
    """Return a pair of vectors (S, D) and a text; raises DataError for a text of nothing but white space."""
    if target is not None and (not target or target.isspace()):
        raise empty("target", where)
    return Pair(source, target, where)


def no_such(kind: str, lacking: Mapping[str, str], names: Sequence[str], where: str, reading: PairReading) -> DataError:
    """Return the error for columns, or keys, that are not among the names there are, by the sides that need them.

    It is the first that is named; the hint says what to set for them all, where others can be named and there are some.
    """
    error = missing(kind, next(iter(lacking.values())), names, where)
    keys = " and ".join(f"data.{side}" for side in (SOURCE, TARGET) if side in lacking)
    advice = f"; or set {keys}" if names and reading.can_name_columns else ""
    return DataError(error.message, hint=error.hint + advice, where=where)


def empty(side: str, where: str) -> DataError:
    """Return the error for a side of a pair that has nothing to read."""
    return DataError(f"an empty {side}", hint="write one, or leave the pair out", where=where)
