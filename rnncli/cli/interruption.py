"""Signals that end a training run: noted at once, acted on between two steps."""

import signal
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

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
        default: Callable[..., Any] | int = signal.SIG_DFL
        for each in self._before:
            signal.signal(each, default)
