"""Locks that the system frees when their process ends, however it ends."""

import os
from pathlib import Path

from rnncli.errors import RnncliError
from rnncli.storage.messages import cannot_write, shown


def try_lock(descriptor: int) -> bool:
    """Return whether this process now holds an open file alone, until the file is closed.

    Where the system (Windows) or the file system has no such locks, everybody holds it.
    """
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


class FolderLock:
    """A context in which no other process holds the same folder; raises RnncliError at once when one does.

    The file `.lock` in the folder names the process, and stays. RnncliError, too, when that file cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._descriptor = -1

    def __enter__(self) -> None:
        path = self.folder / ".lock"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
            try:
                self._claim(descriptor)
            except BaseException:
                os.close(descriptor)
                raise
        except OSError as error:
            raise cannot_write(path, error) from None
        self._descriptor = descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def _claim(self, descriptor: int) -> None:
        if not try_lock(descriptor):
            owner = os.read(descriptor, 20)
            process = f"process {owner.decode()}" if owner.isdigit() else "another process"
            hint = "wait for it to end, or choose another folder"
            raise RnncliError(f"{shown(self.folder)} is in use by {process}", hint=hint)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
