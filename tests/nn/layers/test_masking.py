"""Padding changes nothing: a padded batch equals its sequences run one by one with the padding cut out."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnncli.nn.layers import Recurrent, Stack

T, B, D, H = 5, 3, 2, 3
LENGTHS = st.lists(st.integers(0, T), min_size=B, max_size=B).map(lambda lengths: np.arange(T)[:, None] < lengths)
HOLES = arrays(bool, (T, B))  # padding before, within and after a sequence


def gradients(layer):
    return {name: parameter.grad.copy() for name, parameter in layer.parameters().items()}


@settings(max_examples=40, deadline=None)
@given(mask=LENGTHS | HOLES, garbage=st.floats(-1e6, 1e6))
def test_a_masked_batch_equals_its_sequences_one_by_one(cell, mask, garbage):
    rng = np.random.default_rng(1)
    stack = Stack(cell, D, H, 2, rng=rng, dtype=np.float64)
    x = np.where(mask, rng.standard_normal((D, T, B)), garbage)
    d_y = rng.standard_normal((H, T, B)) * mask
    state, d_final = rng.standard_normal((2, 2, len(cell.states), H, B))

    y, final, cache = stack.forward(x, list(state), mask)
    d_x, d_state = stack.backward(d_y, cache, list(d_final))
    batch = gradients(stack)
    for parameter in stack.parameters().values():
        parameter.grad[:] = 0

    assert not d_x[:, ~mask].any()
    for b in range(B):
        real, one = mask[:, b], [b]
        expected_final, expected_d_state = state[..., one], d_final[..., one]
        if real.any():
            expected_y, expected_final, cache = stack.forward(x[:, real][..., one], list(state[..., one]))
            expected_d_x, expected_d_state = stack.backward(d_y[:, real][..., one], cache, list(d_final[..., one]))
            np.testing.assert_allclose(y[:, real][..., one], expected_y, rtol=1e-11, atol=1e-13)
            np.testing.assert_allclose(d_x[:, real][..., one], expected_d_x, rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(np.array(final)[..., one], expected_final, rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(np.array(d_state)[..., one], expected_d_state, rtol=1e-11, atol=1e-13)
    for name, gradient in gradients(stack).items():
        np.testing.assert_allclose(batch[name], gradient, rtol=1e-11, atol=1e-12, err_msg=name)


def test_a_mask_without_padding_changes_no_bit(cell):
    rng = np.random.default_rng(1)
    layer = Recurrent(cell, D, H, rng=rng, dtype=np.float64)
    x, d_h = rng.standard_normal((D, T, B)), rng.standard_normal((H, T, B))
    results = []
    for mask in (None, np.ones((T, B), bool)):
        y, final, cache = layer.forward(x, mask=mask)
        results.append((y, final, *layer.backward(d_h, cache)))
    for without, masked in zip(*results, strict=True):
        np.testing.assert_array_equal(without, masked)


def test_a_sequence_of_padding_alone_keeps_its_state_and_its_gradient(cell):
    rng = np.random.default_rng(1)
    layer = Recurrent(cell, D, H, rng=rng, dtype=np.float64)
    state, d_final = rng.standard_normal((2, len(cell.states), H, B))
    y, final, cache = layer.forward(rng.standard_normal((D, T, B)), state, np.zeros((T, B), bool))
    d_x, d_state = layer.backward(np.zeros((H, T, B)), cache, d_final)
    np.testing.assert_array_equal(final, state)
    np.testing.assert_array_equal(y, np.broadcast_to(state[0][:, None], (H, T, B)))
    np.testing.assert_array_equal(d_state, d_final)
    assert not d_x.any()
    for name, gradient in gradients(layer).items():
        assert not gradient.any(), name
