"""Parity: is the number of 1s even?"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnncli.data.synthetic.synthetic_set import LONGEST, Split, SyntheticSet, balanced, text_table


@dataclass(frozen=True)
class Parity(SyntheticSet):
    """Strings of 0 and 1, YES if the number of 1s is even: all of the past in one bit.

    Lengths are uniform, from 1 to max_length in training and to 10 times that in the test, and half of the answers
    are YES. Source: Minsky & Papert (1969); as a sequence, Bengio et al. (1994).
    """

    max_length: int = 20

    name: ClassVar[str] = "parity"
    title: ClassVar[str] = "strings of bits: is the number of 1s even?"
    task: ClassVar[str] = "classification"
    chance: ClassVar[str] = "accuracy 50 %"
    source: ClassVar[str] = "Minsky & Papert 1969; Bengio et al. 1994"
    bounds: ClassVar[dict[str, tuple[int, int]]] = {"max_length": (1, LONGEST)}

    def longest(self, split: Split) -> int:
        """max_length; of the test 10 times that."""
        return self.max_length * (10 if split == "test" else 1)

    def content(self, split: Split, rng: np.random.Generator) -> bytes:
        """Draw bits, and flip the last where the answer is another: so all strings of a length are as likely."""
        rows = []
        for odd in balanced(2, getattr(self, split), rng):
            bits = rng.integers(0, 2, rng.integers(1, self.longest(split) + 1))
            bits[-1] ^= bits.sum() % 2 != odd
            rows.append(("".join(map(str, bits.tolist())), answer(odd)))
        return text_table(rows)


def answer(ones: int) -> str:
    """Return the label of a string with so many 1s."""
    return "NO" if ones % 2 else "YES"
