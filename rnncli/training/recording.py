"""The record of a run on disk: metrics.jsonl, and the checkpoints best.npz and last.npz, written as events pass by."""

import json
import math
import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from rnncli.errors import DataError
from rnncli.storage import atomic_write
from rnncli.training.checkpoint import Checkpoint, Json, pack_progress, save, weights_of
from rnncli.training.events import Event, StepDone, Validated
from rnncli.training.trainer import Trainer
from rnncli.training.workers import WorkerDiedError

SAVE_SECONDS = 60.0
"""Between two validations last.npz is saved this often, so that a crash costs a minute at most."""


class Recorder:
    """Writes a run to its folder. Between two events the run on disk can be brought up to date with `save_last`."""

    def __init__(self, folder: Path, trainer: Trainer, spec: Json, resources: Json, fingerprint: str) -> None:
        self.folder, self.trainer = folder, trainer
        self.spec, self.resources, self.fingerprint = spec, resources, fingerprint

    def record(self, events: Iterator[Event], clock: Callable[[], float] = monotonic) -> Iterator[Event]:
        """Pass the events on, each one recorded first."""
        saved_at = clock()
        self._forget_later_metrics()
        if not self.trainer.progress.step:
            self.save_last()  # what cannot be saved is found out before the first step
        with (self.folder / "metrics.jsonl").open("a", encoding="utf-8") as log, self._saved_from_dead_workers():
            for event in events:
                if isinstance(event, StepDone | Validated):
                    log.write(json.dumps(metrics_line(event)) + "\n")
                if isinstance(event, Validated) and event.best:
                    save(self.folder / "best.npz", self.checkpoint(event))
                if isinstance(event, Validated) or clock() - saved_at > SAVE_SECONDS:
                    log.flush()
                    self.save_last()
                    saved_at = clock()
                yield event

    @contextmanager
    def _saved_from_dead_workers(self) -> Iterator[None]:
        """Save the last whole step where a worker has died, and say so."""
        try:
            yield
        except WorkerDiedError as error:
            self.save_last()
            again = f"step {self.trainer.progress.step} is saved: --resume {shlex.quote(os.fspath(self.folder))}"
            raise WorkerDiedError(error.message, hint=f"{again}, with fewer --workers if memory ran out") from None

    def checkpoint(self, event: Validated | None = None, **more: Any) -> Checkpoint:
        """Return the model as it is now, with the metrics of that validation."""
        metrics: Json = {"step": self.trainer.progress.step, "fingerprint": self.fingerprint}
        if event:
            metrics |= {"epoch": event.epoch, **measured(event)}
        return Checkpoint(self.spec, self.resources, metrics, weights_of(self.trainer), **more)

    def save_last(self) -> None:
        """Save everything that resuming needs as last.npz."""
        progress = self.trainer.progress
        checkpoint = self.checkpoint(
            progress=pack_progress(progress), slots=self.trainer.slots, state=progress.state or []
        )
        save(self.folder / "last.npz", checkpoint)

    def _forget_later_metrics(self) -> None:
        """Drop logged steps and validations that the checkpoint has not seen: a resumed run will log them again."""
        path, progress = self.folder / "metrics.jsonl", self.trainer.progress
        if not path.exists():
            return
        kept = [
            line
            for line, logged in read_metrics(path)
            if logged["step"] <= (progress.validated_step if "best" in logged else progress.step)
        ]
        atomic_write(path, lambda file: file.write("".join(kept).encode()))


def metrics_line(event: StepDone | Validated) -> Json:
    """Return one line of metrics.jsonl: mean losses, in nats but for real values."""
    if isinstance(event, Validated):
        return {"step": event.step, "epoch": event.epoch, **measured(event), "best": event.best}
    size, counted = event.size
    return {
        "step": event.step,
        "epoch": event.epoch,
        "train_loss": event.loss.mean,
        counted: size,
        "gradient_norm": event.gradient_norm,
        "learning_rate": event.learning_rate,
    }


def measured(event: Validated) -> Json:
    """Return what a validation found, JSON-able: null for a metric that these data leave undefined."""
    metrics = {name: value if math.isfinite(value) else None for name, value in event.metrics.items()}
    return {f"{event.split}_loss": event.loss.mean, **metrics}


def read_metrics(path: Path) -> Iterator[tuple[str, Json]]:
    """Yield each whole line of metrics.jsonl with its parsed content; a line cut off by a crash ends the file."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {os.fspath(path)}: {error}") from None
    for line in text.split("\n")[:-1]:
        try:
            logged = json.loads(line)
        except ValueError:
            return
        if not (isinstance(logged, dict) and isinstance(logged.get("step"), int)):
            return
        yield line + "\n", logged
