"""The sequences that a command is given: as arguments, in a file, or line by line on stdin, in batches as they come."""

import codecs
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from rnncli.errors import DataError, UsageError

if TYPE_CHECKING:
    from rnncli.nn.parameter import Array
    from rnncli.tasks.sequence_model import SequenceModel

PIECE = 1 << 16
"""Bytes of lines that are read together at most."""
BATCH = 1000
"""Examples of a file that are read together."""
LONGEST = 1 << 26
"""Characters of a line, which must be in memory whole."""


class Given(NamedTuple):
    """One sequence that was given, or what is wrong with it."""

    sequence: "Array | None"
    error: DataError | None = None


def given_sequences(
    model: "SequenceModel", texts: Sequence[str], file: str | None, encoding: str | None
) -> Iterator[list[Given]]:
    """Yield batches of sequences: those of the arguments, of a file, or of stdin, where every line is one.

    Lines are not waited for once there are some to answer. What cannot be read takes its place as an error. Raises
    UsageError for texts and a file together, and DataError for a file that cannot be read.
    """
    from rnncli.data.examples import SUFFIXES

    if texts and file:
        raise UsageError("TEXT and --file exclude each other")
    if texts:
        yield [_read(model, text, f"argument {number}") for number, text in enumerate(texts, 1)]
    elif file and (Path(file).suffix.lower() in SUFFIXES or Path(file).is_dir()):
        examples = model.read_file(file)
        while batch := list(islice(examples, BATCH)):
            yield [_caught(model, example.input, example.where) for example in batch]
    elif file and file != "-":
        try:
            with Path(file).open("rb") as stream:
                yield from _lines(model, stream, file, encoding)
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror}", where=file) from None
    elif sys.stdin is None:
        raise UsageError("nothing to read: standard input is closed", hint="give a text, or --file FILE")
    else:
        yield from _lines(model, sys.stdin.buffer, "stdin", encoding)


def _lines(model: "SequenceModel", stream: BinaryIO, name: str, encoding: str | None) -> Iterator[list[Given]]:
    try:
        decoder = codecs.getincrementaldecoder(encoding or model.task.data.encoding)("surrogateescape")
    except LookupError:
        raise UsageError(f"no encoding is called {encoding}") from None
    rest, number, piece = "", 0, b"\0"
    while piece:
        piece = stream.read1(PIECE)  # type: ignore[attr-defined]
        *lines, rest = (rest + decoder.decode(piece, final=not piece)).split("\n")
        if not piece and rest:
            lines, rest = [*lines, rest], ""
        if number == 0 and lines:
            lines[0] = lines[0].removeprefix("\ufeff")
        batch = [_read(model, line.removesuffix("\r"), f"{name}:{number + i}") for i, line in enumerate(lines, 1)]
        number += len(lines)
        if len(rest) > LONGEST:
            raise DataError(f"a line of more than {LONGEST:,} characters", where=f"{name}:{number + 1}")
        if batch:
            yield batch


def _read(model: "SequenceModel", line: str, where: str) -> Given:
    try:
        line.encode()  # of what is no text, lone surrogates are left
        return Given(model.read_line(line, where))
    except UnicodeEncodeError:
        return Given(None, DataError("not in the encoding of texts", hint="try --encoding latin-1", where=where))
    except DataError as error:
        return Given(None, error)


def _caught(model: "SequenceModel", given: "str | Array", where: str) -> Given:
    try:
        return Given(model.read(given, where))
    except DataError as error:
        return Given(None, error)
