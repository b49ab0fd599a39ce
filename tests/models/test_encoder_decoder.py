"""The encoder–decoder: padding, sharing, decoding step by step, gradients of every architecture."""

from types import SimpleNamespace

import numpy as np
import pytest

from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.encoder_decoder import EncoderDecoder
from rnncli.models.encoder_decoder_gradient_cases import WAYS, encoder_decoder_cases
from rnncli.models.encoder_decoder_spec import EncoderDecoderSpec
from rnncli.models.input_layer import InputSizes
from rnncli.nn.cells import CELLS, GRUCell, RNNCell
from rnncli.nn.gradient_check import compare_gradients
from rnncli.nn.parameter import pack

V, W, WIDTH = 7, 6, 3
LENGTHS = ((4, 3), (2, 4), (1, 1))  # of source and target
KINDS = [
    pytest.param(spec, id=name)
    for name, spec in {
        "no attention": {"attention": "none"},
        "dot": {"attention": "dot", "bidirectional": False},
        "general": {"attention": "general"},
        "additive": {"attention": "additive", "cell": GRUCell()},
        "fed": {"input_feeding": True, "num_layers": 2},
        "one hot": {"embedding": EmbeddingSpec(kind="one_hot"), "input_feeding": True, "cell": RNNCell()},
        "tied": {"tie_embeddings": True, "num_layers": 2, "bidirectional": False},
        "outputs alone": {"recurrence": "output", "cell": RNNCell(), "num_layers": 2},
        "outputs alone, dot": {"recurrence": "output", "cell": RNNCell(), "attention": "dot", "bidirectional": False},
    }.items()
]


def model_of(spec, *, vectors=False, shared=False, seed=5):
    sizes = {"hidden_size": 4, "embedding": EmbeddingSpec(size=4)}
    return EncoderDecoder(
        EncoderDecoderSpec(**sizes | spec),
        V if shared else W,
        InputSizes(None, WIDTH) if vectors else InputSizes(V),
        shared=shared,
        rng=np.random.default_rng(seed),
        dtype=np.float64,
    )


def batch_of(lengths=LENGTHS, *, vectors=False, seed=1):
    """A batch; padding holds what must not matter."""
    rng = np.random.default_rng(seed)
    (S, T), B = np.max(lengths, axis=0), len(lengths)
    sources, targets = (
        np.arange(n)[:, None] < np.array(own) for n, own in zip((S, T), zip(*lengths, strict=True), strict=True)
    )
    return SimpleNamespace(
        source=rng.standard_normal((WIDTH, S, B)) if vectors else rng.integers(V, size=(S, B)),
        source_mask=None if sources.all() else sources,
        inputs=rng.integers(W, size=(T, B)),
        targets=rng.integers(W, size=(T, B)),
        mask=None if targets.all() else targets,
    )


def alone(batch, b):
    """The b-th pair of a batch without padding."""
    S, T = LENGTHS[b]
    one = slice(b, b + 1)
    return SimpleNamespace(
        source=batch.source[..., :S, one],
        source_mask=None,
        inputs=batch.inputs[:T, one],
        targets=batch.targets[:T, one],
        mask=None,
    )


