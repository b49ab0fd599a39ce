import os
import subprocess
import sys

import numpy as np
import pytest

from rnncli.nn import products
from rnncli.nn.products import StepProduct, block_shape

CUT = [  # M, K, B
    (32, 1, 4),
    (33, 7, 4),
    (64, 300, 64),
    (130, 301, 64),
    (300, 1201, 64),
    (1200, 300, 50),
    (96, 1201, 50),
    (200, 128, 128),
    (200, 129, 128),
    (20, 2500, 64),
    (24, 2501, 64),
]
WHOLE = [(31, 9, 16), (512, 100, 3), (512, 100, 129), (512, 100, 1), (40, 8, 0)]


def check(a, product, B, dtype):
    K = a.shape[1]
    rng = np.random.default_rng(2)
    for _ in range(3):
        x = rng.standard_normal((K, B)).astype(dtype)
        before = a.copy(), x.copy()
        y = product(x)
        assert y is product.y  # in the same memory every time
        assert y.dtype == dtype
        np.testing.assert_allclose(y, a @ x, rtol=0, atol=2 * K * np.finfo(dtype).eps)
        np.testing.assert_array_equal(a, before[0])
        np.testing.assert_array_equal(x, before[1])


def test_every_way_of_cutting_is_among_these_sizes():
    """Blocks of either height, one part and several, and both with columns or rows left over and without."""
    ways = set()
    for M, K, B in CUT:
        rows, parts = block_shape(K, B)
        ways.add((rows, parts > 1, K % parts > 0, M % rows > 0))
    assert {way[:2] for way in ways} == {(8, False), (8, True), (32, False), (32, True)}
    assert {way[1:3] for way in ways} == {(False, False), (True, False), (True, True)}
    assert {way[3] for way in ways} == {False, True}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(("M", "K", "B"), CUT)
def test_a_product_in_blocks_is_the_product(M, K, B, transposed, dtype, monkeypatch):
    monkeypatch.setattr(products, "SMALL_KERNELS", True)
    rng = np.random.default_rng(1)
    a = (rng.standard_normal((K, M)).T if transposed else rng.standard_normal((M, K))).astype(dtype)
    product = StepProduct(a, B)
    parts, blocks, rows, columns = product._blocks.shape
    assert (rows, parts) == block_shape(K, B)
    assert (blocks - 1) * rows < M <= blocks * rows
    assert columns == -(-K // parts)
    assert not np.shares_memory(product._blocks, a)
    check(a, product, B, dtype)
    a[:] = 0  # the blocks are a copy: an optimizer's step changes no product that is under way
    assert product(np.ones((K, B), dtype)).any()


@pytest.mark.parametrize(
    ("small_kernels", "M", "K", "B"), [(True, *sizes) for sizes in WHOLE] + [(False, *sizes) for sizes in CUT]
)
def test_elsewhere_it_is_one_product(small_kernels, M, K, B, monkeypatch):
    monkeypatch.setattr(products, "SMALL_KERNELS", small_kernels)
    a = np.random.default_rng(1).standard_normal((M, K))
    product = StepProduct(a, B)
    assert product._blocks.shape == (1, 1, M, K)
    check(a, product, B, np.float64)


def test_padded_columns_take_no_part_whatever_their_memory_held_before(monkeypatch):
    """Memory that is used again may hold anything, NaN included."""
    monkeypatch.setattr(products, "SMALL_KERNELS", True)

    def filled(shape, dtype):
        return np.full(shape, np.nan, dtype)

    monkeypatch.setattr(products, "empty", filled)
    rng = np.random.default_rng(1)
    a, x = rng.standard_normal((300, 301)), rng.standard_normal((301, 50))
    assert block_shape(301, 50)[1] == 2  # parts of 151 columns
    np.testing.assert_allclose(StepProduct(a, 50)(x), a @ x, rtol=1e-11, atol=1e-12)


def test_several_products_do_not_share_memory():
    a, x = np.random.default_rng(1).standard_normal((2, 64, 64))
    one, other = StepProduct(a, 64), StepProduct(a, 64)
    y = one(x).copy()
    other(-x)
    np.testing.assert_array_equal(one.y, y)


def test_blocks_are_for_one_thread_only():
    """With several, OpenBLAS never takes its kernels for small matrices."""
    code = "from rnncli.nn.products import SMALL_KERNELS; print(SMALL_KERNELS)"
    for threads in ("2", "", None):
        environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
        environment |= {} if threads is None else {"OPENBLAS_NUM_THREADS": threads}
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        assert run.stdout == "False\n"
