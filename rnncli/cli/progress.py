"""A training run as it is seen on stderr: a live display on a terminal, plain lines anywhere else."""

import math
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from rnncli.cli.console import Talk, is_terminal
from rnncli.cli.meter import Meter, duration, epochs, form
from rnncli.tasks.protocol import Unit
from rnncli.training.events import Event, StepDone, Validated

if TYPE_CHECKING:
    from rich.text import Text

LINE_SECONDS = 10.0
"""Between two plain lines, and at the least between two samples of text."""
FRAME_SECONDS = 1 / 4
"""Between two drawings of the live display."""
SHARE = 0.01
"""Neither drawing nor sampling takes more of the time than this: what is slow is done less often."""
WIDEST = 100
"""Columns of the live display; wider lines are harder to read."""
COLUMNS = 40
"""Columns of the curve of the loss."""


def follow(
    events: Iterator[Event],
    talk: Talk,
    *,
    unit: Unit,
    sample: Callable[[], str | None] | None = None,
    clock: Callable[[], float] = monotonic,
) -> Generator[Event, None, None]:
    """Pass the events on, each one shown first; `unit` is what a token is, `sample` lets the model write a little."""
    if talk.quiet:
        yield from events
        return
    meter = Meter(unit, clock())
    view: View = Display(meter, talk, sample, clock) if talk.is_live else Lines(meter, talk)
    try:
        for event in events:
            now = clock()
            if isinstance(event, StepDone):
                meter.step_done(event, now)
                if now >= view.due:
                    view.show(event, now)
            elif isinstance(event, Validated):
                meter.validated(event, now)
                view.show(event, now)
            yield event
    finally:
        view.close()


class View(Protocol):
    """A way to show a run: `show` is called for every validation, and for a step when it is `due`."""

    due: float

    def show(self, event: StepDone | Validated, now: float) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class Lines:
    """Plain lines: one for each validation, one soon after the start, and one now and then."""

    def __init__(self, meter: Meter, talk: Talk) -> None:
        self.meter, self.talk = meter, talk
        self.due = meter.started + 1

    def show(self, event: StepDone | Validated, now: float) -> None:
        """Write a line about the event."""
        meter = self.meter
        if isinstance(event, StepDone):
            place, name, loss = f"{event.step}/{event.total_steps}", "loss", meter.loss
            facts = [meter.in_unit(loss), *meter.pace(event), ("ETA", duration(meter.seconds_left))]
            self.due = now + LINE_SECONDS
        else:
            place, name, loss = str(event.step), event.split, event.loss.mean
            facts = [*meter.of(event), ("", "best" if event.best else "")]
        facts = [
            ("step", place),
            ("epoch", epochs(event.epoch)),
            (name, form(loss, ".3f")),
            *facts,
        ]
        self.talk.say("  ".join(f"{label} {value}".strip() for label, value in facts if value))

    def close(self) -> None:
        """Nothing is left to do."""


