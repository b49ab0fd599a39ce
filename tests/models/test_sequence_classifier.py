from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.data import padded
from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.input_layer import InputSizes
from rnncli.models.sequence_classifier import SequenceClassifier, SequenceClassifierSpec
from rnncli.models.stack_spec import Conv1d, WindowedMLP
from rnncli.nn.cells import CELLS, GRUCell
from rnncli.nn.layers.readouts import READOUTS
from rnncli.nn.parameter import pack

V, D, K = 7, 2, 3


def built(output="softmax", *, vectors=False, seed=0, **spec):
    spec = {"embedding": EmbeddingSpec("learned", 4), "hidden_size": 5, "cell": CELLS["gru"]()} | spec
    sizes = InputSizes(None, D) if vectors else InputSizes(V)
    rng = np.random.default_rng(seed)
    return SequenceClassifier(SequenceClassifierSpec(**spec), K, output, sizes, rng=rng, dtype=np.float64)


def drawn(rng, lengths, output, *, vectors):
    """Sequences of these lengths, and targets for them."""
    sequences = [rng.standard_normal((n, D)) if vectors else rng.integers(V, size=n) for n in lengths]
    B = len(lengths)
    targets = {"softmax": rng.integers(K, size=B), "sigmoid": rng.integers(2, size=(K, B)) * 1.0}
    return sequences, targets.get(output, rng.standard_normal((K, B)))


def batch_of(sequences, targets, weights=None, extra=0, fill=0.0):
    """The sequences padded together, and by so many steps more, with anything in the padding."""
    inputs, mask = padded(sequences)
    T, B = inputs.shape[-2:]
    if mask is None:
        mask = np.ones((T, B), bool)
    mask = np.vstack([mask, np.zeros((extra, B), bool)])
    more = np.full((*inputs.shape[:-2], T + extra, B), fill).astype(inputs.dtype)
    more[..., :T, :] = np.where(mask[:T], inputs, more[..., :T, :])
    return SimpleNamespace(inputs=more, targets=targets, mask=mask, weights=weights)


def loss_and_gradient(model, flat, batches):
    flat.grads[:] = 0
    total = 0.0
    for batch in batches:
        loss, state, cache = model.loss(batch)
        assert state == []
        model.backward(cache)
        total += loss.sum
    return total, flat.grads.copy()


@settings(max_examples=80, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    output=st.sampled_from(["softmax", "sigmoid", "linear"]),
    readout=st.sampled_from(sorted(READOUTS)),
    bidirectional=st.booleans(),
    layers=st.integers(1, 2),
    vectors=st.booleans(),
    cell=st.sampled_from([GRUCell(), Conv1d(kernel_size=4), Conv1d(dilation=2), WindowedMLP(window=3)]),
    extra=st.integers(0, 3),
    seed=st.integers(0, 99),
)
def test_padding_and_neighbours_change_no_loss_no_gradient_and_no_prediction(
    lengths, output, readout, bidirectional, layers, vectors, cell, extra, seed
):
    rng = np.random.default_rng(seed)
    spec = {"readout": readout, "bidirectional": bidirectional, "num_layers": layers, "cell": cell}
    model = built(output, vectors=vectors, seed=seed, **spec)
    flat = pack(model.parameters())
    sequences, targets = drawn(rng, lengths, output, vectors=vectors)
    weights = rng.uniform(0.5, 2, len(lengths))
    alone = [
        SimpleNamespace(
            inputs=padded([each])[0], targets=targets[..., i : i + 1], mask=None, weights=weights[i : i + 1]
        )
        for i, each in enumerate(sequences)
    ]
    together = batch_of(sequences, targets, weights, extra, fill=rng.integers(V))
    expected, gradient = loss_and_gradient(model, flat, alone)
    found, padded_gradient = loss_and_gradient(model, flat, [together])
    assert found == pytest.approx(expected, rel=1e-10, abs=1e-12)
    np.testing.assert_allclose(padded_gradient, gradient, rtol=1e-8, atol=1e-11)
    predicted = model.predict(together.inputs, together.mask)
    np.testing.assert_allclose(predicted, np.hstack([model.predict(b.inputs) for b in alone]), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("cell", [Conv1d(), WindowedMLP(window=3)], ids=lambda cell: cell.name)
def test_the_last_step_of_a_control_is_each_sequence_s_own(cell, centred):
    """No half of the rows runs backward in time."""
    model = built(cell=cell, bidirectional=centred, readout="last", num_layers=2)
    lengths = [5, 1, 3]
    sequences, targets = drawn(np.random.default_rng(1), lengths, "softmax", vectors=False)
    batch = batch_of(sequences, targets, extra=1)
    top, _, _ = model.stack.forward(np.moveaxis(model.embedding.weight.value[batch.inputs], -1, 0), None, batch.mask)
    expected = np.stack([top[:, length - 1, b] for b, length in enumerate(lengths)], axis=1)
    np.testing.assert_allclose(model.vectors(batch.inputs, batch.mask), expected, rtol=1e-12)
    assert top.shape[0] == 5  # as many rows as units, whether centred or not


@pytest.mark.parametrize("centred", [False, True])
def test_a_centred_window_reads_ahead_and_a_causal_one_does_not(centred):
    model = built(cell=Conv1d(activation="tanh"), bidirectional=centred, vectors=True)
    x = np.random.default_rng(1).standard_normal((D, 7, 1))
    changed = x.copy()
    changed[:, 3] += 1
    found, expected = (model.stack.forward(each)[0] for each in (changed, x))
    steps = np.flatnonzero(np.abs(found - expected).max(axis=(0, 2)) > 1e-9).tolist()
    assert steps == ([2, 3, 4] if centred else [3, 4, 5])


def test_a_missing_target_counts_for_nothing():
    model = built()
    flat = pack(model.parameters())
    sequences, targets = drawn(np.random.default_rng(1), [4, 2, 3], "softmax", vectors=False)
    known = [0, 2]
    weights = np.array([0.5, 9.0, 2.0])
    targets[1] = -1
    found, gradient = loss_and_gradient(model, flat, [batch_of(sequences, targets, weights)])
    kept = batch_of([sequences[i] for i in known], targets[known], weights[known])
    expected, wanted = loss_and_gradient(model, flat, [kept])
    assert found == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradient, wanted, rtol=1e-10, atol=1e-13)
    assert model.loss(batch_of(sequences, targets, weights))[0].count == 2


