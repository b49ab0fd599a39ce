"""The sequences that a command is given: as arguments, in a file, or line by line on stdin, in batches as they come."""

import codecs
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol

from rnncli.cli.console import is_terminal
from rnncli.errors import DataError, UsageError

if TYPE_CHECKING:
    from rnncli.cli.console import Talk
    from rnncli.nn.parameter import Array
    from rnncli.tasks.sequence_model import SequenceModel

PIECE = 1 << 16
"""Bytes of lines that are read together at most."""
EXAMPLES, NUMBERS = 1000, 1 << 20
"""Examples of a file that are read together at most, and numbers or characters of them, but for a larger example."""
LONGEST = 1 << 24
"""Characters of a line, which must be in memory whole."""


Read = Callable[[str, str], Any]
"""What makes a sequence of a line, given where it stands; raises DataError for what is none."""


class Given(NamedTuple):
    """One sequence that was given, or what is wrong with it; and where it stands."""

    where: str
    sequence: Any  # None where something is wrong
    error: DataError | None = None


class Reader(Protocol):
    """A model that reads texts, or vectors (S, D)."""

    def read(self, given: Any, where: str) -> Any:
        """Return it as the model reads it; raises DataError for what it cannot read."""
        ...

    def fits(self, given: Any) -> bool:
        """Tell whether it is of the kind that the model reads."""
        ...


def given_sequences(
    model: "SequenceModel", texts: Sequence[str], file: str | None, encoding: str | None, talk: "Talk"
) -> Iterator[list[Given]]:
    """Yield batches of sequences: those of the arguments, of a file, or of stdin, where every line is one.

    Raises as `given_lines` does, and for a file that cannot be read: what stands before the place where it cannot is
    yielded first.
    """
    if file not in (None, "-") and not texts and (name := model.file_format(file)):
        examples = model.read_file(file, name, encoding)
        yield from read_together(model, ((example.input, example.where) for example in examples))
    else:
        yield from given_lines(model.read_line, texts, file, encoding or model.task.data.encoding, talk)


def given_lines(
    read: Read, texts: Sequence[str], file: str | None, encoding: str, talk: "Talk"
) -> Iterator[list[Given]]:
    """Yield batches of what `read` makes of texts and where they stand: arguments, or the lines of a file or of stdin.

    Lines are not waited for once there are some to answer. What cannot be read takes its place as an error. Raises
    UsageError for texts and a file together, and DataError for a file that there is not.
    """
    if texts and file is not None:
        raise UsageError("TEXT and --file exclude each other")
    if texts:
        yield [_read(read, text, f"argument {number}") for number, text in enumerate(texts, 1)]
    elif file is None or file == "-":
        if sys.stdin is None:
            raise DataError("it is closed", hint="give a text, or --file FILE", where="standard input")
        say_what_is_typed(talk, file, "a line for each")
        yield from _lines(read, sys.stdin.buffer, "standard input", encoding)
    else:
        yield from _file_of_lines(read, file, encoding)


def say_what_is_typed(talk: "Talk", file: str | None, what: str) -> None:
    """Say what is read of stdin, where no file is given and stdin is a terminal: it would seem to hang."""
    if file in (None, "-") and is_terminal(sys.stdin):
        talk.say(f"reading what is typed here, {what}; Ctrl-D ends it")


def answers(batch: Sequence[Given], answer: "Callable[[list[Array]], Array]") -> "Iterator[Array | DataError]":
    """Yield for each sequence of a batch its column of what `answer` makes of those that could be read, or the error.

    An answer that is not finite is an error too.
    """
    import numpy as np

    columns = iter(answer([given.sequence for given in batch if given.sequence is not None]).T)
    for given in batch:
        if given.error:
            yield given.error
        elif np.isfinite(column := next(columns)).all():
            yield column
        else:
            yield DataError("the model's answer is not finite", hint="give a shorter sequence", where=given.where)


