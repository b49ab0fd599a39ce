"""aⁿbⁿ: counting without limit."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnncli.data.synthetic.language import Language
from rnncli.data.synthetic.synthetic_set import LONGEST, Split


@dataclass(frozen=True)
class AnBn(Language):
    """The strings aⁿbⁿ: once the first b has come, all the rest is known.

    n is uniform from 1 to N = max_length / 2 in training, from N + 1 to 2 N in the test. Source: Gers & Schmidhuber
    (2001).
    """

    train: int = 2_000
    validation: int = 200
    test: int = 200
    max_length: int = 40

    name: ClassVar[str] = "anbn"
    title: ClassVar[str] = "strings aaabbb: as many b as a"
    chance: ClassVar[str] = "1 of 3 symbols legal after the first b"
    source: ClassVar[str] = "Gers & Schmidhuber 2001"
    bounds: ClassVar[dict[str, tuple[int, int]]] = {"max_length": (2, LONGEST)}

    def longest(self, split: Split) -> int:
        """2 N; of the test 4 N."""
        return self.max_length // 2 * (4 if split == "test" else 2)

    def strings(self, split: Split, size: int, rng: np.random.Generator) -> Iterable[str]:
        """Draw n for each."""
        N = self.max_length // 2
        first, last = (N + 1, 2 * N) if split == "test" else (1, N)
        return ["a" * n + "b" * n for n in rng.integers(first, last + 1, size).tolist()]

    @staticmethod
    def legal(line: str) -> int:
        """Every a that no b precedes, as many b, and then the end."""
        n = len(line) - len(line.lstrip("a"))
        b = len(line) - n - len(line[n:].lstrip("b"))
        ends = n == b > 0 and len(line) == 2 * n
        return n + min(n, b) + ends
