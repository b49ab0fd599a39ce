"""word2vec's binary format: a header, and of each word its bytes, a space, and its numbers as little-endian float32."""

import numpy as np

from rnncli.data.files import PIECE
from rnncli.data.word_vectors.kept import Kept, WordVectors
from rnncli.data.word_vectors.stream import Stream, header_of
from rnncli.errors import DataError

_FASTTEXT = (793712314).to_bytes(4, "little")  # how fastText's models begin
_LONGEST_WORD = 1 << 16
_OFTEN = 1000  # vectors between two reports


def read_binary(stream: Stream, kept: Kept) -> WordVectors:
    """Read the vectors of the words that are kept.

    Raises DataError for a file that ends too early or too late by its header.
    """
    head = stream.peek()
    if head.startswith(_FASTTEXT):
        raise DataError("a model of fastText, not vectors", hint="give its .vec file", where=stream.name)
    first, _, _ = head.partition(b"\n")
    header = header_of(first, _least, stream)
    if header is None:
        message = 'no header, such as "3000000 300"'
        raise DataError(message, hint="if it is text, let its name end in .txt", where=f"{stream.name}:1")
    stream.read(len(first) + 1)
    size, rest = 4 * header.size, b""
    position = 0  # in `rest`
    for number in range(1, header.number + 1):
        where = f"{stream.name}: vector {number}"
        space = rest.find(b" ", position)
        while space < 0 or len(rest) < space + 1 + size:
            if space < 0 and len(rest) - position > _LONGEST_WORD:
                raise DataError(f"a word of more than {_LONGEST_WORD:,} bytes", hint="fetch it again", where=where)
            more = stream.read(max(PIECE, size))
            if not more:
                message = f"cut off: the header says {header.number:,} vectors of {header.size} numbers"
                raise DataError(message, hint="fetch it again", where=where)
            rest, position = rest[position:] + more, 0
            space = rest.find(b" ")
        raw = rest[position:space].lstrip(b"\n")  # some writers end a vector with one
        word = kept.wants(raw, where)
        if word is not None:
            kept.add(word, np.frombuffer(rest, "<f4", header.size, space + 1), where)
        position = space + 1 + size
        if number % _OFTEN == 0:
            stream.report()
    if rest[position:].strip(b"\n") or stream.read(PIECE).strip(b"\n"):
        message = f"more than the {header.number:,} vectors of {header.size} numbers that the header says"
        raise DataError(message, hint="fetch it again", where=stream.name)
    return kept.done(header.size)


def _least(size: int) -> int:
    """Return the bytes of a vector with a word of one character."""
    return 4 * size + 2
