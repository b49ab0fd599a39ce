"""Cells compared: one spec trained with each of them, all else equal, beside what needs no training."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, is_dataclass, replace
from os import times
from pathlib import Path
from statistics import median, median_low
from time import perf_counter, process_time
from typing import NamedTuple

from rnncli.errors import DataError, SpecError, UsageError
from rnncli.experiments.runs import Run, task_from
from rnncli.experiments.scores import score_splits
from rnncli.experiments.stored import load
from rnncli.models.stack_spec import CONTROLS
from rnncli.nn.cells import CELLS
from rnncli.spec import Document, assign, nearest
from rnncli.spec.messages import shown
from rnncli.spec.schema import bare, keys, members, names
from rnncli.tasks import Score, Task
from rnncli.training.events import Event, StepDone, Validated

RECURRENT_ONLY = {"initial_state": "zeros", "recurrent_dropout": 0.0, "recurrence": "hidden"}
"""The settings that only recurrent cells have, with the value that stands for none."""


@dataclass(frozen=True)
class Candidate:
    """A spec with one of the cells that are compared."""

    cell: str  # as it was asked for
    task: Task
    notice: str = ""

    def with_seed(self, random_seed: int) -> "Candidate":
        """Return it with another random seed."""
        training = replace(self.task.training, random_seed=random_seed)
        return replace(self, task=replace(self.task, training=training))


def candidates(document: Document, cells: Sequence[str] | None = None) -> list[Candidate]:
    """Return the spec with each of these cells, as `train --cell` would; the spec's own cell keeps its settings.

    None are all recurrent ones, and the controls that the spec's model may have.

    Controls do without the settings of RECURRENT_ONLY, which a notice says. UsageError for a cell that is unknown or
    given twice, SpecError for a spec that is not valid.
    """
    own = task_from(document)
    known = _cells_of(own)
    if cells is None:
        found = [_candidate(document, own, cell, known[cell]) for cell in CELLS]
        for control in ("conv1d", "mlp"):
            with suppress(SpecError):  # a model that cannot do without a state
                found.append(_candidate(document, own, control, known[control]))
        return found
    given: dict[type, str] = {}
    for cell in cells:
        if cell not in known:
            hint = f"the cells are {', '.join(known)}"
            raise UsageError(f"there is no cell {shown(cell)}", hint=nearest(cell, known) or hint)
        if first := given.get(known[cell]):
            raise UsageError(f"the cell {cell} is given twice" + (f", first as {first}" if first != cell else ""))
        given[known[cell]] = cell
    return [_candidate(document, own, cell, known[cell]) for cell in cells]


def _cells_of(task: Task) -> dict[str, type]:
    """Return what the cell of a task's model may be, by every name that it goes by."""
    _, hint = keys(type(task.model))["cell"]
    components = [bare(member) for member in members(hint) if is_dataclass(bare(member))]
    return {name: component for component in components for name in names(component)}


def _candidate(document: Document, own: Task, cell: str, component: type) -> Candidate:
    document = deepcopy(document)
    if not isinstance(own.model.cell, component):
        assign(document, ("model", "cell"), cell, "--cells")
    dropped = [name for name, nothing in RECURRENT_ONLY.items() if getattr(own.model, name, nothing) != nothing]
    if cell not in CONTROLS or not dropped:
        return Candidate(cell, task_from(document))
    for name in dropped:
        assign(document, ("model", name), RECURRENT_ONLY[name], "--cells")
    notice = f"{cell} is not recurrent, and does without {' and '.join(f'model.{name}' for name in dropped)}"
    return Candidate(cell, task_from(document), notice)