def test_a_weight_of_two_counts_like_the_example_twice():
    model = built(readout="mean")
    flat = pack(model.parameters())
    sequences, targets = drawn(np.random.default_rng(2), [4, 2], "softmax", vectors=False)
    weighted = loss_and_gradient(model, flat, [batch_of(sequences, targets, np.array([2.0, 1.0]))])
    twice = batch_of([sequences[0], *sequences], np.concatenate((targets[:1], targets)))
    found, gradient = loss_and_gradient(model, flat, [twice])
    assert weighted[0] == pytest.approx(found, rel=1e-12)
    np.testing.assert_allclose(weighted[1], gradient, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("output", ["softmax", "sigmoid", "linear"])
def test_evaluation_is_the_loss_and_the_prediction(output):
    model = built(output, vectors=True, bidirectional=True)
    sequences, targets = drawn(np.random.default_rng(3), [3, 5, 1], output, vectors=True)
    batch = batch_of(sequences, targets)
    loss, outputs = model.evaluate(batch)
    assert loss == model.loss(batch, gradient=False)[0]
    np.testing.assert_array_equal(outputs, model.predict(batch.inputs, batch.mask))
    logits = model.output.forward(model.vectors(batch.inputs, batch.mask))[0]
    expected = {
        "softmax": np.exp(logits) / np.exp(logits).sum(axis=0),
        "sigmoid": 1 / (1 + np.exp(-logits)),
        "linear": logits,
    }[output]
    np.testing.assert_allclose(outputs, expected, rtol=1e-12)


def test_the_gradient_of_the_vector_may_come_from_above():
    """∂/∂weights of an arbitrary function of the vectors, here ⟨g, v⟩, by finite differences."""
    model = built(readout="attention", bidirectional=True)
    flat = pack(model.parameters())
    sequences, targets = drawn(np.random.default_rng(4), [3, 2], "softmax", vectors=False)
    batch = batch_of(sequences, targets)
    g = np.random.default_rng(5).standard_normal((10, 2))
    x, inputs = model.inputs.forward(batch.inputs)
    vector, cache = model.encode(x, batch.mask, inputs=inputs)
    np.testing.assert_array_equal(vector, model.vectors(batch.inputs, batch.mask))
    flat.grads[:] = 0
    model.encode_backward(g, cache)
    for i in np.random.default_rng(6).choice(flat.values.size, 60, replace=False):
        value, numeric = flat.values[i], []
        for moved in (value + 1e-5, value - 1e-5):
            flat.values[i] = moved
            numeric.append((g * model.vectors(batch.inputs, batch.mask)).sum())
        flat.values[i] = value
        assert flat.grads[i] == pytest.approx((numeric[0] - numeric[1]) / 2e-5, rel=1e-6, abs=1e-9)


def test_inputs_that_the_model_cannot_read_are_refused():
    with pytest.raises(IndexError, match=r"0\.\.6"):
        built().predict(np.array([[7]]))
    with pytest.raises(ValueError, match="2 features, not 3"):
        built(vectors=True).predict(np.zeros((3, 1, 1)))
