from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.models.gradient_cases import draw_state
from rnncli.models.language_model import EmbeddingSpec, LanguageModel, LanguageModelSpec
from rnncli.models.stack_spec import Conv1d, WindowedMLP
from rnncli.nn.cells import GRUCell, LSTMCell, RNNCell
from rnncli.nn.layers import Lookup, embedding, softmax
from rnncli.nn.parameter import pack

V, E, H, T, B = 7, 3, 4, 5, 3
WIDE = 20  # an embedding size at which the table is folded into the first layer
SMALL = {"embedding": EmbeddingSpec(size=E), "hidden_size": H}


def make(seed=1, dtype=np.float64, **options):
    return LanguageModel(LanguageModelSpec(**(SMALL | options)), V, rng=np.random.default_rng(seed), dtype=dtype)


def make_batch(seed=2, mask=None, steps=T):
    inputs, targets = np.random.default_rng(seed).integers(V, size=(2, steps, B))
    return SimpleNamespace(inputs=inputs, targets=targets, mask=mask)


def gradients(model, batch, state=None):
    flat = pack(model.parameters())
    _, _, cache = model.loss(batch, state)
    model.backward(cache)
    return {name: flat.grads[place] for name, place in flat.slices.items()}


def test_parameters_by_name_and_shape():
    shapes = {name: parameter.value.shape for name, parameter in make(cell=GRUCell()).parameters().items()}
    assert shapes == {
        "embedding.weight": (V, E),
        "recurrent.0.weight_ih": (3 * H, E),
        "recurrent.0.weight_hh": (3 * H, H),
        "recurrent.0.bias": (3 * H,),
        "recurrent.0.bias_hh": (H,),
        "recurrent.1.weight_ih": (3 * H, H),
        "recurrent.1.weight_hh": (3 * H, H),
        "recurrent.1.bias": (3 * H,),
        "recurrent.1.bias_hh": (H,),
        "output.weight": (V, H),
        "output.bias": (V,),
    }


def test_one_hot_input_without_biases_keeps_the_products_alone():
    model = make(embedding=EmbeddingSpec("one_hot"), cell=RNNCell(), num_layers=1, bias=False, initial_state="learned")
    shapes = {name: parameter.value.shape for name, parameter in model.parameters().items()}
    assert shapes == {
        "recurrent.0.weight_ih": (H, V),
        "recurrent.0.weight_hh": (H, H),
        "recurrent.0.initial_state": (1, H),
        "output.weight": (V, H),
    }


@pytest.mark.parametrize("kind", ["learned", "one_hot"])
def test_a_control_has_convolutions_in_place_of_recurrent_layers(kind):
    model = make(cell=Conv1d(kernel_size=3), embedding=EmbeddingSpec(kind, E))
    shapes = {name: parameter.value.shape for name, parameter in model.parameters().items()}
    table = {"embedding.weight": (V, E)} if kind == "learned" else {}
    assert shapes == table | {
        "convolution.0.weight": (H, 3 * (E if kind == "learned" else V)),
        "convolution.0.bias": (H,),
        "convolution.1.weight": (H, 3 * H),
        "convolution.1.bias": (H,),
        "output.weight": (V, H),
        "output.bias": (V,),
    }


@pytest.mark.parametrize("kind", ["learned", "one_hot"])
@pytest.mark.parametrize(
    ("cell", "reach"), [(Conv1d(), 4), (Conv1d(kernel_size=2, dilation=3), 4), (WindowedMLP(window=3), 2)]
)
def test_a_control_predicts_from_so_many_tokens_before_and_none_after(cell, reach, kind):
    """Of two layers; the token of the step itself is read as well."""
    cell = replace(cell, activation="tanh")
    model, batch = make(cell=cell, embedding=EmbeddingSpec(kind, E)), make_batch(steps=9)
    changed = batch.inputs.copy()
    changed[2] = (changed[2] + 1) % V
    found, expected = (model.logits(ids)[0].reshape(V, 9, B) for ids in (changed, batch.inputs))
    differs = np.abs(found - expected).max(axis=(0, 2)) > 1e-9
    offsets = {t - 2 for t in np.flatnonzero(differs)}
    assert min(offsets) == 0
    assert max(offsets) == reach


def test_a_model_of_zeros_finds_every_token_as_likely_as_any_other():
    model = LanguageModel(LanguageModelSpec(), V, rng=None)
    loss, _, _ = model.loss(make_batch())
    assert loss.count == T * B
    assert loss.mean == pytest.approx(np.log(V), rel=1e-6)


