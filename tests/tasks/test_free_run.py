"""Texts of models that read nothing after the seed, and how their states move."""

import numpy as np
import pytest

from rnncli.decoding import log_softmax
from rnncli.errors import DataError, RnncliError, UsageError
from rnncli.models.autonomous_step import AutonomousStep
from rnncli.models.language_model import EmbeddingSpec, LanguageModel, LanguageModelSpec
from rnncli.nn.cells import CELLS, RNNCell
from rnncli.tasks.text_generation import TextGenerator
from tests.tasks.tiny_writers import GREEDY, LINES, STREAM, texts, writer

every_cell = pytest.mark.parametrize("cell", CELLS)


def free(generator, seed="", **options):
    return texts(generator, seed, free_run=True, **options)


def scores_of(generator, seed, length):
    """Log-probabilities (V, length), after a seed or from the model's own beginning on."""
    step = AutonomousStep(generator.model)
    _, logits, state = generator._read(seed) if seed else (None, *step.after(step.initial))
    found = [logits]
    for _ in range(length - 1):
        logits, state = step.after(state)
        found.append(logits)
    return log_softmax(np.concatenate(found, axis=1))


def lively(cell="lstm", **bias):
    """A model with states that keep moving for a while."""
    generator = writer(cell=cell, **bias)
    for layer in generator.model.stack.layers:
        layer.weight_ih.value *= 5
        layer.weight_hh.value *= 5
        layer.bias.value[:] = np.random.default_rng(8).standard_normal(layer.bias.value.shape)
    return generator


@pytest.mark.parametrize("seed", ["", "abc"])
@every_cell
def test_it_says_what_is_most_probable_in_each_state(cell, seed):
    generator = lively(cell)
    (text,) = free(generator, seed, sampling=GREEDY, length=30)
    scores = scores_of(generator, seed, 30)
    allowed = scores.copy()
    allowed[generator.forbidden] = -np.inf
    best = allowed.argmax(axis=0)
    assert [STREAM.tokens.index(token) for token in text.tokens] == best.tolist()
    assert text.log_probabilities == pytest.approx(scores[best, np.arange(30)], abs=1e-5)
    assert (text.seed, text.ended) == (seed, "length")
    assert len(np.unique(scores[:, :9].round(4), axis=1).T) == 9


def test_what_is_drawn_changes_nothing():
    generator = lively()
    drawn = free(generator, "ab", samples=4, length=25, random_seed=2)
    assert len({text.text for text in drawn}) == 4
    scores = scores_of(generator, "ab", 25)
    for text in drawn:
        ids = [STREAM.tokens.index(token) for token in text.tokens]
        assert text.log_probabilities == pytest.approx(scores[ids, np.arange(25)], abs=1e-5)
    (alone,) = free(generator, "ab", length=25, random_seed=2)
    assert alone.tokens == drawn[0].tokens
    assert texts(generator, "ab", length=25, random_seed=2)[0].tokens != alone.tokens
    assert texts(generator, "ab", length=1, random_seed=2)[0].tokens == alone.tokens[:1]


def test_a_line_ends_with_its_end_symbol_and_needs_no_begin():
    for text in free(writer(LINES, **{"<eos>": 4, "<bos>": 90}), samples=6, length=50, random_seed=3):
        assert (text.ended, text.tokens[-1], "<bos>" in text.tokens) == ("eos", "<eos>", False)


def test_stop_texts_and_characters_of_many_bytes_are_those_of_any_text():
    generator = lively()
    (text,) = free(generator, "ab", length=40, random_seed=2)
    word = text.text[20:22]
    (cut,) = free(generator, "ab", length=40, random_seed=2, stop=[word])
    assert (cut.text, cut.ended) == (text.text[: text.text.index(word)], "stop")


