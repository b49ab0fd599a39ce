"""Learning-rate schedules: pure functions of how far a run has come, so that resuming needs no state of theirs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple, get_args

from annotated_types import Ge, Gt, Le, Lt

Count = Annotated[int, Ge(0)]
Fraction = Annotated[float, Ge(0), Le(1)]
Shrink = Annotated[float, Gt(0), Lt(1)]


class Position(NamedTuple):
    """How far a run has come: steps and epochs done, steps in all, and the loss of each validation so far."""

    step: int
    total_steps: int
    epoch: int
    validations: Sequence[float]


@dataclass(frozen=True)
class Schedule:
    """A scale on the learning rate, after a linear warm-up from 0 over `warmup_steps`."""

    warmup_steps: Count = 0

    def scale(self, position: Position) -> float:
        """Return the scale for the step that comes next."""
        if position.step < self.warmup_steps:
            return (position.step + 1) / (self.warmup_steps + 1)
        return self.after_warmup(position)

    def after_warmup(self, position: Position) -> float:  # noqa: ARG002
        """Return the scale beyond the warm-up."""
        return 1.0


@dataclass(frozen=True)
class Constant(Schedule):
    """The same learning rate throughout."""

    name: Literal["constant"] = "constant"


@dataclass(frozen=True)
class StepDecay(Schedule):
    """Multiply by `factor` `every` epochs, from epoch `after` on (char-rnn: 0.97, 1, 10)."""

    name: Literal["step"] = "step"
    factor: Shrink = 0.97
    every: Annotated[int, Gt(0)] = 1
    after: Count = 10

    def after_warmup(self, position: Position) -> float:
        """factor^⌊(epoch - after) / every⌋."""
        return self.factor ** max(0, (position.epoch - self.after) // self.every)


@dataclass(frozen=True)
class Plateau(Schedule):
    """Multiply by `factor` whenever `patience` validations in a row have not improved on the best."""

    name: Literal["plateau"] = "plateau"
    factor: Shrink = 0.5
    patience: Annotated[int, Gt(0)] = 2
    minimum: Fraction = 0.01

    def after_warmup(self, position: Position) -> float:
        """factor^(number of times that patience ran out), no less than `minimum`."""
        best, waited, reductions = math.inf, 0, 0
        for loss in position.validations:
            waited = 0 if loss < best else waited + 1
            best = min(best, loss)
            if waited == self.patience:
                waited, reductions = 0, reductions + 1
        return max(self.minimum, self.factor**reductions)


@dataclass(frozen=True)
class Cosine(Schedule):
    """Fall along half a cosine from 1 to `minimum` at the end (Loshchilov & Hutter 2017, without restarts)."""

    name: Literal["cosine"] = "cosine"
    minimum: Fraction = 0.0

    def after_warmup(self, position: Position) -> float:
        """minimum + (1 - minimum) (1 + cos πx) / 2 at the share x of the steps after the warm-up."""
        steps = max(1, position.total_steps - self.warmup_steps)
        share = min(1.0, (position.step - self.warmup_steps) / steps)
        return self.minimum + (1 - self.minimum) * (1 + math.cos(math.pi * share)) / 2


AnySchedule = Constant | StepDecay | Plateau | Cosine

SCHEDULES: dict[str, type[AnySchedule]] = {schedule.name: schedule for schedule in get_args(AnySchedule)}
