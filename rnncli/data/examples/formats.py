"""The formats of labelled examples, known by the names of files or their first bytes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from rnncli.data.examples.delimited import read_csv, read_tsv
from rnncli.data.examples.example import Columns, Example, Reading, Report
from rnncli.data.examples.fasttext import MARK, read_fasttext
from rnncli.data.examples.json_lines import read_jsonl
from rnncli.data.examples.label_folders import folder_label, read_label_folder
from rnncli.data.files import Source, printable
from rnncli.errors import DataError, SpecError

Reader = Callable[[Source, Reading, Report], Iterator[Example]]

FORMATS: dict[str, Reader] = {
    "fasttext": read_fasttext,
    "csv": read_csv,
    "tsv": read_tsv,
    "jsonl": read_jsonl,
    "folder": read_label_folder,
}

SUFFIXES: Mapping[str, str] = MappingProxyType(
    {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".npz": "npz"}
)
_COLUMNS = Columns()
_KNOWN = f"name it .csv, .tsv, .jsonl or .npz, begin lines with {MARK}NAME, or set data.format"


def format_of(sources: Sequence[Source]) -> str:
    """Return the format that all of the sources are in: a name of FORMATS, or "npz".

    A folder with folders in it has one for each label, unless every file there has a name that says otherwise. Raises
    DataError where there is no format, or more than one.
    """
    named = [(SUFFIXES.get(Path(source.path).suffix.lower(), ""), source) for source in sources]
    if any(not name and source.folder is not None and folder_label(source) for name, source in named):
        named = [("folder" if source.folder is not None else name, source) for name, source in named]
    found: dict[str, Source] = {}
    for name, source in named:
        found.setdefault(name or _by_content(source), source)
    if len(found) > 1:
        (first, source), (second, other) = list(found.items())[:2]
        message = f"{other.name} is {second}, but {source.name} is {first}"
        raise DataError(message, hint="give files of one format")
    return next(iter(found))


def _by_content(source: Source) -> str:
    with source.open() as file:
        head = source.read(file, 1 << 10)
    if not head:
        raise DataError("the file is empty", where=source.name)
    if head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(MARK.encode()):
        return "fasttext"
    raise DataError("it is in no format of labelled examples", hint=_KNOWN, where=source.name)


def read_examples(
    sources: Sequence[Source],
    name: str,
    columns: Columns = _COLUMNS,
    *,
    encoding: str = "utf-8",
    labelled: bool = True,
    multi_label: bool = False,
    values: bool = False,
    report: Report = bool,
) -> Iterator[Example]:
    """Yield the examples of files in the format FORMATS[name], as they are read; `report` gets the number of bytes.

    Raises SpecError for columns that the format or the rest of them do not go with, and DataError for a file without
    examples, that changes meanwhile, or that is not as its format's reader asks.
    """
    check_columns(name, columns)
    reading = Reading(columns, encoding, labelled, multi_label, values)
    done, empty = 0, True
    for source in sources:
        examples = FORMATS[name](source, reading, lambda size, before=done: report(before + size))  # type: ignore[misc]
        first = next(examples, None)
        if first:
            empty = False
            yield first
            yield from examples
        elif name != "folder":  # where a loose file is none
            raise DataError("it holds no examples", hint="give a file that does", where=source.name)
        done += source.size
    if name == "folder" and empty:
        hint = "give the folder that holds a folder for each label"
        raise DataError("no file in a label's folder", hint=hint, where=printable(sources[0].folder or sources[0].name))


def check_columns(name: str, columns: Columns) -> None:
    """Raise SpecError for columns that the format, or the rest of them, do not go with."""
    if name == "npz" and (columns.vector or columns.sequence is not None or columns.time is not None):
        hint = "leave data.columns, data.sequence and data.time out"
        raise SpecError("npz has no columns: the arrays x and lengths say what a sequence is", hint=hint)
    if columns.vector and name not in ("csv", "tsv", "jsonl"):
        raise SpecError(f"{name} has no columns for vectors", hint="use csv, tsv or jsonl")
    if columns.sequence is not None and not columns.vector:
        raise SpecError(
            "only rows of vectors are joined to sequences", hint="name the columns of numbers in data.columns"
        )
    if columns.time is not None and columns.sequence is None:
        raise SpecError("a column of times, but none of sequences to sort", hint="name it in data.sequence")
