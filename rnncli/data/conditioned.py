"""Sequences of token ids with labels that a model is conditioned on. S sequences, n conditions, C values in all."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rnncli.data.sequences import Sequences


@dataclass(frozen=True, eq=False)
class ConditionedSequences(Sequences):
    """Sequences each of which has one value of every condition."""

    values: npt.NDArray[np.integer[Any]]
    """The number of each sequence's value of each condition among the values of them all, (n, S)."""
    condition_size: int
    """C."""

    def condition(self, numbers: npt.NDArray[np.integer[Any]]) -> npt.NDArray[Any]:
        """Return the values of those with these numbers (B,), one-hot, one condition under the other: (C, B)."""
        return one_hot(self.values[:, numbers], self.condition_size)


def one_hot(values: npt.NDArray[np.integer[Any]], size: int) -> npt.NDArray[Any]:
    """Return a column (C,) for each column of values (n, B), 1 at each of them and 0 elsewhere."""
    columns = np.zeros((size, values.shape[1]), np.float32)
    columns[values, np.arange(values.shape[1])] = 1
    return columns
