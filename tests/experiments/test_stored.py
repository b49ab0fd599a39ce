import os

import numpy as np
import pytest

from rnncli import experiments
from rnncli.errors import CheckpointError, UsageError
from rnncli.storage import read_checkpoint_file, write_checkpoint_file
from rnncli.tasks import TASKS, LanguageModelTask
from rnncli.training.events import Validated
from tests.tasks.other_task import OtherTask, other_task
from tests.tasks.tiny_runs import TEXT, tiny_task, trained


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A finished run, to be read only."""
    return trained(tiny_task(epochs=3), tmp_path_factory.mktemp("shared"))


def weights(model):
    return {name: parameter.value.tobytes() for name, parameter in model.parameters().items()}


def test_the_best_model_of_a_run_comes_from_one_file(shared, tmp_path):
    run, events = shared
    best = min(event.loss.mean for event in events if isinstance(event, Validated))
    (tmp_path / "alone.npz").write_bytes((run.folder / "best.npz").read_bytes())
    for path in (run.folder, run.folder / "best.npz", tmp_path / "alone.npz"):
        loaded = experiments.load(path)
        assert loaded.metrics["validation_loss"] == best
        assert loaded.writer.vocabulary == run.dataset.vocabulary
        assert loaded.task == run.task
    assert loaded.writer.score("ab")[0] == ["a", "b"]
    assert weights(experiments.load(run.folder / "last.npz").model) == weights(run.model)


def test_without_a_best_the_last_is_loaded(shared, tmp_path):
    run, _ = shared
    (tmp_path / "last.npz").write_bytes((run.folder / "last.npz").read_bytes())
    assert experiments.load(tmp_path).path.name == "last.npz"
    with pytest.raises(CheckpointError, match="No such file"):
        experiments.load(tmp_path / "none")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content, arrays: arrays.pop("weights.output.bias"), "no output.bias"),
        (lambda content, arrays: arrays.update({"weights.new": np.zeros(1)}), "a surplus new"),
        (
            lambda content, arrays: arrays.update({"weights.output.bias": np.zeros(3, "f4")}),
            "output.bias of float32 (3,)",
        ),
        (lambda content, arrays: content["spec"].update(task="dance"), "a task that this version does not know"),
        (lambda content, arrays: content["spec"].update(task=["dance"]), "a task that this version does not know"),
        (lambda content, arrays: content["spec"].pop("task"), "a task that this version does not know"),
        (
            lambda content, arrays: content["spec"]["model"].update(hidden_size=5),
            "(4, 3) where its spec asks for float32 (5, 3)",
        ),
        (lambda content, arrays: content["spec"]["model"].update(hidden_size=-5), "must be greater than 0, not -5"),
        (lambda content, arrays: content["spec"]["model"].update(hidden_size=10**6), "no model can be built"),
        (lambda content, arrays: content["spec"].update(more=1), 'unknown key "more"'),
        (lambda content, arrays: content["resources"].clear(), "not a vocabulary"),
        (lambda content, arrays: content["resources"].update(vocabulary=[1]), "not a vocabulary"),
        (
            lambda content, arrays: [content["resources"]["vocabulary"][key].pop() for key in ("tokens", "counts")],
            "embedding.weight",
        ),
        (lambda content, arrays: content["resources"]["vocabulary"]["counts"].pop(), "not a vocabulary"),
    ],
)
@pytest.mark.parametrize("use", ["load", "resume"])
def test_parts_that_do_not_fit_are_told_in_a_line(shared, tmp_path, change, message, use):
    run, _ = shared
    (tmp_path / "corpus.txt").write_text(TEXT)
    (tmp_path / "run").mkdir()
    arrays, content = read_checkpoint_file(run.folder / "last.npz")
    change(content, arrays)
    path = tmp_path / "run" / "last.npz"
    write_checkpoint_file(path, arrays, content)
    with pytest.raises(CheckpointError) as caught:
        experiments.load(path) if use == "load" else experiments.resume(path, {})
    assert message in caught.value.message
    assert caught.value.where == str(path)
    assert len(str(caught.value).splitlines()) == 1


@pytest.fixture
def kept(shared, tmp_path, monkeypatch):
    """Return a function that stores models under tmp_path: a file's name and what task it is of, the oldest first."""
    monkeypatch.setitem(TASKS, "other", OtherTask)
    other = None

    def keep(**files):
        nonlocal other
        for number, (name, task) in enumerate(files.items()):
            folder, file = name.split("_")
            if task == "other" and other is None:
                other, _ = trained(other_task(steps=1), tmp_path / "elsewhere")
            (tmp_path / "runs" / folder).mkdir(parents=True, exist_ok=True)
            path = tmp_path / "runs" / folder / f"{file}.npz"
            path.write_bytes(((other if task == "other" else shared[0]).folder / path.name).read_bytes())
            os.utime(path, ns=(number, number))

    (tmp_path / "elsewhere").mkdir()
    return keep


