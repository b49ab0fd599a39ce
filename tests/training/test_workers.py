import itertools
import os
import signal
import time
from dataclasses import dataclass, replace

import numpy as np
import pytest

from rnncli import experiments
from rnncli.data import Batch, Items, Streams, Windows
from rnncli.errors import RnncliError
from rnncli.nn.cells import CELLS
from rnncli.training import workers
from rnncli.training.events import StepDone
from rnncli.training.optimizers import SGD, Adam
from rnncli.training.trainer import TrainingSpec
from rnncli.training.workers import FEWEST, WorkerDiedError, share_of, shared_zeros, workers_for
from tests.conformance.test_resume import MODES, assert_equal, cut, make_task, outcome
from tests.data.small_sequences import bracketed, joined
from tests.tasks.tiny_runs import start, trained
from tests.training.tiny_trainer import IDS, tiny_model, tiny_trainer

ITEMS = joined([bracketed(IDS[5 * k : 5 * k + 1 + k % 5], 0, 0) for k in range(22)])
BATCHES = {
    "carried": Streams(IDS, 7, 4),  # with a mask at the end
    "full": Streams(IDS, 7, 100),
    "windows": Windows(IDS, 4, 8, 8),  # 15 of them, so that the last batch has 3
    "few windows": Windows(IDS, 7, 8, 8),  # has 1
    "lines": Items(ITEMS, 7),  # 22 of them, so that a batch has 1
    "truncated lines": Items(ITEMS, 7, 2),
}


@pytest.fixture(autouse=True)
def tiny_shares(monkeypatch):
    """Let workers have as few sequences as they like."""
    monkeypatch.setattr(workers, "FEWEST", 1)


@pytest.fixture
def processes(monkeypatch):
    """The processes that were forked here; at the end of the test none is left."""
    forked, fork = [], os.fork

    def noted():
        process = fork()
        if process:
            forked.append(process)
        return process

    monkeypatch.setattr(os, "fork", noted)
    yield forked
    for process in forked:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def gradients(trainer):
    """After each step: its loss and norm, the gradient, and the state to go on from."""
    return [
        (event, trainer.flat.grads.copy(), [layer.copy() for layer in trainer.progress.state])
        for event in trainer.run()
        if isinstance(event, StepDone)
    ]


