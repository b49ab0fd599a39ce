"""The sources that `translate` and `caption` are given: as arguments, in a file, or line by line on stdin."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rnncli.cli.sequences import Given, given_lines, read_together

if TYPE_CHECKING:
    from rnncli.cli.console import Talk
    from rnncli.tasks.pair_model import PairModel, SourceSequence

BLANK = ()
"""Stands for the source in a blank line."""


def given_sources(
    reader: "PairModel", texts: Sequence[str], file: str | None, encoding: str | None, talk: "Talk"
) -> Iterator[list[Given]]:
    """Yield batches of sources: those of the arguments, of a file, or of stdin, where every line is one.

    Raises as `given_lines` does, and for a file that cannot be read: what stands before the place where it cannot is
    yielded first.
    """

    def read(line: str, where: str) -> "SourceSequence | tuple[()]":
        return reader.read_line(line, where) if line.strip() else BLANK

    in_file = file not in (None, "-") and not texts
    if file and in_file and reader.file_format(file):
        yield from read_together(reader, ((pair.source, pair.where) for pair in reader.read_file(file, encoding)))
        return
    batches = given_lines(read, texts, file, encoding or reader.task.data.encoding, talk)
    yield from _checked(batches) if in_file and reader.source_vocabulary is None else batches


def _checked(batches: Iterator[list[Given]]) -> Iterator[list[Given]]:
    """Yield batches of vectors from a file; raises DataError where the first line has none, nor do the others then."""
    begun = False
    for batch in batches:
        first = next((given for given in batch if given.error or given.sequence), None)
        if first and first.error and not begun:
            raise first.error
        begun = begun or first is not None
        yield batch
