"""What is said on stderr of work that takes long, such as reading a text: a line that is gone when it is done."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Timer
from time import monotonic

from rnncli.cli.console import Talk
from rnncli.cli.meter import duration
from rnncli.cli.progress import FRAME_SECONDS, LINE_SECONDS

FIRST_SECONDS = 1.0
"""Before anything is said: most work takes less."""


@contextmanager
def reading(
    talk: Talk, clock: Callable[[], float] = monotonic, then: str = ""
) -> Iterator[Callable[[str, int, int], None]]:
    """Give a function that shows what is being done to a text, and how much of it is done, where it takes long.

    `then` is what follows when all is done: it is said where no other report comes for FIRST_SECONDS.
    """
    current, began, due = "", clock(), clock() + FIRST_SECONDS
    following = ExitStack()

    def report(activity: str, done: int, total: int) -> None:
        nonlocal current, began, due
        if talk.quiet:
            return
        now = clock()
        following.close()
        if then and done == total:
            following.enter_context(working(talk, then))
        if activity != current:
            current, began = activity, now
        if now < due or not 0 < done <= total:
            return
        left = duration((now - began) * (total - done) / done)
        line = f"{activity}: {100 * done // total}%" + (f", {left} left" if done < total else "")
        (talk.progress if talk.is_live else talk.say)(line)
        due = now + (FRAME_SECONDS if talk.is_live else LINE_SECONDS)

    try:
        yield report
    finally:
        following.close()
        talk.progress("")


@contextmanager
def working(talk: Talk, activity: str, seconds: float = FIRST_SECONDS) -> Iterator[None]:
    """Say what is being done, where that takes longer than this: on a terminal as long as it is."""
    timer = Timer(seconds, lambda: (talk.progress if talk.is_live else talk.say)(activity))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        talk.progress("")
