"""A run that was cut and resumed ends in the very bytes of one that was not, wherever it was cut."""

import itertools
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from rnncli import experiments
from rnncli.nn.cells import CELLS
from rnncli.nn.protocols import Loss
from rnncli.training.events import Evaluation, Validated
from rnncli.training.optimizers import OPTIMIZERS
from rnncli.training.schedules import Plateau
from tests.tasks.tiny_runs import start, tiny_task, trained

MODES = {
    "stream": {},
    "stream, full": {"bptt": "full"},
    "windows": {"state": "reset", "stride": 5},
    "lines": {"data": {"format": "lines"}},
    "truncated lines": {"data": {"format": "lines"}, "bptt": "truncated"},
}
OPTIONS = {"sgd": {"momentum": 0.9}, "rmsprop": {"momentum": 0.5}}
PRODUCT = list(itertools.product(CELLS, OPTIMIZERS, MODES))
DIAGONAL = zip(itertools.cycle(CELLS), OPTIMIZERS, itertools.cycle(MODES), strict=False)
CONTROLLED = {("conv1d", "adam", "stream"), ("none", "sgd", "truncated lines")}  # whose states are inputs
SAMPLE = sorted(
    {*DIAGONAL, *random.Random(40).sample(PRODUCT, 3)} | CONTROLLED
)  # every cell and optimizer at least once
UNSTEADY = (1, 10, 10, 0.1, 1)  # what validation losses are multiplied by: the 2nd and 3rd are worse than the best


def make_task(cell, optimizer, mode, **training):
    settings = {
        "epochs": 5,
        "optimizer": OPTIMIZERS[optimizer](learning_rate=0.1, **OPTIONS.get(optimizer, {})),
        "schedule": Plateau(warmup_steps=3, patience=2),
        "patience": None,
    }
    model = {"dropout": 0.2} | ({"recurrent_dropout": 0.1} if cell in CELLS else {})
    return tiny_task(cell=cell, model=model, **settings | MODES[mode] | training)


def unsteady(run):
    """The run, with validation losses that go up and down, and a metric beside them."""
    validate = run.trainer.validate

    def wrong():
        loss = validate().loss
        factor = UNSTEADY[len(run.trainer.progress.validations) % len(UNSTEADY)]
        return Evaluation(Loss(loss.sum * factor, loss.count), {"metric": loss.sum / factor})

    run.trainer.validate = wrong
    return run


def cut(run, after):
    """Train until that many events have passed, and save, as an interrupted run does."""
    events = run.events()
    for _ in itertools.islice(events, after):
        pass
    events.close()
    run.recorder.save_last()


def outcome(run):
    """Everything that a run leaves, in memory and on disk, as bytes."""
    trainer = run.trainer
    memory = {"weights": trainer.flat.values.tobytes()}
    memory |= {name: slot.tobytes() for name, slot in trainer.slots.items()}
    memory |= {name: value for name, value in vars(trainer.progress).items() if name != "state"}
    memory["state"] = [(layer.dtype, layer.shape, layer.tobytes()) for layer in trainer.progress.state]
    return memory | {name: (run.folder / name).read_bytes() for name in ("metrics.jsonl", "best.npz", "last.npz")}


def assert_equal(run, unbroken):
    assert [name for name, value in outcome(run).items() if value != unbroken[name]] == []


def cuts_of(events):
    """How many events have passed at each kind of cut."""
    first, second, _, fourth, *_ = (number for number, event in enumerate(events) if isinstance(event, Validated))
    return {
        "after the first step": 1,
        "during the warm-up": 2,
        "in mid-epoch": first // 2 or 1,
        "between an epoch's last step and its validation": second,
        "during the patience of the plateau": second + 1,
        "after a new best": fourth + 1,
    }


def check(base, cell, optimizer, mode):
    task = make_task(cell, optimizer, mode)
    whole = unsteady(start(task, base, "whole"))
    events = list(whole.events())
    unbroken = outcome(whole)
    assert [event.best for event in events if isinstance(event, Validated)][:4] == [True, False, False, True]
    assert events[-3].learning_rate == 0.05  # patience ran out
    for name, after in cuts_of(events).items():
        cut(unsteady(start(task, base, name)), after)
        run = unsteady(experiments.resume(base / name, {}))
        assert list(run.events()) == events[after:], name
        assert_equal(run, unbroken)


