"""Stochastic gradient descent."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from rnncli.errors import SettingError
from rnncli.nn.parameter import Array
from rnncli.training.optimizers.settings import Decay, NonNegative, Positive, chunks


@dataclass(frozen=True)
class SGD:
    """W ← W - η ∂L/∂W; with momentum v ← μ v + ∂L/∂W and W ← W - η v, or - η (∂L/∂W + μ v) for Nesterov's form."""

    name: Literal["sgd"] = "sgd"
    learning_rate: Positive = 0.1
    momentum: Decay = 0.0
    nesterov: bool = False
    weight_decay: NonNegative = 0.0

    slots: ClassVar[tuple[str, ...]] = ("velocity",)

    def __post_init__(self) -> None:
        """Refuse Nesterov's form of nothing."""
        if self.nesterov and not self.momentum:
            raise SettingError("nesterov needs a momentum above 0", key="nesterov")

    def step(self, values: Array, grads: Array, slots: dict[str, Array], learning_rate: float, t: int) -> None:  # noqa: ARG002
        """Update the flat `values` in place; the gradients are used up."""
        for part in chunks(values.size):
            w, g, v = values[part], grads[part], slots["velocity"][part]
            if self.weight_decay:
                g += self.weight_decay * w
            if self.momentum:
                v *= self.momentum
                v += g
                g = g + self.momentum * v if self.nesterov else v
            w -= np.multiply(g, learning_rate, dtype=g.dtype)
