"""Files that are the old or the new one, never half of it, whenever the process or the machine stops."""

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from rnncli.errors import RnncliError
from rnncli.storage.lock import try_lock
from rnncli.storage.messages import cannot_write, shown


def atomic_write(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Replace a file by what `write` puts into the file object it is given, once all of it is on the disk.

    A link stays and the file it names is replaced; mode and, where allowed, owner of an existing file are kept. A
    killed process leaves at most `.NAME.tmp`, which the next write to NAME takes over. Raises RnncliError when the
    system refuses or another process is writing the same file; whatever `write` raises otherwise passes through. The
    old file is then still there, and the temporary one is gone.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.tmp")
    try:
        old = target.stat() if target.exists() else None
        if old and not stat.S_ISREG(old.st_mode):
            raise RnncliError(f"cannot write {shown(path)}: not a regular file", hint="give another path")
        # Not truncated here, not random: it may be the file of another writer, or of one that was killed.
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        with os.fdopen(descriptor, "wb") as file:
            try:
                _prepare(descriptor, temporary, old)
                write(file)
                file.flush()
                os.fsync(descriptor)
                temporary.replace(target)  # before the file is closed, which gives up the lock
            except BaseException:
                with suppress(OSError):
                    if owns(descriptor, temporary):
                        temporary.unlink()
                raise
        _fsync_folder(target.parent)
    except OSError as error:
        raise cannot_write(path, error) from None


def check_writable(folder: Path) -> None:
    """Make a folder unless it exists, and prove that a file can be written there; raises RnncliError if not."""
    import tempfile

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:  # where the system can, a file that never has a name
            file.write(b"\0" * 4096)
    except OSError as error:
        raise cannot_write(folder, error) from None


def owns(descriptor: int, temporary: Path) -> bool:
    """Whether no other process writes this file and it is still at its path, not renamed while we waited to lock it."""
    try:
        return try_lock(descriptor) and os.path.samestat(os.fstat(descriptor), temporary.stat())
    except FileNotFoundError:
        return False


def _prepare(descriptor: int, temporary: Path, old: os.stat_result | None) -> None:
    """Take over and empty the temporary file; before it holds anything, let only those open it who may open the old."""
    if not owns(descriptor, temporary):
        raise BlockingIOError(errno.EAGAIN, "another process is writing it")
    os.ftruncate(descriptor, 0)
    if old:
        with suppress(PermissionError):
            os.fchown(descriptor, old.st_uid, old.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems know no such thing
            raise
    finally:
        os.close(descriptor)
