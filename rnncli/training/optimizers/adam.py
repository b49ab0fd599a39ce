"""Adam, and AdamW with its decoupled weight decay."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from rnncli.nn.parameter import Array
from rnncli.training.optimizers.settings import Decay, NonNegative, Positive, chunks


@dataclass(frozen=True)
class AdamFamily:
    """The moments and the step that Adam and AdamW share.

    m ← β₁ m + (1 - β₁) g;  s ← β₂ s + (1 - β₂) g²;  W ← W - η (m / (1 - β₁ᵗ)) / (√(s / (1 - β₂ᵗ)) + ε)
    """

    learning_rate: Positive = 0.002
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    epsilon: Positive = 1e-8
    weight_decay: NonNegative = 0.0

    slots: ClassVar[tuple[str, ...]] = ("mean", "mean_square")
    decoupled: ClassVar[bool] = False

    def step(self, values: Array, grads: Array, slots: dict[str, Array], learning_rate: float, t: int) -> None:
        """Update the flat `values` in place, t = 1, 2, …; the gradients are used up."""
        rate = learning_rate / (1 - self.beta1**t)
        correction = (1 - self.beta2**t) ** -0.5
        for part in chunks(values.size):
            w, g, m, s = values[part], grads[part], slots["mean"][part], slots["mean_square"][part]
            if self.weight_decay and self.decoupled:
                w *= 1 - learning_rate * self.weight_decay
            elif self.weight_decay:
                g += self.weight_decay * w
            m *= self.beta1
            m += (1 - self.beta1) * g
            g *= g
            g *= 1 - self.beta2
            s *= self.beta2
            s += g
            np.sqrt(s, out=g)
            g *= correction
            g += self.epsilon
            np.divide(m, g, out=g)
            g *= rate
            w -= g


@dataclass(frozen=True)
class Adam(AdamFamily):
    """Adam (Kingma & Ba 2015); weight decay, if any, is added to the gradient."""

    name: Literal["adam"] = "adam"


@dataclass(frozen=True)
class AdamW(AdamFamily):
    """AdamW (Loshchilov & Hutter 2019): Adam, with weights decayed directly: W ← (1 - η λ) W."""

    name: Literal["adamw"] = "adamw"
    weight_decay: NonNegative = 0.01

    decoupled: ClassVar[bool] = True
