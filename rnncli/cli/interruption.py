"""Signals that end a training run: noted at once, acted on between two steps."""

import os
import signal
import sys
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class Interruption:
    """A context in which the first such signal is only noted in `signal`, and a second one acts as it always does.

    A signal that is ignored when the context is entered, as under nohup, stays ignored.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for name in SIGNALS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.signal = number
        for each in self._before:
            signal.signal(each, signal.SIG_DFL)


def die_by(number: int) -> NoReturn:
    """End this process by a signal, as whoever waits for it expects: a shell shows 128 + its number."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    sys.exit(128 + number)
