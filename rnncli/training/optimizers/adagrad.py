"""Adagrad."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from rnncli.nn.parameter import Array
from rnncli.training.optimizers.settings import NonNegative, Positive, chunks


@dataclass(frozen=True)
class Adagrad:
    """Adagrad (Duchi et al. 2011): s ← s + g²; W ← W - η g / (√s + ε)."""

    name: Literal["adagrad"] = "adagrad"
    learning_rate: Positive = 0.05
    epsilon: Positive = 1e-10
    weight_decay: NonNegative = 0.0

    slots: ClassVar[tuple[str, ...]] = ("sum_of_squares",)

    def step(self, values: Array, grads: Array, slots: dict[str, Array], learning_rate: float, t: int) -> None:  # noqa: ARG002
        """Update the flat `values` in place; the gradients are used up."""
        for part in chunks(values.size):
            w, g, s = values[part], grads[part], slots["sum_of_squares"][part]
            if self.weight_decay:
                g += self.weight_decay * w
            s += g * g
            scale = np.sqrt(s)
            scale += self.epsilon
            np.divide(g, scale, out=scale)
            scale *= learning_rate
            w -= scale
