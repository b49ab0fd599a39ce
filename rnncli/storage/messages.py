"""One printable line of at most 200 characters for everything that can go wrong with a file."""

import errno
from pathlib import Path

from rnncli.errors import CheckpointError, RnncliError

_PATH_WIDTH, _REASON_WIDTH = 80, 68  # with a hint of at most 48 characters: below 200

_HINTS = {
    errno.ENOSPC: "the disk is full, make room",
    errno.EDQUOT: "your quota is used up, make room",
    errno.EAGAIN: "try again when it has ended",
}


def printable(text: str, width: int) -> str:
    """Return the text with unprintable characters escaped and, beyond `width` characters, its middle left out."""
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if len(text) <= width else f"{text[: width // 2 - 3]}...{text[-(width // 2) :]}"


def shown(path: Path) -> str:
    """Return the path as messages name it."""
    return printable(str(path), _PATH_WIDTH)


def refusal(path: Path, reason: str, hint: str) -> CheckpointError:
    """Return the error for a file that is not read: which file, why, and the next step."""
    return CheckpointError(printable(reason, _REASON_WIDTH), hint=hint, where=shown(path))


def cannot_write(path: Path, error: OSError) -> RnncliError:
    """Return the error for a file that the system did not let us write."""
    reason = printable(error.strerror or type(error).__name__, _REASON_WIDTH)
    hint = _HINTS.get(error.errno or 0, "choose a folder that you can write to")
    return RnncliError(f"cannot write {shown(path)}: {reason}", hint=hint)
