"""Parallel files: a line of the one is the source, the line of the same number in the other its target."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from rnncli.data.examples import Report
from rnncli.data.examples.whole_lines import numbered_lines
from rnncli.data.files import Source
from rnncli.data.pairs.pair import Pair, PairReading, empty, text_pair
from rnncli.errors import DataError


def read_parallel(source: Source, target: Source, reading: PairReading, report: Report) -> Iterator[Pair]:
    """Yield a pair for each number of a line; lines that are blank in both files are none.

    Raises DataError for files of different numbers of lines, and a line that is blank in one of them.
    """
    done = [0, 0]

    def part(number: int) -> Report:
        def progress(size: int) -> None:
            done[number] = size
            report(sum(done))

        return progress

    left = numbered_lines(source, reading.encoding, part(0))
    right = numbered_lines(target, reading.encoding, part(1))
    for one, other in zip_longest(left, right):
        if one is None or other is None:
            last = (one or other)[0] - 1
            more = 1 + sum(1 for _ in (right if one is None else left))
            lines = (last, last + more) if one is None else (last + more, last)
            message = f"{lines[0]:,} lines, but {target.name} has {lines[1]:,}"
            raise DataError(message, hint="give each line its own in the other file", where=source.name)
        number, text = one
        translation = other[1]
        if translation and not translation.isspace():
            yield text_pair(text, translation, f"{source.name}:{number}")
        elif text and not text.isspace():
            raise empty("target", f"{target.name}:{number}")


def read_lines(source: Source, reading: PairReading, report: Report) -> Iterator[Pair]:
    """Yield each line that is not blank as a source."""
    for number, line in numbered_lines(source, reading.encoding, report):
        if line and not line.isspace():
            yield Pair(line, None, f"{source.name}:{number}")


def halves(entries: Sequence[Sequence[Source]], kinds: tuple[str, str]) -> list[tuple[Source, Source]]:
    """Return the files that go together: those of the first half of the entries, and those of the second.

    Raises DataError for an odd number of entries, and two that stand for different numbers of files.
    """
    first, second = entries[: len(entries) // 2], entries[len(entries) // 2 :]
    if len(first) != len(second) or not first:
        hint = f"name the files of {kinds[0]}, then as many of {kinds[1]}"
        raise DataError(f"no file of {kinds[1]} to go with {entries[-1][0].name}", hint=hint)
    for left, right in zip(first, second, strict=True):
        if len(left) != len(right):
            message = f"{len(left):,} files of {kinds[0]}, from {left[0].name} on"
            other = f"{len(right):,} of {kinds[1]}, from {right[0].name} on"
            raise DataError(f"{message}, but {other}", hint="give as many of both, named in the same order")
    return [pair for left, right in zip(first, second, strict=True) for pair in zip(left, right, strict=True)]
