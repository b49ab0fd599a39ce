"""What training on a model's own outputs keeps, with every schedule: exact resumption, workers, right gradients."""

import itertools

import pytest

from rnncli.spec import to_yaml
from rnncli.tasks import TASKS, Task
from rnncli.training.events import StepDone
from rnncli.training.teacher_forcing import FedTrainingSpec, TeacherForcing
from tests.conformance import test_conditioned, test_pairs, test_recurrence
from tests.conformance.promises import SIZES, TRAINING, assert_resumes, parameters_checked
from tests.tasks.tiny_runs import TEXT, start, tiny_task

SCHEDULES = {
    "constant": TeacherForcing(start=0.4),
    "linear": TeacherForcing("linear", end=0.2),
    "exponential": TeacherForcing("exponential", start=0.9, mode="mixed"),
    "inverse_sigmoid": TeacherForcing("inverse_sigmoid"),
}


def _text(base, name, *, cell="lstm", model=(), data=(), **settings):
    settings = {**TRAINING, "epochs": 1, "batch_size": 8, "bptt_length": 5, "steps": 20} | settings
    task = tiny_task(cell=cell, model={**SIZES, **dict(model)}, data=data, **settings)
    return start(task, base, name, TEXT * 3)


def _control(base, name, **settings):
    return _text(base, name, cell="conv1d", model={"recurrent_dropout": 0.0}, **settings)


def _lines(base, name, **settings):
    return _text(base, name, data={"format": "lines"}, bptt="truncated", **settings)


def _windows(base, name, **settings):
    return _text(base, name, state="reset", stride=3, **settings)


def _conditioned(base, name, **settings):
    task = test_conditioned.make_task("input", "gru", "truncated", **{"batch_size": 8, **settings})
    return test_conditioned.begin(task, base, name)


def _pairs(architecture):
    def begin(base, name, **settings):
        return test_pairs.begin(test_pairs.make_task(*architecture, **settings), base, name)

    return begin


def _recurrent(name):
    kind = test_recurrence.KINDS[name]

    def begin(base, run, *, model=(), **settings):
        task = kind.make(model={**kind.model, **dict(model)}, **settings)
        return kind.begin(task, base, run)

    return begin


FED = ("text", "conditioned text", "words", "tags", "tags of letters, both", "several tags", "several tags, both")
KINDS = {
    "stream": _text,
    "control": _control,
    "lines": _lines,
    "windows": _windows,
    "conditioned": _conditioned,
    "translation": _pairs(("words", ("general", True), "lstm")),
    "captions": _pairs(("captions", "bias", "gru")),
    **{f"recurrence, {name}": _recurrent(name) for name in FED},
}
PRODUCT = [*itertools.product(KINDS, SCHEDULES, (1, 2))]
SAMPLE = [
    ("stream", "linear", 1),
    ("stream", "exponential", 2),
    ("control", "inverse_sigmoid", 1),
    ("lines", "inverse_sigmoid", 2),
    ("windows", "constant", 1),
    ("conditioned", "constant", 2),
    ("conditioned", "exponential", 1),
    ("translation", "linear", 2),
    ("translation", "inverse_sigmoid", 1),
    ("captions", "exponential", 1),
    ("recurrence, text", "inverse_sigmoid", 1),
    ("recurrence, conditioned text", "linear", 1),
    ("recurrence, words", "constant", 1),
    ("recurrence, tags", "linear", 1),
    ("recurrence, tags of letters, both", "exponential", 2),
    ("recurrence, several tags", "inverse_sigmoid", 1),
    ("recurrence, several tags, both", "constant", 1),
]


def begin_as(base, kind, schedule, workers):
    return lambda name: KINDS[kind](base, name, teacher_forcing=SCHEDULES[schedule], workers=workers)


@pytest.mark.parametrize(("kind", "schedule", "workers"), SAMPLE, ids=str)
def test_a_cut_run_ends_like_an_unbroken_one(tmp_path, kind, schedule, workers):
    assert_resumes(begin_as(tmp_path, kind, schedule, workers), tmp_path, workers)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "schedule", "workers"), PRODUCT, ids=str)
def test_every_cut_run_ends_like_an_unbroken_one(tmp_path, kind, schedule, workers):
    assert_resumes(begin_as(tmp_path, kind, schedule, workers), tmp_path, workers)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_fed_is_learnt_from_and_true_inputs_are_learnt_from_as_before(tmp_path, kind):
    found = {}
    for name, forcing in {"before": None, "true": TeacherForcing("linear", end=1.0), **SCHEDULES}.items():
        run = KINDS[kind](tmp_path, name, steps=4, **({"teacher_forcing": forcing} if forcing else {}))
        losses = [event.loss.sum for event in run.events() if isinstance(event, StepDone)]
        found[name] = (tuple(losses), run.trainer.flat.values.tobytes())
    assert found["true"] == found["before"]
    assert len({losses for losses, _ in found.values()}) == len(SCHEDULES) + 1
    assert found["linear"][0][0] == found["before"][0][0]  # the first step has true inputs alone
    assert found["linear"][0][1:] != found["before"][0][1:]


def test_gradients_of_a_spec_are_those_of_its_model(tmp_path):
    task = tiny_task(teacher_forcing=TeacherForcing("linear"), model={"hidden_size": 2})
    assert "output.weight" in parameters_checked(task, tmp_path)


@pytest.mark.parametrize("name", TASKS)
def test_tasks_that_feed_have_a_schedule_and_others_do_not(name):
    assert ("teacher_forcing:" in to_yaml(TASKS[name]())) == isinstance(TASKS[name]().training, FedTrainingSpec)
    feeds = TASKS[name].feed is not Task.feed
    assert feeds == isinstance(TASKS[name]().training, FedTrainingSpec)


def test_the_sample_has_every_kind_schedule_and_number_of_workers():
    kinds, schedules, workers = (set(each) for each in zip(*SAMPLE, strict=True))
    assert (kinds, schedules, workers) == (set(KINDS), set(SCHEDULES), {1, 2})
    assert {forcing.mode for forcing in SCHEDULES.values()} == {"sampled", "mixed"}