def test_the_loss_is_minus_the_log_of_the_softmax_of_the_logits():
    model, batch = make(), make_batch()
    logits, _ = model.logits(batch.inputs)
    probabilities = (np.exp(logits) / np.exp(logits).sum(axis=0)).reshape(V, T, B)
    expected = -sum(np.log(probabilities[batch.targets[t, b], t, b]) for t in range(T) for b in range(B))
    loss, _, _ = model.loss(batch)
    assert loss.sum == pytest.approx(expected, rel=1e-13)
    assert loss.count == T * B


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(0, T), min_size=B, max_size=B),
    garbage=st.lists(st.integers(0, V - 1), min_size=2, max_size=2),
    cell=st.sampled_from([RNNCell(), LSTMCell(), GRUCell(), Conv1d(dilation=2), WindowedMLP(window=3)]),
    embedding=st.sampled_from([EmbeddingSpec("learned", E), EmbeddingSpec("learned", WIDE), EmbeddingSpec("one_hot")]),
)
def test_padding_changes_no_loss_no_state_and_no_gradient(lengths, garbage, cell, embedding):
    """A padded batch equals the sum of its sequences alone, whatever ids stand in the padding.

    Of the wide embedding the batch reads a lookup, as it does of one-hot vectors, and each sequence alone vectors.
    """
    mask = np.arange(T)[:, None] < lengths
    batch = make_batch(mask=mask)
    batch.inputs[~mask], batch.targets[~mask] = garbage
    model = make(embedding=embedding, cell=cell)
    state = draw_state(model.stack.layers, B, np.random.default_rng(3))
    loss, final, _ = model.loss(batch, state)
    padded = {name: gradient.copy() for name, gradient in gradients(model, batch, state).items()}

    alone = {name: np.zeros_like(gradient) for name, gradient in padded.items()}
    total, count = 0.0, 0
    for b, length in enumerate(lengths):
        if length:
            one = SimpleNamespace(inputs=batch.inputs[:length, [b]], targets=batch.targets[:length, [b]], mask=None)
            state_b = [s[..., [b]] for s in state]
            loss_b, final_b, _ = model.loss(one, state_b)
            total, count = total + loss_b.sum, count + loss_b.count
            for layer, layer_b in zip(final, final_b, strict=True):
                np.testing.assert_allclose(layer[..., [b]], layer_b, rtol=1e-11, atol=1e-13)
            for name, gradient in gradients(model, one, state_b).items():
                alone[name] += gradient
    assert loss.count == count == sum(lengths)
    assert loss.sum == pytest.approx(total, rel=1e-12)
    for name, gradient in padded.items():
        np.testing.assert_allclose(gradient, alone[name], rtol=1e-10, atol=1e-12, err_msg=name)


def test_one_hot_equals_a_learned_embedding_that_is_the_identity():
    one_hot = make(embedding=EmbeddingSpec("one_hot"))
    learned = make(embedding=EmbeddingSpec(size=V))
    learned.embedding.weight.value[:] = np.eye(V)
    for name, parameter in one_hot.parameters().items():
        learned.parameters()[name].value[:] = parameter.value
    batch = make_batch()
    assert one_hot.loss(batch)[0].sum == pytest.approx(learned.loss(batch)[0].sum, rel=1e-13)
    expected = gradients(learned, batch)
    for name, gradient in gradients(one_hot, batch).items():
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-11, atol=1e-13, err_msg=name)


def test_a_tied_table_gathers_the_gradient_of_both_of_its_uses():
    square = {"embedding": EmbeddingSpec(size=H)}
    tied, untied = make(tie_embeddings=True, **square), make(**square)
    for name, parameter in tied.parameters().items():
        untied.parameters()[name].value[:] = parameter.value
    untied.output.weight.value[:] = tied.embedding.weight.value
    batch = make_batch()
    assert tied.loss(batch)[0] == untied.loss(batch)[0]
    expected = gradients(untied, batch)
    actual = gradients(tied, batch)
    both = expected["embedding.weight"] + expected.pop("output.weight")
    np.testing.assert_allclose(actual["embedding.weight"], both, rtol=1e-12, atol=1e-14)
    for name in expected.keys() - {"embedding.weight"}:
        np.testing.assert_array_equal(actual[name], expected[name], err_msg=name)


def test_a_tied_table_begins_at_the_scale_of_an_output_weight():
    spec = LanguageModelSpec(embedding=EmbeddingSpec(size=100), hidden_size=100, tie_embeddings=True)
    table = LanguageModel(spec, 500, rng=np.random.default_rng(1)).embedding.weight.value
    assert table.std() == pytest.approx(0.1, rel=0.02)


