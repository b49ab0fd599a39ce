"""Files that can be made again at any time: what stops their making leaves nothing that could be mistaken for one."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from rnncli.storage.atomic import owns
from rnncli.storage.messages import cannot_write

Scratch = Callable[[], BinaryIO]


@contextmanager
def remade(path: Path | None) -> Iterator[tuple[BinaryIO, Scratch]]:
    """Open an empty file to write and read, and a way to open nameless ones on the same disk; all are closed after.

    The file takes its place at `path` when the context ends well. Where path is None, another process is making the
    same file, or none can be made there, it never has a name, though whoever has it open may use it. Only the owner may
    open it, as what it was made of may be private. It is not forced to the disk: whoever reads it must be able to tell
    whether it is whole. A killed process leaves at most `.NAME.tmp`. Raises RnncliError when the system refuses to
    write, as a full disk does.
    """
    temporary = path.with_name(f".{path.name}.tmp") if path else None
    claimed = _claim(temporary) if temporary else None
    folder = path.parent if path and claimed else Path(tempfile.gettempdir())
    try:
        with ExitStack() as stack:

            def scratch() -> BinaryIO:
                return stack.enter_context(tempfile.TemporaryFile(dir=folder))

            file = stack.enter_context(claimed) if claimed else scratch()
            try:
                yield file, scratch
                file.flush()
                if path and temporary and claimed:
                    try:
                        temporary.replace(path)
                    except OSError:  # as where a folder has that name
                        temporary.unlink(missing_ok=True)
            except BaseException:
                if temporary and claimed:
                    temporary.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise cannot_write(folder, error) from None


def _claim(temporary: Path) -> BinaryIO | None:
    """Open a file that may be one of a killed process, and empty it; None where another has it or none can be made."""
    try:
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError:
        return None
    if not owns(descriptor, temporary):
        os.close(descriptor)
        return None
    os.ftruncate(descriptor, 0)
    return os.fdopen(descriptor, "w+b")
