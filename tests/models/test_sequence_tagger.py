"""The sequence tagger: labels at every step, words spelled out, a CRF over the sequence."""

from itertools import pairwise, product
from types import SimpleNamespace

import numpy as np
import pytest

from rnncli.models.character_encoder import CharacterEncoderSpec
from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.input_layer import InputSizes
from rnncli.models.sequence_tagger import SequenceTagger
from rnncli.models.sequence_tagger_spec import SequenceTaggerSpec
from rnncli.models.tagger_gradient_cases import sequence_tagger_cases
from rnncli.nn.cells import CELLS, GRUCell
from rnncli.nn.gradient_check import compare_gradients
from rnncli.nn.parameter import pack

V, K, WIDTH, CHARACTERS = 7, 3, 4, 5
LENGTHS = (5, 3, 1)
SPELLED = CharacterEncoderSpec(embedding_size=3, hidden_size=2, cell=GRUCell())
KINDS = [
    pytest.param(*kind, id=name)
    for name, *kind in (
        ("labels", "softmax", {}),
        ("several", "sigmoid", {}),
        ("crf", "softmax", {"crf": True}),
        ("spelled", "softmax", {"characters": SPELLED}),
        ("one_hot", "softmax", {"embedding": EmbeddingSpec(kind="one_hot")}),
    )
]


def tagger(output="softmax", *, vectors=False, **spec):
    sizes = {"hidden_size": 4, "embedding": EmbeddingSpec(size=3)}
    return SequenceTagger(
        SequenceTaggerSpec(**sizes | spec),
        K,
        output,
        InputSizes(None, WIDTH) if vectors else InputSizes(V, characters=CHARACTERS),
        rng=np.random.default_rng(5),
        dtype=np.float64,
    )


def batch_of(lengths=LENGTHS, output="softmax", *, vectors=False, seed=1):
    """A batch; padding holds what must not matter."""
    rng = np.random.default_rng(seed)
    T, B = max(lengths), len(lengths)
    mask = np.arange(T)[:, None] < np.array(lengths)
    return SimpleNamespace(
        inputs=rng.standard_normal((WIDTH, T, B)) if vectors else rng.integers(V, size=(T, B)),
        targets=rng.integers(K, size=(T, B)) if output == "softmax" else rng.integers(2, size=(K, T, B)),
        mask=None if mask.all() else mask,
        words=rng.integers(4, size=(T, B)),
        spelled=SimpleNamespace(
            characters=rng.integers(CHARACTERS, size=(3, 4)), mask=np.arange(3)[:, None] < np.array([3, 3, 2, 1])
        ),
    )


def alone(batch, b, length):
    """The b-th sequence of a batch without padding."""
    own = (slice(length), slice(b, b + 1))
    return SimpleNamespace(
        inputs=batch.inputs[..., *own],
        targets=batch.targets[..., *own],
        mask=None,
        words=batch.words[own],
        spelled=batch.spelled,
    )


def gradients(model, batch):
    parameters = model.parameters()
    flat = pack(parameters)
    loss, _, cache = model.loss(batch)
    model.backward(cache)
    return loss, flat.grads.copy()


@pytest.mark.parametrize(("output", "spec"), KINDS)
def test_padding_changes_no_loss_no_gradient_and_no_answer(output, spec):
    model, batch = tagger(output, **spec), batch_of(output=output)
    loss, together = gradients(model, batch)
    singles = [gradients(model, alone(batch, b, length)) for b, length in enumerate(LENGTHS)]
    assert loss.count == sum(single.count for single, _ in singles) == sum(LENGTHS) * (K if output == "sigmoid" else 1)
    np.testing.assert_allclose(loss.sum, sum(single.sum for single, _ in singles), rtol=1e-12)
    np.testing.assert_allclose(together, sum(grads for _, grads in singles), rtol=1e-9, atol=1e-12)
    scores = model.scores(batch)
    found, ids = model.probabilities(scores, batch.mask), model.decode(scores, batch.mask)
    for b, length in enumerate(LENGTHS):
        single = alone(batch, b, length)
        own = model.scores(single)
        np.testing.assert_allclose(found[:, :length, b], model.probabilities(own, None)[..., 0], rtol=1e-9)
        np.testing.assert_array_equal(ids[:length, b], model.decode(own, None)[:, 0])


