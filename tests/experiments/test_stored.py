import os

import numpy as np
import pytest

from rnncli import experiments
from rnncli.errors import CheckpointError, UsageError
from rnncli.storage import read_checkpoint_file, write_checkpoint_file
from rnncli.training.events import Validated
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
        assert loaded.vocabulary == run.dataset.vocabulary
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


def test_the_best_of_the_run_saved_last_is_found(tmp_path):
    for number, (name, file) in enumerate((("a", "best.npz"), ("b", "last.npz"), ("c", "best.npz"), ("c", "last.npz"))):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / file).write_bytes(b"")
        os.utime(tmp_path / name / file, ns=(number, number))
    assert experiments.newest_model(tmp_path) == tmp_path / "c" / "best.npz"
    os.utime(tmp_path / "b" / "last.npz", ns=(9, 9))
    assert experiments.newest_model(tmp_path) == tmp_path / "b" / "last.npz"


def test_without_any_it_says_how_to_get_one(tmp_path):
    (tmp_path / "empty").mkdir()
    for runs in (tmp_path, tmp_path / "missing"):
        with pytest.raises(UsageError, match=r"no model under .*; train one: rnncli train corpus\.txt"):
            experiments.newest_model(runs)