def test_the_best_of_the_run_saved_last_is_found(kept, tmp_path):
    runs = tmp_path / "runs"
    kept(a_best="text", b_last="text", c_best="text", c_last="text")
    assert experiments.find(None, runs).path == runs / "c" / "best.npz"
    os.utime(runs / "c" / "best.npz", ns=(0, 0))
    os.utime(runs / "a" / "best.npz", ns=(0, 0))
    assert experiments.find(None, runs).path == runs / "b" / "last.npz"
    os.utime(runs / "a" / "best.npz", ns=(9, 9))
    found = experiments.find(None, runs)
    assert (found.path, found.task) == (runs / "a" / "best.npz", experiments.load(runs / "a").task)


def test_of_several_tasks_the_newest_of_the_asked_is_found(kept, tmp_path):
    runs = tmp_path / "runs"
    kept(a_best="text", b_best="text", c_best="other", d_last="other")
    for tasks, folder in (
        ((), "d"),
        ((LanguageModelTask,), "b"),
        ((OtherTask,), "d"),
        ((OtherTask, LanguageModelTask), "d"),
    ):
        assert experiments.find(None, runs, *tasks).path.parent.name == folder
    os.utime(runs / "a" / "best.npz", ns=(9, 9))
    assert experiments.find(None, runs, OtherTask, LanguageModelTask).path.parent.name == "a"
    assert experiments.find(None, runs, OtherTask).path.parent.name == "d"


def test_a_model_that_is_named_is_taken_whatever_is_newer(kept, tmp_path):
    runs = tmp_path / "runs"
    kept(a_last="text", b_best="other")
    for path in (runs / "a", runs / "a" / "last.npz"):
        assert experiments.find(path, runs).path == runs / "a" / "last.npz"
        assert experiments.find(path, tmp_path / "missing").path == runs / "a" / "last.npz"
    with pytest.raises(CheckpointError, match="No such file"):
        experiments.find(tmp_path / "none", runs)


def test_without_any_it_says_how_to_get_one(kept, tmp_path):
    runs = tmp_path / "runs"
    for folder in (runs, tmp_path / "missing"):
        with pytest.raises(UsageError, match=r"no model under .*; train one: rnncli train corpus\.txt"):
            experiments.find(None, folder, LanguageModelTask)
    kept(a_best="other")
    with pytest.raises(UsageError, match=rf"no model of task language_model under {runs}{os.sep}; train one: "):
        experiments.find(None, runs, LanguageModelTask)
    kept(a_best="text")
    with pytest.raises(UsageError, match="no model of task other under "):
        experiments.find(None, runs, OtherTask)


def test_only_a_language_model_writes(kept, tmp_path):
    kept(a_best="other", b_best="text")
    assert experiments.find(tmp_path / "runs" / "b", tmp_path).writer.score("ab")[0] == ["a", "b"]
    other = experiments.find(tmp_path / "runs" / "a", tmp_path)
    with pytest.raises(UsageError, match=r"a.best\.npz holds a model of task other, where one of language_model is "):
        _ = other.writer
