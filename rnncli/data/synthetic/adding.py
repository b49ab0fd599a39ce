"""Adding: the sum of two marked values."""

import io
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnncli.data.synthetic.synthetic_set import LONGEST, Split, SyntheticSet


@dataclass(frozen=True)
class Adding(SyntheticSet):
    """T = length steps of a value from U(0, 1) and a marker, 1 at two steps and 0 elsewhere: the target is the sum.

    One marked step lies in each half. The file holds x (2, N), all steps one after the other, the lengths (S,) and the
    targets y (S,). The test has 1 to 2 times T steps. Source: Hochreiter & Schmidhuber (1997), task 4; values and
    target as in Le et al. (2015).
    """

    length: int = 100

    name: ClassVar[str] = "adding"
    title: ClassVar[str] = "the sum of two marked numbers far apart among others"
    task: ClassVar[str] = "regression"
    chance: ClassVar[str] = "mean squared error 1/6 (always 1)"
    source: ClassVar[str] = "Hochreiter & Schmidhuber 1997, task 4; Le et al. 2015"
    suffixes: ClassVar[tuple[str, ...]] = ("npz",)
    bounds: ClassVar[dict[str, tuple[int, int]]] = {"length": (2, LONGEST)}

    def longest(self, split: Split) -> int:
        """T."""
        return self.length * (2 if split == "test" else 1)

    def content(self, split: Split, rng: np.random.Generator) -> bytes:
        """Draw all values at once, then the marked steps of each sequence."""
        size = getattr(self, split)
        lengths = rng.integers(self.length, self.longest(split) + 1, size)
        ends = np.cumsum(lengths)
        x = np.zeros((int(ends[-1]), 2), np.float32)
        x[:, 0] = rng.random(len(x), np.float32)
        marked = ends - lengths + np.array([rng.integers(0, lengths // 2), rng.integers(lengths // 2, lengths)])
        x[marked, 1] = 1
        file = io.BytesIO()
        np.savez(file, x=x, lengths=lengths, y=x[marked, 0].sum(axis=0))
        return file.getvalue()