@pytest.mark.parametrize(("output", "spec"), KINDS)
def test_the_loss_is_that_of_the_probabilities(output, spec):
    model, batch = tagger(output, **spec), batch_of(output=output)
    scores, mask = model.scores(batch), batch.mask
    loss = model.loss(batch)[0]
    np.testing.assert_allclose(model.loss_of(scores, batch).sum, loss.sum, rtol=1e-12)
    assert model.loss_of(scores, batch).count == loss.count
    found = model.probabilities(scores, mask)
    if output == "sigmoid":
        chosen = np.where(batch.targets == 1, found, 1 - found)[:, mask]
    else:
        np.testing.assert_allclose(found[:, mask].sum(axis=0), 1)
        chosen = np.take_along_axis(found, batch.targets[None], axis=0)[0][mask]
    if not spec.get("crf"):
        np.testing.assert_allclose(loss.sum, -np.log(chosen).sum())
        return
    total = 0.0
    for b, length in enumerate(LENGTHS):
        A, start, end = (parameter.value for parameter in model.crf.parameters().values())
        of = {
            y: start[y[0]]
            + end[y[-1]]
            + sum(scores[k, t, b] for t, k in enumerate(y))
            + sum(A[i, j] for i, j in pairwise(y))
            for y in product(range(K), repeat=length)
        }
        total += np.log(sum(map(np.exp, of.values()))) - of[tuple(batch.targets[:length, b].tolist())]
        assert max(of, key=of.get) == tuple(model.decode(scores, mask)[:length, b].tolist())
    np.testing.assert_allclose(loss.sum, total)


def test_a_missing_target_is_left_out():
    model, batch = tagger(), batch_of()
    whole = model.loss(batch)[0]
    batch.targets[1, 0] = -1
    loss, grads = gradients(model, batch)
    assert loss.count == whole.count - 1
    assert loss.sum < whole.sum
    found = model.probabilities(model.scores(batch), batch.mask)
    known = batch.mask & (batch.targets >= 0)
    chosen = np.take_along_axis(found, np.maximum(batch.targets, 0)[None], axis=0)[0][known]
    np.testing.assert_allclose(loss.sum, -np.log(chosen).sum())
    assert np.abs(grads).max() > 0


def test_a_crf_leaves_the_sequence_of_a_missing_target_out():
    model, batch = tagger(crf=True), batch_of()
    batch.targets[1, 0] = -1
    loss, grads = gradients(model, batch)
    others = [gradients(model, alone(batch, b, LENGTHS[b])) for b in (1, 2)]
    assert loss.count == LENGTHS[1] + LENGTHS[2]
    np.testing.assert_allclose(grads, others[0][1] + others[1][1], rtol=1e-9, atol=1e-12)


def test_one_unknown_word_is_told_from_another_by_its_letters():
    model, batch = tagger(characters=SPELLED), batch_of((2, 2))
    batch.inputs[:], batch.words[:] = 0, [[0, 1], [0, 1]]
    scores = model.scores(batch)
    assert np.abs(scores[..., 0] - scores[..., 1]).max() > 1e-3
    batch.words[:] = 1
    scores = model.scores(batch)
    np.testing.assert_array_equal(scores[..., 0], scores[..., 1])


def test_input_dropout_is_of_training_alone():
    model, batch = tagger(input_dropout=0.5), batch_of()
    losses = {model.loss(batch, None, np.random.default_rng(seed))[0].sum for seed in range(4)}
    assert len(losses) == 4
    assert model.loss(batch)[0] == model.loss(batch)[0]


def test_the_parameters_have_names():
    names = set(tagger(characters=SPELLED, crf=True, bidirectional=False).parameters())
    assert {"embedding.weight", "characters.embedding.weight", "characters.recurrent.backward.weight_hh"} <= names
    assert {"recurrent.0.weight_ih", "output.bias", "crf.transitions", "crf.start", "crf.end"} <= names
    assert not any(name.startswith("embedding") for name in tagger(vectors=True).parameters())


def test_inputs_that_are_none_are_refused():
    model, batch = tagger(), batch_of()
    batch.inputs[0, 0] = V
    with pytest.raises(IndexError, match=f"token ids must be in 0..{V - 1}"):
        model.loss(batch)
    with pytest.raises(ValueError, match=f"vectors must have {WIDTH} features, not 2"):
        tagger(vectors=True).loss(SimpleNamespace(inputs=np.zeros((2, 1, 1)), words=None, spelled=None))
    with pytest.raises(ValueError, match="characters and input_dropout need vectors of words"):
        SequenceTaggerSpec(embedding=EmbeddingSpec(kind="one_hot"), characters=SPELLED)


@pytest.mark.parametrize("case", [*sequence_tagger_cases(0)], ids=lambda case: case.title)
def test_gradients(case):
    for error in compare_gradients(case.loss, case.values, case.grads):
        assert error.error < 1e-6, error


def test_the_cases_cover_every_cell_and_output():
    titles = [case.title for case in sequence_tagger_cases(0)]
    assert len(set(titles)) == len(titles)
    for cell, output in product(CELLS, ("softmax", "sigmoid", "crf")):
        assert any(f" {cell}" in title and f" {output}," in title for title in titles), (cell, output)


def test_vectors_of_words_that_are_known_stand_for_their_letters():
    model, batch = tagger(characters=SPELLED), batch_of()
    batch.word_numbers = batch.words
    vectors = model.inputs.characters.vectors(batch.spelled.characters, batch.spelled.mask)
    np.testing.assert_allclose(model.scores(batch, vectors), model.scores(batch), rtol=1e-12)
    assert np.abs(model.scores(batch, 2 * vectors) - model.scores(batch)).max() > 1e-3
