"""Training runs: prepared, resumed, planned."""

import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial, reduce
from io import BytesIO
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO

from rnncli.data import PIECE
from rnncli.errors import CheckpointError, DataError, UsageError
from rnncli.experiments.stored import LoadedModel, from_checkpoint, load
from rnncli.spec import Document, from_plain, to_plain, to_yaml, validate
from rnncli.spec.messages import nearest, problem, shown
from rnncli.storage import atomic_write, check_writable
from rnncli.tasks import TASKS, Dataset, Report, Task, silent
from rnncli.tasks.corpus_cache import NO_CACHE, CorpusCache
from rnncli.tasks.paths import as_paths
from rnncli.training import checkpoint as checkpoints
from rnncli.training.events import Event
from rnncli.training.randomness import generator
from rnncli.training.recording import Recorder
from rnncli.training.trainer import Trainer

MAY_CHANGE = ("epochs", "steps", "patience", "workers")
"""What a resumed run may do otherwise than the run it continues, in its `training` section."""


@dataclass
class Run:
    """A training run, ready to start or to go on."""

    folder: Path
    task: Task
    dataset: Dataset
    model: Any
    trainer: Trainer
    recorder: Recorder
    notices: list[str]

    def events(self) -> Iterator[Event]:
        """Train, record the run in its folder, and report."""
        return self.recorder.record(self.trainer.run())

    def summary(self) -> str:
        """Say in a line what is trained on what."""
        model, sizes = self.task.model, _sizes(self)
        frozen = f" and {sizes['frozen_parameters']:,} frozen ones" if "frozen_parameters" in sizes else ""
        return (
            f"{model.cell.name} {model.num_layers} x {model.hidden_size}, {sizes['parameters']:,} parameters{frozen}, "
            f"{self.task.summary(self.dataset)} → {self.folder}"
        )

    def sample(self) -> str | None:
        """Return a little that shows what the model can do now, if there is such a thing; it changes nothing."""
        return self.task.sample(self.model, self.dataset)


def task_from(document: Document) -> Task:
    """Check a spec and return its task; SpecError with every problem found."""
    if not isinstance(document.value, dict):
        return validate(document, TASKS["language_model"])
    name = document.value.get("task", "language_model")
    if not isinstance(name, str) or name not in TASKS:
        where = document.place(("task",), of_value=True).text
        raise problem(
            f"task must be one of {', '.join(TASKS)}, not {shown(name)}", where=where, hint=nearest(name, TASKS)
        )
    return validate(document, TASKS[name])


def start(
    task: Task,
    base: Path,
    folder: Path,
    *,
    stdin: BinaryIO | None = None,
    init_from: Path | None = None,
    report: Report = silent,
) -> Run:
    """Prepare a run of `task` in a new folder; data paths are relative to `base`.

    A corpus from a pipe is kept in the folder as corpus.txt, unless nothing can be trained on it. `init_from` begins
    with the weights, and the vocabulary and architecture, of a stored model. Raises before anything is read when the
    folder cannot be written.
    """
    check_writable(folder)
    first, *others = as_paths(task.data.train) or ("",)
    if others or not (first == "-" or (base / first).is_fifo()):
        return _started(task, base, folder, init_from, report)
    kept = folder / "corpus.txt"
    with (base / first).open("rb") if first != "-" else nullcontext(stdin or BytesIO()) as pipe:
        atomic_write(kept, partial(_copy, pipe))
    try:
        task = replace(task, data=replace(task.data, train=str(kept.resolve())))
        return _started(task, base, folder, init_from, report)
    except BaseException:
        kept.unlink(missing_ok=True)
        raise


def _started(task: Task, base: Path, folder: Path, init_from: Path | None, report: Report) -> Run:
    origin = load(init_from) if init_from else None
    if init_from and origin:
        task = _inherited(task, base, origin, init_from)
    cache = CorpusCache.beside(folder, keep=True)
    dataset = task.read(base, origin.resources if origin else None, cache=cache, report=report)
    task, notices = task.fitted(dataset)
    run = _run(task.moved(base, folder), folder, dataset, [*dataset.notices, *notices])
    if origin:
        stored = {name: parameter.value for name, parameter in origin.model.parameters().items()}
        checkpoints.put_weights(run.model.parameters(), stored, origin.path)
    return run


def _copy(pipe: BinaryIO, file: BinaryIO) -> None:
    shutil.copyfileobj(pipe, file, PIECE)
    if not file.tell():
        raise DataError("the pipe to train on is empty", hint="pipe a text into it, or name a file")


