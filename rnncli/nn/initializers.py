"""How weights begin: drawn as PyTorch draws them, so that runs of the same size compare."""

import numpy as np
from numpy.typing import DTypeLike

from rnncli.nn.parameter import Parameter


def uniform(rng: np.random.Generator | None, shape: tuple[int, ...], fan: int, dtype: DTypeLike) -> Parameter:
    """Draw from U(-1/√fan, 1/√fan); without a generator zeros, for weights that are about to be loaded."""
    bound = fan**-0.5
    return Parameter(np.zeros(shape, dtype) if rng is None else rng.uniform(-bound, bound, shape).astype(dtype))


def normal(rng: np.random.Generator | None, shape: tuple[int, ...], deviation: float, dtype: DTypeLike) -> Parameter:
    """Draw from N(0, deviation²); without a generator zeros."""
    return Parameter(np.zeros(shape, dtype) if rng is None else (deviation * rng.standard_normal(shape)).astype(dtype))