@pytest.mark.parametrize(("cell", "optimizer", "mode"), SAMPLE, ids=map(", ".join, SAMPLE))
def test_a_cut_run_ends_like_an_unbroken_one(tmp_path, cell, optimizer, mode):
    check(tmp_path, cell, optimizer, mode)


@pytest.mark.slow
@pytest.mark.parametrize(("cell", "optimizer", "mode"), PRODUCT, ids=map(", ".join, PRODUCT))
def test_every_cut_run_ends_like_an_unbroken_one(tmp_path, cell, optimizer, mode):
    check(tmp_path, cell, optimizer, mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_run_resumed_after_every_single_event(tmp_path, mode):
    task = make_task("lstm", "adam", mode, steps=11, validate_every=4)
    whole, events = trained(task, tmp_path, "whole")
    cut(start(task, tmp_path, "often"), 0)
    for event in events[:-1]:
        run = experiments.resume(tmp_path / "often", {})
        recorded = run.events()
        assert next(recorded) == event
        recorded.close()
        run.recorder.save_last()
    assert_equal(run, outcome(whole))


@pytest.mark.parametrize("saved_before", ["a validation", "a step"])
def test_what_was_logged_after_the_checkpoint_is_logged_again_and_once(tmp_path, saved_before):
    """Killed after the log was written and before the checkpoint was: the log is ahead, its last line torn."""
    task = make_task("gru", "adam", "stream")
    whole, events = trained(task, tmp_path, "whole")
    saved = next(n for n, event in enumerate(events) if isinstance(event, Validated))
    saved -= 0 if saved_before == "a validation" else 3
    run = start(task, tmp_path)
    recorded = run.events()
    for event in itertools.islice(recorded, saved + 5):
        if event == events[saved - 1]:
            run.recorder.save_last()
            early = (run.folder / "last.npz").read_bytes()
    recorded.close()
    log = run.folder / "metrics.jsonl"
    assert len(log.read_bytes().splitlines()) == saved + 5
    with log.open("ab") as file:
        file.write(b'{"step": 1, "epo')
    (run.folder / "last.npz").write_bytes(early)
    run = experiments.resume(run.folder, {})
    list(run.events())
    assert_equal(run, outcome(whole))
    steps = [line["step"] for line in map(json.loads, log.read_text().splitlines()) if "train_loss" in line]
    assert steps == list(range(1, len(steps) + 1))


def test_a_finished_run_resumed_as_it_is_changes_nothing(tmp_path):
    whole, _ = trained(make_task("rnn", "sgd", "lines"), tmp_path)
    before = outcome(whole)
    run = experiments.resume(whole.folder, {})
    assert [type(event).__name__ for event in run.events()] == ["Finished"]
    assert_equal(run, before)


PROGRAM = """
import sys
from pathlib import Path
from tests.conformance.test_resume import make_task
from rnncli import experiments
base, folder = map(Path, sys.argv[1:])
list(experiments.start(make_task("lstm", "adam", "lines"), base, folder).events())
"""


@pytest.mark.parametrize(
    ("hash_seed", "threads", "cwd"), [("0", "1", "."), ("1", "2", "elsewhere")], ids=["seed 0", "seed 1, 2 threads"]
)
def test_the_same_spec_gives_the_same_bytes_in_another_process(tmp_path, hash_seed, threads, cwd):
    whole, _ = trained(make_task("lstm", "adam", "lines"), tmp_path, "whole")
    (tmp_path / "elsewhere").mkdir()
    environment = os.environ | {
        "PYTHONHASHSEED": hash_seed,
        "OPENBLAS_NUM_THREADS": threads,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "LC_ALL": "C",
        "TZ": "Asia/Tokyo",
    }
    base = os.path.relpath(tmp_path, tmp_path / cwd)
    arguments = [sys.executable, "-c", PROGRAM, base, f"{base}/other"]
    subprocess.run(arguments, cwd=tmp_path / cwd, env=environment, check=True)
    for name in ("best.npz", "last.npz", "metrics.jsonl"):
        assert (tmp_path / "other" / name).read_bytes() == (whole.folder / name).read_bytes(), name
