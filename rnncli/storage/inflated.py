"""The bytes of a deflated member of a zip file, never more of them than asked for."""

import zlib
from io import BufferedReader

_PIECE = 1 << 16


class Inflated:
    """Reads what was deflated (RFC 1951) to the next `stored` bytes of a file, which nobody else moves meanwhile.

    Raises ValueError for what is no such stream.
    """

    def __init__(self, file: BufferedReader, stored: int) -> None:
        self._file, self._left = file, stored
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)

    def read(self, size: int) -> bytes:
        """Return the next bytes: fewer than `size` only where they end."""
        pieces = []
        while size and not self._inflater.eof:
            raw = self._inflater.unconsumed_tail or self._file.read(min(_PIECE, self._left))
            self._left -= 0 if self._inflater.unconsumed_tail else len(raw)
            try:
                piece = self._inflater.decompress(raw, size)
            except zlib.error as error:
                raise ValueError(str(error)) from None
            if not piece and not raw:
                break  # cut short
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def readinto(self, view: memoryview) -> None:
        """Fill as much of the view as there are bytes for."""
        for start in range(0, len(view), _PIECE):
            piece = self.read(min(_PIECE, len(view) - start))
            view[start : start + len(piece)] = piece

    def ended(self) -> bool:
        """Return whether neither the stream nor the bytes that hold it go on."""
        return not self.read(1) and self._inflater.eof and not self._left and not self._inflater.unused_data
