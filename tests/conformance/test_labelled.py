"""What every kind of classifier and regressor keeps: exact resumption, workers, storage, gradients, predictions."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from rnncli import experiments
from rnncli.data import TokenizerSpec
from rnncli.nn.cells import CELLS
from rnncli.nn.layers.readouts import READOUTS
from rnncli.spec import to_yaml
from rnncli.training.optimizers import OPTIMIZERS
from rnncli.training.schedules import Plateau
from tests.cli.conftest import invoke, strict_json
from tests.conformance.promises import assert_resumes, assert_workers_agree
from tests.tasks.labelled_runs import EXAMPLES, VALUES, labelled_task, regression_task, start, trained

ROWS = [(text, label, len(text.split()) > 3) for text, label in EXAMPLES] * 2  # enough for batches that two can share
FILES = {
    "data.csv": "text,label\n" + "".join(f"{text},{label}\n" for text, label, _ in ROWS),
    "several.txt": "".join(f"{'__label__long ' * long}__label__{label} {text}\n" for text, label, long in ROWS),
    "values.csv": VALUES + VALUES.partition("\n")[2] * 2,
    "long.csv": "id,t,x,y,label\n"
    + "".join(
        f"{i},{t},{(i * 7 + t) % 11},{t},{'odd' if (i * 7) % 11 > 5 else 'even'}\n"
        for i in range(240)
        for t in range(1 + i % 4)
    ),
}
KINDS = {
    "labels": (labelled_task, {}, {"class_weights": "balanced"}),
    "several labels": (labelled_task, {"train": "several.txt", "multi_label": True}, {}),
    "characters": (labelled_task, {"tokenizer": TokenizerSpec(level="character")}, {}),
    "vectors": (labelled_task, {"train": "long.csv", "columns": ("x", "y"), "sequence": "id", "time": "t"}, {}),
    "values": (regression_task, {}, {}),
}
PRODUCT = list(itertools.product(KINDS, READOUTS, (False, True), CELLS))
SAMPLE = [
    ("labels", "last", True, "lstm"),
    ("several labels", "attention", False, "gru"),
    ("vectors", "mean", True, "rnn"),
    ("values", "max", False, "lstm"),
    ("characters", "attention", True, "gru"),
    ("values", "last", False, "rnn"),
]


def make_task(kind, readout, bidirectional, cell, *, model=(), **training):
    """A task of this kind, with dropout, that trains for about twenty steps."""
    make, data, more = KINDS[kind]
    sizes = {"hidden_size": 4, "num_layers": 2, "dropout": 0.2, "recurrent_dropout": 0.1}
    architecture = {"cell": CELLS[cell](), "readout": readout, "bidirectional": bidirectional}
    settings = {
        "epochs": 1,
        "batch_size": 8,
        "validate_every": 6,
        "optimizer": OPTIMIZERS["adam"](learning_rate=0.02),
        "schedule": Plateau(warmup_steps=3, patience=1),
        "patience": None,
    }
    return make(data, architecture | sizes | dict(model), **settings | more | training)


def begin(task, base, name):
    return start(task, base, name, **FILES)


def check_resumption(base, *architecture, **training):
    task = make_task(*architecture, **training)
    assert_resumes(lambda name: begin(task, base, name), base, training.get("workers", 1))


@pytest.mark.parametrize("architecture", SAMPLE, ids=str)
def test_a_cut_run_ends_like_an_unbroken_one(tmp_path, architecture):
    check_resumption(tmp_path, *architecture)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", PRODUCT, ids=str)
def test_every_cut_run_ends_like_an_unbroken_one(tmp_path, architecture):
    check_resumption(tmp_path, *architecture)


def test_with_workers_too(tmp_path):
    check_resumption(tmp_path, "labels", "attention", True, "gru", workers=2)


@pytest.mark.parametrize("kind", KINDS)
def test_two_workers_learn_what_one_does(tmp_path, kind):
    def started(workers):
        model = {"dropout": 0.0, "recurrent_dropout": 0.0}
        task = make_task(kind, "attention", True, "gru", model=model, workers=workers, steps=10)
        return begin(task, tmp_path, f"run {workers}")

    assert_workers_agree(started)


@pytest.mark.parametrize("architecture", SAMPLE, ids=str)
def test_a_stored_model_answers_the_same(tmp_path, architecture):
    run, _ = trained(make_task(*architecture), tmp_path, **FILES)
    part = run.dataset.splits.train
    inputs = [part.input(i) for i in range(len(part))]
    last = experiments.load(run.folder / "last.npz").sequences
    for answer in ("outputs", "vectors"):
        before = getattr(type(last)(run.model, run.task, run.dataset.resources), answer)(inputs)
        np.testing.assert_array_equal(getattr(last, answer)(inputs), before)
        assert np.ptp(before, axis=1).max() > 0.01


@pytest.mark.parametrize("architecture", SAMPLE, ids=str)
def test_gradients_of_a_spec(tmp_path, architecture):
    path = Path(tmp_path, "spec.yaml")
    path.write_text(to_yaml(make_task(*architecture, model={"hidden_size": 2, "num_layers": 1})))
    status, out, err = invoke("gradcheck", path, "--json")
    report = strict_json(out)
    kind, readout, bidirectional, _ = architecture
    names = {row["parameter"] for row in report["rows"]}
    assert (status, err, report["failures"]) == (0, "", 0)
    assert {"output.weight", "output.bias", "recurrent.0." + "backward." * bidirectional + "weight_hh"} <= names
    assert any(name.startswith("readout.") for name in names) == (readout == "attention")
    assert any("embedding" in name for name in names) == (kind not in ("vectors", "values"))


def test_a_wrong_gradient_of_a_spec_is_caught(tmp_path):
    path = Path(tmp_path, "spec.yaml")
    path.write_text(to_yaml(make_task("values", "mean", False, "rnn", model={"hidden_size": 2})))
    status, _, err = invoke("gradcheck", path, "--inject-error", "--parameter", "output.weight")
    assert status == 1
    assert "differ from their numeric value" in err


def test_the_sample_has_every_kind_readout_and_cell():
    for table, sampled in zip((KINDS, READOUTS, (False, True), CELLS), zip(*SAMPLE, strict=True), strict=True):
        assert set(sampled) == set(table)
