"""Stored models that read their own outputs, measured while they do."""

from collections.abc import Iterable, Sequence
from typing import Any

from rnncli.errors import UsageError
from rnncli.experiments.scores import own_data
from rnncli.experiments.stored import LoadedModel
from rnncli.metrics import ClosedLoopReport
from rnncli.tasks import Report, silent


def close_loop_on_splits(
    loaded: LoadedModel, splits: Iterable[str], report: Report = silent
) -> tuple[dict[str, ClosedLoopReport], list[str]]:
    """Return a report on each split of a model's own data that is not empty, and notices.

    UsageError where models of the task read no outputs of their own, DataError where the data is gone.
    """
    _expect_loop(loaded)
    dataset, notices = own_data(loaded, report)
    return _reports(loaded, {split: getattr(dataset.splits, split) for split in splits}), notices


def close_loop_on_files(
    loaded: LoadedModel, files: Sequence[str], *, encoding: str | None, report: Report = silent
) -> tuple[dict[str, ClosedLoopReport], list[str]]:
    """Return the same of other files."""
    _expect_loop(loaded)
    given, notices = loaded.task.read_files(files, loaded.resources, encoding=encoding, report=report)
    return _reports(loaded, {"given": given}), notices


def _expect_loop(loaded: LoadedModel) -> None:
    """Raise UsageError where models of the task read no outputs of their own."""
    if not loaded.task.reads_own_outputs:
        raise UsageError(
            f"a model of task {loaded.task.task} reads no outputs of its own, and so has no loop to close",
            hint="--closed-loop is for what writes token after token, and for taggers with recurrence: output or both",
        )


def _reports(loaded: LoadedModel, parts: dict[str, Any]) -> dict[str, ClosedLoopReport]:
    task, model, resources = loaded.task, loaded.model, loaded.resources
    return {name: task.closed_loop(model, resources, part) for name, part in parts.items() if len(part)}
