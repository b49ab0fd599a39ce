"""The Python API: train, resume, load, evaluate, check gradients. It prints nothing and draws nothing."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO

import numpy as np

from rnncli.data import Splits, Vocabulary
from rnncli.decoding import Sampling
from rnncli.errors import CheckpointError, DataError, RnncliError, UsageError
from rnncli.models.gradient_cases import GradientCase, language_model_case, language_model_cases
from rnncli.models.language_model import LanguageModel
from rnncli.nn.gradient_check import GradientError, compare_gradients
from rnncli.nn.protocols import Loss
from rnncli.spec import Document, from_plain, to_plain, to_yaml, validate
from rnncli.storage import atomic_write, check_writable
from rnncli.tasks import TASKS, Task
from rnncli.tasks.language_model import vocabulary_of
from rnncli.tasks.text_data import TextDataset, read_other, unknown_notice
from rnncli.tasks.text_generation import TextGenerator
from rnncli.training import checkpoint as checkpoints
from rnncli.training.checkpoint import Checkpoint
from rnncli.training.evaluation import evaluate
from rnncli.training.events import Event
from rnncli.training.randomness import generator
from rnncli.training.recording import Recorder
from rnncli.training.trainer import Trainer

MAY_CHANGE = ("epochs", "steps", "patience")
"""What a resumed run may do otherwise than the run it continues, in its `training` section."""


@dataclass
class Run:
    """A training run, ready to start or to go on."""

    folder: Path
    task: Task
    dataset: TextDataset
    model: LanguageModel
    trainer: Trainer
    recorder: Recorder
    notices: list[str]

    def events(self) -> Iterator[Event]:
        """Train, record the run in its folder, and report."""
        return self.recorder.record(self.trainer.run())

    def summary(self) -> str:
        """Say in a line what is trained on what."""
        model, size = self.task.model, self.trainer.flat.values.size
        return (
            f"{model.cell.name} {model.num_layers} x {model.hidden_size}, {size:,} parameters, "
            f"{len(self.dataset.vocabulary):,} tokens in the vocabulary, {self.dataset.tokens('train'):,} to train on "
            f"→ {self.folder}"
        )

    def sample(self, length: int = 160) -> str:
        """Return a little text as the model writes it now; it changes nothing in the run."""
        writer = TextGenerator(self.model, self.dataset.vocabulary)
        drawn = writer.generate("", length=length, sampling=Sampling(temperature=0.7))
        return "".join(piece for _, piece, _ in drawn)


@dataclass(frozen=True)
class LoadedModel:
    """A model as it was stored, ready to predict."""

    path: Path
    task: Task
    resources: dict[str, Any]
    model: LanguageModel
    metrics: dict[str, Any]

    @property
    def vocabulary(self) -> Vocabulary:
        """The tokens that the model knows."""
        return vocabulary_of(self.resources)

    @property
    def writer(self) -> TextGenerator:
        """The model as one that continues and scores texts."""
        return TextGenerator(self.model, self.vocabulary)


@dataclass(frozen=True)
class Score:
    """A model's loss on a split, and the naive baselines on the same split, in nats a token."""

    split: str
    loss: Loss
    baselines: dict[str, float]


def task_from(document: Document) -> Task:
    """Check a spec and return its task; SpecError with every problem found."""
    name = document.value.get("task", "language_model") if isinstance(document.value, dict) else "language_model"
    schema = TASKS.get(name) if isinstance(name, str) else None
    return validate(document, schema or TASKS["language_model"])


