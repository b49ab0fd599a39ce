import json
import math
from collections import deque
from timeit import repeat

import numpy as np
import pytest

from rnncli.data import Streams
from rnncli.errors import DataError, DivergedError
from rnncli.nn.protocols import Loss
from rnncli.training.checkpoint import load, pack_progress, weights_of
from rnncli.training.events import Evaluation, StepDone, Validated
from rnncli.training.recording import SAVE_SECONDS, Recorder, metrics_line, read_metrics
from tests.training.tiny_trainer import IDS, tiny_trainer

SPEC, RESOURCES = {"task": "language_model"}, {"vocabulary": []}


def recorder(folder, trainer=None, **settings):
    settings = {"validate_every": 2, "steps": 6, "patience": None} | settings
    return Recorder(folder, trainer or tiny_trainer(**settings), SPEC, RESOURCES, "abc")


def steps_in(folder):
    return [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_the_log_has_a_line_for_each_step_and_validation(tmp_path):
    record = recorder(tmp_path, steps=2)
    first, second, validated, _ = record.record(record.trainer.run())
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert list(map(json.loads, lines)) == [
        {
            "step": event.step,
            "epoch": event.step / 4,
            "train_loss": event.loss.sum / 30,
            "tokens": 30,
            "gradient_norm": event.gradient_norm,
            "learning_rate": 0.1,
        }
        for event in (first, second)
    ] + [{"step": 2, "epoch": 0.5, "train_loss": validated.loss.mean, "best": True}]


def test_where_sequences_are_counted_the_log_has_their_number(tmp_path):
    """Whatever the loss counts, and whoever computes it."""
    for workers in (1, 2):
        trainer = tiny_trainer(batches=Streams(IDS, 8, 5), workers=workers, steps=1)
        trainer.counted = "sequences"
        event = next(trainer.run())
        assert (event.loss.count, event.sequences) == (40, 8)
        line = metrics_line(event)
        assert (line["sequences"], "tokens" in line) == (8, False)


def test_the_best_model_is_kept_and_the_last_one(tmp_path):
    losses = iter([3.0, 2.0, 2.5])
    record = recorder(tmp_path, validate=lambda: Evaluation(Loss(next(losses), 1)))
    weights = {}
    for event in record.record(record.trainer.run()):
        if isinstance(event, Validated):
            weights[event.step] = {name: array.copy() for name, array in weights_of(record.trainer).items()}
    best, last = load(tmp_path / "best.npz"), load(tmp_path / "last.npz")
    assert all((best.weights[name] == array).all() for name, array in weights[4].items())
    assert all((last.weights[name] == array).all() for name, array in weights[6].items())
    assert best.metrics == {"step": 4, "epoch": 1.0, "validation_loss": 2.0, "fingerprint": "abc"}
    assert last.metrics == {"step": 6, "fingerprint": "abc"}
    assert (best.spec, best.resources, best.progress) == (SPEC, RESOURCES, None)
    assert last.progress == pack_progress(record.trainer.progress)
    assert last.progress["validations"] == [3.0, 2.0, 2.5]


def test_the_metrics_of_a_validation_are_logged_and_those_of_the_best_kept_with_it(tmp_path):
    found = iter(((3.0, 0.25), (2.0, 0.75), (2.5, 0.5)))

    def validate():
        loss, accuracy = next(found)
        return Evaluation(Loss(loss, 1), {"accuracy": accuracy, "f1": accuracy / 2})

    record = recorder(tmp_path, validate=validate)
    list(record.record(record.trainer.run()))
    logged = [line for _, line in read_metrics(tmp_path / "metrics.jsonl")]
    assert [line for line in logged if "best" in line] == [
        {"step": 2, "epoch": 0.5, "validation_loss": 3.0, "accuracy": 0.25, "f1": 0.125, "best": True},
        {"step": 4, "epoch": 1.0, "validation_loss": 2.0, "accuracy": 0.75, "f1": 0.375, "best": True},
        {"step": 6, "epoch": 1.5, "validation_loss": 2.5, "accuracy": 0.5, "f1": 0.25, "best": False},
    ]
    assert not any("accuracy" in line for line in logged if "best" not in line)
    best = {"step": 4, "epoch": 1.0, "validation_loss": 2.0, "accuracy": 0.75, "f1": 0.375, "fingerprint": "abc"}
    assert load(tmp_path / "best.npz").metrics == best
    assert load(tmp_path / "last.npz").metrics == {"step": 6, "fingerprint": "abc"}


def test_a_metric_that_is_not_finite_is_null(tmp_path):
    found = Evaluation(Loss(3.0, 1), {"mae": 0.5, "mse": math.inf, "r2": math.nan})
    record = recorder(tmp_path, validate=lambda: found, steps=2)
    events = list(record.record(record.trainer.run()))
    assert events[2].metrics == found.metrics
    line = (tmp_path / "metrics.jsonl").read_text().splitlines()[-1]
    assert '"mae": 0.5, "mse": null, "r2": null, "best": true' in line
    metrics = load(tmp_path / "best.npz").metrics
    assert [metrics[name] for name in ("validation_loss", "mae", "mse", "r2")] == [3.0, 0.5, None, None]


def test_without_a_validation_split_the_best_training_loss_counts(tmp_path):
    record = recorder(tmp_path)
    reported = [event for event in record.record(record.trainer.run()) if isinstance(event, Validated)]
    best = load(tmp_path / "best.npz").metrics
    assert best["train_loss"] == min(event.loss.mean for event in reported)
    assert "validation_loss" not in best


def test_files_are_written_before_an_event_is_passed_on(tmp_path):
    record = recorder(tmp_path)
    for event in record.record(record.trainer.run()):
        if isinstance(event, Validated):
            assert load(tmp_path / "last.npz").progress["validated_step"] == event.step
            assert steps_in(tmp_path)[-1] == event.step


def test_between_validations_the_run_is_saved_by_the_clock(tmp_path):
    times = [0, SAVE_SECONDS, SAVE_SECONDS + 1, 2 * SAVE_SECONDS, 2 * SAVE_SECONDS + 2]  # after each step
    record = recorder(tmp_path, validate_every=None, steps=4)
    saved = []
    for event in record.record(record.trainer.run(), lambda: times[record.trainer.progress.step]):
        last = tmp_path / "last.npz"
        saved.append((event.step, load(last).progress["step"] if last.exists() else None))
        if saved[-1][1]:
            assert steps_in(tmp_path)[-1] >= saved[-1][1]
    assert saved == [(1, 0), (2, 2), (3, 2), (4, 4), (4, 4), (4, 4)]


def test_lines_that_a_checkpoint_has_not_seen_are_dropped(tmp_path):
    record = recorder(tmp_path)
    list(record.record(record.trainer.run()))
    assert steps_in(tmp_path) == [1, 2, 2, 3, 4, 4, 5, 6, 6]
    whole = (tmp_path / "metrics.jsonl").read_bytes()
    for step, validated_step, kept in ((0, 0, 0), (1, 0, 1), (2, 0, 2), (2, 2, 3), (5, 4, 7), (6, 4, 8), (6, 6, 9)):
        (tmp_path / "metrics.jsonl").write_bytes(whole + b'{"step": 1}\n{"st')
        later = recorder(tmp_path)
        later.trainer.progress.step, later.trainer.progress.validated_step = step, validated_step
        list(later.record(iter(())))
        expected = whole.splitlines(keepends=True)[:kept] + ([b'{"step": 1}\n'] if step else [])
        assert (tmp_path / "metrics.jsonl").read_bytes() == b"".join(expected)


def test_a_new_run_in_a_folder_begins_its_log_anew(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "train_loss": 9}\n')
    record = recorder(tmp_path, steps=1)
    assert isinstance(next(record.record(record.trainer.run())), StepDone)
    list(record.record(record.trainer.run()))
    assert steps_in(tmp_path)[0] == 1
    assert "9}" not in (tmp_path / "metrics.jsonl").read_text()


def test_a_recorded_step_costs_microseconds(tmp_path):
    record = recorder(tmp_path)
    steps = [StepDone(n, 20_000, n / 100, Loss(2.5 * n, 2500), 0.8, 0.002) for n in range(1, 20_001)]
    seconds = repeat(lambda: deque(record.record(iter(steps)), maxlen=0), number=1, repeat=3)
    assert min(seconds) / len(steps) < 40e-6
    assert len(steps_in(tmp_path)) == len(steps)  # of the last time: the log of a run that begins is a new one


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("", []),
        ('{"step": 1}\n{"step": 2}\n', [1, 2]),
        ('{"step": 1}\n{"step": 2}', [1]),  # perhaps {"step": 23, …
        ('{"step": 1}\n{"st\n{"step": 3}\n', [1]),
        ('{"step": 1}\n[]\n{"step": 3}\n', [1]),
        ('{"step": 1}\n{"step": "2"}\n', [1]),
    ],
)
def test_a_log_is_read_as_far_as_it_is_whole(tmp_path, text, steps):
    path = tmp_path / "metrics.jsonl"
    path.write_text(text)
    assert [logged["step"] for _, logged in read_metrics(path)] == steps
    assert "".join(line for line, _ in read_metrics(path)) == text[: sum(len(line) for line, _ in read_metrics(path))]


def test_a_log_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "metrics.jsonl").write_bytes(b"\xff\n")
    for path in (tmp_path / "metrics.jsonl", tmp_path / "missing.jsonl"):
        with pytest.raises(DataError, match=path.name):
            list(read_metrics(path))


def test_a_run_that_diverges_keeps_its_last_finite_checkpoint(tmp_path):
    record = recorder(tmp_path)
    events = record.record(record.trainer.run())
    for event in events:
        if event.step == 3:
            record.trainer.model.parameters()["output.bias"].value[0] = np.inf
            break
    with pytest.raises(DivergedError, match="step 4"):
        next(events)
    assert load(tmp_path / "last.npz").metrics["step"] == 2
    assert all(np.isfinite(array).all() for array in load(tmp_path / "last.npz").weights.values())
    assert steps_in(tmp_path) == [1, 2, 2, 3]
