"""What a training run reports as it goes. Saving, logging and drawing are consumers of these."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rnncli.nn.protocols import Loss

Counted = Literal["tokens", "sequences"]
"""What the size of a batch is counted in; of several labels or values a sequence the loss counts each."""


@dataclass(frozen=True)
class Evaluation:
    """What a model is worth on data that it does not learn from: its loss, and the task's metrics by name."""

    loss: Loss
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class StepDone:
    """One update of the weights."""

    step: int  # updates so far, this one included
    total_steps: int
    epoch: float  # passes over the data so far, with the part of the current one
    loss: Loss  # of this batch, before the update
    gradient_norm: float  # before clipping
    learning_rate: float
    sequences: int | None = None  # of this batch, where these are counted; None: the tokens that the loss counts

    @property
    def size(self) -> tuple[int, Counted]:
        """The size of this batch, and what it is counted in."""
        return (self.loss.count, "tokens") if self.sequences is None else (self.sequences, "sequences")


@dataclass(frozen=True)
class Validated:
    """The loss on the validation split; without one, the training loss since the last such report."""

    step: int
    epoch: float
    loss: Loss
    best: bool  # lower than every one before
    split: Literal["validation", "train"] = "validation"
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Finished:
    """The run has ended by itself."""

    step: int
    reason: str


Event = StepDone | Validated | Finished
