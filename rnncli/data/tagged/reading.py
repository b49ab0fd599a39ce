"""Tagged sequences of files one after the other, and of a pipe as they come."""

from collections.abc import Generator, Iterable, Iterator, Sequence

from rnncli.data.examples import Report
from rnncli.data.files import Source
from rnncli.data.tagged.blocks import is_blank
from rnncli.data.tagged.example import Lines, Sequences, TagColumns, TaggedExample, TagReading
from rnncli.data.tagged.formats import FORMATS, check_columns
from rnncli.data.tagged.kept_lines import kept_lines
from rnncli.errors import DataError

_COLUMNS = TagColumns()
_MARK = "\ufeff"
_HINT = "give one that holds sequences"


def read_tagged(
    sources: Sequence[Source],
    name: str,
    columns: TagColumns = _COLUMNS,
    *,
    encoding: str = "utf-8",
    labelled: bool = True,
    multi_label: bool = False,
    report: Report = bool,
) -> Sequences:
    """Return the sequences of files in the format FORMATS[name], to be read one by one.

    `report` gets the number of bytes. Unless `labelled`, files may have labels, which are not looked at, or none. What
    is left of a file stands before the first sequence of the next, and what it lacks at its end: a newline, in columns
    a blank line. Raises SpecError for columns that the format does not have, and in reading DataError for a file
    without sequences, that changes meanwhile, or that is not as its format's reader asks.
    """
    check_columns(name, columns)
    reading = TagReading(columns, labelled, multi_label)
    return Sequences(_of_files(sources, name, reading, encoding, report))


def tagged_lines(
    lines: Iterable[tuple[int, str]],
    file: str,
    name: str,
    columns: TagColumns = _COLUMNS,
    *,
    labelled: bool = False,
    multi_label: bool = False,
) -> Sequences:
    """Return the sequences of lines as they come, in the format FORMATS[name], each as soon as its lines make it whole.

    In columns that is with the blank line that ends it, in JSONL with its line, in a table with the row of another. A
    line has its number, from 1 on, and its end; messages call them the lines of `file`. Raises as `read_tagged` does,
    but there may be no sequence.
    """
    check_columns(name, columns)
    return Sequences(_of_lines(iter(lines), file, name, TagReading(columns, labelled, multi_label)))


def _of_lines(lines: Lines, file: str, name: str, reading: TagReading) -> Generator[TaggedExample, None, str]:
    mark: list[str] = []
    found = Sequences(FORMATS[name](_without_mark(lines, mark), file, reading))
    first = next(found, None)
    if first is None:
        return "".join((*mark, found.rest))
    yield _after(first, "".join(mark))
    yield from found
    return found.rest


def _after(example: TaggedExample, lead: str) -> TaggedExample:
    assert example.layout
    return example._replace(layout=example.layout.after(lead)) if lead else example


def _without_mark(lines: Lines, mark: list[str]) -> Lines:
    """Yield the lines, the first without its byte-order mark, which is added to a list."""
    for number, line in lines:
        if line.startswith(_MARK):
            mark.append(_MARK)
        yield number, line.removeprefix(_MARK)
        break
    yield from lines


def _of_files(
    sources: Sequence[Source], name: str, reading: TagReading, encoding: str, report: Report
) -> Generator[TaggedExample, None, str]:
    rest, done, example = "", 0, None
    for source in sources:
        if not source.size:
            raise DataError("the file is empty", hint=_HINT, where=source.name)
        lines = kept_lines(_reported(source, report, done), source.name, encoding)
        if example:
            rest += _gap(example, rest, name)
            lines = _without_mark(lines, [])  # which is none behind other text
        found = Sequences(_of_lines(lines, source.name, name, reading))
        example = next(found, None)
        if example is None:
            raise DataError("it holds no sequences", hint=_HINT, where=source.name)
        yield _after(example, rest)
        for example in found:
            yield example
        source.check_unchanged()
        done += source.size
        rest = found.rest
    return rest


def _gap(last: TaggedExample, rest: str, name: str) -> str:
    """Return what a file lacks that another can follow it."""
    assert last.layout
    ending = rest or last.layout.ending
    newline = "" if ending.endswith("\n") else "\n"
    return newline + ("\n" if name in ("conll", "conllu") and not rest and not is_blank(ending) else "")


def _reported(source: Source, report: Report, done: int) -> Iterator[bytes]:
    for raw in source.pieces():
        done += len(raw)
        report(done)
        yield raw
