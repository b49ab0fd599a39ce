"""The two streams: results to stdout, messages to stderr, and nothing in either that could command a terminal."""

import errno
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, TextIO
from unicodedata import category, east_asian_width

if TYPE_CHECKING:
    from rich.console import Console

BIDIRECTIONAL = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
UNPRINTABLE = (*range(0x20), *range(0x7F, 0xA0), *BIDIRECTIONAL)


def printable(text: str, keep: str = "\n\t") -> str:
    r"""Return the text with control and bidirectional characters, but those of `keep`, and lone surrogates as \x1b."""
    return text.translate(_escapes(keep)).encode("utf-8", "backslashreplace").decode("utf-8")


@cache
def _escapes(keep: str) -> dict[int, str]:
    return {
        code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in UNPRINTABLE if chr(code) not in keep
    }


def write_data(text: str | bytes, *, escape: bool = True) -> None:
    """Write results to stdout at once: UTF-8 whatever the locale, and printable where stdout is a terminal.

    A lone surrogate, which stands for a byte that is no UTF-8, is written as that byte. `escape=False` is for text
    that is printable but for colours of our own. Raises OSError, BrokenPipeError among them, as the system does.
    """
    if sys.stdout is None:
        raise OSError(errno.EBADF, "standard output is closed")
    if escape and sys.stdout.isatty():
        text = printable(text if isinstance(text, str) else text.decode("utf-8", "surrogateescape"))
    if isinstance(text, str) and hasattr(sys.stdout, "rich_proxied_file"):
        sys.stdout.write(text)  # a live display is on this terminal, and makes room
        return
    sys.stdout.buffer.write(text if isinstance(text, bytes) else _utf8(text))
    sys.stdout.buffer.flush()


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a UTF-16 pair, which stands for no byte
        return text.encode("utf-8", "surrogatepass")


class Talk:
    """What a command says on stderr while it works: plain lines, safe for the terminal and for its encoding.

    A message that cannot be written is lost, which is no reason to lose a run as well.
    """

    def __init__(self, *, quiet: bool, color: bool | None) -> None:
        self.quiet = quiet
        self.is_terminal = is_terminal(sys.stderr)
        self.color = _may_color(sys.stderr) if color is None else color
        self.colors_stdout = _may_color(sys.stdout) and color is not False
        self.is_live = self.is_terminal and self.color and not quiet
        self._encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
        self._status = False  # a line of progress() is showing

    @property
    def width(self) -> int:
        """Columns of the terminal, or of $COLUMNS; 80 where nothing tells."""
        columns = os.environ.get("COLUMNS", "")
        if columns.isdecimal() and int(columns):
            return int(columns)
        with suppress(OSError, ValueError, AttributeError):
            return os.get_terminal_size(sys.stderr.fileno()).columns or 80
        return 80

    def say(self, text: str) -> None:
        """Write text, one line or several."""
        if not self.quiet:
            self._write(self._fitted(self.safe(text)) + "\n")

    def warn(self, text: str) -> None:
        """Write a line that deserves a look."""
        if not self.quiet:
            note = self._fitted(f"note: {self.safe(text)}").removeprefix("note:")
            self._write(f"{self._styled('note:', 33)}{note}\n")

    def error(self, line: str) -> None:
        """Write the one line of an error, even when quiet."""
        self._write(self._styled(self._fitted(self.safe(line, keep="\t")), 31) + "\n")

    def progress(self, text: str) -> None:
        """Show a line that the next one replaces, and "" removes; on a terminal only."""
        if self.is_live:
            text = self.safe(text, keep="")
            if columns_of(text) >= self.width:
                dots = "…" if self.can_show("…") else "..."
                text = f"{cut(text, self.width - 1 - len(dots))}{dots}"
            self._write(text)
            self._status = bool(text)

    def safe(self, text: str, keep: str = "\n\t") -> str:
        """Return the text printable, in characters that the encoding of stderr has."""
        return self._encodable(printable(text, keep))

    def can_show(self, text: str) -> bool:
        """Tell whether the encoding of stderr has all these characters."""
        return self._encodable(text) == text

    def rich_console(self) -> "Console":
        """Return a console on stderr that takes every text literally."""
        from rich.console import Console

        return Console(
            stderr=True,
            force_terminal=self.is_terminal,
            force_interactive=self.is_live,
            color_system="auto" if self.color else None,
            no_color=not self.color,
            markup=False,
            emoji=False,
            highlight=False,
            soft_wrap=True,
            width=self.width,
        )

    def _fitted(self, text: str) -> str:
        """Return text with long lines broken between words on a terminal, which itself would break them within."""
        if not self.is_terminal:
            return text
        return "\n".join(part for line in text.split("\n") for part in broken(line, self.width))

    def _encodable(self, text: str) -> str:
        return text.encode(self._encoding, "backslashreplace").decode(self._encoding)

    def _styled(self, text: str, code: int) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.color else text

    def _write(self, text: str) -> None:
        if self._status:
            text = f"\r\x1b[K{text}"
            self._status = False
        with suppress(OSError, AttributeError):  # stderr is None where it was closed
            sys.stderr.write(text)
            sys.stderr.flush()


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether a standard stream is a terminal; it is None where it was closed."""
    return stream is not None and stream.isatty()


def _may_color(stream: TextIO | None) -> bool:
    """A terminal, and no word against colour; FORCE_COLOR does not make a pipe a terminal."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") in ("dumb", "unknown")
    return is_terminal(stream) and not plain


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return the lines of a table, two spaces between columns, numbers right-aligned; None is an empty cell."""
    lines = [[printable(_cell(value), keep="") for value in row] for row in (headers, *rows)]
    aligned = []
    for header, *cells in zip(*lines, strict=True):
        width = max(map(columns_of, (header, *cells)))
        spaces = [" " * (width - columns_of(cell)) for cell in (header, *cells)]
        right = any(cells) and all(map(_is_number, cells))
        aligned.append(
            [space + cell if right else cell + space for cell, space in zip((header, *cells), spaces, strict=True)]
        )
    return ["  ".join(line).rstrip() for line in zip(*aligned, strict=True)]


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)


def _is_number(cell: str) -> bool:
    with suppress(ValueError):
        float(cell.replace(",", "").rstrip("% ") or 0)
        return True
    return False


def columns_of(text: str) -> int:
    """Columns of a terminal: two for a wide character, none for a combining one."""
    return sum(
        0 if category(char) in ("Mn", "Me", "Cf") else 2 if east_asian_width(char) in "WF" else 1 for char in text
    )


def cut(text: str, width: int) -> str:
    """Return as much of the beginning of a text as so many columns have room for."""
    end, room = 0, width
    for char in text:
        room -= columns_of(char)
        if room < 0:
            break
        end += 1
    return text[:end]


def broken(line: str, width: int) -> Iterator[str]:
    """Yield a line in parts of at most so many columns, broken at spaces, all but the first indented.

    What has no space in it is not broken, so that a path can be copied.
    """
    while columns_of(line) > width:
        first = len(line) - len(line.lstrip(" "))
        at = line.rfind(" ", first, len(cut(line, width)) + 1)
        if at < 0:
            at = line.find(" ", first)
        rest = line[at:].strip(" ")
        if at < 0 or not rest:
            break
        yield line[:at].rstrip(" ")
        line = f"  {rest}"
    yield line