class Training:
    """A run's training, timed while its `events` pass: by itself, without whoever watches them."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.seconds = 0.0
        self.cpu_seconds = 0.0  # of this process, and of workers that have ended
        self.epochs = 0.0
        self.best: Validated | None = None

    def events(self) -> Iterator[Event]:
        """Train; raises what `Run.events` does."""
        events = self.run.events()
        while True:
            began, cpu_began = perf_counter(), _cpu_seconds()
            try:
                event = next(events, None)
            finally:
                self.seconds += perf_counter() - began
                self.cpu_seconds += _cpu_seconds() - cpu_began
            if event is None:
                return
            if isinstance(event, StepDone | Validated):
                self.epochs = event.epoch
            if isinstance(event, Validated) and event.best:
                self.best = event
            yield event


def _cpu_seconds() -> float:
    ended = times()
    return process_time() + ended.children_user + ended.children_system


def compared_split(run: Run) -> str:
    """Return the split that models are compared on: test, else validation; DataError where there is neither."""
    for split in ("test", "validation"):
        if getattr(run.dataset.splits, split):
            return split
    raise DataError("neither a test nor a validation split to compare on", hint="set data.split, or data.test")


def score_best(run: Run, split: str) -> Score:
    """Return what a run's best model is worth on a split, beside the baselines."""
    best = run.folder / "best.npz"
    model = load(best).model if best.exists() else run.model
    (score,) = score_splits(model, run.task, run.dataset, (split,))
    return score


@dataclass(frozen=True)
class Outcome:
    """What came of one cell with one random seed."""

    cell: str
    random_seed: int
    folder: Path
    parameters: int
    step: int
    epochs: float
    best_epoch: float | None  # None: it has never been validated
    seconds: float
    cpu_seconds: float
    scores: dict[str, float]  # by name; none where it diverged
    diverged: str = ""  # how


def outcome(candidate: Candidate, training: Training, scores: dict[str, float], diverged: str = "") -> Outcome:
    """Return what came of a candidate's training."""
    run, best = training.run, training.best
    return Outcome(
        candidate.cell,
        run.task.training.random_seed,
        run.folder,
        run.trainer.flat.values.size,
        run.trainer.progress.step,
        training.epochs,
        best.epoch if best else None,
        training.seconds,
        training.cpu_seconds,
        scores,
        diverged,
    )


class Spread(NamedTuple):
    """Values of several random seeds."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Summarize values, of which there is at least one."""
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True)
class Row:
    """A cell over all random seeds that it was trained with, or a baseline."""

    name: str
    seeds: int  # that have scores
    parameters: int | None
    cpu_seconds: Spread | None
    scores: dict[str, Spread]  # by name


@dataclass
class Comparison:
    """What has been found so far."""

    random_seeds: Sequence[int]
    cells: Sequence[str]
    split: str = ""
    outcomes: list[Outcome] = field(default_factory=list)
    baselines: dict[int, dict[str, dict[str, float]]] = field(default_factory=dict)  # by random seed, by name

    @property
    def total(self) -> int:
        """How many trainings make it complete."""
        return len(self.random_seeds) * len(self.cells)

    def of(self, cell: str) -> list[Outcome]:
        """Return what came of a cell."""
        return [each for each in self.outcomes if each.cell == cell]

    def rows(self) -> list[Row]:
        """Return a row for each cell that was trained, then one for each baseline."""
        rows = []
        for cell in self.cells:
            if own := self.of(cell):
                done = [each for each in own if not each.diverged]
                cpu = Spread.of([each.cpu_seconds for each in done or own])
                size = median_low(each.parameters for each in own)
                rows.append(Row(cell, len(done), size, cpu, _spreads([each.scores for each in done])))
        for name in dict.fromkeys(name for known in self.baselines.values() for name in known):
            scored = [known[name] for known in self.baselines.values() if name in known]
            rows.append(Row(name, len(scored), None, None, _spreads(scored)))
        return rows


def _spreads(scored: Sequence[dict[str, float]]) -> dict[str, Spread]:
    found = dict.fromkeys(name for scores in scored for name in scores)
    return {name: Spread.of([scores[name] for scores in scored if name in scores]) for name in found}
