"""Files as one text that is never whole in memory; each problem is a one-line `DataError` naming the file."""

import codecs
import io
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from rnncli.data.files import PIECE, Source, find_sources, printable
from rnncli.errors import DataError

_MARKS = {  # byte-order marks; UTF-32's first: its little-endian mark begins with UTF-16's
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_NOT_IN_PIECES = ("idna", "punycode")  # codecs for names of hosts, whose decoders need a text whole


class _NotTextError(DataError):
    """What a file in a folder is skipped for."""


class _Place(NamedTuple):
    """Where to go on in a file, and how."""

    offset: int = 0  # in bytes
    started: bool = False  # whether a character came before, so that no byte-order mark can follow
    decoder: Any = None
    newlines: Any = None


_START = _Place()


class Text:
    """Files read as one text, each ending in a newline where another follows: in pieces, from any character on.

    A file loses its byte-order mark and its line ends become LF. With `binary` nothing is changed and every byte is
    welcome: what is not UTF-8 becomes the lone surrogates U+DC80..U+DCFF (PEP 383), from which the byte tokenizer makes
    the very same bytes again. Making a Text reads each file once, and raises DataError for one that is empty,
    unreadable or not text; but a file *in a folder* that is empty or not text is skipped. `report` is called with the
    number of bytes read.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        encoding: str = "utf-8",
        *,
        binary: bool = False,
        report: Callable[[int], object] = bool,
    ) -> None:
        check_encoding(encoding)
        self._encoding, self._binary = "utf-8" if binary else encoding, binary
        self.size = 0  # in characters
        self.kept: list[Source] = []
        self.skipped: list[int] = []
        """Places in `sources`."""
        self._leads: list[str] = []  # what stands before each of the kept files
        self._places: list[tuple[int, int, _Place]] = []  # number of the character, number of the file, place in it
        done, lead = 0, ""
        for number, source in enumerate(sources):
            places = [(self.size, len(self.kept), _START)]
            size, last = self.size + len(lead), ""
            try:
                for text, place in self._decoded(source, _START):
                    size, last = size + len(text), text or last
                    places.append((size, len(self.kept), place))
                    report(done + place.offset)
            except _NotTextError:
                if source.folder is None:
                    raise
                last = ""
            if last:
                self.size = size
                self._places += places
                self.kept.append(source)
                self._leads.append(lead)
                lead = "" if last.endswith("\n") else "\n"
            elif source.folder is None:
                raise _NotTextError("the file is empty", where=source.name)
            else:
                self.skipped.append(number)
            done += source.size
        self._check_folders(sources)

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[str]:
        """Yield the characters from number `start` up to `stop`, in pieces that are not empty."""
        stop = self.size if stop is None else stop
        position, first, place = self._places[bisect_right(self._places, start, key=lambda entry: entry[0]) - 1]
        for text in self._from(first, place):
            if position >= stop:
                return
            if part := text[max(0, start - position) : stop - position]:
                yield part
            position += len(text)

    def _from(self, number: int, place: _Place) -> Iterator[str]:
        for source, lead in zip(self.kept[number:], self._leads[number:], strict=True):
            if place == _START:
                yield lead
            yield from (text for text, _ in self._decoded(source, place))
            place = _START

    def _decoded(self, source: Source, place: _Place) -> Iterator[tuple[str, _Place]]:
        """Yield the text of a file from a place on, and the place after each piece."""
        with source.open() as file:
            codec, mark = codec_of(self._encoding, source.read(file, 4))
            decoder = codecs.getincrementaldecoder(codec)("surrogateescape" if self._binary else "strict")
            newlines = io.IncrementalNewlineDecoder(None, translate=True)
            offset, started = max(place.offset, len(mark)), place.started
            if place.decoder is not None:
                decoder.setstate(place.decoder)
                newlines.setstate(place.newlines)
            file.seek(offset)
            raw = b"\0"
            while raw:
                begin = offset - len(decoder.getstate()[0])  # of the characters to come
                raw = source.read(file, PIECE)
                offset += len(raw)
                try:
                    text = decoder.decode(raw, final=not raw)
                except UnicodeError as error:
                    raise self._undecodable(error, source, raw, offset) from None
                if not self._binary:
                    if "\0" in text:
                        raise _binary_file(begin + len(text[: text.index("\0")].encode(codec)), source)
                    if text and not started:
                        text = text.removeprefix("\ufeff")
                        started = True
                    text = newlines.decode(text, final=not raw)
                yield text, _Place(offset, started, decoder.getstate(), newlines.getstate())

    def _undecodable(self, error: UnicodeError, source: Source, raw: bytes, offset: int) -> _NotTextError:
        """Return the error for bytes that end before `offset`."""
        if isinstance(error, UnicodeDecodeError):
            raw, start = error.object, error.start  # with what the decoder had kept of the bytes before
        else:
            start = 0
        with source.open() as file:
            head = source.read(file, 4)
        family = next((family for mark, family in _MARKS.items() if head.startswith(mark)), "")
        if not family and (nul := _first_nul(source)) is not None:
            return _binary_file(nul, source)
        message = f"byte 0x{raw[start]:02x} at offset {offset - len(raw) + start} is not {self._encoding}"
        return _NotTextError(message, hint=f"try --encoding {family or 'latin-1'}", where=source.name)

    def _check_folders(self, sources: Sequence[Source]) -> None:
        kept = {source.folder for source in self.kept}
        for folder in dict.fromkeys(source.folder for source in sources):
            if folder is not None and folder not in kept:
                skipped = [source.name for source in sources if source.folder == folder]
                hint = f"{len(skipped)} skipped, the first is {skipped[0]}"
                raise DataError(f"no text files in folder {printable(folder)}", hint=hint)


def read_text(path: str, encoding: str = "utf-8", *, binary: bool = False) -> str:
    """Read a text that is small enough for the memory; see `find_sources` and `Text`."""
    return "".join(Text(find_sources([path]), encoding, binary=binary).read())


def lines(text: str) -> list[str]:
    """Return the lines that hold more than white space; LF alone ends a line."""
    return [line for line in text.split("\n") if line.strip()]


def check_encoding(encoding: str) -> None:
    """Raise DataError for an encoding that is unknown, or none of text in pieces."""
    try:
        b"a".decode(encoding)
        known = codecs.lookup(encoding).name not in _NOT_IN_PIECES
    except UnicodeDecodeError:
        known = True  # the codec exists; one byte is too little for it
    except (LookupError, ValueError):
        known = False
    if not known:
        raise DataError(f"unknown encoding {encoding!r}", hint="try utf-8, latin-1, cp1252 or utf-16")


def codec_of(encoding: str, head: bytes) -> tuple[str, bytes]:
    """Return the codec for a file that begins so, and the byte-order mark to pass over: decoders guess otherwise."""
    name = codecs.lookup(encoding).name
    if name == "utf-8-sig":
        return "utf-8", codecs.BOM_UTF8 if head.startswith(codecs.BOM_UTF8) else b""
    if name not in _MARKS.values():
        return name, b""
    mark = next((mark for mark, family in _MARKS.items() if family == name and head.startswith(mark)), b"")
    little = mark[:1] == b"\xff" if mark else sys.byteorder == "little"
    return f"{name}-{'le' if little else 'be'}", mark


def _first_nul(source: Source) -> int | None:
    offset = 0
    for raw in source.pieces():
        if b"\0" in raw:
            return offset + raw.index(b"\0")
        offset += len(raw)
    return None


_BYTES = "give a text; raw bytes are for language models with data.tokenizer.level: byte"


def _binary_file(offset: int, source: Source) -> _NotTextError:
    message = f"looks like a binary file (NUL byte at offset {offset})"
    return _NotTextError(message, hint=_BYTES, where=source.name)