@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize("kind", BATCHES)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_gradient_is_that_of_one_worker(processes, kind, cell, number, reduction):
    def train(number):
        model = tiny_model(np.float64, cell=CELLS[cell](), num_layers=2, initial_state="learned")
        settings = {"epochs": 2, "optimizer": SGD(learning_rate=0.3), "patience": None, "batch_size": 7}
        trainer = tiny_trainer(model, BATCHES[kind], **settings, reduction=reduction, workers=number)
        return gradients(trainer), trainer.flat.values

    alone, weights = train(1)
    assert not processes
    shared, weights_shared = train(number)
    assert len(processes) == number - 1
    assert len(alone) == 2 * len(BATCHES[kind])
    for (event, grads, state), (event_shared, grads_shared, state_shared) in zip(alone, shared, strict=True):
        assert event_shared.loss.count == event.loss.count
        assert event_shared.loss.sum == pytest.approx(event.loss.sum, rel=1e-12)
        assert event_shared.gradient_norm == pytest.approx(event.gradient_norm, rel=1e-11)
        np.testing.assert_allclose(grads_shared, grads, rtol=1e-9, atol=1e-12)
        assert [layer.shape for layer in state_shared] == [layer.shape for layer in state]
        for layer, layer_shared in zip(state, state_shared, strict=True):
            np.testing.assert_allclose(layer_shared, layer, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(weights_shared, weights, rtol=1e-9, atol=1e-12)


def test_the_batches_above_are_of_every_kind():
    epochs = {kind: list(batches.epoch(np.random.default_rng(1))) for kind, batches in BATCHES.items()}
    assert {kind for kind, epoch in epochs.items() if any(batch.mask is not None for batch in epoch)} == {
        *("carried", "full", "lines", "truncated lines")
    }
    assert {kind for kind, epoch in epochs.items() if any(batch.carry for batch in epoch)} == {
        *("carried", "truncated lines")
    }
    sizes = {kind: {batch.inputs.shape[1] for batch in epoch} for kind, epoch in epochs.items()}
    assert sizes == {
        "carried": {7},
        "full": {7},
        "windows": {4, 3},
        "few windows": {7, 1},  # fewer than workers
        "lines": {7, 1},
        "truncated lines": {7, 1},
    }


@pytest.mark.parametrize("option", ["dropout", "recurrent_dropout"])
def test_the_same_number_gives_the_same_bytes(option):
    def weights(number):
        trainer = tiny_trainer(tiny_model(**{option: 0.3}), Streams(IDS, 7, 4), optimizer=Adam(), workers=number)
        events = [event for event in trainer.run() if isinstance(event, StepDone)]
        return trainer.flat.values.tobytes(), events

    outcomes = [weights(number) for number in (1, 2, 3)]
    assert outcomes == [weights(number) for number in (1, 2, 3)]
    assert len({values for values, _ in outcomes}) == 3


def test_each_worker_draws_dropout_of_its_own():
    alike = Items(joined([bracketed(IDS[:20], 0, 0)] * 2), 2)
    for probability, same in ((0.0, True), (0.4, False)):
        trainer = tiny_trainer(tiny_model(dropout=probability), alike, workers=2, batch_size=2)
        first, second = (next(trainer._shares(worker)).loss.sum for worker in (0, 1))
        assert (first == second) == same
    alone = tiny_trainer(tiny_model(dropout=0.4), alike)
    assert next(alone._shares(0)).loss.sum not in (first, second)


@pytest.mark.parametrize("mode", MODES)
def test_a_cut_run_ends_like_an_unbroken_one(tmp_path, mode):
    task = make_task("lstm", "adam", mode, steps=11, validate_every=4, workers=2)
    whole, events = trained(task, tmp_path, "whole")
    assert whole.trainer.workers == 2
    for after in (1, 5, 9):
        cut(start(task, tmp_path, f"cut {after}"), after)
        run = experiments.resume(tmp_path / f"cut {after}", {})
        assert list(run.events()) == events[after:]
        assert_equal(run, outcome(whole))


def test_a_resumed_run_may_change_their_number(tmp_path):
    task = make_task("gru", "sgd", "stream", steps=9, workers=3)
    cut(start(task, tmp_path), 4)
    run = experiments.resume(tmp_path / "run", {"workers": 2})
    assert (run.trainer.workers, run.task.training.workers) == (2, 2)
    list(run.events())
    assert experiments.resume(tmp_path / "run", {}).trainer.workers == 2


def dying(run, at, how):
    """The run, in which worker 1 dies in its step number `at`."""
    loss, here, steps = run.model.loss, os.getpid(), itertools.count(1)

    def wrong(*arguments, **options):
        if os.getpid() != here and next(steps) == at:
            how()
        return loss(*arguments, **options)

    run.model.loss = wrong
    return run


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def out_of_memory():
    raise MemoryError("Unable to allocate 7 GiB")


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (killed, "worker 1 was ended by signal 9 (Killed)"),
        (lambda: os._exit(3), "worker 1 ended"),
        (out_of_memory, "worker 1 failed: MemoryError: Unable to allocate 7 GiB"),
    ],
)
def test_a_worker_that_dies_ends_the_run_saved_as_of_the_last_whole_step(tmp_path, processes, how, words):
    task = make_task("lstm", "adam", "stream", steps=9, validate_every=4, workers=3)
    whole, events = trained(task, tmp_path, "whole")
    run, seen = dying(start(task, tmp_path), 6, how), []
    with pytest.raises(WorkerDiedError) as caught:
        seen.extend(run.events())
    assert (caught.value.message, caught.value.exit_status) == (words, 1)
    assert caught.value.hint == f"step 5 is saved: --resume {run.folder}, with fewer --workers if memory ran out"
    run = experiments.resume(run.folder, {})
    assert run.trainer.progress.step == 5
    assert list(run.events()) == events[6:]  # and a validation
    assert_equal(run, outcome(whole))