@pytest.mark.parametrize("vectors", [False, True])
@pytest.mark.parametrize("spec", KINDS)
def test_padding_never_changes_a_loss_or_a_gradient(spec, vectors):
    model, batch = model_of(spec, vectors=vectors), batch_of(vectors=vectors)
    flat = pack(model.parameters())
    loss, _, cache = model.loss(batch)
    model.backward(cache)
    together = flat.grads.copy()
    flat.grads[:] = 0
    total, count = 0.0, 0
    for b in range(len(LENGTHS)):
        own, _, cache = model.loss(alone(batch, b))
        model.backward(cache)
        total, count = total + own.sum, count + own.count
    assert loss.count == count == sum(T for _, T in LENGTHS)
    assert loss.sum == pytest.approx(total, rel=1e-12)
    np.testing.assert_allclose(flat.grads, together, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("spec", KINDS)
def test_decoding_step_by_step_has_the_logits_of_the_loss(spec):
    model, batch = model_of(spec), batch_of()
    step = model.decoding_step()
    logits, state = step.begin(batch)
    losses = np.zeros(len(LENGTHS))
    for t in range(batch.targets.shape[0]):
        if t:
            logits, state = step(batch.inputs[t], state)
        own = logits[batch.targets[t], np.arange(len(LENGTHS))] - np.log(np.exp(logits).sum(axis=0))
        losses -= np.where(batch.mask[t], own, 0)
    for b, expected in enumerate(losses):
        assert model.loss(alone(batch, b))[0].sum == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("spec", KINDS)
def test_decoding_begins_from_a_state_of_the_encoder_as_the_loss_does(spec):
    model, batch = model_of(spec), batch_of([(3, 1)])
    _, d_state = model.backward(model.loss(batch)[2])
    state = [np.random.default_rng(6).standard_normal(layer.shape) for layer in d_state]
    for given in (None, state):
        logits, _ = model.decoding_step().begin(batch, given)
        own = logits[batch.targets[0], 0] - np.log(np.exp(logits[:, 0]).sum())
        assert model.loss(batch, given)[0].sum == pytest.approx(-own.item(), rel=1e-10)


@pytest.mark.parametrize("spec", KINDS)
def test_selected_columns_go_on_as_they_would_have(spec):
    step, batch = model_of(spec).decoding_step(), batch_of()
    _, state = step.begin(batch)
    first, second = batch.inputs[1], batch.targets[1]
    logits, state_after = step(first, state)
    expected, after = logits.copy(), step(second, state_after)[0].copy()
    for columns in (np.array(each) for each in ([0, 1, 2], [2, 0, 0, 1], [1, 1], [2])):
        back = np.arange(len(columns))[::-1]
        logits, chosen = step(first[columns], step.select(state, columns))
        np.testing.assert_allclose(logits, expected[:, columns], rtol=1e-10)
        logits, _ = step(second[columns[back]], step.select(chosen, back))
        np.testing.assert_allclose(logits, after[:, columns[back]], rtol=1e-10)


def test_what_a_hypothesis_attends_to_is_not_copied_while_its_sentence_stays():
    step = model_of({}).decoding_step()
    _, state = step.begin(batch_of())
    beams = step.select(state, np.repeat(np.arange(3), 2))
    assert step.select(beams, np.array([1, 1, 3, 2, 4, 5])).memory is beams.memory
    assert step.select(beams, np.array([1, 1, 1, 2, 4, 5])).memory is not beams.memory


def test_attention_weights_are_shares_of_the_real_source():
    model, batch = model_of({"input_feeding": True}), batch_of()
    weights = model.attention_weights(batch)
    assert weights.shape == (4, 4, 3)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert not weights[:, ~batch.source_mask].any()
    assert model_of({"attention": "none"}).attention_weights(batch) is None


def test_a_shared_vocabulary_has_one_embedding():
    model, batch = model_of({}, shared=True), batch_of()
    names = model.parameters()
    assert "decoder.embedding.weight" not in names
    assert model.decoder.inputs.embedding is model.embedding
    flat = pack(names)
    _, _, cache = model.loss(batch)
    model.backward(cache)
    both = flat.grads[flat.slices["encoder.embedding.weight"]].reshape(V, -1)
    apart = model_of({}, seed=5)
    assert set(apart.parameters()) - set(names) == {"decoder.embedding.weight"}
    only_target = np.setdiff1d(batch.inputs[batch.mask], batch.source[batch.source_mask])
    assert len(only_target)
    assert np.abs(both[only_target]).min() > 0


def test_without_a_bridge_the_decoder_begins_where_the_encoder_ends():
    model, batch = model_of({"bidirectional": False, "num_layers": 2}), batch_of()
    assert not any(name.startswith("bridge") for name in model.parameters())
    _, begin, _ = model.encode(batch)
    x, _ = model.encoder.inputs.forward(batch.source)
    _, final, _ = model.encoder.stack.forward(x, None, batch.source_mask)
    for mine, theirs in zip(begin, final, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_decoder_of_outputs_alone_is_told_its_previous_token_and_the_source():
    """Neither where it stands nor what came before: the same token has the same answer, and no gradient elsewhere."""
    spec = {"recurrence": "output", "cell": RNNCell(), "num_layers": 2, "initial_state": "learned"}
    model, batch = model_of(spec | {"recurrent_dropout": 0.1}), batch_of(((4, 4),) * 3)
    names = {name.split(".")[1] for name in model.parameters() if name.startswith("decoder")}
    assert names == {"embedding", "hidden"}
    assert not any(name.startswith("bridge") for name in model.parameters())
    encoded = model.encode(batch)
    assert encoded.state is None
    batch.inputs[:] = np.array([[1], [2], [1], [3]])
    top, _, _ = model.decoder.read(batch, encoded)
    np.testing.assert_allclose(top[:, 0], top[:, 2], rtol=1e-13)
    assert np.abs(top[:, 0] - top[:, 1]).max() > 1e-3
    x = np.random.default_rng(3).standard_normal((4, 4, 3))
    for t in range(4):
        d_top = np.zeros((4, 4, 3))
        d_top[:, t] = 1
        _, cache = model.decoder.attention.forward(x, None, encoded.annotations)
        d_x, _, d_annotations = model.decoder.attention.backward(d_top, cache)
        assert np.flatnonzero(d_x.any(axis=(0, 2))).tolist() == [t]
        assert d_annotations.any()


def test_a_learned_initial_state_is_the_encoders_alone():
    names = model_of({"initial_state": "learned"}).parameters()
    learned = {name for name in names if name.endswith("initial_state")}
    assert learned == {f"encoder.recurrent.0.{direction}.initial_state" for direction in ("forward", "backward")}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"attention": "none", "input_feeding": True}, "input_feeding needs attention"),
        ({"attention": "dot"}, "outputs of one size on both sides; use attention: general"),
        ({"tie_embeddings": True, "hidden_size": 5}, r"embedding.size \(4\) equal to hidden_size \(5\)"),
        ({"embedding": EmbeddingSpec(kind="one_hot"), "input_dropout": 0.1}, "need embedding.kind: learned"),
        ({"embedding": EmbeddingSpec(kind="pretrained", path="x")}, "pretrained is not for an encoder–decoder"),
        ({"recurrence": "both"}, "recurrence: both is the same as hidden: a decoder reads its previous output anyway"),
        ({"recurrence": "output"}, "recurrence: output needs cell: rnn, not lstm"),
        (
            {"recurrence": "output", "cell": RNNCell(), "attention": "none"},
            "recurrence: output hands no state on that would tell of the source: it needs attention",
        ),
        (
            {"recurrence": "output", "cell": RNNCell(), "input_feeding": True},
            "input_feeding hands on what is hidden, and recurrence: output the previous output alone",
        ),
    ],
)
def test_combinations_that_make_no_sense_are_refused(spec, message):
    with pytest.raises(ValueError, match=message):
        model_of(spec)


@pytest.mark.parametrize("case", [*encoder_decoder_cases(0)], ids=lambda case: case.title)
def test_gradients_of_every_architecture(case):
    errors = compare_gradients(case.loss, case.values, case.grads, limit=6, rng=np.random.default_rng(0))
    assert {error.name for error in errors} == case.grads.keys()
    assert max(error.error for error in errors) < 1e-6


def test_the_cases_are_every_cell_with_every_attention():
    titles = [case.title for case in encoder_decoder_cases(0)]
    assert len(set(titles)) == len(titles) == len(WAYS) * len(CELLS)
    for part in (
        "vectors",
        "2 layers",
        "both directions",
        "one embedding",
        "masked",
        "full",
        "fed",
        "lstm",
        "no attention",
    ):
        assert 0 < sum(part in title for title in titles) < len(titles), part
