"""Many texts in little memory: their UTF-8 forms one after the other. N texts."""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Any

import numpy as np
import numpy.typing as npt

_TOGETHER = 1 << 12
_ERRORS = "surrogatepass"  # what some encodings make of a file is kept, too


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts by their numbers; of the i-th the bytes are blob[starts[i] : stops[i]]."""

    blob: bytes | bytearray
    starts: npt.NDArray[np.int64]
    """(N,)"""
    stops: npt.NDArray[np.int64]
    """(N,)"""

    @staticmethod
    def of(texts: Iterable[str]) -> "Texts":
        """Store texts, which are looked at once."""
        kept, coming = GrowingTexts(), iter(texts)
        while block := [*islice(coming, _TOGETHER)]:
            kept.extend(block)
        return kept.texts

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, number: int) -> str:
        """Return one, counted from the end where the number is negative; raises IndexError beyond the last."""
        return self.blob[self.starts[number] : self.stops[number]].decode("utf-8", _ERRORS)

    def __iter__(self) -> Iterator[str]:
        return (raw.decode("utf-8", _ERRORS) for raw in self.encoded())

    def encoded(self) -> Iterator[bytes | bytearray]:
        """Yield the UTF-8 form of each."""
        blob = self.blob
        return (blob[start:stop] for start, stop in zip(self.starts.tolist(), self.stops.tolist(), strict=True))

    def part(self, numbers: npt.NDArray[np.integer[Any]]) -> "Texts":
        """Return those with these numbers, in that order; the bytes stay where they are."""
        return Texts(self.blob, self.starts[numbers], self.stops[numbers])


class GrowingTexts:
    """Texts as they come."""

    def __init__(self) -> None:
        self._blob, self._ends = bytearray(), array("q", [0])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def extend(self, texts: Iterable[str]) -> None:
        """Take texts in, which are in memory together."""
        encoded = [text.encode("utf-8", _ERRORS) for text in texts]
        self._ends.extend([*accumulate(map(len, encoded), initial=len(self._blob))][1:])
        self._blob += b"".join(encoded)

    @property
    def texts(self) -> Texts:
        """What there is so far."""
        ends = np.array(self._ends, np.int64)
        return Texts(self._blob, ends[:-1], ends[1:])