def start(task: Task, base: Path, folder: Path, *, stdin: BinaryIO | None = None, init_from: Path | None = None) -> Run:
    """Prepare a run of `task` in a new folder; data paths are relative to `base`.

    A corpus from standard input is kept in the folder as corpus.txt. `init_from` begins with the weights, and the
    vocabulary and architecture, of a stored model. Raises before anything is read when the folder cannot be written.
    """
    check_writable(folder)
    if task.data.train in ("-", ("-",)):
        text = stdin.read() if stdin else b""
        atomic_write(folder / "corpus.txt", lambda file: file.write(text))
        task = replace(task, data=replace(task.data, train=os.path.relpath(folder / "corpus.txt", base)))
    weights, vocabulary = None, None
    if init_from:
        origin = load(init_from)
        weights, vocabulary = origin.model.parameters(), origin.vocabulary
        data = replace(task.data, tokenizer=origin.task.data.tokenizer, format=origin.task.data.format)
        try:
            task = replace(task, model=origin.task.model, data=data)
        except ValueError as error:
            raise UsageError(f"the model of {init_from} does not go with this spec: {error}") from None
    dataset = task.read(base, vocabulary)
    task, notices = task.fitted(dataset)
    run = _run(task.moved(base, folder), folder, dataset, [*dataset.notices, *notices])
    for name, parameter in (weights or {}).items():
        run.model.parameters()[name].value[:] = parameter.value
    return run


def resume(path: Path, changes: dict[str, Any]) -> Run:
    """Prepare to go on with a run from its folder or its last.npz, byte for byte as if it had never stopped.

    `changes` may only name settings of MAY_CHANGE. CheckpointError when the run cannot go on, DataError when the
    training text is no longer the same.
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
    loaded = _loaded(stored, path)
    task = loaded.task
    check_writable(path.parent)
    dataset = task.read(path.parent, loaded.vocabulary)
    if dataset.fingerprint() != stored.metrics.get("fingerprint"):
        raise DataError(
            f"{path}: the training text has changed since this run was saved",
            hint=f"restore it, or begin anew from these weights: rnncli train CORPUS --init-from {path}",
        )
    changed = to_plain(replace(task, training=replace(task.training, **changes)))
    run = _run(from_plain(changed, type(task), "--resume"), path.parent, dataset, [])
    checkpoints.put_progress(run.trainer, stored, path)
    return run


def plan(task: Task, base: Path) -> dict[str, Any]:
    """Return the sizes of a run that is not started, and its time by the measure of a few steps."""
    dataset = task.read(base)
    task, notices = task.fitted(dataset)
    run = _run(task, base, dataset, [])
    steps = run.trainer.run()
    next(steps)
    began = monotonic()
    timed = len(list(islice(steps, 3)))
    seconds = (monotonic() - began) / max(1, timed) * run.trainer.total_steps
    counted = {f"{split}_tokens": dataset.tokens(split) for split in ("train", "validation", "test")}
    return {
        "parameters": run.trainer.flat.values.size,
        "vocabulary": len(dataset.vocabulary),
        **counted,
        "batch_size": task.training.batch_size,
        "bptt_length": task.training.bptt_length,
        "steps_per_epoch": len(run.trainer.batches),
        "steps": run.trainer.total_steps,
        "estimated_seconds": round(seconds, 1),
        "notices": [*dataset.notices, *notices],
    }


def _run(task: Task, folder: Path, dataset: TextDataset, notices: list[str]) -> Run:
    resources = task.resources(dataset)
    model = task.build_model(resources, generator(task.training.random_seed, "initialization"))
    validation = task.evaluation(dataset, "validation")
    validate_now = (lambda: evaluate(model, validation)) if validation else None
    trainer = Trainer(model, task.batches(dataset), validate_now, task.training)
    recorder = Recorder(folder, trainer, to_plain(task), resources, dataset.fingerprint())
    return Run(folder, task, dataset, model, trainer, recorder, notices)


def _task_of(stored: Checkpoint, path: Path) -> Task:
    schema = TASKS.get(str(stored.spec.get("task")))
    if schema is None:
        raise checkpoints.unsuitable(path, "a task that this version does not know")
    try:
        return from_plain(stored.spec, schema, str(path))
    except RnncliError as error:
        raise checkpoints.unsuitable(path, f"a spec that is not valid ({error.message})") from None


def load(path: Path) -> LoadedModel:
    """Load a model from a checkpoint, or from a run's folder its best one; it needs no other file."""
    if path.is_dir():
        path = next((p for name in ("best.npz", "last.npz") if (p := path / name).exists()), path / "best.npz")
    return _loaded(checkpoints.load(path), path)


