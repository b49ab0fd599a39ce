"""Padding changes nothing: a padded batch equals its sequences run one by one with the padding cut out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnncli.models.stack_spec import StackSpec
from rnncli.nn.cells import CELLS
from rnncli.nn.layers import Linear, Recurrent
from rnncli.nn.layers.readouts import READOUTS
from rnncli.nn.losses import LOSSES

T, B, D, H = 5, 3, 2, 3
LENGTHS = st.lists(st.integers(0, T), min_size=B, max_size=B).map(lambda lengths: np.arange(T)[:, None] < lengths)
HOLES = arrays(bool, (T, B))  # padding before, within and after a sequence


def gradients(layer):
    return {name: parameter.grad.copy() for name, parameter in layer.parameters().items()}


@settings(max_examples=40, deadline=None)
@given(mask=LENGTHS | HOLES, garbage=st.floats(-1e6, 1e6))
def test_a_masked_batch_equals_its_sequences_one_by_one(cell, mask, garbage):
    rng = np.random.default_rng(1)
    stack = StackSpec(cell=cell, hidden_size=H).build(D, rng=rng, dtype=np.float64)
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


def classify(cell, readout_name, loss_name, bidirectional, x, mask, targets, weight):
    """A whole classifier of sequences: its loss, and every gradient, of weights and of inputs."""
    rng = np.random.default_rng(1)
    spec = StackSpec(cell=cell, hidden_size=H, initial_state="learned")
    stack = spec.build(D, rng=rng, dtype=np.float64, bidirectional=bidirectional)
    for name, parameter in stack.parameters().items():
        if name.endswith("initial_state"):
            parameter.value[:] = rng.standard_normal(parameter.value.shape)
    readout = READOUTS[readout_name](stack.output_size, bidirectional, rng, np.float64)
    output = Linear(stack.output_size, K, rng=rng, dtype=np.float64)
    y, _, cache = stack.forward(x, None, mask)
    vector, readout_cache = readout.forward(y, mask)
    logits, linear_cache = output.forward(vector)
    loss, d_logits = LOSSES[loss_name](logits, targets, weight)
    d_y = readout.backward(output.backward(d_logits, linear_cache), readout_cache)
    d_x, _ = stack.backward(d_y, cache)
    return loss, d_x, [gradients(layer) for layer in (stack, readout, output)]


K = 3
TARGETS = {
    "softmax": np.array([2, 0, 1]),
    "sigmoid": np.array([[1.0, 0, 0], [1, 0, 1], [0, 0, 1]]),
    "linear": np.array([[0.3, -1, 2], [1.2, 0.1, 0], [-0.4, 3, 1]]),
}


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("readout_name", READOUTS)
@settings(max_examples=12, deadline=None)
@given(
    cell=st.sampled_from([cls() for cls in CELLS.values()]),
    loss_name=st.sampled_from(list(LOSSES)),
    lengths=st.lists(st.integers(0, T), min_size=B, max_size=B),
    more=st.integers(0, 4),
    order=st.permutations(range(B)),
    garbage=st.floats(-1e6, 1e6),
)
def test_padding_and_order_change_no_loss_and_no_gradient(
    readout_name, bidirectional, cell, loss_name, lengths, more, order, garbage
):
    """More padded steps, any finite numbers in them, the sequences of a batch in any order."""
    rng = np.random.default_rng(2)
    x, weight, targets = rng.standard_normal((D, T, B)), rng.uniform(0.5, 2, B), TARGETS[loss_name]
    longest, steps = max(lengths), max(lengths) + more
    mask = np.arange(longest)[:, None] < lengths
    padded_mask = (np.arange(steps)[:, None] < lengths)[:, order]
    padded = np.full((D, steps, B), garbage)
    padded[:, :longest] = np.where(mask, x[:, :longest], garbage)

    loss, d_x, grads = classify(cell, readout_name, loss_name, bidirectional, x[:, :longest], mask, targets, weight)
    padded_loss, padded_d_x, padded_grads = classify(
        cell,
        readout_name,
        loss_name,
        bidirectional,
        padded[..., order],
        padded_mask,
        targets[..., order],
        weight[order],
    )
    np.testing.assert_allclose(padded_loss.sum, loss.sum, rtol=1e-12)
    assert padded_loss.count == loss.count
    np.testing.assert_allclose(padded_d_x[:, :longest], d_x[..., order], rtol=1e-11, atol=1e-13)
    assert not padded_d_x[:, ~padded_mask].any()
    for layer, padded_layer in zip(grads, padded_grads, strict=True):
        for name, gradient in layer.items():
            np.testing.assert_allclose(padded_layer[name], gradient, rtol=1e-11, atol=1e-12, err_msg=name)
