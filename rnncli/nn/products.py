"""The matrix product of one time step, repeated at every step with the same weights.

M rows and K columns of weights, B sequences.
"""

import os
from typing import Any

import numpy as np

from rnncli.nn.blocks import empty
from rnncli.nn.parameter import Array

SMALL = 10**6
"""Multiplications up to which a product counts as small."""
LANES = 16
"""Columns that AVX-512 holds in a register."""
BATCHES = range(4, 129)
"""Batch sizes at which blocks were measured to pay."""


def _has_small_kernels() -> bool:
    """Whether BLAS multiplies small matrices as they lie in memory: OpenBLAS does on AVX-512, with one thread."""
    built: Any = np.show_config(mode="dicts") or {}
    blas = built.get("Build Dependencies", {}).get("blas", {}).get("name", "")
    instructions = built.get("SIMD Extensions", {}).get("found", [])
    has_avx512 = not {"X86_V4", "AVX512_SKX"}.isdisjoint(instructions)  # by its name from NumPy 2.4 on, and before
    return "openblas" in blas and has_avx512 and os.environ.get("OPENBLAS_NUM_THREADS") == "1"


SMALL_KERNELS = _has_small_kernels()


class StepProduct:
    """y = A x for one A (M, K) and many x (K, B): each call fills `y` (M, B) anew.

    BLAS packs both matrices at every call, A as well, though it stays the same; but small ones it multiplies as they
    are. Cut into blocks that count as small, stored by columns, the product of a step takes a quarter less time.
    """

    def __init__(self, a: Array, batch_size: int) -> None:
        (M, K), B = a.shape, batch_size
        self._blocks, self._padded = a[None, None], None
        rows, parts = block_shape(K, B)
        if SMALL_KERNELS and B in BATCHES and rows <= M:
            self._blocks = _cut(a, rows, parts)
        parts, blocks, rows, columns = self._blocks.shape
        if parts * columns > K:
            self._padded = np.zeros((parts * columns, B), a.dtype)
        self._x_shape = parts, 1, columns, B
        self._products = empty((parts, blocks, rows, B), a.dtype)
        self._parts = self._products.reshape(parts, blocks * rows, B)
        self._sum = self._parts[0] if parts == 1 else empty((blocks * rows, B), a.dtype)
        self.y = self._sum[:M]

    def __call__(self, x: Array) -> Array:
        """Return `y`."""
        if self._padded is not None:
            self._padded[: len(x)] = x
            x = self._padded
        np.matmul(self._blocks, x.reshape(self._x_shape), out=self._products)
        if len(self._parts) > 1:
            np.add.reduce(self._parts, axis=0, out=self._sum)
        return self.y


def block_shape(columns: int, batch_size: int) -> tuple[int, int]:
    """Return the rows of a block, and the parts that K columns are cut in: the fastest that were found."""
    if batch_size % LANES:
        return 32, -(-columns // 160)
    if columns <= 320 and 32 * columns * batch_size <= SMALL:
        return 32, 1
    return 8, -(-8 * columns * batch_size // SMALL)


def _cut(a: Array, rows: int, parts: int) -> Array:
    """Cut A (M, K) into parts of its columns and blocks of so many rows, padded: (parts, blocks, rows, columns)."""
    M, K = a.shape
    blocks, columns = -(-M // rows), -(-K // parts)
    if (blocks * rows, columns * parts) != (M, K):
        a = np.pad(a, ((0, blocks * rows - M), (0, columns * parts - K)))
    cut = a.reshape(blocks, rows, parts, columns).transpose(2, 0, 3, 1)
    stored = empty(cut.shape, a.dtype)
    stored[:] = cut
    return stored.swapaxes(2, 3)
