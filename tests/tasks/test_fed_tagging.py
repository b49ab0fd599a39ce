"""Taggers that read labels of their own, in training and where the loop is closed, against label after label."""

from dataclasses import replace

import numpy as np
import pytest

from rnncli.data import batch_of, for_answers
from rnncli.models.fed_labels import previous
from rnncli.nn.cells import RNNCell
from rnncli.tasks.closed_loop import closed_loop
from rnncli.tasks.feeding import label_loop, own_inputs
from rnncli.training.teacher_forcing import TeacherForcing
from tests.tasks.tagged_runs import OF_FRAMES, start, tagged_task, trained

SEVERAL = {"train": "several.csv", "multi_label": True, **OF_FRAMES}
KINDS = {
    "both": ({}, {"recurrence": "both"}),
    "output": ({}, {"recurrence": "output", "cell": RNNCell()}),
    "several, both": (SEVERAL, {"recurrence": "both"}),
    "several, output": (SEVERAL, {"recurrence": "output", "cell": RNNCell()}),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def run_of(kind, base, **training):
    data, model = KINDS[kind]
    return trained(tagged_task(data, {"bidirectional": False, **model}, **training), base)[0]


def batch_for(run):
    part = run.dataset.splits.train
    return batch_of(part, next(for_answers(part.lengths)))


def steps_apart(model, batch):
    """What a tagger says at every step fed with its own best labels, by passes over the whole."""
    fed = previous(batch.targets)
    for t in range(1, fed.shape[-2]):
        scores = model.scores(replace(batch, fed=fed), forced=True)[:, t - 1]
        fed[..., t, :] = scores >= 0 if fed.ndim > 2 else scores.argmax(axis=0)
    return fed


@every_kind
def test_free_labels_are_those_of_whole_passes(kind, tmp_path):
    data, model = KINDS[kind]
    run = start(tagged_task(data, {"bidirectional": False, **model}), tmp_path)  # which knows nothing yet
    batch, loop = batch_for(run), label_loop(several="several" in kind)
    first = np.zeros(batch.targets.shape[-2:], bool)
    first[0] = True
    found, expected = own_inputs(run.model, batch, None, first, loop, loop.best), steps_apart(run.model, batch)
    real = batch.mask if batch.mask is not None else np.ones_like(first)
    np.testing.assert_array_equal(found[..., real], expected[..., real])
    assert (found != previous(batch.targets))[..., real].any()
    scores = run.model.scores(batch)
    np.testing.assert_allclose(
        run.model.scores(replace(batch, fed=found), forced=True)[:, real], scores[:, real], rtol=1e-4, atol=1e-5
    )


@every_kind
def test_a_closed_loop_has_the_loss_of_the_evaluation_and_the_accuracy_of_its_own_answers(kind, tmp_path):
    run = run_of(kind, tmp_path)
    part, resources = run.dataset.splits.validation, run.dataset.resources
    report, found = run.task.closed_loop(run.model, resources, part), run.task.evaluate(run.model, resources, part)
    assert report.tokens.sum() == part.lengths.sum()
    assert report.forced.score(report.tokens).cross_entropy == pytest.approx(found.loss.mean, rel=1e-4)
    (accuracy,) = [
        value
        for name, value in found.metrics.items()
        if name.endswith("_accuracy") and "sequence" not in name and "unseen" not in name
    ]
    assert report.free.score(report.tokens).accuracy == pytest.approx(accuracy, rel=1e-6)


@every_kind
def test_a_schedule_feeds_labels_in_training(kind, tmp_path):
    run = run_of(kind, tmp_path, teacher_forcing=TeacherForcing("linear"), epochs=1)
    batch, true = batch_for(run), previous(batch_for(run).targets)
    first, last = (run.trainer.feed(batch, None, step, 10, np.random.default_rng(1)) for step in (0, 9))
    np.testing.assert_array_equal(first.fed, true)
    assert (last.fed[..., 0, :] == true[..., 0, :]).all()
    assert (last.fed != true).any()
    if "several" in kind:  # of which each has a yes or no of its own
        one, other = last.fed[:, 1:]
        assert (one != other)[slice(None) if batch.mask is None else batch.mask[1:]].any()
    assert last.inputs is batch.inputs
    assert last.targets is batch.targets
    losses = {run.model.loss(each, None, None)[0].sum for each in (batch, first, last)}
    assert len(losses) == 2


def test_a_step_without_a_label_counts_for_nothing(tmp_path):
    run = run_of("both", tmp_path)
    batch, loop = batch_for(run), label_loop(several=False)
    missing = batch.targets.copy()
    missing[1, ::2] = -1
    report = closed_loop(run.model, [replace(batch, targets=missing)], loop)
    assert report.tokens[1] == (missing[1] >= 0).sum() < (batch.targets[1] >= 0).sum()
    loss, *_ = run.model.loss(replace(batch, targets=missing), gradient=False)
    assert report.tokens.sum() == loss.count
    assert report.forced.losses.sum() == pytest.approx(loss.sum, rel=1e-4)
