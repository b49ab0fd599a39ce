"""Models as they were stored: found, loaded, ready to predict."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rnncli.data import Vocabulary
from rnncli.errors import RnncliError, UsageError
from rnncli.models.language_model import LanguageModel
from rnncli.spec import from_plain
from rnncli.tasks import TASKS, Task
from rnncli.tasks.language_model import vocabulary_of
from rnncli.tasks.text_generation import TextGenerator
from rnncli.training import checkpoint as checkpoints
from rnncli.training.checkpoint import Checkpoint


@dataclass(frozen=True)
class LoadedModel:
    """A model as it was stored, ready to predict."""

    path: Path
    task: Task
    resources: dict[str, Any]
    model: LanguageModel
    metrics: dict[str, Any]

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The tokens that the model knows."""
        return vocabulary_of(self.resources)

    @property
    def writer(self) -> TextGenerator:
        """The model as one that continues and scores texts."""
        return TextGenerator(self.model, self.vocabulary)


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


def newest_model(runs: Path) -> Path:
    """Return the most recently saved best.npz (or last.npz, of a run without one) under `runs`."""
    folders = [best if (best := folder / "best.npz").exists() else folder / "last.npz" for folder in runs.glob("*")]
    models = [path for path in folders if path.exists()]
    if not models:
        raise UsageError(
            f"no model under {runs}{os.sep}", hint="train one: rnncli train corpus.txt; or name one: --model PATH"
        )
    return max(models, key=lambda path: path.stat().st_mtime_ns)


def _task_of(stored: Checkpoint, path: Path) -> Task:
    schema = TASKS.get(str(stored.spec.get("task")))
    if schema is None:
        raise checkpoints.unsuitable(path, "a task that this version does not know")
    try:
        return from_plain(stored.spec, schema, str(path))
    except RnncliError as error:
        raise checkpoints.unsuitable(path, f"a spec that is not valid ({error.message})") from None
