"""The numbers of a training run as events come in: recent loss, speed, time left, and the curve of the loss."""

import math
from datetime import timedelta
from itertools import pairwise

from rnncli.metrics import perplexity
from rnncli.nn.protocols import Loss
from rnncli.tasks.protocol import Unit
from rnncli.training.events import StepDone, Validated

SMOOTHING = 1 - 1 / 100
"""The training loss is a mean over about the last 100 steps: each step, the sums before it count a little less."""
RECENT_SECONDS = 20.0
"""Speed is measured over about this long."""
PARTS = 80
"""The curve of the loss is kept in at most this many parts."""

BITS = {"character": "char", "byte": "byte"}
"""What tokens are called of which the loss is shown in bits."""

Fact = tuple[str, str]
"""A label and a value, as shown; the label may be empty, and without a value nothing is shown."""


class Meter:
    """Adds numbers up at each step, and puts them in words only when asked."""

    def __init__(self, unit: Unit, now: float) -> None:
        self.unit = unit
        self.started = self._at = now  # when the last event came
        self.step: StepDone | None = None  # the last one
        self.validation: Validated | None = None  # the last one
        self.best: Validated | None = None
        self.curve = Curve()
        self._loss = self._predictions = 0.0  # recent
        self._seconds = self._steps = self._counted = 0.0  # recent
        self._all_steps, self._pauses = 0, 0.0  # since the start

    def step_done(self, event: StepDone, now: float) -> None:
        """Take a step in."""
        seconds, loss = max(0.0, now - self._at), event.loss
        fading = math.exp(-seconds / RECENT_SECONDS)
        self._seconds = self._seconds * fading + seconds
        self._steps = self._steps * fading + 1
        self._counted = self._counted * fading + event.size[0]
        self._loss = self._loss * SMOOTHING + loss.sum
        self._predictions = self._predictions * SMOOTHING + loss.count
        self._all_steps += 1
        self._at, self.step = now, event
        self.curve.add(loss)

    def validated(self, event: Validated, now: float) -> None:
        """Take a validation in; the time it took is a pause in the steps."""
        self._pauses += max(0.0, now - self._at)
        self._at, self.validation = now, event
        if event.best:
            self.best = event

    @property
    def loss(self) -> float:
        """The recent training loss: the mean of a prediction."""
        return self._loss / self._predictions if self._predictions else math.nan

    @property
    def elapsed(self) -> float:
        """Seconds from the start to the last event."""
        return max(0.0, self._at - self.started)

    @property
    def speed(self) -> float | None:
        """The recent speed of training a second, without validations; None where the clock stands still."""
        return self._counted / self._seconds if self._seconds else None

    @property
    def seconds_left(self) -> float | None:
        """Time until the last step at recent speed, with validations as frequent as so far; None when unknown."""
        if self.step is None or not self._seconds:
            return None
        each = self._seconds / self._steps + self._pauses / self._all_steps
        return max(0, self.step.total_steps - self.step.step) * each

    def in_unit(self, loss: float) -> Fact:
        """Return a loss as it is usually given for a text: perplexity for words, else bits a token."""
        if self.unit == "word":
            return "perplexity", form(perplexity(loss), ",.1f")
        if self.unit in BITS:
            return "", f"{form(loss / math.log(2), '.2f')} bits/{BITS[self.unit]}"
        return "", ""

    def of(self, event: Validated) -> list[Fact]:
        """Return what a validation found beside the loss in nats."""
        return [
            self.in_unit(event.loss.mean),
            *((name.replace("_", " "), form(value, ".3f")) for name, value in event.metrics.items()),
        ]

    def pace(self, step: StepDone) -> list[Fact]:
        """Return learning rate and gradient norm of a step, and the recent speed."""
        speed, (_, counted) = self.speed, step.size
        return [
            ("lr", form(step.learning_rate, ".3g")),
            ("norm", form(step.gradient_norm, "#.3g").removesuffix(".")),
            ("", f"{speed:,.0f} {counted}/s" if speed else ""),
        ]


class Curve:
    """The loss of a whole run, in a bounded number of parts of equal length."""

    def __init__(self) -> None:
        self._parts: list[Loss] = []
        self._length, self._room = 1, 0  # steps in a part, and steps that the last part still takes

    def add(self, loss: Loss) -> None:
        """Take the loss of a step in; when there are too many parts, each two become one."""
        if self._room:
            self._parts[-1] = self._parts[-1].plus(loss)
            self._room -= 1
            return
        if len(self._parts) == PARTS:
            self._parts = [a.plus(b) for a, b in zip(self._parts[::2], self._parts[1::2], strict=True)]
            self._length *= 2
        self._parts.append(loss)
        self._room = self._length - 1

    def draw(self, columns: int, levels: str) -> str:
        """Return the curve in at most `columns` characters, from the lowest to the highest of `levels`."""
        columns = min(columns, len(self._parts))
        bounds = [len(self._parts) * i // columns for i in range(columns + 1)] if columns else [0]
        means = [sum(part.mean for part in self._parts[a:b]) / (b - a) for a, b in pairwise(bounds)]
        finite = [mean for mean in means if math.isfinite(mean)] or [0.0]
        lowest, span = min(finite), max(finite) - min(finite)
        scale = (len(levels) - 1) / span if span else 0.0
        return "".join(levels[round((m - lowest) * scale)] if math.isfinite(m) else levels[-1] for m in means)


def form(value: float | None, spec: str) -> str:
    """Return a number as text, a large one with an exponent; "" for none."""
    return "" if value is None else format(value, ".3g" if value >= 1e5 else spec)


def epochs(epoch: float) -> str:
    """Return passes over the data, to a tenth."""
    return f"{epoch:.1f}".removesuffix(".0")


def duration(seconds: float | None) -> str:
    """Return a time as h:mm:ss, "" for none."""
    return "" if seconds is None else str(timedelta(seconds=round(min(seconds, 1e13))))
