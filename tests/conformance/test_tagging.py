"""What every kind of tagger keeps: exact resumption, workers, storage, gradients, predictions."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from rnncli import experiments
from rnncli.models.character_encoder import CharacterEncoderSpec
from rnncli.models.stack_spec import CONTROLS
from rnncli.nn.cells import CELLS
from rnncli.spec import to_yaml
from rnncli.training.optimizers import OPTIMIZERS
from rnncli.training.schedules import Plateau
from tests.cli.conftest import invoke, strict_json
from tests.conformance.promises import assert_resumes, assert_workers_agree
from tests.tasks.tagged_runs import FRAMES, OF_FRAMES, SENTENCES, SEVERAL, conll, start, tagged_task, trained


def tripled(table):
    """The rows of a table three times, of other sequences each time."""
    header, _, rows = table.partition("\n")
    return f"{header}\n" + "".join(f"{i}-{row}\n" for i in range(3) for row in rows.splitlines())


FILES = {  # enough for batches that two workers can share
    "train.conll": conll(SENTENCES * 2),
    "frames.csv": tripled(FRAMES),
    "several.csv": tripled(SEVERAL),
}
SPELLED = {"characters": CharacterEncoderSpec(embedding_size=3, hidden_size=2, cell=CELLS["rnn"]())}
KINDS = {
    "words": ({"label": 2}, {}),
    "letters": ({}, SPELLED),
    "crf": ({}, {"crf": True, **SPELLED}),
    "several labels": ({"train": "several.csv", "multi_label": True, **OF_FRAMES}, {}),
    "vectors": ({"train": "frames.csv", **OF_FRAMES}, {"crf": True}),
}
EVERY_CELL = (*CELLS, "conv1d", "none")
PRODUCT = list(itertools.product(KINDS, (False, True), EVERY_CELL))
SAMPLE = [
    ("words", True, "lstm"),
    ("letters", False, "gru"),
    ("crf", True, "rnn"),
    ("several labels", True, "gru"),
    ("vectors", False, "lstm"),
    ("letters", True, "conv1d"),
    ("vectors", True, "none"),
]


def make_task(kind, bidirectional, cell, *, model=(), **training):
    """A task of this kind, with dropout, that trains for about twenty steps."""
    data, own = KINDS[kind]
    dropout = {"dropout": 0.2, "input_dropout": 0.1}
    if cell in CELLS:
        dropout["recurrent_dropout"] = 0.1
    sizes = {"hidden_size": 4, "num_layers": 2, "bidirectional": bidirectional, "cell": (CELLS | CONTROLS)[cell]()}
    settings = {
        "epochs": 1,
        "batch_size": 8,
        "validate_every": 6,
        "optimizer": OPTIMIZERS["adam"](learning_rate=0.02),
        "schedule": Plateau(warmup_steps=3, patience=1),
        "patience": None,
    }
    return tagged_task(data, own | sizes | dropout | dict(model), **settings | training)


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
    check_resumption(tmp_path, "crf", True, "gru", workers=2)


@pytest.mark.parametrize("kind", KINDS)
def test_two_workers_learn_what_one_does(tmp_path, kind):
    def started(workers):
        model = {"dropout": 0.0, "recurrent_dropout": 0.0, "input_dropout": 0.0}
        task = make_task(kind, True, "gru", model=model, workers=workers, steps=10)
        return begin(task, tmp_path, f"run {workers}")

    assert_workers_agree(started)


@pytest.mark.parametrize("architecture", SAMPLE, ids=str)
def test_a_stored_model_answers_the_same(tmp_path, architecture):
    run, _ = trained(make_task(*architecture), tmp_path, **FILES)
    part = run.dataset.splits.train
    undo = run.dataset.inputs.standardization.undo if run.dataset.inputs.width else None
    given = [undo(part.input(i)) if undo else tuple(part.tokens(i)) for i in range(len(part))]
    last = experiments.load(run.folder / "last.npz").tagger
    before = type(last)(run.model, run.task, run.dataset.resources).tag(given, sure=True)
    assert last.tag(given, sure=True) == before
    chances = [p for each in before for step in each.probabilities for p in step.values()]
    assert np.ptp(chances) > 0.01


@pytest.mark.parametrize("architecture", SAMPLE, ids=str)
def test_gradients_of_a_spec(tmp_path, architecture):
    path = Path(tmp_path, "spec.yaml")
    path.write_text(to_yaml(make_task(*architecture, model={"hidden_size": 2, "num_layers": 1})))
    status, out, err = invoke("gradcheck", path, "--json")
    report = strict_json(out)
    kind, bidirectional, cell = architecture
    names = {row["parameter"] for row in report["rows"]}
    assert (status, err, report["failures"]) == (0, "", 0)
    layer = f"recurrent.0.{'backward.' * bidirectional}weight_hh" if cell in CELLS else "convolution.0.weight"
    assert {"output.weight", "output.bias", layer} <= names
    data, model = KINDS[kind]
    assert any(name.startswith("crf.") for name in names) == model.get("crf", False)
    assert any("characters" in name for name in names) == ("characters" in model)
    assert any(name.startswith("embedding") for name in names) == ("columns" not in data)


def test_a_wrong_gradient_of_a_spec_is_caught(tmp_path):
    path = Path(tmp_path, "spec.yaml")
    path.write_text(to_yaml(make_task("crf", False, "rnn", model={"hidden_size": 2})))
    status, _, err = invoke("gradcheck", path, "--inject-error", "--parameter", "crf.transitions")
    assert status == 1
    assert "differ from their numeric value" in err


def test_the_sample_has_every_kind_direction_and_cell():
    for table, sampled in zip((KINDS, (False, True), EVERY_CELL), zip(*SAMPLE, strict=True), strict=True):
        assert set(sampled) == set(table)
    assert set(EVERY_CELL) | {"mlp"} == {*CELLS, *CONTROLS}
