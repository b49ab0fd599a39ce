"""The text of one file, in pieces that end where a line does."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from rnncli.data.examples.example import Report
from rnncli.data.files import Source
from rnncli.data.readers import Text
from rnncli.data.tokenizers import recut


def text_pieces(source: Source, encoding: str, report: Report) -> Iterator[str]:
    """Yield the text; raises DataError as `Text` does, and for every file: what was named as examples is not skipped.

    `report` is called with about the number of bytes read.
    """
    text = Text([replace(source, folder=None)], encoding)
    position = 0
    for piece in text.read():
        yield piece
        position += len(piece)
        report(source.size * position // text.size)
    source.check_unchanged()


def line_blocks(source: Source, encoding: str, report: Report) -> Iterator[str]:
    """Yield whole lines, many at a time; LF alone ends a line, and the last may lack it."""
    return recut(text_pieces(source, encoding, report), lambda piece: piece.rfind("\n") + 1)


def numbered_lines(source: Source, encoding: str, report: Report) -> Iterator[tuple[int, str]]:
    """Yield the lines without their LF, numbered from 1."""
    return enumerate(chain.from_iterable(map(_lines, line_blocks(source, encoding, report))), 1)


def _lines(block: str) -> list[str]:
    lines = block.split("\n")
    if not lines[-1]:
        lines.pop()  # nothing follows the last LF
    return lines
