"""Files, folders, glob patterns and standard input as texts; each problem is a one-line `DataError` naming the file."""

import codecs
import glob
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

from rnncli.errors import DataError

_MARKS = {  # UTF-32's first: its little-endian mark begins with UTF-16's
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class Corpus:
    """Texts with their printable names, and the names of files in folders that were passed over as no text."""

    texts: tuple[str, ...]
    names: tuple[str, ...]
    skipped: tuple[str, ...] = ()


def read_corpus(
    paths: Sequence[str], encoding: str = "utf-8", *, binary: bool = False, stdin: BinaryIO | None = None
) -> Corpus:
    """Read files, folders (recursively, sorted, nothing hidden, no training runs), globs, `-` (stdin), in that order.

    A text loses its byte-order mark and its line ends become LF. With `binary` nothing is changed and every byte is
    welcome: what is not UTF-8 becomes the lone surrogates U+DC80..U+DCFF (PEP 383), from which the byte tokenizer makes
    the very same bytes again. Raises DataError for what is missing, empty, unreadable or not text; but a file *in a
    folder* that is empty or not text is skipped and named in `skipped`.
    """
    try:
        b"a".decode(encoding)
    except UnicodeDecodeError:
        pass  # the codec exists; one byte is too little for it
    except (LookupError, ValueError):
        raise DataError(f"unknown encoding {encoding!r}", hint="try utf-8, latin-1, cp1252 or utf-16") from None
    texts, names, skipped = [], [], []
    for path in paths:
        files, in_folder = _files(path)
        for file in files:
            name = "standard input" if file == "-" else _printable(file)
            raw = _bytes(file, name, stdin)
            try:
                texts.append(_text(raw, "utf-8" if binary else encoding, name, binary=binary))
                names.append(name)
            except DataError:
                if not in_folder:
                    raise
                skipped.append(name)
        if in_folder and not set(map(_printable, files)) - set(skipped):
            hint = f"{len(files)} skipped, the first is {_printable(files[0])}" if files else ""
            raise DataError(f"no text files in folder {_printable(path)}", hint=hint)
    return Corpus(tuple(texts), tuple(names), tuple(skipped))


def lines(text: str) -> list[str]:
    """Return the lines that hold more than white space; LF alone ends a line."""
    return [line for line in text.split("\n") if line.strip()]


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
            raise DataError("no such file or folder", hint=_near(Path(path)), where=_printable(path)) from None
        found = sorted(f for f in glob.glob(path, recursive=True) if Path(f).is_file())  # noqa: PTH207 - absolute too
        if not found:
            raise DataError("no file matches this pattern", where=_printable(path)) from None
        return found, False
    except OSError as error:
        raise _unreadable(error, path) from None


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
    return f'did you mean "{_printable(str(path.with_name(near[0])))}"?' if near else ""


def _bytes(path: str, name: str, stdin: BinaryIO | None) -> bytes:
    try:
        if path == "-":
            stdin = stdin or getattr(sys.stdin, "buffer", None)
            if stdin is None:
                raise DataError("it is closed", where=name)
            return stdin.read()
        mode = Path(path).stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):  # a FIFO: the shell's <(command)
            raise DataError("neither a file nor a folder", where=name)
        return Path(path).read_bytes()
    except OSError as error:
        raise _unreadable(error, name) from None


def _text(raw: bytes, encoding: str, name: str, *, binary: bool) -> str:
    try:
        text = raw.decode(encoding, "surrogateescape" if binary else "strict")
    except UnicodeError as error:
        mark = next((mark for mark in _MARKS if raw.startswith(mark)), b"")
        if not mark and b"\0" in raw:
            raise _not_text(raw.index(b"\0"), name) from None
        offset = getattr(error, "start", 0)  # all codecs but punycode tell it
        message = f"byte 0x{raw[offset]:02x} at offset {offset} is not {encoding}"
        raise DataError(message, hint=f"try --encoding {_MARKS.get(mark, 'latin-1')}", where=name) from None
    if not binary:
        if "\0" in text:
            raise _not_text(len(text[: text.index("\0")].encode(encoding)), name)
        text = text.removeprefix("\ufeff")
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text:
        raise DataError("the file is empty", where=name)
    return text


def _not_text(offset: int, name: str) -> DataError:
    message = f"looks like a binary file (NUL byte at offset {offset})"
    return DataError(message, hint="to model raw bytes: --set data.tokenizer.level=byte", where=name)


def _unreadable(error: OSError, name: str) -> DataError:
    return DataError(f"cannot be read: {error.strerror or error}", where=_printable(name))


def _printable(name: str) -> str:
    return name if name.isprintable() else repr(name)[1:-1]
