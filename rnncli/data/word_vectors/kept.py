"""The vectors that are kept of a file: those of wanted words, and of some others in the file's order."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rnncli.data.files import printable
from rnncli.errors import DataError


class WordVectors(NamedTuple):
    """Words with their vectors, in the file's order. F words, D dimensions."""

    rows: dict[str, int]
    """The row of each word."""
    vectors: npt.NDArray[np.float32]
    """(F, D), finite."""
    dimensions: tuple[str, ...]
    """The names of the dimensions; () where the file has none."""
    notices: tuple[str, ...]


@dataclass
class _Count:
    """How often something was met, and where first."""

    number: int = 0
    first: str = ""

    def add(self, where: str) -> None:
        self.number, self.first = self.number + 1, self.first or where


class Kept:
    """Takes the words of a file in, one after the other, and keeps the vectors of the `wanted` ones.

    Of the others it keeps the first `extra` ones that `accepts` agrees to. A word that comes again keeps its first
    vector; one that is not UTF-8 is passed over.
    """

    def __init__(
        self, wanted: Collection[str], extra: int = 0, accepts: Callable[[str], bool] = lambda _: True
    ) -> None:
        self._wanted, self._left, self._accepts = wanted, extra, accepts
        self._rows: dict[str, int] = {}
        self._vectors = bytearray()  # grows in place: a list of arrays, joined, would need twice the memory
        self._again, self._broken = _Count(), _Count()

    def wants(self, raw: bytes, where: str) -> str | None:
        """Return the word that stands in these bytes if its vector is to be kept, then `add` must follow.

        Raises DataError for an empty word.
        """
        if not raw:
            raise DataError("a vector without a word", hint="leave it out", where=where)
        try:
            word = raw.decode()
        except UnicodeDecodeError:
            self._broken.add(where)
            return None
        if word in self._rows:
            self._again.add(where)
            return None
        if word in self._wanted:
            return word
        if self._left and self._accepts(word):
            self._left -= 1
            return word
        return None

    def add(self, word: str, numbers: Sequence[float] | npt.NDArray[np.float32], where: str) -> None:
        """Keep a vector; raises DataError for one with a number that is not finite in float32."""
        with np.errstate(over="ignore"):
            vector = np.asarray(numbers).astype(np.float32)
        if not np.isfinite(vector).all():
            place = int(np.argmin(np.isfinite(vector)))
            message = f"number {place + 1} of the vector of {shown(word)} is {numbers[place]:g}, not a finite float32"
            raise DataError(message, hint="mend it, or leave the word out", where=where)
        self._rows[word] = len(self._rows)
        self._vectors += vector.data

    def done(self, size: int, dimensions: tuple[str, ...] = ()) -> WordVectors:
        """Return what was kept, vectors of that size."""
        counted = {"words that come again, whose first vector counts": self._again}
        counted |= {"words that are not UTF-8, passed over": self._broken}
        notices = tuple(f"{what}: {n.number:,}, the first {n.first}" for what, n in counted.items() if n.number)
        vectors = np.frombuffer(self._vectors, np.float32).reshape(-1, size)
        return WordVectors(self._rows, vectors, dimensions, notices)


def shown(word: str) -> str:
    """Return a word as a message may show it."""
    return f'"{printable(word[:40])}"'
