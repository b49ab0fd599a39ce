"""The readouts by name: one vector for a sequence, from the outputs at all of its steps."""

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from rnncli.nn.layers.readouts.attention import Attention
from rnncli.nn.layers.readouts.last import Last
from rnncli.nn.layers.readouts.maximum import Maximum
from rnncli.nn.layers.readouts.mean import Mean
from rnncli.nn.protocols import Readout

ReadoutName = Literal["last", "mean", "max", "attention"]
Build: TypeAlias = Callable[[int, bool, np.random.Generator | None, DTypeLike], Readout]

READOUTS: dict[ReadoutName, Build] = {
    "last": lambda features, bidirectional, _rng, _dtype: Last(features // 2 if bidirectional else 0),
    "mean": lambda *_: Mean(),
    "max": lambda *_: Maximum(),
    "attention": lambda features, _bidirectional, rng, dtype: Attention(features, features, rng=rng, dtype=dtype),
}
"""Each makes the readout of outputs (F, T, B): given F, whether the lower half of the rows runs backward in time, the
generator that draws its weights (None: zeros) and their dtype. Attention compares steps in F dimensions."""

__all__ = ["READOUTS", "Attention", "Last", "Maximum", "Mean", "ReadoutName"]
