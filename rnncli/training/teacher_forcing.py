"""Teacher forcing: how many of the inputs of training are the true tokens, and which; the others are the model's own.

T time steps, B sequences.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rnncli.errors import SettingError
from rnncli.nn.parameter import Array
from rnncli.training.schedules import Fraction
from rnncli.training.trainer import TrainingSpec

SMALLEST = 0.01
"""k^i at the end of an exponential decay, before it is stretched to end at 0."""
STEEP = 6.0
"""The inverse sigmoid is taken from -6 to 6, where it is 0.998 and 0.002."""


@dataclass(frozen=True)
class TeacherForcing:
    """With which probability an input is the true token, and not what the model itself says (Bengio et al. 2015).

    At the share x of a run's steps, 0 at the first and 1 at the last, it is end + (start - end) g(x):
    - `constant`: `start` throughout;
    - `linear`: g = 1 - x;
    - `exponential`: g = (k^x - k) / (1 - k), k = 0.01;
    - `inverse_sigmoid`: g = (s(x) - s(1)) / (s(0) - s(1)), s(x) = 1 / (1 + exp(12 x - 6)).
    In `sampled` mode each token is drawn for itself, in `mixed` mode all those of a sequence together. It is a pure
    function of the step, so that resuming needs no state of it. Raises ValueError for an `end` that is never come to.
    """

    schedule: Literal["constant", "linear", "exponential", "inverse_sigmoid"] = "constant"
    start: Fraction = 1.0
    end: Fraction = 0.0
    mode: Literal["sampled", "mixed"] = "sampled"

    def __post_init__(self) -> None:
        """Refuse an end that is never come to."""
        if self.schedule == "constant" and self.end:
            raise SettingError(
                "end is where the other schedules go: constant stays at start, so leave end out", key="end"
            )

    @property
    def always(self) -> bool:
        """Whether every input is the true one, and there is nothing to draw."""
        return self.start == 1 and (self.schedule == "constant" or self.end == 1)

    def probability(self, step: int, total_steps: int) -> float:
        """Return that of a true input in the step that comes after so many, of so many in all."""
        x = min(1.0, step / max(1, total_steps - 1))
        left = self._left(x)
        return self.start * left + self.end * (1 - left)  # exact where left is 0 or 1

    def _left(self, x: float) -> float:
        """g(x)."""
        match self.schedule:
            case "constant":
                return 1.0
            case "linear":
                return 1 - x
            case "exponential":
                return _stretched(SMALLEST**x, 1.0, SMALLEST)
            case "inverse_sigmoid":
                return _stretched(*(1 / (1 + math.exp(STEEP * (2 * at - 1))) for at in (x, 0.0, 1.0)))

    def forced(self, shape: tuple[int, int], probability: float, rng: np.random.Generator) -> Array:
        """Draw which inputs (T, B) are the true ones; those of the first step, with which all begins, always are."""
        drawn = rng.random(shape if self.mode == "sampled" else shape[1:]) < probability
        forced: Array = np.broadcast_to(drawn, shape).copy()
        forced[:1] = True
        return forced


@dataclass(frozen=True)
class FedTrainingSpec(TrainingSpec):
    """How a model is trained that reads its own outputs where it is used."""

    teacher_forcing: TeacherForcing = TeacherForcing()


def _stretched(value: float, first: float, last: float) -> float:
    """Return where a value is on the way from `last`, which is 0, to `first`, which is 1."""
    return (value - last) / (first - last)