@pytest.mark.parametrize("cell", [RNNCell(), LSTMCell(), GRUCell()], ids=lambda cell: cell.name)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("tied", [False, True])
def test_a_table_that_is_folded_into_the_first_layer_has_the_same_gradients(cell, masked, tied, monkeypatch):
    mask = np.arange(T)[:, None] < [T, 0, 2] if masked else None
    model = make(embedding=EmbeddingSpec(size=WIDE), hidden_size=WIDE, tie_embeddings=tied, cell=cell)
    batch = make_batch(mask=mask)
    assert isinstance(model.embed(batch.inputs), Lookup)
    folded = {name: gradient.copy() for name, gradient in gradients(model, batch).items()}
    loss, state, _ = model.loss(batch)
    logits, _ = model.logits(batch.inputs)
    monkeypatch.setattr(embedding, "FEW", 0)
    assert not isinstance(model.embed(batch.inputs), Lookup)
    loss_2, state_2, _ = model.loss(batch)
    assert loss.sum == pytest.approx(loss_2.sum, rel=1e-13)
    np.testing.assert_allclose(state, state_2, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(logits, model.logits(batch.inputs)[0], rtol=1e-12, atol=1e-14)
    for name, gradient in gradients(model, batch).items():
        np.testing.assert_allclose(folded[name], gradient, rtol=1e-11, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("masked", [False, True])
def test_logits_made_a_part_at_a_time_give_the_same_gradients(masked, monkeypatch):
    model, batch = make(), make_batch(mask=np.arange(T)[:, None] < [T, 0, 2] if masked else None)
    loss, _, _ = model.loss(batch)
    expected = {name: gradient.copy() for name, gradient in gradients(model, batch).items()}
    monkeypatch.setattr(softmax, "LARGEST", 4 * V)
    monkeypatch.setattr(softmax, "CACHED", 3 * V)
    assert model.loss(batch)[0].sum == pytest.approx(loss.sum, rel=1e-13)
    for name, gradient in gradients(model, batch).items():
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-11, atol=1e-13, err_msg=name)


def test_an_evaluation_needs_no_gradient():
    model, batch = make(), make_batch(mask=np.arange(T)[:, None] < [T, 1, 2])
    loss, state, cache = model.loss(batch)
    evaluated, state_after, nothing = model.loss(batch, gradient=False)
    assert evaluated == loss
    np.testing.assert_array_equal(state_after, state)
    assert cache.output is not None
    assert nothing.output is None


def test_backward_can_be_repeated():
    model, batch = make(), make_batch()
    flat = pack(model.parameters())
    _, _, cache = model.loss(batch)
    model.backward(cache)
    once = flat.grads.copy()
    model.backward(cache)
    np.testing.assert_allclose(flat.grads, 2 * once, rtol=1e-12)


@pytest.mark.parametrize("kind", ["learned", "one_hot"])
@pytest.mark.parametrize("cell", [LSTMCell(), Conv1d(kernel_size=2, dilation=2), WindowedMLP()], ids=lambda c: c.name)
def test_step_by_step_equals_all_at_once(cell, kind):
    model, batch = make(cell=cell, embedding=EmbeddingSpec(kind, E)), make_batch()
    at_once, final = model.logits(batch.inputs)
    state = None
    for t in range(T):
        logits, state = model.logits(batch.inputs[t : t + 1], state)
        np.testing.assert_allclose(logits, at_once.reshape(V, T, B)[:, t], rtol=1e-12, atol=1e-14)
    for stepped, expected in zip(state, final, strict=True):
        np.testing.assert_allclose(stepped, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("cell", [LSTMCell(), Conv1d(dilation=2), WindowedMLP(window=4)], ids=lambda cell: cell.name)
def test_the_state_carries_the_loss_over_a_window_border(cell):
    model, batch = make(cell=cell), make_batch()
    whole, final, _ = model.loss(batch)
    total, state = 0.0, None
    for window in (slice(0, 2), slice(2, T)):
        part = SimpleNamespace(inputs=batch.inputs[window], targets=batch.targets[window], mask=None)
        loss, state, _ = model.loss(part, state)
        total += loss.sum
    assert total == pytest.approx(whole.sum, rel=1e-13)
    for carried, expected in zip(state, final, strict=True):
        np.testing.assert_allclose(carried, expected, rtol=1e-12, atol=1e-14)


def test_an_evaluation_in_between_leaves_training_alone():
    model, batch = make(), make_batch()
    expected = {name: gradient.copy() for name, gradient in gradients(model, batch).items()}
    flat = pack(model.parameters())
    _, _, cache = model.loss(batch)
    model.loss(make_batch(seed=9, steps=2))
    model.logits(batch.inputs[:1])
    model.backward(cache)
    for name, place in flat.slices.items():
        np.testing.assert_array_equal(flat.grads[place], expected[name], err_msg=name)


@pytest.mark.parametrize("kind", ["dropout", "recurrent_dropout"])
def test_dropout_is_drawn_in_training_only_and_alike_from_the_same_generator(kind):
    batch = make_batch()
    plain, dropping = make(), make(**{kind: 0.5})
    assert dropping.loss(batch)[0] == plain.loss(batch)[0]
    first, again, other = (dropping.loss(batch, rng=np.random.default_rng(seed))[0].sum for seed in (1, 1, 2))
    assert first == again
    assert first not in (other, plain.loss(batch)[0].sum)


def test_tying_needs_a_learned_table_of_the_hidden_size():
    with pytest.raises(ValueError, match=r"tie_embeddings needs embedding\.kind: learned"):
        LanguageModelSpec(embedding=EmbeddingSpec("one_hot"), tie_embeddings=True)
    with pytest.raises(ValueError, match=r"embedding\.size \(3\) equal to hidden_size \(4\)"):
        LanguageModelSpec(**SMALL, tie_embeddings=True)