def test_a_worker_that_dies_between_two_steps(processes):
    trainer = tiny_trainer(workers=2)
    events = trainer.run()
    next(events)
    os.kill(processes[0], signal.SIGKILL)
    time.sleep(0.05)
    with pytest.raises(WorkerDiedError, match=r"worker 1 was ended by signal 9 \(Killed\)"):
        next(events)
    assert trainer.progress.step == 1


def test_a_worker_that_cannot_be_started(monkeypatch, processes):
    fork = os.fork

    def full():
        if processes:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return fork()

    monkeypatch.setattr(os, "fork", full)
    with pytest.raises(RnncliError, match=r"^cannot start worker 2: Resource temporarily unavailable$"):
        next(tiny_trainer(workers=3).run())
    assert len(processes) == 1


def test_workers_end_with_the_run_however_it_ends(processes):
    events = tiny_trainer(workers=3).run()
    next(events)
    assert len(processes) == 2
    for process in processes:
        os.kill(process, 0)
    events.close()
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
    trainer = tiny_trainer(workers=2)
    trainer.model.backward = lambda cache: 1 / 0
    with pytest.raises(ZeroDivisionError):
        list(trainer.run())


def test_workers_ignore_what_ends_a_run(processes):
    trainer = tiny_trainer(workers=2)
    events = trainer.run()
    next(events)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(processes[0], number)
    assert len(list(events)) == 11 + 3 + 1


def test_a_share_has_every_so_manieth_sequence():
    inputs = np.arange(15).reshape(3, 5)
    batch = Batch(inputs, inputs + 1, inputs > 2, carry=True)
    shares = [share_of(batch, worker, 2) for worker in range(2)]
    np.testing.assert_array_equal(shares[0].inputs, [[0, 2, 4], [5, 7, 9], [10, 12, 14]])
    np.testing.assert_array_equal(shares[1].targets, [[2, 4], [7, 9], [12, 14]])
    np.testing.assert_array_equal(shares[1].mask, [[False, True], [True, True], [True, True]])
    assert all(share.carry and share.inputs.flags.c_contiguous for share in shares)
    assert share_of(batch, 0, 1) is batch
    assert share_of(replace(batch, mask=None), 1, 2).mask is None


def test_the_sequences_are_the_last_axis_of_any_array():
    @dataclass(frozen=True)
    class Labelled:
        labels: np.ndarray
        name: str

    share = share_of(Labelled(np.array([4, 5, 6]), "x"), 1, 3)
    np.testing.assert_array_equal(share.labels, [5])
    assert share.name == "x"


@pytest.mark.parametrize(
    ("asked", "batch_size", "number"),
    [(1, 1, 1), (2, 2 * FEWEST, 2), (2, 2 * FEWEST - 1, 1), (8, 4 * FEWEST + 3, 4), (4, 1000, 4), (3, FEWEST - 1, 1)],
)
def test_a_small_batch_takes_fewer(monkeypatch, asked, batch_size, number):
    monkeypatch.setattr(workers, "FEWEST", FEWEST)
    found, notices = workers_for(asked, batch_size)
    assert found == number
    assert notices == (
        [f"workers {asked} → {number}: each needs {FEWEST} of a batch's {batch_size} sequences to be of use"]
        if number < asked
        else []
    )


def test_without_a_safe_fork_there_is_one(monkeypatch):
    monkeypatch.setattr("sys.platform", "darwin")
    assert workers_for(2, 1000) == (1, ["workers 2 → 1: this system cannot fork them"])
    assert workers_for(1, 1000) == (1, [])
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.delattr("os.fork")
    assert workers_for(3, 1000)[0] == 1


def test_too_little_memory_to_share():
    with pytest.raises(MemoryError, match=r"^Unable to share 1,152,921,504,606,846 numbers with workers$"):
        shared_zeros(2**60 // 1000, np.float32)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shared_zeros(processes, dtype):
    array = shared_zeros(5, dtype)
    np.testing.assert_array_equal(array, np.zeros(5))
    assert array.dtype == dtype
    if not os.fork():
        array[1] = 7
        os._exit(0)
    os.waitpid(processes[0], 0)
    np.testing.assert_array_equal(array, [0, 7, 0, 0, 0])


def test_the_number_belongs_to_the_spec():
    assert TrainingSpec().workers == 1
    assert tiny_trainer(workers=2).workers == 2
