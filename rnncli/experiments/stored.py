"""Models as they were stored: found, loaded, ready to predict."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnncli.errors import RnncliError, UsageError
from rnncli.spec import from_plain
from rnncli.tasks import (
    TASKS,
    CaptioningTask,
    LabelledTask,
    LanguageModelTask,
    TaggingTask,
    Task,
    TranslationTask,
)
from rnncli.tasks.pair_model import PairModel
from rnncli.tasks.sequence_model import SequenceModel
from rnncli.tasks.tagging_model import TaggingModel
from rnncli.tasks.text_generation import TextGenerator
from rnncli.training import checkpoint as checkpoints
from rnncli.training.checkpoint import Checkpoint


@dataclass(frozen=True)
class LoadedModel:
    """A model as it was stored, ready to predict."""

    path: Path
    task: Task
    resources: dict[str, Any]
    model: Any
    metrics: dict[str, Any]

    @property
    def writer(self) -> TextGenerator:
        """The model as one that continues and scores texts; UsageError where it is of another task, or conditioned."""
        return self.writer_given(())

    def writer_given(self, condition: Sequence[str]) -> TextGenerator:
        """Return the same under NAME=VALUE of its conditions; UsageError also for what it does not know of these."""
        self._expect(LanguageModelTask)
        task: Any = self.task
        writer: TextGenerator = task.writer(self.model, self.resources, condition)
        return writer

    @property
    def sequences(self) -> SequenceModel:
        """The model as one that answers sequences; UsageError where it is of another task."""
        self._expect(LabelledTask)
        task: Any = self.task
        return SequenceModel(self.model, task, self.resources)

    @property
    def tagger(self) -> TaggingModel:
        """The model as one that labels the steps of sequences; UsageError where it is of another task."""
        self._expect(TaggingTask)
        task: Any = self.task
        return TaggingModel(self.model, task, self.resources)

    @property
    def translator(self) -> PairModel:
        """The model as one that translates; UsageError where it is of another task."""
        self._expect(TranslationTask)
        return PairModel(self.model, self.task, self.resources)

    @property
    def captioner(self) -> PairModel:
        """The model as one that describes vectors; UsageError where it is of another task."""
        self._expect(CaptioningTask)
        return PairModel(self.model, self.task, self.resources)

    def _expect(self, *tasks: type[Any]) -> None:
        if not isinstance(self.task, tasks):
            wanted = _names(tasks)
            hint = f"use rnncli {self.task.command}"
            message = f"{self.path} holds a model of task {self.task.task}, where one of {wanted} is needed"
            raise UsageError(message, hint=hint)


def load(path: Path) -> LoadedModel:
    """Load a model from a checkpoint, or from a run's folder its best one; it needs no other file."""
    if path.is_dir():
        path = next((p for name in ("best.npz", "last.npz") if (p := path / name).exists()), path / "best.npz")
    return from_checkpoint(checkpoints.load(path), path)


def from_checkpoint(stored: Checkpoint, path: Path) -> LoadedModel:
    """Build the model that a checkpoint, read from `path`, describes; CheckpointError when its parts do not fit."""
    task = _task_of(stored, path)
    try:
        model = task.build_model(stored.resources, None)
    except (RnncliError, MemoryError, ValueError) as error:
        raise checkpoints.unsuitable(path, f"parts that no model can be built from ({error})") from None
    checkpoints.put_weights(model.parameters(), stored.weights, path)
    return LoadedModel(path, task, stored.resources, model, stored.metrics)


def find(path: Path | None, runs: Path, *tasks: type[Any]) -> LoadedModel:
    """Load the model that is named, else of those under `runs` the one saved last, if tasks are given of one of these.

    A run's model is its best.npz, or last.npz where it has no other. UsageError where there is none.
    """
    if path:
        return load(path)
    folders = [best if (best := folder / "best.npz").exists() else folder / "last.npz" for folder in runs.glob("*")]
    models = [path for path in folders if path.exists()]
    for model in sorted(models, key=lambda path: path.stat().st_mtime_ns, reverse=True):
        loaded = load(model)
        if not tasks or isinstance(loaded.task, tasks):
            return loaded
    kind = f" of task {_names(tasks)}" if models else ""
    data = (tasks[0] if tasks else LanguageModelTask).example
    raise UsageError(
        f"no model{kind} under {runs}{os.sep}", hint=f"train one: rnncli train {data}; or name one: --model PATH"
    )


def _names(tasks: tuple[type[Any], ...]) -> str:
    """Return the names of the tasks that are of these kinds."""
    return " or ".join(name for name, task in TASKS.items() if issubclass(task, tasks))


def _task_of(stored: Checkpoint, path: Path) -> Task:
    schema = TASKS.get(str(stored.spec.get("task")))
    if schema is None:
        raise checkpoints.unsuitable(path, "a task that this version does not know")
    try:
        return from_plain(stored.spec, schema, str(path))
    except RnncliError as error:
        raise checkpoints.unsuitable(path, f"a spec that is not valid ({error.message})") from None