def read_together(reader: Reader, found: "Iterable[tuple[str | Array, str]]") -> Iterator[list[Given]]:
    """Yield batches of what a file holds, texts or vectors and where they stand, as a model reads them.

    Raises DataError as the file does, and for what is not of the kind that the model reads, where nothing in the file
    is: what stands before is yielded first. What else cannot be read takes its place as an error.
    """
    batch: list[Given] = []
    numbers, fault = 0, None
    try:
        for given, where in found:
            batch.append(_read_given(reader, given, where))
            numbers += len(given) if isinstance(given, str) else given.size
            if len(batch) == EXAMPLES or numbers >= NUMBERS:
                yield batch
                batch, numbers = [], 0
    except DataError as error:
        fault = error
    if batch:
        yield batch
    if fault:
        raise fault


def _read_given(reader: Reader, given: "str | Array", where: str) -> Given:
    try:
        return Given(where, reader.read(given, where))
    except DataError as error:
        if not reader.fits(given):  # nor does any other of this file
            raise
        return Given(where, None, error)


def _file_of_lines(read: Read, file: str, encoding: str) -> Iterator[list[Given]]:
    from rnncli.data import find_sources
    from rnncli.data.files import unreadable

    if not Path(file).exists():  # unless it is a pattern, this says so
        for source in find_sources([file]):
            yield from _file_of_lines(read, source.path, encoding)
        return
    try:
        with Path(file).open("rb") as stream:
            yield from _lines(read, stream, file, encoding)
    except OSError as error:
        raise unreadable(error, file) from None


def _lines(read: Read, stream: BinaryIO, name: str, encoding: str) -> Iterator[list[Given]]:
    from rnncli.data.files import printable

    number = 0
    for lines in _whole_lines(_decoded(stream, name, encoding)):
        wheres = (f"{printable(name)}:{number + i}" for i in range(1, len(lines) + 1))
        yield [_read(read, line, where, encoding) for line, where in zip(lines, wheres, strict=True)]
        number += len(lines)


def _decoded(stream: BinaryIO, name: str, encoding: str) -> Iterator[str]:
    """Yield the text as it comes, without its byte-order mark; a lone surrogate stands for what cannot be decoded."""
    from rnncli.data.files import unreadable
    from rnncli.data.readers import check_encoding, codec_of

    check_encoding(encoding)
    codecs.register_error("rnncli.surrogate", lambda error: ("\udcff", error.end))  # type: ignore[attr-defined]
    has_mark = codecs.lookup(encoding).name in ("utf-16", "utf-32")  # of up to 4 bytes, which tell how to decode
    decoder, started, piece, raw = None, False, b"\0", b""
    while piece:
        try:
            piece = stream.read1(PIECE)  # type: ignore[attr-defined]
        except OSError as error:
            raise unreadable(error, name) from None
        raw += piece
        if decoder is None:
            if piece and has_mark and len(raw) < 4:
                continue
            codec, mark = codec_of(encoding, raw)
            decoder, raw = codecs.getincrementaldecoder(codec)("rnncli.surrogate"), raw[len(mark) :]
        if text := decoder.decode(raw, final=not piece):
            yield text if started else text.removeprefix("\ufeff")
            started = True
        raw = b""


def _whole_lines(pieces: Iterator[str]) -> Iterator[list[str | None]]:
    """Yield the lines that are complete, together, without the ends that LF or CRLF is; None for one too long."""
    parts: list[str] = []
    size = 0

    def joined() -> str | None:
        return "".join(parts).removesuffix("\r") if size <= LONGEST else None

    for piece in pieces:
        first, *others = piece.split("\n")
        size += len(first)
        if size <= LONGEST:
            parts.append(first)
        else:
            parts.clear()
        if others:
            lines = [joined(), *(line.removesuffix("\r") for line in others[:-1])]
            parts, size = others[-1:], len(others[-1])
            yield lines
    if size:
        yield [joined()]


def _read(read: Read, line: str | None, where: str, encoding: str = "") -> Given:
    if line is None:
        return Given(where, None, DataError(f"a line of more than {LONGEST:,} characters", where=where))
    try:
        line.encode()  # of what is no text, lone surrogates are left
        return Given(where, read(line, where))
    except UnicodeEncodeError:
        hint = "try --encoding latin-1" if encoding else ""
        return Given(where, None, DataError(f"bytes that are not {encoding or 'utf-8'}", hint=hint, where=where))
    except DataError as error:
        return Given(where, None, error)
