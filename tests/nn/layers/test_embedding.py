import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.nn.layers import Lookup
from rnncli.nn.layers.embedding import FEW, Embedding, add_by_id

V, D = 7, 3


@settings(max_examples=60, deadline=None)
@given(
    ids=st.lists(st.lists(st.integers(0, V - 1), min_size=3, max_size=3), max_size=10),
    dtype=st.sampled_from([np.uint8, np.uint16, np.int64]),
    tokens=st.sampled_from([V, FEW, FEW + 1, 1000]),
    highest=st.booleans(),
)
def test_add_by_id_equals_add_at(ids, dtype, tokens, highest):
    rng = np.random.default_rng(1)
    ids = np.array(ids, dtype).reshape(-1, 3)
    if highest:
        ids += min(tokens - 1, np.iinfo(dtype).max) - (V - 1)
    d, sums = rng.standard_normal((D, *ids.shape)), rng.standard_normal((D, tokens))
    expected = sums.copy()
    np.add.at(expected.T, ids, d.transpose(1, 2, 0))
    add_by_id(sums, d, ids)
    np.testing.assert_allclose(sums, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("tokens", [V, FEW + 1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_add_by_id_writes_through_a_transposed_view_and_reads_a_cut_one(tokens, dtype):
    table = np.zeros((tokens, D), dtype)
    d = np.zeros((D, 3, 3), dtype)  # steps 1 and 2 of 3
    d[:, 1:] = np.arange(D * 6).reshape(D, 2, 3)
    add_by_id(table.T, d[:, 1:], np.array([[2, 5, 2], [5, 6, 2]]))
    np.testing.assert_array_equal(
        table[[2, 5, 6]], [[0 + 2 + 5, 19 + 6, 31 + 12], [1 + 3, 7 + 9, 13 + 15], [4, 10, 16]]
    )
    assert np.count_nonzero(table) == 9


@pytest.fixture
def embedding():
    return Embedding(V, D, rng=np.random.default_rng(1), dtype=np.float64)


def test_forward_looks_up_rows_feature_major(embedding):
    ids = np.array([[0, 3], [6, 3]])
    x = embedding.forward(ids)
    table = embedding.weight.value
    np.testing.assert_array_equal(x[:, 0], table[[0, 3]].T)
    np.testing.assert_array_equal(x[:, 1], table[[6, 3]].T)
    assert x[0].flags.c_contiguous


def test_vectors_equal_the_one_hot_product_forward_and_backward(embedding):
    rng = np.random.default_rng(2)
    ids = rng.integers(V, size=(4, 2))
    x = embedding.forward(ids)
    one_hot = np.eye(V)[ids]  # (T, B, V)
    np.testing.assert_allclose(x, (one_hot @ embedding.weight.value).transpose(2, 0, 1), rtol=1e-14)
    d_x = rng.standard_normal(x.shape)
    embedding.backward(d_x, ids)
    embedding.backward(d_x, ids)  # gradients add up
    expected = 2 * np.einsum("tbv,dtb->vd", one_hot, d_x)
    np.testing.assert_allclose(embedding.weight.grad, expected, rtol=1e-13, atol=1e-13)


def test_a_lookup_is_of_the_table_itself_and_its_gradients_add_up(embedding):
    ids = np.random.default_rng(2).integers(V, size=(4, 50))
    lookup = embedding.forward(ids)
    assert isinstance(lookup, Lookup)
    assert lookup.ids is ids
    assert lookup.vectors is embedding.weight.value
    d_vectors = np.random.default_rng(3).standard_normal((V, D))
    embedding.backward(d_vectors, ids)
    embedding.backward(d_vectors, ids)
    np.testing.assert_array_equal(embedding.weight.grad, 2 * d_vectors)


@pytest.mark.parametrize("tokens", [1, 2, 5, FEW - 1, FEW, FEW + 1, 1000])
@pytest.mark.parametrize("size", [1, 2, 64, 500])
def test_forward_looks_up_exactly_where_that_spares_multiplications(tokens, size):
    """Counted for one unit of the layer above, forward and backward, the sum by a one-hot product included."""
    embedding = Embedding(tokens, size, rng=None, dtype=np.float32)
    for positions in (1, 3, 10, 63, 64, 65, 130, 400, 3000):
        by_vectors = 3 * positions * size  # y = W x, ∂W = ∂y xᵀ, ∂x = Wᵀ ∂y
        by_lookup = 3 * tokens * size + positions * tokens  # the same with the table for x, and Σ ∂y by token
        expected = by_lookup < by_vectors and tokens <= FEW
        found = isinstance(embedding.forward(np.zeros((positions, 1), int)), Lookup)
        assert found == expected, positions


def test_the_deviation_is_that_of_the_table():
    table = Embedding(200, 100, rng=np.random.default_rng(1), dtype=np.float32, deviation=0.1).weight.value
    assert table.dtype == np.float32
    assert table.std() == pytest.approx(0.1, rel=0.02)


@pytest.fixture
def partly_frozen():
    embedding = Embedding(V, D, rng=np.random.default_rng(1), dtype=np.float64, learned=np.array([0, 3, 4]))
    embedding.put(np.arange(V), np.arange(V * D).reshape(V, D) / 2)
    return embedding


def test_some_rows_are_frozen(partly_frozen):
    named = partly_frozen.parameters()
    assert {name: parameter.frozen for name, parameter in named.items()} == {"weight": False, "frozen": True}
    np.testing.assert_array_equal(named["weight"].value, np.array([[0, 1, 2], [9, 10, 11], [12, 13, 14]]) / 2)
    np.testing.assert_array_equal(named["frozen"].value[:, 0], np.array([3, 6, 15, 18]) / 2)
    assert named["frozen"].grad.size == 0
    assert [*Embedding(V, D, rng=None, dtype=np.float32).parameters()] == ["weight"]


@pytest.mark.parametrize("shape", [(2, 2), (4, 50)], ids=["vectors", "lookup"])
def test_a_row_is_looked_up_wherever_it_is(partly_frozen, shape):
    whole = Embedding(V, D, rng=None, dtype=np.float64)
    whole.put(np.arange(V), np.arange(V * D).reshape(V, D) / 2)
    ids = np.random.default_rng(2).integers(V, size=shape)
    x, expected = partly_frozen.forward(ids), whole.forward(ids)
    assert isinstance(x, Lookup) == isinstance(expected, Lookup) == (shape == (4, 50))
    if isinstance(x, Lookup):
        assert x.ids is ids
        x, expected = x.vectors, expected.vectors
    np.testing.assert_array_equal(x, expected)
    np.testing.assert_array_equal(partly_frozen.vectors(ids.ravel()), whole.vectors(ids.ravel()))


@pytest.mark.parametrize("tokens", [V, FEW + 1])
def test_only_learned_rows_have_a_gradient(tokens):
    learned = np.array([0, 3, 4, tokens - 1])
    embedding = Embedding(tokens, D, rng=None, dtype=np.float64, learned=learned)
    whole = Embedding(tokens, D, rng=None, dtype=np.float64)
    rng = np.random.default_rng(2)
    ids, d_x, d_vectors = rng.integers(tokens, size=(30, 4)), rng.normal(size=(D, 30, 4)), rng.normal(size=(tokens, D))
    for each in (embedding, whole):
        each.backward(d_x, ids)
        each.backward(d_vectors, ids)
        each.backward(d_x, ids)
        each.backward(d_x[:, :0], ids[:0])
    np.testing.assert_allclose(embedding.weight.grad, whole.weight.grad[learned], rtol=1e-12)
    assert embedding.weight.grad.all()
    assert embedding.frozen.grad.size == 0


def test_no_token_of_a_batch_need_be_learned():
    embedding = Embedding(FEW + 1, D, rng=None, dtype=np.float64, learned=np.array([0]))
    embedding.backward(np.ones((D, 2, 2)), np.array([[1, 2], [3, 4]]))
    assert not embedding.weight.grad.any()


def test_vectors_are_put_where_they_belong(partly_frozen):
    before = {name: parameter.value.copy() for name, parameter in partly_frozen.parameters().items()}
    partly_frozen.put(np.array([3, 5]), np.array([[-1.0, -2, -3], [-4, -5, -6]]))
    np.testing.assert_array_equal(partly_frozen.weight.value[1], [-1, -2, -3])
    np.testing.assert_array_equal(partly_frozen.frozen.value[2], [-4, -5, -6])
    for name, parameter in partly_frozen.parameters().items():
        assert (parameter.value != before[name]).any(axis=1).sum() == 1


def test_all_frozen_vectors_are_put_in_without_a_copy(partly_frozen):
    vectors, learned = np.random.default_rng(1).normal(size=(4, D)), partly_frozen.weight.value.copy()
    partly_frozen.put(np.array([1, 2, 5, 6]), vectors)
    assert partly_frozen.frozen.value is vectors
    np.testing.assert_array_equal(partly_frozen.weight.value, learned)
    partly_frozen.put(np.array([6, 5, 2, 1]), vectors[::-1].copy())
    assert partly_frozen.frozen.value is vectors
    np.testing.assert_array_equal(partly_frozen.vectors(np.array([1, 2, 5, 6])), vectors)
    partly_frozen.put(np.array([1, 2, 5, 6]), vectors.astype(np.float32))
    assert partly_frozen.frozen.value.dtype == np.float64


def test_the_learned_rows_of_a_partly_frozen_table_are_drawn():
    embedding = Embedding(
        300, 100, rng=np.random.default_rng(1), dtype=np.float32, deviation=0.3, learned=np.arange(200)
    )
    assert embedding.weight.value.std() == pytest.approx(0.3, rel=0.02)
    assert embedding.frozen.value.shape == (100, 100)
    assert embedding.frozen.value.dtype == np.float32
    assert not embedding.frozen.value.any()
