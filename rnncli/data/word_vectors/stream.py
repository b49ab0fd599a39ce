"""A file of vectors as a stream of bytes, unpacked where it is gzipped; and the header that says how many there are."""

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple

from rnncli.data.files import PIECE, Source, unreadable
from rnncli.errors import DataError

LARGEST = 1_000_000
"""Numbers in a vector at most."""
LONGEST_LINE = 1 << 25
"""Bytes: a million numbers of 32 characters."""
_MOST_DEFLATED = 1032
"""Times that a gzipped file may grow when it is unpacked."""
_HEADER = re.compile(rb"\s*(\d+)[ \t]+(\d+)\s*")

Report = Callable[[int], object]


class Stream:
    """The bytes of a file, unpacked; `where` names places in it."""

    def __init__(self, source: Source, raw: BinaryIO, report: Report) -> None:
        self.name, self._raw, self._report = source.name, raw, report
        packed = source.path.lower().endswith(".gz")
        unpacked: Any = gzip.GzipFile(fileobj=raw) if packed else raw
        self._buffer: io.BufferedReader = io.BufferedReader(unpacked, PIECE)
        self.most = source.size * (_MOST_DEFLATED if packed else 1)
        """Bytes that it can hold at most."""

    def peek(self) -> bytes:
        """Return some of the bytes that come next."""
        with self._readable():
            return self._buffer.peek(PIECE)

    def read(self, size: int) -> bytes:
        """Return so many bytes, or what is left."""
        with self._readable():
            return self._buffer.read(size)

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield the lines, numbered from 1; DataError for one of more than 32 MiB."""
        number = 0
        with self._readable():
            while line := self._buffer.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                    message, hint = f"a line of more than {LONGEST_LINE:,} bytes", "is it a file of vectors at all?"
                    raise DataError(message, hint=hint, where=f"{self.name}:{number}")
                yield number, line

    def report(self) -> None:
        """Tell how far it is read."""
        with self._readable():
            self._report(self._raw.tell())

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except gzip.BadGzipFile as error:
            hint = "fetch it again, or take .gz from its name if it is not packed"
            raise DataError(f"not a whole gzip file ({error})", hint=hint, where=self.name) from None
        except (EOFError, zlib.error):
            raise DataError("the gzip file is damaged, or cut off", hint="fetch it again", where=self.name) from None
        except OSError as error:
            raise unreadable(error, self.name) from None


class Header(NamedTuple):
    """What the first line of word2vec's formats says."""

    number: int
    size: int


def begins_with_header(head: bytes) -> bool:
    """Tell whether a file that begins so has a header."""
    return bool(_HEADER.fullmatch(head.partition(b"\n")[0]))


def header_of(line: bytes, least: Callable[[int], int], stream: Stream) -> Header | None:
    """Read "count size" from a line; None where there is something else.

    A vector of D numbers takes at least `least(D)` bytes. Raises DataError for more vectors than the file can hold.
    """
    found = _HEADER.fullmatch(line)
    if not found:
        return None
    where = f"{stream.name}:1"
    if max(map(len, found.groups())) > 18:
        raise DataError("the header says more than any file can hold", hint="fetch it again", where=where)
    header = Header(*map(int, found.groups()))
    if not (header.number and 0 < header.size <= LARGEST):
        message = f"the header says {header.number:,} vectors of {header.size:,} numbers"
        raise DataError(message, hint=f"there must be one at least, of 1 to {LARGEST:,} numbers", where=where)
    if header.number * least(header.size) > stream.most:
        message = f"the header says {header.number:,} vectors of {header.size:,} numbers, and the file is too small"
        raise DataError(message, hint="it may be cut off: fetch it again", where=where)
    return header