def _loaded(stored: Checkpoint, path: Path) -> LoadedModel:
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


def new_run_folder(runs: Path, name: str) -> Path:
    """Return runs/name, or runs/name-2, -3, … so that no run is ever overwritten."""
    number, folder = 1, runs / name
    while folder.exists():
        number += 1
        folder = runs / f"{name}-{number}"
    return folder


def score_run(run: Run) -> list[Score]:
    """Return the best model's scores on the validation and test splits, beside the baselines."""
    best = run.folder / "best.npz"
    model = load(best).model if best.exists() else run.model
    return score_splits(model, run.task, run.dataset, ("validation", "test"))


def score_splits(model: LanguageModel, task: Task, dataset: TextDataset, splits: Iterable[str]) -> list[Score]:
    """Return a model's loss on each split that is not empty, beside the baselines."""
    scores = []
    for split in splits:
        batches = task.evaluation(dataset, split)
        if batches is not None:
            baselines = task.baselines(dataset, split) if dataset.splits.train else {}
            scores.append(Score(split, evaluate(model, batches), baselines))
    return scores


def evaluate_splits(loaded: LoadedModel, splits: Iterable[str]) -> tuple[list[Score], list[str]]:
    """Return a stored model's scores on splits of its own data, and notices; DataError where that data is gone."""
    dataset = loaded.task.read(loaded.path.parent, loaded.vocabulary)
    notices = list(dataset.notices)
    if dataset.fingerprint() != loaded.metrics.get("fingerprint"):
        notices.append("the training text has changed since the model was trained")
    return score_splits(loaded.model, loaded.task, dataset, splits), notices


def evaluate_files(
    loaded: LoadedModel, files: Sequence[str], *, encoding: str | None, stdin: BinaryIO | None
) -> tuple[list[Score], list[str]]:
    """Return a stored model's score on other files, and notices.

    The baselines learn from the model's training text, and are left out where that is gone.
    """
    spec = replace(loaded.task.data, encoding=encoding or "utf-8")
    ids = read_other(spec, tuple(files), loaded.vocabulary, stdin)
    notices = unknown_notice("given", ids, loaded.vocabulary)
    try:
        train = loaded.task.read(loaded.path.parent, loaded.vocabulary).splits.train
    except RnncliError as error:
        train = []
        notices.append(f"no baselines: {error.message}")
    dataset = TextDataset(loaded.vocabulary, Splits(train, [], ids), ())
    scores = score_splits(loaded.model, loaded.task, dataset, ("test",))
    return [replace(score, split="given") for score in scores], notices


def check_gradients(
    cases: Iterable[GradientCase], *, epsilon: float, limit: int | None = None, inject_error: str | None = None
) -> Iterator[tuple[str, list[GradientError]]]:
    """Compare analytic and numeric gradients of each case, in float64.

    `inject_error` names a parameter ("" is the first recurrent weight) whose largest gradient is put wrong by 1 % in
    every case that has it, to see the check catch it.
    """
    wanted = "recurrent.0.weight_hh" if inject_error == "" else inject_error
    for case in cases:
        if wanted in case.grads:
            gradient = case.grads[wanted].reshape(-1)
            gradient[np.abs(gradient).argmax()] *= 1.01
        rng = np.random.default_rng(0)
        yield case.title, compare_gradients(case.loss, case.values, case.grads, epsilon=epsilon, limit=limit, rng=rng)


def gradient_cases(task: Task | None, random_seed: int) -> Iterator[GradientCase]:
    """Return the cases of every architecture, or those of one spec's model, at its own size."""
    if task is None:
        yield from language_model_cases(random_seed)
        return
    for masked in (False, True):
        title = f"{task.model.cell.name}, {'masked' if masked else 'full'}"
        yield language_model_case(task.model, 12, title=title, masked=masked, random_seed=random_seed)


def write_spec(run: Run) -> None:
    """Write the run's resolved spec, every default included, as spec.yaml in its folder."""
    atomic_write(run.folder / "spec.yaml", lambda file: file.write(to_yaml(run.task).encode()))
