"""Reversal: the same symbols from the last to the first."""

from dataclasses import dataclass
from string import ascii_lowercase
from typing import ClassVar

import numpy as np

from rnncli.data.synthetic.pair_set import PairSet
from rnncli.data.synthetic.synthetic_set import LONGEST, Split


@dataclass(frozen=True)
class Reversal(PairSet):
    """Strings of `length` letters, each as likely as any other, to the same letters from the last to the first.

    A decoder without attention has to hold all of them in its state; with attention each step looks at one. Source:
    as a task for attention and memory, Grefenstette et al. (2015).
    """

    length: int = 20

    name: ClassVar[str] = "reversal"
    title: ClassVar[str] = "letters, then the same from the end: abc to cba"
    chance: ClassVar[str] = "exact match 0 %, 1 of 26 letters right"
    source: ClassVar[str] = "Grefenstette et al. 2015"
    bounds: ClassVar[dict[str, tuple[int, int]]] = {"length": (2, LONGEST)}

    def longest(self, split: Split) -> int:  # noqa: ARG002
        """The length."""
        return self.length

    def pair(self, rng: np.random.Generator) -> tuple[str, str]:
        """Draw the letters."""
        letters = "".join(ascii_lowercase[k] for k in rng.integers(0, len(ascii_lowercase), self.length).tolist())
        return letters, letters[::-1]
