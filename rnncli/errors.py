"""The one error type. The core raises it; only `rnncli.cli.main` catches and prints it.

And that of the dataclasses of a spec, which `rnncli.spec` makes one of it.
"""

from collections.abc import Iterable, Iterator
from typing import ClassVar


class RnncliError(Exception):
    """Something the user can act on: what happened, where, and what to do about it."""

    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", where: str = "", more: Iterable["RnncliError"] = ()) -> None:
        super().__init__(message)
        self.message, self.hint, self.where = message, hint, where
        self.more = tuple(more)  # further problems found in the same pass, one line each

    def lines(self) -> Iterator[str]:
        """One line a problem: `where: message; hint`."""
        line = f"{self.where}: {self.message}" if self.where else self.message
        yield f"{line}; {self.hint}" if self.hint else line
        for other in self.more:
            yield from other.lines()

    def __str__(self) -> str:
        return "\n".join(self.lines())


class SettingError(ValueError):
    """A setting that cannot be, or not beside the others: raised by the dataclass that holds it."""

    def __init__(self, message: str, *, key: str, hint: str = "") -> None:
        super().__init__(message)
        self.key, self.hint = key, hint  # `kind`, or of a section within `embedding.kind`


class UsageError(RnncliError):
    """The command line cannot be carried out as written."""

    exit_status = 2


class SpecError(RnncliError):
    """A spec, or an override of one, is not valid."""

    exit_status = 2


class DataError(RnncliError):
    """Input data cannot be read or used."""

    exit_status = 3


class CheckpointError(RnncliError):
    """A checkpoint cannot be read, or is not what its name promises."""

    exit_status = 3


class DivergedError(RnncliError):
    """Training produced a non-finite loss or gradient."""

    exit_status = 4
