"""The formats of pairs, known by the names of files or how they begin."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from rnncli.data.examples import Report
from rnncli.data.files import Source
from rnncli.data.pairs.json_lines import read_jsonl
from rnncli.data.pairs.pair import Pair, PairColumns, PairReading
from rnncli.data.pairs.parallel import halves, read_lines, read_parallel
from rnncli.data.pairs.tables import read_csv, read_tsv
from rnncli.errors import DataError, SpecError

FORMATS: dict[str, Callable[[Source, PairReading, Report], Iterator[Pair]]] = {
    "tsv": read_tsv,
    "csv": read_csv,
    "jsonl": read_jsonl,
}
"""Those in which a file holds both sides; there are "parallel" files, too, and "arrays", which others read."""

SUFFIXES: Mapping[str, str] = MappingProxyType(
    {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".npz": "arrays", ".npy": "arrays"}
)
SIDES = ("sources", "targets")
_COLUMNS, _READING = PairColumns(), PairReading()
_HEAD = 1 << 16  # bytes by which a format is known
_KNOWN = "put a tab between source and target, give two parallel files, or name it .csv, .tsv or .jsonl"


def format_of(entries: Sequence[Sequence[Source]]) -> str:
    """Return the format of the files that the entries stand for: a name of FORMATS, "parallel" or "arrays".

    Where names do not tell, it is tsv if every file's first line has a tab, jsonl if they begin with an object; else
    two entries, or twice as many, are parallel. Raises DataError where there is no format, or more than one.
    """
    if entries and all(suffix_format(source) == "arrays" for source in entries[0]):
        return "arrays"
    sources = [source for entry in entries for source in entry]
    found: dict[str, Source] = {}
    for source in sources:
        found.setdefault(suffix_format(source) or by_content(source), source)
    if set(found) <= {"", "tsv"} and "" in found and not len(entries) % 2:
        return "parallel"
    if "" in found:
        _expect_lines(found[""])
    if len(found) > 1:
        (first, source), (second, other) = [(name or "in no format of pairs", each) for name, each in found.items()][:2]
        message = f"{other.name} is {second}, but {source.name} is {first}"
        raise DataError(message, hint="give files of one format")
    if "" in found:
        raise DataError("it is in no format of pairs", hint=_KNOWN, where=sources[0].name)
    return next(iter(found))


def _expect_lines(source: Source) -> None:
    """Raise DataError for a file without a line that could say which format it is in."""
    with source.open() as file:
        head = source.read(file, _HEAD)
    if not head:
        raise DataError("the file is empty", where=source.name)
    if len(head) < _HEAD and not _plain(head).strip():
        raise _no_pairs(source)


def _no_pairs(source: Source) -> DataError:
    return DataError("it holds no pairs", hint="give a file that does", where=source.name)


def _plain(head: bytes) -> bytes:
    """Return bytes without the marks and zeros of UTF-16: what tells formats apart looks as in other encodings then."""
    return head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \r\n")


def suffix_format(source: Source) -> str:
    """Return the format that a file's name says it is in; "" for none."""
    return SUFFIXES.get(Path(source.path).suffix.lower(), "")


def by_content(source: Source) -> str:
    """Return the format that a file is in by its first line: tsv or jsonl; "" for none."""
    with source.open() as file:
        head = source.read(file, _HEAD)
    line = _plain(head).split(b"\n")[0]
    if line.startswith(b'{"'):
        return "jsonl"
    return "tsv" if b"\t" in line else ""


def read_pairs(
    entries: Sequence[Sequence[Source]],
    name: str,
    reading: PairReading = _READING,
    *,
    report: Report = bool,
) -> Iterator[Pair]:
    """Yield the pairs of files in the format of that name, as they are read; `report` gets the number of bytes.

    Each entry is the files that one path of the user stands for; of parallel files without targets, those of the
    sources alone are given. Raises SpecError for columns that the format does not have, and DataError for a file
    without pairs, that changes meanwhile, or that is not as its format's reader asks.
    """
    check_columns(name, reading.columns)
    done = 0

    def progress(size: int) -> None:
        report(done + size)

    if name == "parallel" and reading.targets:
        for source, target in halves(entries, SIDES):
            yield from _some(read_parallel(source, target, reading, progress), source)
            done += source.size + target.size
        return
    read = read_lines if name == "parallel" else FORMATS[name]
    for entry in entries:
        for source in entry:
            yield from _some(read(source, reading, progress), source)
            done += source.size


def _some(pairs: Iterator[Pair], source: Source) -> Iterator[Pair]:
    """Yield the pairs; raises DataError where there is none."""
    first = next(pairs, None)
    if first is None:
        raise _no_pairs(source)
    yield first
    yield from pairs


def check_columns(name: str, columns: PairColumns) -> None:
    """Raise SpecError for columns that the format does not have."""
    if name == "parallel" and columns != _COLUMNS:
        hint = "leave data.source, data.target and data.columns out"
        raise SpecError("parallel files have no columns: a line is a source, or a target", hint=hint)
    if name == "arrays" and columns.vector:
        raise SpecError("arrays have no columns of numbers: their rows are the vectors", hint="leave data.columns out")
    if name == "jsonl" and int in (type(columns.source), type(columns.target)):
        raise SpecError("jsonl has keys, and no columns with numbers", hint="name keys in data.source, data.target")
