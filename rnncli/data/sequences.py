"""Token ids in one flat array, in memory or in a file of any size. N tokens, S sequences."""

import os
import weakref
from bisect import bisect_left
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rnncli.data.vocabulary import Ids
from rnncli.errors import DataError


class Flat(Protocol):
    """An array (N,) that is read in slices and never written: NumPy's own will do."""

    @property
    def dtype(self) -> np.dtype[Any]: ...  # noqa: D102
    def __len__(self) -> int: ...
    def __getitem__(self, key: slice, /) -> Any: ...


class Descriptor:
    """An open file of its own, to be read at any place, by several processes too; closed when nobody has it."""

    def __init__(self, number: int) -> None:
        self.number = os.dup(number)
        weakref.finalize(self, os.close, self.number)


class DiskArray:
    """An array (N,) in a file, of which nothing stays in memory.

    A memory map would not do: where a page is touched, Linux may count up to 2 MB around it as this process's, and each
    of the parallel streams touches another one. Reading costs 1 µs a slice more.
    """

    def __init__(self, file: Descriptor, dtype: npt.DTypeLike, offset: int, length: int) -> None:
        self._file, self._offset, self._length, self.dtype = file, offset, length, np.dtype(dtype)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, key: slice) -> npt.NDArray[Any]:
        """Read a slice without a step; raises DataError where the file was cut off since it was opened."""
        start, stop, _ = key.indices(self._length)
        size = max(0, stop - start) * self.dtype.itemsize
        place, parts = self._offset + start * self.dtype.itemsize, []
        while size and (part := os.pread(self._file.number, size, place)):  # at most 2 GB a call
            parts.append(part)
            size, place = size - len(part), place + len(part)
        if size:
            raise DataError("the encoded text was cut off while it was in use", hint="start again, or resume")
        return np.frombuffer(b"".join(parts), self.dtype)


@dataclass(frozen=True, eq=False)
class Sequences:
    """Sequences one after the other: the i-th is ids[starts[i] : starts[i + 1]], and has 2 tokens or more."""

    ids: Flat
    """(N,)"""
    starts: Flat
    """(S + 1,), from 0 to N."""

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def size(self) -> int:
        """N."""
        return len(self.ids)

    def start(self, i: int) -> int:
        """Return where the i-th begins; where i = S, N."""
        return int(self.starts[i : i + 1][0])

    def condition(self, numbers: npt.NDArray[np.integer[Any]]) -> npt.NDArray[Any] | None:  # noqa: ARG002 - of others
        """Return what the sequences with these numbers (B,) are conditioned on, (C, B); None: on nothing."""
        return None

    def read(self, start: int, stop: int) -> tuple[Ids, npt.NDArray[np.bool_]]:
        """Return the tokens from number `start` up to `stop`, and a mask that is True where a sequence begins.

        The first token begins one in any case, as nothing before it is seen.
        """
        ids: Ids = self.ids[start:stop]
        first = np.zeros(len(ids), bool)
        one, end = (bisect_left(range(len(self) + 1), place, key=self.start) for place in (start, stop))
        first[self.starts[one:end] - start] = True
        first[:1] = True
        return ids, first


NOTHING = Sequences(np.zeros(0, np.uint8), np.zeros(1, np.int64))
"""No sequence at all."""
