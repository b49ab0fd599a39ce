"""Temporal order: which of two symbols came first?"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnncli.data.synthetic.synthetic_set import LONGEST, Split, SyntheticSet, balanced, text_table

LABELS = {"XX": "Q", "XY": "R", "YX": "S", "YY": "U"}


@dataclass(frozen=True)
class TemporalOrder(SyntheticSet):
    """X or Y at two places among distractors a to d, between E and B: the label is their order.

    T = length: T to 1.1 T symbols, the first X or Y after 0.1 T to 0.2 T of them, the second after 0.5 T to 0.6 T;
    the test has 2 T for T. Source: Hochreiter & Schmidhuber (1997), task 6a.
    """

    length: int = 100

    name: ClassVar[str] = "temporal_order"
    title: ClassVar[str] = "X and Y far apart among distractors: in which order?"
    task: ClassVar[str] = "classification"
    chance: ClassVar[str] = "accuracy 25 %"
    source: ClassVar[str] = "Hochreiter & Schmidhuber 1997, task 6a"
    bounds: ClassVar[dict[str, tuple[int, int]]] = {"length": (10, LONGEST)}

    def longest(self, split: Split) -> int:
        """1.1 T."""
        return self._length(split) * 11 // 10

    def content(self, split: Split, rng: np.random.Generator) -> bytes:
        """Draw distractors, and put the two symbols of each class among them."""
        T, rows = self._length(split), []
        for number in balanced(len(LABELS), getattr(self, split), rng):
            order, label = list(LABELS.items())[number]
            symbols = np.array(list("abcd"))[rng.integers(0, 4, rng.integers(T, self.longest(split) + 1))]
            symbols[0], symbols[-1] = "E", "B"
            for symbol, first, last in zip(order, (T // 10, T // 2), (T // 5, T * 6 // 10), strict=True):
                symbols[rng.integers(first, last + 1)] = symbol
            rows.append(("".join(symbols), label))
        return text_table(rows)

    def _length(self, split: Split) -> int:
        return self.length * (2 if split == "test" else 1)