def _inherited(task: Task, base: Path, model: LoadedModel, path: Path) -> Task:
    """Return the task, whose paths are relative to `base`, with the settings that the weights of a model depend on.

    Raises UsageError where a spec asks for others.
    """
    if type(task) is not type(model.task):
        raise UsageError(f"{path} holds a model of task {model.task.task}, not {task.task}")
    kind: Any = type(task)
    asked, origin = task.moved(base, base), model.task.moved(model.path.parent, base)  # so that their paths compare
    for name in task.inherited:
        wanted, default, stored = (reduce(getattr, name.split("."), each) for each in (asked, kind(), origin))
        if wanted not in (default, stored):
            raise UsageError(f"{path} brings its own {name}", hint=f"leave {name} out of the spec")
    try:
        for name in task.inherited:
            section, _, key = name.partition(".")
            value = getattr(origin, section)
            if key:
                value = replace(getattr(task, section), **{key: getattr(value, key)})
            task = replace(task, **{section: value})
    except ValueError as error:
        raise UsageError(f"the model of {path} does not go with this spec: {error}") from None
    return task


def resume(path: Path, changes: dict[str, Any], *, report: Report = silent) -> Run:
    """Prepare to go on with a run from its folder or its last.npz, byte for byte as if it had never stopped.

    `changes` may only name settings of MAY_CHANGE. CheckpointError when the run cannot go on, DataError when the
    training data is no longer the same.
    """
    path = path / "last.npz" if path.is_dir() else path
    if refused := [name for name in changes if name not in MAY_CHANGE]:
        raise UsageError(
            f"a resumed run keeps its settings, so {', '.join(refused)} cannot change",
            hint=f"only {', '.join(MAY_CHANGE)} can; to begin anew from these weights: --init-from {path}",
        )
    stored = checkpoints.load(path)
    if stored.progress is None:
        raise CheckpointError("this checkpoint holds a model, not a run", where=str(path), hint="resume from last.npz")
    loaded = from_checkpoint(stored, path)
    task = loaded.task
    check_writable(path.parent)
    cache = CorpusCache.beside(path.parent, keep=True)
    dataset = task.read(path.parent, loaded.resources, cache=cache, report=report)
    if dataset.fingerprint != stored.metrics.get("fingerprint"):
        raise DataError(
            f"{path}: the training data has changed since this run was saved",
            hint=f"restore it, or begin anew from these weights: rnncli train DATA --init-from {path}",
        )
    changed = to_plain(replace(task, training=replace(task.training, **changes)))
    run = _run(from_plain(changed, type(task), "--resume"), path.parent, dataset, [])
    checkpoints.put_progress(run.trainer, stored, path)
    if changes and run.trainer.progress.step > run.trainer.total_steps:
        done, asked = run.trainer.progress.step, run.trainer.total_steps
        raise UsageError(f"the run is at step {done} already, beyond the {asked} asked for")
    return run


def plan(task: Task, base: Path, folder: Path | None = None, *, report: Report = silent) -> dict[str, Any]:
    """Return the sizes of a run that is not started, and its time by the measure of a few steps.

    `folder` is where the run would be; nothing is written there.
    """
    dataset = task.read(base, cache=CorpusCache.beside(folder, keep=False) if folder else NO_CACHE, report=report)
    task, notices = task.fitted(dataset)
    run = _run(task, base, dataset, [*dataset.notices, *notices])
    steps = run.trainer.run()
    next(steps)
    began = monotonic()
    timed = len(list(islice(steps, 3)))
    seconds = (monotonic() - began) / max(1, timed) * run.trainer.total_steps
    return {
        **_sizes(run),
        **dataset.sizes(),
        **{name: getattr(task.training, name) for name in task.fitting},
        "steps_per_epoch": len(run.trainer.batches),
        "steps": run.trainer.total_steps,
        "estimated_seconds": round(seconds, 1),
        "notices": run.notices,
    }


def _sizes(run: Run) -> dict[str, int]:
    """Return how many numbers are learned, and how many stand still if there are such."""
    learned = run.trainer.flat.values.size
    frozen = sum(parameter.value.size for parameter in run.model.parameters().values()) - learned
    return {"parameters": learned} | ({"frozen_parameters": frozen} if frozen else {})


def _run(task: Task, folder: Path, dataset: Dataset, notices: list[str]) -> Run:
    model = task.build_model(dataset.resources, generator(task.training.random_seed, "initialization"))
    if dataset.vectors:
        model.embedding.put(*dataset.vectors)
    validation = dataset.splits.validation
    validate = (lambda: task.evaluate(model, dataset.resources, validation)) if validation else None
    feed = task.feed(model, dataset.resources)
    trainer = Trainer(model, task.batches(dataset), validate, task.training, task.counted, feed)
    recorder = Recorder(folder, trainer, to_plain(task), dataset.resources, dataset.fingerprint)
    return Run(folder, task, dataset, model, trainer, recorder, [*notices, *trainer.notices])


def new_run_folder(runs: Path, name: str) -> Path:
    """Return runs/name, or runs/name-2, -3, … so that no run is ever overwritten."""
    number, folder = 1, runs / name
    while folder.exists():
        number += 1
        folder = runs / f"{name}-{number}"
    return folder


def write_spec(run: Run) -> None:
    """Write the run's resolved spec, every default included, as spec.yaml in its folder."""
    atomic_write(run.folder / "spec.yaml", lambda file: file.write(to_yaml(run.task).encode()))