@pytest.mark.parametrize("seed", ["", "abc"])
@every_cell
def test_movement_is_the_norm_of_all_numbers_of_the_state_and_of_its_next_change(cell, seed):
    generator = lively(cell)
    step = AutonomousStep(generator.model)
    state = generator._read(seed)[2] if seed else step.after(step.initial)[1]
    found = list(generator.movement(seed, 12))
    assert len(found) == 12
    for norm, change in found:
        after = step.after(state)[1]
        assert norm == pytest.approx(sum(float((layer**2).sum()) for layer in state) ** 0.5, rel=1e-5)
        moved = sum(float(((b - a) ** 2).sum()) for a, b in zip(state, after, strict=True)) ** 0.5
        assert change == pytest.approx(moved, rel=1e-4)
        state = after
    assert list(generator.movement(seed, 0)) == []


def clock(size):
    """A ReLU network whose state is one of `size` unit vectors, each followed by the next, the last by the first."""
    spec = LanguageModelSpec(
        EmbeddingSpec("one_hot"), cell=RNNCell(activation="relu"), hidden_size=size, num_layers=1, bias=False
    )
    model = LanguageModel(spec, len(STREAM), rng=None)
    model.stack.layers[0].weight_hh.value[:] = np.roll(np.eye(size), 1, axis=0)
    return TextGenerator(model, STREAM)


def test_a_cycle_and_a_fixed_point_show():
    generator = clock(3)
    layer, tokens = generator.model.stack.layers[0], [STREAM.tokens.index(token) for token in "ace"]
    layer.weight_ih.value[0, STREAM.tokens.index("b")] = 1  # "b" sets it going
    generator.model.output.weight.value[tokens, range(3)] = 60
    (text,) = free(generator, "b", sampling=GREEDY, length=7)
    assert text.text == "aceacea"
    np.testing.assert_allclose(list(generator.movement("b", 5)), [[1, 2**0.5]] * 5, rtol=1e-6)
    layer.weight_hh.value[:] = np.eye(3)
    assert free(generator, "b", sampling=GREEDY, length=7)[0].text == "aaaaaaa"
    assert list(generator.movement("b", 5)) == [(1, 0)] * 5


def test_a_state_that_grows_without_end():
    generator = clock(3)
    layer = generator.model.stack.layers[0]
    layer.weight_ih.value[0, STREAM.tokens.index("b")] = 1
    layer.weight_hh.value *= 4
    generator.model.output.weight.value[STREAM.tokens.index("d")] = 1
    assert free(generator, "b", sampling=GREEDY, length=60, scored=False)[0].text == "d" * 60
    with pytest.raises(RnncliError, match="no token has a probability"):
        free(generator, "b", sampling=GREEDY, length=80, scored=False)
    moved = np.array(list(generator.movement("b", 80)))
    np.testing.assert_allclose(moved[:63, 0], 4.0 ** np.arange(63))
    assert np.isfinite(moved).all(axis=1).tolist() == [True] * 63 + [False] * 17


@every_cell
def test_without_anything_that_moves_the_state_it_needs_a_start(cell):
    spec = LanguageModelSpec(EmbeddingSpec(size=4), cell=CELLS[cell](), hidden_size=6, bias=False)
    generator = TextGenerator(LanguageModel(spec, len(STREAM), rng=np.random.default_rng(1)), STREAM)
    for refused in (
        lambda: generator.generate("", length=5, sampling=GREEDY, free_run=True),
        lambda: generator.movement("", 5),
    ):
        with pytest.raises(UsageError, match=r"--free-run needs a start: .* zeros") as caught:
            refused()
        assert "--seed" in caught.value.hint
    assert len(free(generator, "a", length=5)[0].tokens) == 5


@pytest.mark.parametrize("cell", ["conv1d", "none"])
def test_models_without_a_state_are_refused(cell):
    for seed in ("", "ab"):
        with pytest.raises(UsageError, match="--free-run goes on from the state alone, and this model has none"):
            writer(cell=cell).generate(seed, length=5, sampling=GREEDY, free_run=True)


def test_a_seed_that_the_model_cannot_know_is_refused_before_anything_is_drawn():
    with pytest.raises(DataError, match="character 'ß'"):
        writer().generate("aß", length=5, sampling=GREEDY, free_run=True)
