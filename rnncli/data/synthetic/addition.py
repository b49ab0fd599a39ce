"""Addition: the sum of two numbers, digit by digit."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnncli.data.synthetic.pair_set import PairSet
from rnncli.data.synthetic.synthetic_set import Split


@dataclass(frozen=True)
class Addition(PairSet):
    """Two numbers of up to `length` digits, as a text, to their sum: 123+45 → 168.

    The numbers are uniform from 0 on, so that nine in ten have all the digits. No two numbers of the test are added in
    the training, in either order. Source: as a task for sequence to sequence models, Zaremba & Sutskever (2014).
    """

    train: int = 50_000
    length: int = 3

    name: ClassVar[str] = "addition"
    title: ClassVar[str] = "the sum of two numbers, as text: 123+45 to 168"
    chance: ClassVar[str] = "exact match 0 %, 1 of 10 digits right"
    source: ClassVar[str] = "Zaremba & Sutskever 2014"
    bounds: ClassVar[dict[str, tuple[int, int]]] = {"length": (1, 18)}  # what int64 holds

    def longest(self, split: Split) -> int:  # noqa: ARG002
        """Both numbers and the plus sign."""
        return 2 * self.length + 1

    def pair(self, rng: np.random.Generator) -> tuple[str, str]:
        """Draw the two numbers."""
        a, b = rng.integers(0, 10**self.length, 2).tolist()
        return f"{a}+{b}", str(a + b)

    def key(self, source: str, target: str) -> str:  # noqa: ARG002
        """The two numbers, whatever their order."""
        return "+".join(sorted(source.split("+")))
