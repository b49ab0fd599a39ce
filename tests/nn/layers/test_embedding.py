import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.nn.layers.embedding import Embedding, add_rows

V, D = 7, 3


@settings(max_examples=40)
@given(ids=st.lists(st.integers(0, V - 1), max_size=30), dtype=st.sampled_from([np.uint8, np.uint16, np.int64]))
def test_add_rows_equals_add_at(ids, dtype):
    rng = np.random.default_rng(1)
    ids, rows = np.array(ids, dtype), rng.standard_normal((len(ids), D))
    table = rng.standard_normal((V, D))
    expected = table.copy()
    np.add.at(expected, ids, rows)
    add_rows(table, ids, rows)
    np.testing.assert_allclose(table, expected, rtol=1e-13, atol=1e-13)


def test_add_rows_writes_through_a_transposed_view():
    grad = np.zeros((D, V))
    add_rows(grad.T, np.array([2, 5, 2]), np.array([[1.0, 2, 3], [4, 5, 6], [10, 20, 30]]))
    np.testing.assert_array_equal(grad[:, [2, 5]], [[11, 4], [22, 5], [33, 6]])
    assert np.count_nonzero(grad) == 6


@pytest.fixture
def embedding():
    return Embedding(V, D, rng=np.random.default_rng(1), dtype=np.float64)


def test_forward_looks_up_rows_feature_major(embedding):
    ids = np.array([[0, 3], [6, 3]])
    x, _ = embedding.forward(ids)
    table = embedding.weight.value
    np.testing.assert_array_equal(x[0], table[[0, 3]].T)
    np.testing.assert_array_equal(x[1], table[[6, 3]].T)
    assert x.flags.c_contiguous


def test_lookup_equals_the_one_hot_product_forward_and_backward(embedding):
    rng = np.random.default_rng(2)
    ids = rng.integers(V, size=(4, 5))
    x, cache = embedding.forward(ids)
    one_hot = np.eye(V)[ids]  # (T, B, V)
    np.testing.assert_allclose(x, (one_hot @ embedding.weight.value).transpose(0, 2, 1), rtol=1e-14)
    d_x = rng.standard_normal(x.shape)
    embedding.backward(d_x, cache)
    embedding.backward(d_x, cache)  # gradients add up
    expected = 2 * np.einsum("tbv,tdb->vd", one_hot, d_x)
    np.testing.assert_allclose(embedding.weight.grad, expected, rtol=1e-13, atol=1e-13)


def test_the_deviation_is_that_of_the_table():
    table = Embedding(200, 100, rng=np.random.default_rng(1), dtype=np.float32, deviation=0.1).weight.value
    assert table.dtype == np.float32
    assert table.std() == pytest.approx(0.1, rel=0.02)
