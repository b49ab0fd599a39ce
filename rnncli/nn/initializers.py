"""How weights begin: PyTorch's defaults, so that runs of the same size compare."""

import numpy as np
from numpy.typing import DTypeLike

from rnncli.nn.parameter import Parameter


def uniform(rng: np.random.Generator, shape: tuple[int, ...], fan: int, dtype: DTypeLike) -> Parameter:
    """Draw from U(-1/√fan, 1/√fan)."""
    bound = fan**-0.5
    return Parameter(rng.uniform(-bound, bound, shape).astype(dtype))


def normal(rng: np.random.Generator, shape: tuple[int, ...], deviation: float, dtype: DTypeLike) -> Parameter:
    """Draw from N(0, deviation²)."""
    return Parameter((deviation * rng.standard_normal(shape)).astype(dtype))
