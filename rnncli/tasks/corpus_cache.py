"""Encoded corpora kept beside the runs that use them, so that only the first run has to encode."""

import os
import re
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from rnncli.data import Encoded, read_encoded
from rnncli.errors import RnncliError
from rnncli.storage import Scratch, remade

FOLDER = ".rnncli-cache"
"""In the folder that holds the runs. It may be deleted at any time."""
DAYS = 30
"""What was not used for so long is deleted when something new is kept."""
_OURS = re.compile(r"[0-9a-f]{32}\.ids|\.[0-9a-f]{32}\.ids\.tmp")


@dataclass(frozen=True)
class CorpusCache:
    """Encoded corpora by key, in a folder that need not exist; by default nothing is found and nothing kept."""

    folder: Path | None = None
    keep: bool = False
    """Whether what is made is kept; else its file has no name, and is gone when it is no longer used."""

    @classmethod
    def beside(cls, run: Path, *, keep: bool) -> Self:
        """Return the cache that a run shares with those beside it."""
        return cls(Path(os.path.realpath(run)).parent / FOLDER, keep)

    def find(self, key: str) -> Encoded | None:
        """Return what is kept under a key, if it is whole."""
        if self.folder is None:
            return None
        try:
            with open(self._path(key), "rb", opener=_open_at_once) as file:
                found = read_encoded(file) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
                if found:
                    with suppress(OSError):
                        os.utime(file.fileno())
                return found
        except OSError:
            return None

    def make(self, key: str, write: Callable[[BinaryIO, Scratch], None]) -> Encoded:
        """Return what `write` puts into a file, and keep it under that key.

        Raises RnncliError when it cannot be written, and what `write` raises.
        """
        path = self._path(key) if self.folder and self.keep else None
        try:
            if path:
                with suppress(OSError):
                    path.parent.mkdir(exist_ok=True)
            with remade(path) as (file, scratch):
                write(file, scratch)
                made = read_encoded(file)
                if made is None:
                    raise RnncliError("the encoded text was not read back as it was written", hint="check the disk")
        finally:
            if path:
                with suppress(OSError):  # of one that is not empty
                    path.parent.rmdir()
        if path:
            self._forget()
        return made

    def _path(self, key: str) -> Path:
        assert self.folder
        return self.folder / f"{key[:32]}.ids"

    def _forget(self) -> None:
        assert self.folder
        with suppress(OSError):
            for path in self.folder.iterdir():
                with suppress(OSError):
                    status = path.lstat()
                    old = status.st_mtime < time.time() - DAYS * 24 * 3600
                    if old and stat.S_ISREG(status.st_mode) and _OURS.fullmatch(path.name):
                        path.unlink()


NO_CACHE = CorpusCache()
"""Nothing is found, and nothing kept."""


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a FIFO without a writer would wait for ever
