"""A closed loop against passes over whole texts: forced it has the loss of any evaluation, free that of its own."""

from dataclasses import replace

import numpy as np
import pytest

from rnncli.tasks.closed_loop import closed_loop
from rnncli.tasks.feeding import unread
from rnncli.tasks.language_model import vocabulary_of
from rnncli.tasks.pair_resources import target_of
from tests.conformance.test_pairs import SAMPLE, begin, make_task
from tests.tasks import conditioned_runs
from tests.tasks.test_feeding import LOOP, MODELS, NOTHING, B, T, batch_for, every_model, logits_behind, loop_of, naive
from tests.tasks.tiny_runs import tiny_task, trained

RUNS = {
    "stream": {},
    "control": {"cell": "conv1d"},
    "sliding windows": {"state": "reset", "stride": 4},
    "lines": {"data": {"format": "lines"}},
    "truncated lines": {"data": {"format": "lines"}, "bptt": "truncated"},
}


def measured(model, batch, inputs, state=None):
    """Summed losses and right answers at each position, each of a pass of its own."""
    losses, right = np.zeros((2, T))
    mask = np.ones((T, B), bool) if batch.mask is None else batch.mask
    for t in range(T):
        logits = logits_behind(model, batch, inputs, t, state)[:, mask[t]]
        targets = batch.targets[t][mask[t]]
        own = np.log(np.exp(logits).sum(axis=0)) - logits[targets, np.arange(len(targets))]
        losses[t], right[t] = own.sum(), (logits.argmax(axis=0) == targets).sum()
    return losses, right


@every_model
@pytest.mark.parametrize("masked", [False, True], ids=["full", "masked"])
def test_it_is_that_of_whole_passes(kind, masked):
    model, batch = MODELS[kind](), batch_for(kind, masked=masked)
    report = closed_loop(model, [batch], LOOP)
    mask = np.ones((T, B), bool) if batch.mask is None else batch.mask
    own = naive(model, batch, None, NOTHING if batch.mask is None else ~mask)
    np.testing.assert_array_equal(report.tokens, mask.sum(axis=1))
    for sums, inputs in ((report.forced, batch.inputs), (report.free, own)):
        losses, right = measured(model, batch, inputs)
        np.testing.assert_allclose(sums.losses, losses, rtol=1e-9)
        np.testing.assert_array_equal(sums.correct, right)
    assert report.forced.losses[0] == report.free.losses[0]
    assert (report.forced.losses != report.free.losses).any()


def test_batches_of_other_lengths_add_up():
    model, long, short = MODELS["lstm"](), batch_for("lstm", seed=3), batch_for("lstm", seed=4)
    short = replace(short, inputs=short.inputs[:2], targets=short.targets[:2])
    alone = [closed_loop(model, [batch], LOOP) for batch in (long, short)]
    for batches in ([long, short], [short, long]):
        both = closed_loop(model, batches, LOOP)
        assert both.tokens.tolist() == [10, 10, 5, 5, 5, 5]
        for name in ("forced", "free"):
            expected = getattr(alone[0], name).losses.copy()
            expected[:2] += getattr(alone[1], name).losses
            np.testing.assert_allclose(getattr(both, name).losses, expected, rtol=1e-12)


@pytest.mark.parametrize("kind", ["lstm", "conv1d"])
def test_a_window_begins_with_the_state_of_the_true_text(kind):
    model, first, second = MODELS[kind](), batch_for(kind, seed=3), batch_for(kind, seed=4)
    second = replace(second, carry=True)
    whole, start = closed_loop(model, [first, second], LOOP), closed_loop(model, [first], LOOP)
    _, state = model.logits(first.inputs)
    own = naive(model, second, state, NOTHING)
    np.testing.assert_allclose(whole.free.losses - start.free.losses, measured(model, second, own, state)[0], rtol=1e-9)
    np.testing.assert_allclose(
        whole.forced.losses - start.forced.losses, measured(model, second, second.inputs, state)[0], rtol=1e-9
    )


def test_what_is_forbidden_is_not_read_but_may_be_the_right_answer():
    model, batch = MODELS["lstm"](), batch_for("lstm")
    model.output.bias.value[6] = 25.0  # which it always says
    batch = replace(batch, targets=np.full((T, B), 6))
    barred, free = closed_loop(model, [batch], loop_of([6])), closed_loop(model, [batch], LOOP)
    assert barred.free.correct.tolist() == free.free.correct.tolist() == [B] * T
    assert not np.array_equal(barred.free.losses, free.free.losses)  # something else was read


def test_numbers_that_are_not_finite_are_told_and_raise_nothing():
    model = MODELS["lstm"]()
    model.output.weight.value[:] = np.inf
    report = closed_loop(model, [batch_for("lstm")], LOOP)
    assert np.isnan(report.gap)


@pytest.mark.parametrize("kind", RUNS)
def test_forced_a_language_model_has_the_loss_of_its_evaluation(tmp_path, kind):
    options = {"epochs": 6, **RUNS[kind]}
    run, _ = trained(tiny_task(**options), tmp_path)
    part, resources = run.dataset.splits.validation, run.dataset.resources
    report, loss = run.task.closed_loop(run.model, resources, part), run.task.evaluate(run.model, resources, part).loss
    assert report.tokens.sum() == loss.count
    assert report.forced.losses.sum() == pytest.approx(loss.sum, rel=1e-5)
    assert report.gap > 0.05
    assert (len(report.tokens) == 6) == (run.task.data.format != "lines")
    assert bool(unread(vocabulary_of(resources))) == (run.task.data.format == "lines")


def test_and_so_has_a_conditioned_one(tmp_path):
    run, _ = conditioned_runs.trained(conditioned_runs.conditioned_task(epochs=10), tmp_path)
    part, resources = run.dataset.splits.validation, run.dataset.resources
    report, loss = run.task.closed_loop(run.model, resources, part), run.task.evaluate(run.model, resources, part).loss
    assert report.forced.losses.sum() == pytest.approx(loss.sum, rel=1e-5)
    assert report.gap != 0


@pytest.mark.parametrize("architecture", [SAMPLE[0], SAMPLE[6], SAMPLE[-3]], ids=str)
def test_and_so_have_models_of_pairs(tmp_path, architecture):
    run = begin(make_task(*architecture, epochs=2), tmp_path, "run")
    list(run.events())
    part, resources = run.dataset.splits.validation, run.dataset.resources
    report, loss = run.task.closed_loop(run.model, resources, part), run.task.evaluate(run.model, resources, part).loss
    assert report.tokens.sum() == loss.count
    assert report.forced.losses.sum() == pytest.approx(loss.sum, rel=1e-5)
    assert report.gap != 0
    assert len(unread(target_of(resources))) == 2
