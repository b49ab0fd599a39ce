"""What every task keeps whose models feed their outputs back: exact resumption, workers, storage, gradients."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pytest

from rnncli import experiments
from rnncli.models.recurrence import FedStackSpec, Recurrence
from rnncli.nn.cells import CELLS
from rnncli.tasks import TASKS
from rnncli.tasks.pair_decoding import Decoding
from rnncli.tasks.pair_model import SourceSequence
from tests.conformance import test_conditioned, test_pairs, test_tagging
from tests.conformance.promises import TRAINING, assert_resumes, assert_workers_agree, parameters_checked
from tests.tasks import tiny_runs

ALONE = {"recurrence": "output", "recurrent_dropout": 0.0}
ONE_WAY = {"bidirectional": False}


def text(*, model=(), **training):
    """A stream, whose windows hand on a state with nothing in it."""
    sizes = {"hidden_size": 4, "num_layers": 2, "dropout": 0.2}
    return tiny_runs.tiny_task(model=sizes | dict(model), **{**TRAINING, "steps": 20} | training)


class Kind(NamedTuple):
    """A task, and what begins a run of it by name."""

    make: Callable[..., Any]
    begin: Callable[..., Any]
    model: dict[str, Any]
    weight: str  # one that tells the recurrence


def tagged(kind, cell):
    return partial(test_tagging.make_task, kind, False, cell), test_tagging.begin


def paired(*architecture):
    return partial(test_pairs.make_task, *architecture), test_pairs.begin


KINDS = {
    "text": Kind(text, tiny_runs.start, ALONE, "hidden.0.weight"),
    "conditioned text": Kind(
        partial(test_conditioned.make_task, "bias", "rnn", "truncated"),
        test_conditioned.begin,
        ALONE,
        "hidden.0.weight",
    ),
    "captions": Kind(*paired("captions", "bias", "rnn"), ALONE, "hidden.0.weight"),
    "words": Kind(*paired("words", ("general", False), "rnn"), ALONE, "decoder.hidden.0.weight"),
    "frames": Kind(*paired("frames", ("dot", False), "rnn"), ALONE, "decoder.hidden.0.weight"),
    "tags": Kind(*tagged("words", "rnn"), ALONE | ONE_WAY, "hidden.0.weight"),
    "tags of letters, both": Kind(
        *tagged("letters", "gru"), {"recurrence": "both", **ONE_WAY}, "recurrent.0.weight_hh"
    ),
    "tags, both": Kind(*tagged("words", "lstm"), {"recurrence": "both", **ONE_WAY}, "recurrent.0.weight_hh"),
    "several tags": Kind(*tagged("several labels", "rnn"), ALONE | ONE_WAY, "hidden.0.weight"),
    "several tags, both": Kind(
        *tagged("several labels", "rnn"), {"recurrence": "both", **ONE_WAY}, "recurrent.0.weight_hh"
    ),
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def task_of(kind, *, model=(), **training):
    return kind.make(model=kind.model | dict(model), **training)


@every_kind
def test_a_cut_run_ends_like_an_unbroken_one(tmp_path, kind):
    assert_resumes(partial(kind.begin, task_of(kind), tmp_path), tmp_path)


@pytest.mark.parametrize("name", ["captions", "tags of letters, both"])
def test_with_workers_too(tmp_path, name):
    kind = KINDS[name]
    assert_resumes(partial(kind.begin, task_of(kind, workers=2), tmp_path), tmp_path, workers=2)


@every_kind
def test_two_workers_learn_what_one_does(tmp_path, kind):
    without = {"dropout": 0.0, "recurrent_dropout": 0.0}
    if hasattr(task_of(kind).model, "input_dropout"):
        without["input_dropout"] = 0.0

    def begin(workers):
        batch = {"batch_size": 8} | ({"bptt_length": 3} if kind.make is text else {})
        task = task_of(kind, model=without, workers=workers, steps=10, **batch)
        return kind.begin(task, tmp_path, f"run {workers}")

    moved = assert_workers_agree(begin)
    assert moved[kind.weight] > 0.02


@every_kind
def test_gradients_of_a_spec(tmp_path, kind):
    names = parameters_checked(task_of(kind, model={"hidden_size": 3, "num_layers": 1}), tmp_path)
    assert kind.weight in names
    assert any(name.endswith("weight_hh") and "encoder" not in name for name in names) == ("both" in str(kind.model))


def answers_of(model, task, resources, part, loaded):
    """What a model says: tags of sequences, targets of sources, log-probabilities of a text."""
    if hasattr(part, "source"):
        single = task.command == "caption"
        given = [part.source.of(i) for i in range(20)]
        sources = [SourceSequence(values[0] if single else values, "") for values in given]
        made = type(loaded.captioner if single else loaded.translator)(model, task, resources)
        return made.translate(sources, Decoding(beam_size=3, n_best=2, max_length=5))
    if task.command == "generate":
        given = ["author=smith", "mood=glad"] if task.data.conditions else []
        return task.writer(model, resources, given).score("ab cad")[1].tolist()
    undo = loaded.tagger.inputs.standardization.undo if loaded.tagger.inputs.width else None
    given = [undo(part.input(i)) if undo else tuple(part.tokens(i)) for i in range(20)]
    return type(loaded.tagger)(model, task, resources).tag(given, sure=True)


@every_kind
def test_a_stored_model_answers_the_same(tmp_path, kind):
    run = kind.begin(task_of(kind), tmp_path, "run")
    list(run.events())
    part, resources = run.dataset.splits.train, run.dataset.resources
    loaded = experiments.load(run.folder / "last.npz")
    before = answers_of(run.model, run.task, resources, part, loaded)
    assert answers_of(loaded.model, loaded.task, loaded.resources, part, loaded) == before
    for parameter in run.model.parameters().values():
        parameter.value[:] = 0.1
    assert answers_of(run.model, run.task, resources, part, loaded) != before


def test_every_task_and_recurrence_is_here():
    fed = {name for name, task in TASKS.items() if issubclass(type(task().model), FedStackSpec)}
    assert {task_of(kind).task for kind in KINDS.values()} == fed
    assert {"hidden", *(kind.model["recurrence"] for kind in KINDS.values())} == set(Recurrence.__args__)
    assert {task_of(kind).model.cell.name for kind in KINDS.values()} == set(CELLS)
    for name in fed:
        made = {task_of(kind).model.recurrence for kind in KINDS.values() if task_of(kind).task == name}
        assert made == ({"output", "both"} if name == "tagging" else {"output"})
