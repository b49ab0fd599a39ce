"""RMSprop."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from rnncli.nn.parameter import Array
from rnncli.training.optimizers.settings import Decay, NonNegative, Positive, chunks


@dataclass(frozen=True)
class RMSprop:
    """RMSprop (Tieleman & Hinton 2012): s ← α s + (1 - α) g²; v ← μ v + g / (√s + ε); W ← W - η v."""

    name: Literal["rmsprop"] = "rmsprop"
    learning_rate: Positive = 0.002
    alpha: Decay = 0.99
    momentum: Decay = 0.0
    epsilon: Positive = 1e-8
    weight_decay: NonNegative = 0.0

    slots: ClassVar[tuple[str, ...]] = ("mean_square", "velocity")

    def step(self, values: Array, grads: Array, slots: dict[str, Array], learning_rate: float, t: int) -> None:  # noqa: ARG002
        """Update the flat `values` in place; the gradients are used up."""
        for part in chunks(values.size):
            w, g, s, v = values[part], grads[part], slots["mean_square"][part], slots["velocity"][part]
            if self.weight_decay:
                g += self.weight_decay * w
            s *= self.alpha
            s += (1 - self.alpha) * (g * g)
            scale = np.sqrt(s)
            scale += self.epsilon
            g /= scale
            if self.momentum:
                v *= self.momentum
                v += g
                g = v
            w -= np.multiply(g, learning_rate, dtype=g.dtype)
