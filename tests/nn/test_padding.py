import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from rnncli.nn.padding import padded_columns

MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6))


@given(mask=MASKS)
def test_the_columns_of_each_step_are_those_where_the_mask_is_false(mask):
    columns = padded_columns(mask, len(mask))
    assert len(columns) == len(mask)
    for row, padded in zip(mask, columns, strict=True):
        found = np.ones(len(row), bool)
        if padded is not None:
            found[padded] = False
        np.testing.assert_array_equal(found, row)
        assert (padded is None) == row.all()


@given(lengths=st.lists(st.integers(0, 5), min_size=1, max_size=6))
def test_of_sequences_in_descending_order_of_length_they_are_slices(lengths):
    mask = np.arange(5)[:, None] < sorted(lengths, reverse=True)
    for real, padded in zip(mask.sum(axis=1), padded_columns(mask, 5), strict=True):
        assert padded == (None if real == len(lengths) else slice(real, None))


def test_without_a_mask_nothing_is_padded():
    assert padded_columns(None, 3) == [None, None, None]
