"""The lines of a file or a pipe as they come, with the ends they have, so that they can be written back."""

import codecs
from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import chain
from typing import BinaryIO, NamedTuple

from rnncli.data.files import PIECE, unreadable
from rnncli.data.readers import check_encoding, codec_of
from rnncli.data.tagged.example import Lines
from rnncli.errors import DataError

_MARKED = ("utf-16", "utf-32", "utf-8-sig")  # whose byte-order mark, of up to 4 bytes, is no part of the text
_FAMILIES = (  # UTF-32's first: its little-endian mark begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_STATEFUL = ("iso2022", "hz", "utf-7")


class Fault(NamedTuple):
    """What is wrong with a text, and what to do about it."""

    message: str
    hint: str


_BINARY = Fault("looks like a binary file (it holds NUL)", "give a text file, or name an .npz file so")
_CARRIAGE_RETURN = Fault("a carriage return that ends no line", "end lines with LF or CRLF")


def stream_pieces(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """Yield what a pipe holds as soon as it comes."""
    while True:
        try:
            raw: bytes = stream.read1(PIECE)  # type: ignore[attr-defined]
        except OSError as error:
            raise unreadable(error, name) from None
        if not raw:
            return
        yield raw


def kept_lines(pieces: Iterable[bytes], file: str, encoding: str) -> Lines:
    """Yield the lines of a text that comes in pieces, as soon as they are whole; LF alone ends a line.

    Raises DataError for bytes that are not in the encoding, and for NUL or CR within a line, after the lines before.
    """
    check_encoding(encoding)
    parts: list[str] = []
    number = 0
    for text, fault in _decoded(filter(None, pieces), encoding):
        cut = text.rfind("\n") + 1
        if cut:
            block = "".join((*parts, text[:cut]))
            yield from enumerate(_sound(block, file, number), number + 1)
            number += block.count("\n")
            parts = []
        parts.append(text[cut:])
        if fault:
            message, hint = _BINARY if any("\0" in part for part in parts) else fault
            raise DataError(message, hint=hint, where=f"{file}:{number + 1}")
    if last := "".join(parts):
        yield from enumerate(_sound(last, file, number), number + 1)


def _sound(block: str, file: str, number: int) -> Iterator[str]:
    lines = StringIO(block, newline="\n")
    if "\0" not in block and block.count("\r") == block.count("\r\n"):
        return lines
    return _up_to_fault(lines, file, number)


def _up_to_fault(lines: Iterable[str], file: str, number: int) -> Iterator[str]:
    for line, text in enumerate(lines, number + 1):
        body = text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text
        if fault := _BINARY if "\0" in text else _CARRIAGE_RETURN if "\r" in body else None:
            raise DataError(fault.message, hint=fault.hint, where=f"{file}:{line}")
        yield text


def _decoded(pieces: Iterator[bytes], encoding: str) -> Iterator[tuple[str, Fault | None]]:
    """Yield the text in pieces, the last perhaps with what is wrong with the byte behind it."""
    head = b""
    if codecs.lookup(encoding).name in _MARKED:
        while len(head) < 4 and (raw := next(pieces, b"")):
            head += raw
    codec, mark = codec_of(encoding, head)
    decoder = codecs.getincrementaldecoder(codec)("strict")
    start, offset = mark, len(mark)
    for piece in chain([head[len(mark) :]], pieces, [None]):
        raw = piece or b""
        start, offset = start or raw[:4], offset + len(raw)
        try:
            yield decoder.decode(raw, final=piece is None), None
        except UnicodeDecodeError as error:
            bad = error.object
            # Where what came before changes what bytes mean, the lines before the fault are given up
            before = "" if codec.startswith(_STATEFUL) else bad[: error.start].decode(codec)
            yield before, _fault(bad, error.start, offset, start, encoding)
            return


def _fault(bad: bytes, place: int, end: int, start: bytes, encoding: str) -> Fault:
    """Return what is wrong with a byte among bytes that go up to an offset in a file, which begins with `start`."""
    own = codecs.lookup(encoding).name
    family = next((family for mark, family in _FAMILIES if start.startswith(mark)), "")
    if not family and b"\0" in bad and not own.startswith(("utf-16", "utf-32")):
        return _BINARY
    hint = f"try --encoding {family or 'latin-1'}" if family != own else "use another copy of it"
    return Fault(f"byte 0x{bad[place]:02x} at offset {end - len(bad) + place} is not {encoding}", hint)
