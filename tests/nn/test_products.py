import os
import subprocess
import sys

import numpy as np
import pytest

from rnncli.nn import products
from rnncli.nn.products import StepProduct

SHAPES = [  # M, K, B, and how A is cut: parts, blocks, rows, columns
    (32, 1, 4, (1, 1, 32, 1)),
    (33, 7, 4, (1, 2, 32, 7)),
    (64, 300, 64, (2, 2, 32, 150)),
    (130, 301, 64, (2, 5, 32, 151)),
    (300, 1201, 64, (5, 10, 32, 241)),
    (200, 128, 128, (1, 7, 32, 128)),
    (200, 129, 128, (2, 7, 32, 65)),
    (1200, 300, 50, (1, 38, 32, 300)),
]
WHOLE = [(31, 9, 16), (512, 100, 3), (512, 100, 129), (512, 100, 1), (40, 8, 0)]


def check(a, product, B, dtype):
    M, K = a.shape
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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(("M", "K", "B", "cut"), SHAPES)
def test_a_product_in_blocks_is_the_product(M, K, B, cut, transposed, dtype, monkeypatch):
    monkeypatch.setattr(products, "SMALL_KERNELS", True)
    rng = np.random.default_rng(1)
    a = (rng.standard_normal((K, M)).T if transposed else rng.standard_normal((M, K))).astype(dtype)
    product = StepProduct(a, B)
    assert product._blocks.shape == cut
    check(a, product, B, dtype)
    a[:] = 0  # the blocks are a copy: an optimizer's step changes no product that is under way
    assert product(np.ones((K, B), dtype)).any()


@pytest.mark.parametrize(
    ("small_kernels", "M", "K", "B"), [(True, *sizes) for sizes in WHOLE] + [(False, *shape[:3]) for shape in SHAPES]
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
    a, x = rng.standard_normal((300, 301)), rng.standard_normal((301, 64))
    np.testing.assert_allclose(StepProduct(a, 64)(x), a @ x, rtol=1e-11, atol=1e-12)


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
