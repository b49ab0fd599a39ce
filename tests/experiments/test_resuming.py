"""What a resumed run may change, and what it refuses. That it is exact: tests/conformance/test_resume.py."""

import shutil
from dataclasses import replace

import pytest

from rnncli import experiments
from rnncli.errors import CheckpointError, DataError, SpecError, UsageError
from rnncli.training.events import Evaluation, Finished
from tests.tasks.tiny_runs import start, tiny_task, trained


def files(run):
    return {path.name: path.read_bytes() for path in run.folder.iterdir()}


def test_more_epochs_continue_as_if_they_had_been_asked_for_at_once(tmp_path):
    long, short = (tiny_task(cell="lstm", state="reset", epochs=epochs) for epochs in (4, 2))
    whole, _ = trained(long, tmp_path, "whole")
    trained(short, tmp_path)
    run = experiments.resume(tmp_path / "run", {"epochs": 4})
    list(run.events())
    assert run.task == whole.task
    assert files(run) == files(whole)


def test_steps_and_patience_may_change_too(tmp_path):
    run = start(tiny_task(patience=1, epochs=50), tmp_path)
    evaluate = run.trainer.validate
    run.trainer.validate = lambda: Evaluation(
        replace(evaluate().loss, sum=float(len(run.trainer.progress.validations)))
    )
    *_, finished = run.events()
    assert finished.reason == "no better validation loss in 1 validations"
    more = experiments.resume(run.folder, {"patience": None, "steps": finished.step + 3})
    *_, last = more.events()
    assert last == Finished(finished.step + 3, f"all {finished.step + 3} steps done")
    with pytest.raises(UsageError, match=f"the run is at step {last.step} already, beyond the 5 asked for"):
        experiments.resume(run.folder, {"steps": 5})


def test_changes_are_kept(tmp_path):
    trained(tiny_task(steps=2), tmp_path)
    list(experiments.resume(tmp_path / "run", {"steps": 3, "patience": 7}).events())
    settings = experiments.resume(tmp_path / "run", {}).task.training
    assert (settings.steps, settings.patience) == (3, 7)


@pytest.mark.parametrize("change", [{"epochs": -3}, {"steps": 0}, {"patience": 1.5}, {"epochs": "ten"}], ids=str)
def test_a_change_that_is_no_setting_is_refused(tmp_path, change):
    run, _ = trained(tiny_task(steps=2), tmp_path)
    before = files(run)
    ((name, _),) = change.items()
    with pytest.raises(SpecError, match=f"--resume: training.{name} must be"):
        experiments.resume(tmp_path / "run", change)
    assert files(run) == before


def test_other_settings_are_refused_by_name(tmp_path):
    trained(tiny_task(steps=2), tmp_path)
    with pytest.raises(UsageError, match="so batch_size, learning_rate cannot change") as caught:
        experiments.resume(tmp_path / "run", {"batch_size": 4, "epochs": 3, "learning_rate": 1.0})
    assert "only epochs, steps, patience, workers can" in caught.value.hint
    assert experiments.MAY_CHANGE == ("epochs", "steps", "patience", "workers")


@pytest.mark.parametrize("where", ["corpus.txt", "held_out.txt"])
@pytest.mark.parametrize("data_format", ["stream", "lines"])
def test_another_text_is_refused(tmp_path, data_format, where):
    (tmp_path / "held_out.txt").write_text("bead cad fog\n" * 9)
    trained(tiny_task(data={"format": data_format, "validation": "held_out.txt"}, steps=2), tmp_path)
    file = tmp_path / where
    text = file.read_text()
    file.write_text(text.replace("cad", "dac"))  # as many of each letter
    with pytest.raises(DataError, match=r"last\.npz: the training data has changed since this run was saved"):
        experiments.resume(tmp_path / "run", {})
    file.unlink()
    with pytest.raises(DataError, match=f"{where}: no such file"):
        experiments.resume(tmp_path / "run", {})
    file.write_text(text)
    assert experiments.resume(tmp_path / "run", {}).trainer.progress.step == 2


def test_a_run_can_be_moved_with_its_corpus(tmp_path):
    (tmp_path / "old").mkdir()
    whole, _ = trained(tiny_task(cell="gru"), tmp_path, "whole")
    run = start(tiny_task(cell="gru"), tmp_path / "old")
    events = run.events()
    for _ in range(20):
        next(events)
    events.close()
    run.recorder.save_last()
    (tmp_path / "old").rename(tmp_path / "new")
    run = experiments.resume(tmp_path / "new" / "run" / "last.npz", {})
    list(run.events())
    assert files(run) == files(whole)


def test_a_model_is_no_run(tmp_path):
    run, _ = trained(tiny_task(steps=2), tmp_path)
    with pytest.raises(CheckpointError, match=r"holds a model, not a run; resume from last\.npz"):
        experiments.resume(run.folder / "best.npz", {})
    with pytest.raises(CheckpointError, match="No such file"):
        experiments.resume(tmp_path / "nothing", {})


def test_resuming_writes_nothing_before_the_first_event(tmp_path):
    run, _ = trained(tiny_task(steps=2), tmp_path)
    before = files(run)
    experiments.resume(run.folder, {"steps": 9})
    assert files(run) == before


def test_resuming_and_evaluating_use_what_is_encoded_already(tmp_path, monkeypatch):
    trained(tiny_task(steps=2), tmp_path)
    monkeypatch.setattr("rnncli.tasks.text_data.encode", None)
    assert experiments.resume(tmp_path / "run", {}).trainer.progress.step == 2
    assert len(experiments.evaluate_splits(experiments.load(tmp_path / "run"), ["test"])[0]) == 1
    assert experiments.plan(tiny_task(), tmp_path, tmp_path / "another")["steps"] > 2


def test_without_it_they_encode_again_and_only_resuming_keeps_it(tmp_path):
    run, _ = trained(tiny_task(steps=2), tmp_path)
    cache = tmp_path / ".rnncli-cache"
    (kept,) = cache.iterdir()
    before = kept.read_bytes()
    shutil.rmtree(cache)
    experiments.evaluate_splits(experiments.load(run.folder), ["test"])
    assert not cache.exists()
    again = experiments.resume(run.folder, {})
    assert again.dataset.fingerprint == run.dataset.fingerprint
    (kept,) = cache.iterdir()
    assert len(kept.read_bytes()) == len(before)  # by another name: it was made for a given vocabulary
