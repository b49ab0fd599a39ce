"""Named generators from one seed.

Each is a pure function of (seed, purpose, position), so that a resumed run draws what the unbroken one would have
drawn, and a checkpoint holds no generator state.
"""

import zlib

import numpy as np


def generator(random_seed: int, purpose: str, *position: int) -> np.random.Generator:
    """Return the generator for that purpose ("initialization", "shuffling", "dropout", …) at that position."""
    key = (zlib.crc32(purpose.encode()), *position)
    return np.random.default_rng(np.random.SeedSequence(random_seed, spawn_key=key))
