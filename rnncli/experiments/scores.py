"""What models are worth on splits and files, beside the naive baselines."""

from collections.abc import Iterable, Sequence
from typing import Any

from rnncli.errors import RnncliError
from rnncli.experiments.runs import Run
from rnncli.experiments.stored import LoadedModel, load
from rnncli.tasks import Dataset, Report, Score, Task, silent
from rnncli.tasks.corpus_cache import CorpusCache


def score_run(run: Run) -> list[Score]:
    """Return the best model's scores on the validation and test splits."""
    best = run.folder / "best.npz"
    model = load(best).model if best.exists() else run.model
    return score_splits(model, run.task, run.dataset, ("validation", "test"))


def score_splits(model: Any, task: Task, dataset: Dataset, splits: Iterable[str]) -> list[Score]:
    """Return a model's score on each split that is not empty."""
    parts = {split: getattr(dataset.splits, split) for split in splits}
    return task.scores(model, dataset.resources, dataset.splits.train, parts)


def evaluate_splits(
    loaded: LoadedModel, splits: Iterable[str], report: Report = silent
) -> tuple[list[Score], list[str]]:
    """Return a stored model's scores on splits of its own data, and notices; DataError where that data is gone."""
    dataset, notices = own_data(loaded, report)
    return score_splits(loaded.model, loaded.task, dataset, splits), notices


def evaluate_files(
    loaded: LoadedModel, files: Sequence[str], *, encoding: str | None, report: Report = silent
) -> tuple[list[Score], list[str]]:
    """Return a stored model's score on other files, and notices.

    The baselines learn from the model's training data, and are left out where that is gone.
    """
    task, resources = loaded.task, loaded.resources
    given, notices = task.read_files(files, resources, encoding=encoding, report=report)
    train: Any = None
    try:
        dataset, changed = _data(loaded, report)
        train = dataset.splits.train
        notices += changed
    except RnncliError as error:
        notices.append(f"no baselines: {error.message}")
    return task.scores(loaded.model, resources, train, {"given": given}), notices


def own_data(loaded: LoadedModel, report: Report) -> tuple[Dataset, list[str]]:
    """Read a model's own data to measure it on; return it with all notices. DataError where that data is gone."""
    dataset, changed = _data(loaded, report)
    return dataset, [*dataset.notices, *(f"{notice}: a part may hold what it learnt from" for notice in changed)]


def _data(loaded: LoadedModel, report: Report) -> tuple[Dataset, list[str]]:
    """Read a model's own data, and leave nothing beside it; with a notice where they are no longer the same."""
    folder = loaded.path.parent
    cache = CorpusCache.beside(folder, keep=False)
    dataset = loaded.task.read(folder, loaded.resources, cache=cache, report=report)
    if dataset.fingerprint == loaded.metrics.get("fingerprint"):
        return dataset, []
    return dataset, ["the training data has changed since the model was trained"]