class Display:
    """The live display: a few lines of the terminal that are drawn again and again."""

    def __init__(
        self, meter: Meter, talk: Talk, sample: Callable[[], str | None] | None, clock: Callable[[], float]
    ) -> None:
        from rich.live import Live

        self.meter, self.talk, self.sample, self.clock = meter, talk, sample, clock
        self.due = self.sample_due = meter.started
        self.text, self.closed = "", False
        self.console = talk.rich_console()
        self.live = Live(
            console=self.console,
            auto_refresh=False,
            vertical_overflow="crop",
            redirect_stdout=is_terminal(sys.stdout),  # data that go through a pipe stay as they are
        )
        self.bar, self.levels = ("━━", "▁▂▃▄▅▆▇█") if talk.can_show("━▁▂▃▄▅▆▇█") else ("#-", "_.-=+*#@")

    def show(self, event: StepDone | Validated, now: float) -> None:
        """Draw, after a validation with a new sample of text, but not too often."""
        if self.sample and isinstance(event, Validated) and now >= self.sample_due:
            self.text = self.talk.safe((self.sample() or "").expandtabs(4), keep="\n")
            before = self.clock()
            self.sample_due = before + max(LINE_SECONDS, (before - now) / SHARE)
        elif now >= self.due:
            before = now
        else:
            return
        try:
            self.live.start()
            self.draw()
        except OSError:  # the terminal has gone, the run has not
            self.due = self.sample_due = math.inf
            return
        after = self.clock()
        self.due = after + max(FRAME_SECONDS, (after - before) / SHARE)

    def close(self) -> None:
        """Leave the last numbers on the terminal, and the cursor below them."""
        self.text, self.closed = "", True
        with suppress(OSError):
            if self.live.is_started:
                self.draw(refresh=False)  # which stop() does
            self.live.stop()

    def draw(self, *, refresh: bool = True) -> None:
        """Draw everything, for the width that the terminal has now."""
        from rich.text import Text

        columns = self.console.width = self.talk.width
        lines = self.lines(max(10, min(columns, WIDEST) - 1))
        self.live.update(Text("\n", no_wrap=True, overflow="crop").join(lines), refresh=refresh)

    def lines(self, width: int) -> "Iterator[Text]":
        """Yield the lines of the display, none wider than `width`."""
        from rich.text import Text

        meter, step, latest, best = self.meter, self.meter.step, self.meter.validation, self.meter.best
        column, nats = (
            (12, "" if meter.unit == "value" else " nats") if width >= 50 else (0, "")
        )  # where the values begin
        if step is not None:
            done, left = min(1.0, step.step / max(1, step.total_steps)), duration(meter.seconds_left)
            time = f"  after {duration(meter.elapsed)}" if self.closed else f"  {left} left" if left else ""
            share = shown("", f"{int(100 * done):3}%{time}")
            room = rest(width, share)
            filled = round(done * room)
            bar = Text.assemble((self.bar[0] * filled, "cyan"), (self.bar[1] * (room - filled), "dim"))
            yield from flow(width, bar, share)
            all_epochs = step.epoch * step.total_steps / max(1, step.step)
            place = [("step", f"{step.step}/{step.total_steps}"), ("epoch", f"{step.epoch:.1f}/{epochs(all_epochs)}")]
            yield from flow(width, *(shown(*fact) for fact in (*place, *meter.pace(step)) if fact[1]))
            loss = (f"{'training':{column}}", form(meter.loss, ".3f") + nats)
            losses = [shown(*fact) for fact in (loss, meter.in_unit(meter.loss)) if fact[1]]
            curve = Text(meter.curve.draw(min(COLUMNS, rest(width, *losses)), self.levels), "cyan")
            yield from flow(width, *losses, curve)
        if latest is not None:
            loss = (f"{latest.split:{column}}", form(latest.loss.mean, ".3f") + nats)
            losses = [shown(*fact) for fact in (loss, *meter.of(latest)) if fact[1]]
            remarks = [Text("best", "green")] if latest.best else []
            if best is not None and not latest.best:
                remarks = [shown("best", form(best.loss.mean, ".3f")), shown("at step", str(best.step))]
            yield from flow(width, *losses, *remarks)
        written = [line for line in Text(self.text, "dim").wrap(self.console, width - column) if line.cell_len]
        for label, line in zip(("sample", "", ""), written, strict=False):
            yield Text.assemble((f"{label:{column}}" if column else "", "dim"), line)


def shown(label: str, value: str) -> "Text":
    """Return a number behind its label."""
    from rich.text import Text

    return Text.assemble((label, "dim"), " " if label and not label.endswith(" ") else "", value)


def rest(width: int, *beside: "Text") -> int:
    """Return the columns left beside these on a line, or the whole line where few are left."""
    left = width - sum(each.cell_len + 2 for each in beside)
    return left if left >= 10 else width


def flow(width: int, *parts: "Text") -> "Iterator[Text]":
    """Set the parts in lines, two spaces between them, as many on each as fit."""
    line, *others = filter(None, parts)
    for part in others:
        if line.cell_len + 2 + part.cell_len > width:
            yield line
            line = part
        else:
            line.append("  ").append_text(part)
    yield line
