"""What every way of conditioning a language model keeps: exact resumption, workers, storage, padding, gradients."""

import itertools
from functools import partial

import numpy as np
import pytest

from rnncli import experiments
from rnncli.data import Items
from rnncli.models.condition import CONDITIONS
from rnncli.nn.cells import CELLS
from rnncli.tasks.text_data import make_batches
from tests.conformance.promises import (
    SIZES,
    TRAINING,
    WITHOUT_DROPOUT,
    assert_resumes,
    assert_workers_agree,
    parameters_checked,
)
from tests.tasks.conditioned_runs import CSV, conditioned_task, start, trained

LONG = CSV + CSV.partition("\n")[2]  # enough for batches that two workers can share
WINDOWS = {"full": {}, "truncated": {"bptt": "truncated", "bptt_length": 5}}
PRODUCT = list(itertools.product(CONDITIONS, CELLS, WINDOWS))
SAMPLE = [("bias", "lstm", "truncated"), ("initial_state", "gru", "full"), ("input", "rnn", "truncated")]


def make_task(way, cell, windows, *, model=(), **training):
    """A task with two conditions, and dropout, that trains for about twenty steps."""
    settings = {**TRAINING, "steps": 20, "batch_size": 20} | WINDOWS[windows] | training
    sizes = {**SIZES, "condition": way} | dict(model)
    return conditioned_task(cell=cell, data={"condition": ("mood", "author")}, model=sizes, **settings)


def begin(task, base, name):
    return start(task, base, name, **{"quotes.csv": LONG})


@pytest.mark.parametrize("architecture", SAMPLE, ids=str)
def test_a_cut_run_ends_like_an_unbroken_one(tmp_path, architecture):
    assert_resumes(partial(begin, make_task(*architecture), tmp_path), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", PRODUCT, ids=str)
def test_every_cut_run_ends_like_an_unbroken_one(tmp_path, architecture):
    assert_resumes(partial(begin, make_task(*architecture), tmp_path), tmp_path)


def test_with_workers_too(tmp_path):
    task = make_task("bias", "gru", "truncated", workers=2, batch_size=8)
    assert_resumes(partial(begin, task, tmp_path), tmp_path, workers=2)


@pytest.mark.parametrize("way", CONDITIONS)
def test_two_workers_learn_what_one_does(tmp_path, way):
    def begin_with(workers):
        task = make_task(way, "gru", "truncated", model=WITHOUT_DROPOUT, workers=workers, steps=10, batch_size=8)
        return begin(task, tmp_path, f"run {workers}")

    assert assert_workers_agree(begin_with)["condition.weight"] > 0.02


@pytest.mark.parametrize("architecture", SAMPLE, ids=str)
def test_a_stored_model_writes_the_same(tmp_path, architecture):
    run, _ = trained(make_task(*architecture), tmp_path, **{"quotes.csv": LONG})
    given = ["author=smith", "mood=glad"]
    stored = experiments.load(run.folder / "last.npz").writer_given(given)
    ours = run.task.writer(run.model, run.dataset.resources, given)
    np.testing.assert_array_equal(stored.score("oar rope.")[1], ours.score("oar rope.")[1])
    others = experiments.load(run.folder / "last.npz").writer_given(["author=cook", "mood=glad"])
    assert np.abs(others.score("oar rope.")[1] - ours.score("oar rope.")[1]).max() > 1e-3


@pytest.mark.parametrize("way", CONDITIONS)
def test_neither_padding_nor_neighbours_change_a_loss_or_a_gradient(tmp_path, way):
    task = make_task(way, "lstm", "full", model=WITHOUT_DROPOUT)
    run = begin(task, tmp_path, "run")
    part, found = run.dataset.part("validation"), []
    for batch_size in (1, 4, len(part)):
        total, flat = 0.0, run.trainer.flat
        flat.grads[:] = 0
        for batch in Items(part, batch_size).epoch(np.random.default_rng(0)):
            loss, _, cache = run.model.loss(batch)
            run.model.backward(cache)
            total += loss.sum
        found.append((total, flat.grads.copy()))
    assert any(batch.mask is not None for batch in Items(part, len(part)).epoch(np.random.default_rng(0)))
    for total, grads in found[1:]:
        assert total == pytest.approx(found[0][0], rel=1e-5)
        np.testing.assert_allclose(grads, found[0][1], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("way", CONDITIONS)
def test_truncated_windows_have_the_loss_of_whole_texts(tmp_path, way):
    run = begin(make_task(way, "gru", "truncated"), tmp_path, "run")
    totals = []
    for windows in ("full", "truncated"):
        training = make_task(way, "gru", windows).training
        total, state = 0.0, None
        batches = make_batches(run.task.data, training, run.dataset.part("train"), 9, training.bptt_length)
        for batch in batches.epoch(np.random.default_rng(0)):
            loss, state, _ = run.model.loss(batch, state if batch.carry else None, None, gradient=False)
            total += loss.sum
        totals.append(total)
    assert totals[0] == pytest.approx(totals[1], rel=1e-5)


@pytest.mark.parametrize("architecture", SAMPLE, ids=str)
def test_gradients_of_a_spec(tmp_path, architecture):
    names = parameters_checked(make_task(*architecture, model={"hidden_size": 2, "num_layers": 1}), tmp_path)
    assert {"condition", "condition.weight", "inputs"} <= names
    assert ("condition.bias" in names) == (architecture[0] != "bias")
