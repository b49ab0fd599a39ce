"""Memory for the blocks of a training step, used again as soon as nobody looks at them.

A step asks for the same few megabytes as the step before. Fresh ones cost a page fault for every 4 KiB, a sixth of the
time of a small model's step; these are taken from the last step's, aligned to cache lines.
"""

import threading
from math import prod
from sys import getrefcount

import numpy as np
from numpy.typing import DTypeLike

from rnncli.nn.parameter import Array

CACHE_LINE = 64  # bytes; blocks that begin on one are read and written at up to twice the speed
SAME_SET = 4096  # bytes; what is a multiple of it apart falls into the same few sets of a cache
STAGGER = 5 * CACHE_LINE  # how much further into its first page each buffer begins than the one before


class _Pool(threading.local):
    """The buffers of one thread, by capacity: (owner, offset at which its arrays begin)."""

    def __init__(self) -> None:
        self.buffers: dict[int, list[tuple[Array, int]]] = {}


_POOL = _Pool()


def empty(shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Return an array of unset values, as `np.empty`.

    Every view of an array holds a reference to the buffer behind it, so a buffer that only the pool refers to is free:
    no array that anyone still has is ever handed out again.
    """
    size = prod(shape) * np.dtype(dtype).itemsize
    capacity = 1 << max(size - 1, 0).bit_length()  # lengths of ragged batches then share buffers
    buffers = _POOL.buffers.setdefault(capacity, [])
    for index in range(len(buffers)):
        if getrefcount(buffers[index][0]) == 2:  # the pool's and this call's
            break
    else:
        index = len(buffers)
        owner = np.empty(capacity + SAME_SET, np.uint8)
        number = sum(map(len, _POOL.buffers.values()))
        buffers.append((owner, (number * STAGGER - owner.ctypes.data) % SAME_SET))
    owner, start = buffers[index]
    return owner[start : start + size].view(dtype).reshape(shape)


def empty_like(a: Array) -> Array:
    """Return an array of unset values in the shape and dtype of another."""
    return empty(a.shape, a.dtype)


def empty_sequence(features: int, steps: int, batch: int, dtype: DTypeLike) -> Array:
    """Return a (F, T, B) array whose (F, T·B) form is a view; rows may be further apart than T·B."""
    row = steps * batch
    if row and row * np.dtype(dtype).itemsize % SAME_SET == 0:
        row += CACHE_LINE // np.dtype(dtype).itemsize
    return empty((features, row), dtype)[:, : steps * batch].reshape(features, steps, batch)


def flat(a: Array) -> Array:
    """(F, T, B) → (F, T·B), a view where steps follow each other: one product then takes all time steps."""
    return a.reshape(len(a), -1)
