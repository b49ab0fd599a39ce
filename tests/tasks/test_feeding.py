"""What stands in the inputs of fed batches: against texts written token by token, with the models' whole passes."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from rnncli.data import Batch, TokenizerSpec, Vocabulary
from rnncli.data.paired import PairBatch
from rnncli.decoding.feedback import drawn, most_probable
from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.encoder_decoder import EncoderDecoder
from rnncli.models.encoder_decoder_spec import EncoderDecoderSpec
from rnncli.models.input_layer import InputSizes
from rnncli.models.language_model import LanguageModel, LanguageModelSpec
from rnncli.models.stack_spec import Conv1d
from rnncli.nn.cells import GRUCell, LSTMCell
from rnncli.tasks.classification import ClassificationTask
from rnncli.tasks.feeding import Loop, feed_of, own_inputs, unread
from rnncli.training.teacher_forcing import TeacherForcing

V, T, B, C, WIDTH = 7, 6, 5, 3, 4
SIZES = {"embedding": EmbeddingSpec(size=3), "hidden_size": 5, "num_layers": 2}
HALF = TeacherForcing(start=0.5)
NOTHING = np.zeros((T, B), bool)


def loop_of(forbidden=()):
    return Loop("inputs", lambda batch: batch.inputs, lambda rng: drawn(rng, forbidden), most_probable(forbidden))


LOOP = loop_of()


def language_model(cell=None, size=0, **options):
    spec = LanguageModelSpec(cell=cell or LSTMCell(), **SIZES | options)
    model = LanguageModel(spec, V, condition_size=size, rng=np.random.default_rng(1), dtype=np.float64)
    model.output.weight.value *= 20  # so that what is said depends on what was read
    return model


def translator():
    spec = EncoderDecoderSpec(cell=GRUCell(), input_feeding=True, **SIZES)
    model = EncoderDecoder(spec, V, InputSizes(None, WIDTH), rng=np.random.default_rng(1), dtype=np.float64)
    model.decoder.output.weight.value *= 20
    return model


MODELS = {
    "lstm": language_model,
    "conv1d": lambda: language_model(Conv1d(kernel_size=4)),
    "condition as bias": lambda: language_model(size=C),
    "condition as input": lambda: language_model(size=C, condition="input"),
    "translator": translator,
}
every_model = pytest.mark.parametrize("kind", MODELS)


def batch_for(kind, *, masked=False, seed=2):
    rng = np.random.default_rng(seed)
    lengths = np.array([T, T, 4, 3, 1]) if masked else np.full(B, T)
    mask = np.arange(T)[:, None] < lengths
    inputs, targets = (np.where(mask, rng.integers(V, size=(T, B)), 0) for _ in range(2))
    mask = mask if masked else None
    if kind == "translator":
        return PairBatch(rng.standard_normal((WIDTH, 3, B)), None, inputs, targets, mask)
    condition = rng.standard_normal((C, B)) if "condition" in kind else None
    return Batch(inputs, targets, mask, carry=False, condition=condition)


def logits_behind(model, batch, inputs, t, state):
    """The logits (V, B) behind step t, by a pass over all steps up to it."""
    if isinstance(model, EncoderDecoder):
        part = replace(batch, inputs=inputs[: t + 1], targets=inputs[: t + 1], mask=None)
        top, *_ = model.decoder.read(part, model.encode(batch))
        return model.decoder.output.forward(top[:, -1])[0]
    return model.logits(inputs[: t + 1], state, condition=batch.condition, last=True)[0]


def naive(model, batch, state, forced):
    """What the most probable tokens make of the inputs, each by a pass of its own."""
    inputs = batch.inputs.copy()
    for t in range(1, T):
        said = logits_behind(model, batch, inputs, t - 1, state).argmax(axis=0)
        inputs[t] = np.where(forced[t], batch.inputs[t], said)
    return inputs


@every_model
@pytest.mark.parametrize("masked", [False, True], ids=["full", "masked"])
@pytest.mark.parametrize("mode", ["sampled", "mixed"])
def test_own_inputs_are_those_of_whole_passes(kind, masked, mode):
    model, batch = MODELS[kind](), batch_for(kind, masked=masked)
    forced = TeacherForcing(mode=mode).forced((T, B), 0.5, np.random.default_rng(3))
    found = own_inputs(model, batch, None, forced, LOOP, LOOP.best)
    kept = forced if batch.mask is None else forced | ~batch.mask
    np.testing.assert_array_equal(found, naive(model, batch, None, kept))
    assert (found != batch.inputs).sum() >= 3
    assert (found == batch.inputs)[kept].all()


@pytest.mark.parametrize("kind", [kind for kind in MODELS if kind != "translator"])
def test_a_window_goes_on_from_the_state_before_it(kind):
    model, batch = MODELS[kind](), batch_for(kind)
    _, state = model.logits(batch_for(kind, seed=9).inputs, condition=batch.condition)
    found = own_inputs(model, batch, state, NOTHING, LOOP, LOOP.best)
    np.testing.assert_array_equal(found, naive(model, batch, state, NOTHING))
    assert (found != own_inputs(model, batch, None, NOTHING, LOOP, LOOP.best)).any()


def test_a_schedule_forces_as_many_as_it_says():
    model, batch = language_model(), batch_for("lstm")
    wide = replace(batch, inputs=np.full((T, 2000), 6), targets=np.zeros((T, 2000), int))
    model.output.weight.value[6], model.output.bias.value[6] = 0, -1e3  # which it never says
    feed = feed_of(model, TeacherForcing("linear", 0.9, 0.1), LOOP)
    for step, expected in ((0, 0.9), (50, 0.5), (100, 0.1)):
        fed = feed(wide, None, step, 101, np.random.default_rng(step))
        assert (fed.inputs[0] == 6).all()
        assert (fed.inputs[1:] == 6).mean() == pytest.approx(expected, abs=0.02)
        assert fed.targets is wide.targets


@every_model
def test_feeding_repeats_by_its_generator_and_leaves_its_batch_alone(kind):
    model, batch = MODELS[kind](), batch_for(kind)
    feed, before = feed_of(model, HALF, LOOP), batch.inputs.copy()
    first, again, other = (feed(batch, None, 0, 9, np.random.default_rng(seed)).inputs for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    np.testing.assert_array_equal(batch.inputs, before)


def test_tokens_are_drawn_from_the_softmax_of_the_model():
    model, batch = language_model(), batch_for("lstm")
    same = np.repeat(batch.inputs[:, :1], 20000, axis=1)
    wide = replace(batch, inputs=same, targets=same)
    fed = feed_of(model, TeacherForcing(start=0.0), LOOP)(wide, None, 0, 9, np.random.default_rng(4))
    logits = model.logits(same[:1, :1])[0][:, 0]
    weights = np.exp(logits - logits.max())
    found = np.bincount(fed.inputs[1], minlength=V) / 20000
    np.testing.assert_allclose(found, weights / weights.sum(), atol=0.012)
    assert (found > 0.01).sum() > 1


@every_model
def test_what_is_forbidden_is_never_fed(kind):
    model, batch = MODELS[kind](), batch_for(kind)
    forbidden = [0, 1, 2, 3, 4]
    for barred in ([], forbidden):
        fed = feed_of(model, TeacherForcing(start=0.0), loop_of(barred))(batch, None, 0, 9, np.random.default_rng(1))
        assert np.isin(fed.inputs[1:], forbidden).any() == (not barred)


def test_the_pass_that_draws_has_no_dropout():
    model, batch = language_model(dropout=0.9), batch_for("lstm")
    found = own_inputs(model, batch, None, NOTHING, LOOP, LOOP.best)
    np.testing.assert_array_equal(found, naive(model, batch, None, NOTHING))


def test_nothing_is_fed_where_all_is_forced():
    assert feed_of(language_model(), TeacherForcing(), LOOP) is None
    broken = SimpleNamespace()  # which nobody asks anything
    batch = batch_for("lstm")
    assert feed_of(broken, TeacherForcing("linear"), LOOP)(
        batch, None, 0, 9, np.random.default_rng(1)
    ).inputs.tolist() == (batch.inputs.tolist())
    assert ClassificationTask().feed(broken, {}) is None


def test_what_is_never_read_behind_the_first_input():
    counts = [("a", 3), ("b", 2)]
    items = Vocabulary.from_counts(counts, TokenizerSpec(min_count=2), items=1)
    assert unread(items) == [items.begin_id, items.end_id]
    assert unread(Vocabulary.from_counts(counts, TokenizerSpec(min_count=2), items=None)) == []
