"""Files, folders, glob patterns and standard input as sources of bytes; a problem is a one-line `DataError`."""

import glob
import hashlib
import os
import shutil
import stat
import sys
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

from rnncli.errors import DataError

PIECE = 1 << 18  # bytes read at a time: bounds the memory and fits the cache


@dataclass(frozen=True)
class Source:
    """A file that can be read again and again."""

    path: str
    name: str
    """As messages show it."""
    folder: str | None
    """The folder it was found in; None when it was named itself."""
    spool: int | None
    """The descriptor of a nameless file with what a pipe held, since a pipe can be read only once."""
    size: int
    """In bytes, when it was found."""
    changed: int
    """When it was changed last before that; of what is no file, 0."""

    def open(self) -> BinaryIO:
        """Open it at its beginning, without a buffer."""
        try:
            if self.spool is None:
                return Path(self.path).open("rb", buffering=0)
            os.lseek(self.spool, 0, os.SEEK_SET)
            return open(os.dup(self.spool), "rb", buffering=0)  # noqa: PTH123 - a descriptor
        except OSError as error:
            raise unreadable(error, self.name) from None

    def pieces(self) -> Iterator[bytes]:
        """Yield its bytes, at most PIECE of them at a time."""
        with self.open() as file:
            while raw := self.read(file, PIECE):
                yield raw

    def read(self, file: BinaryIO, size: int) -> bytes:
        """Read from what `open` returned."""
        try:
            return file.read(size)
        except OSError as error:
            raise unreadable(error, self.name) from None

    def sha256(self) -> str:
        """Hash its bytes."""
        digest = hashlib.sha256()
        for raw in self.pieces():
            digest.update(raw)
        return digest.hexdigest()

    def check_unchanged(self) -> None:
        """Raise DataError if it is no longer the file that was found."""
        with self.open() as file:
            status = os.fstat(file.fileno())
        if self.spool is None and (status.st_size, status.st_mtime_ns) != (self.size, self.changed):
            raise DataError("it changed while it was read", hint="try again when nothing writes it", where=self.name)


def find_sources(paths: Sequence[str], stdin: BinaryIO | None = None) -> list[Source]:
    """Find files, folders (recursively, sorted, nothing hidden, no training runs), globs, `-` (stdin), in that order.

    What comes through a pipe is kept in a nameless temporary file. Raises DataError for what is missing, no file, or a
    folder without files.
    """
    sources = []
    for path in paths:
        files, in_folder = _files(path)
        if not files:
            raise DataError(f"no text files in folder {printable(path)}")
        sources += [_source(file, path if in_folder else None, stdin) for file in files]
    return sources


def _source(path: str, folder: str | None, stdin: BinaryIO | None) -> Source:
    name = "standard input" if path == "-" else printable(path)
    try:
        if path == "-":
            stdin = stdin or getattr(sys.stdin, "buffer", None)
            if stdin is None:
                raise DataError("it is closed", where=name)
            return _spooled(stdin, path, name)
        status = Path(path).stat()
        if stat.S_ISFIFO(status.st_mode):  # the shell's <(command)
            with Path(path).open("rb", buffering=0) as fifo:
                return _spooled(fifo, path, name)
        if not stat.S_ISREG(status.st_mode):
            raise DataError("neither a file nor a folder", where=name)
        return Source(path, name, folder, None, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise unreadable(error, name) from None


def _spooled(pipe: BinaryIO, path: str, name: str) -> Source:
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(pipe, file, PIECE)
        file.flush()
        spool = os.dup(file.fileno())
        source = Source(path, name, None, spool, file.tell(), 0)
    weakref.finalize(source, os.close, spool)
    return source


def _files(path: str) -> tuple[list[str], bool]:
    """Return the files that a path stands for, and whether they were found in a folder."""
    if path == "-":
        return ["-"], False
    if not path or "\0" in path:
        raise DataError(f"{path!r} is not a file name")
    try:
        if not stat.S_ISDIR(Path(path).stat().st_mode):
            return [path], False
        return sorted(_walk(path)), True
    except FileNotFoundError:
        if not set(path) & set("*?["):
            raise DataError("no such file or folder", hint=_near(Path(path)), where=printable(path)) from None
        found = sorted(f for f in glob.glob(path, recursive=True) if Path(f).is_file())  # noqa: PTH207 - absolute too
        if not found:
            raise DataError("no file matches this pattern", where=printable(path)) from None
        return found, False
    except OSError as error:
        raise unreadable(error, path) from None


def _walk(folder: str) -> Iterator[str]:
    for root, folders, files in os.walk(folder, onerror=_reraise):
        if ".lock" in files:  # the folder of a training run, whose files are no corpus and change as it goes
            folders.clear()
            continue
        folders[:] = [f for f in folders if not f.startswith(".")]
        paths = [Path(root, f) for f in files if not f.startswith(".")]
        yield from (str(p) for p in paths if p.is_file())


def _reraise(error: OSError) -> NoReturn:
    raise error


def _near(path: Path) -> str:
    from difflib import get_close_matches

    try:
        near = get_close_matches(path.name, [p.name for p in path.parent.iterdir()], n=1)
    except OSError:
        return ""
    return f'did you mean "{printable(str(path.with_name(near[0])))}"?' if near else ""


def unreadable(error: OSError, name: str) -> DataError:
    """Return the error for a file that the system did not let us read."""
    return DataError(f"cannot be read: {error.strerror or error}", where=printable(name))


def printable(name: str) -> str:
    """Return a file name that is safe to show."""
    return name if name.isprintable() else repr(name)[1:-1]
