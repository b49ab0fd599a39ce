"""Losses of models on splits and files, beside the naive baselines."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rnncli.data import NOTHING, Splits
from rnncli.errors import RnncliError
from rnncli.experiments.runs import Run
from rnncli.experiments.stored import LoadedModel, load
from rnncli.models.language_model import LanguageModel
from rnncli.nn.protocols import Loss
from rnncli.tasks import Task
from rnncli.tasks.corpus_cache import CorpusCache
from rnncli.tasks.text_data import TextDataset, read_other
from rnncli.tasks.text_encoding import Report, silent
from rnncli.training.evaluation import evaluate


@dataclass(frozen=True)
class Score:
    """A model's loss on a split, and the naive baselines on the same split, in nats a token."""

    split: str
    loss: Loss
    baselines: dict[str, float]


def score_run(run: Run) -> list[Score]:
    """Return the best model's scores on the validation and test splits, beside the baselines."""
    best = run.folder / "best.npz"
    model = load(best).model if best.exists() else run.model
    return score_splits(model, run.task, run.dataset, ("validation", "test"))


def score_splits(model: LanguageModel, task: Task, dataset: TextDataset, splits: Iterable[str]) -> list[Score]:
    """Return a model's loss on each split that is not empty, beside the baselines."""
    batches = {split: found for split in splits if (found := task.evaluation(dataset, split)) is not None}
    known = task.baselines(dataset, batches) if dataset.splits.train and batches else {}
    return [Score(split, evaluate(model, found), known.get(split, {})) for split, found in batches.items()]


def evaluate_splits(
    loaded: LoadedModel, splits: Iterable[str], report: Report = silent
) -> tuple[list[Score], list[str]]:
    """Return a stored model's scores on splits of its own data, and notices; DataError where that data is gone."""
    dataset = _data(loaded, report)
    notices = list(dataset.notices)
    if dataset.fingerprint != loaded.metrics.get("fingerprint"):
        notices.append("the training text has changed since the model was trained")
    return score_splits(loaded.model, loaded.task, dataset, splits), notices


def evaluate_files(
    loaded: LoadedModel, files: Sequence[str], *, encoding: str | None, report: Report = silent
) -> tuple[list[Score], list[str]]:
    """Return a stored model's score on other files, and notices.

    The baselines learn from the model's training text, and are left out where that is gone.
    """
    spec = replace(loaded.task.data, encoding=encoding or loaded.task.data.encoding)
    given, notices = read_other(spec, tuple(files), loaded.vocabulary, report)
    try:
        train = _data(loaded, report).splits.train
    except RnncliError as error:
        train = NOTHING
        notices.append(f"no baselines: {error.message}")
    dataset = TextDataset(loaded.vocabulary, Splits(train, NOTHING, given), (), "")
    scores = score_splits(loaded.model, loaded.task, dataset, ("test",))
    return [replace(score, split="given") for score in scores], notices


def _data(loaded: LoadedModel, report: Report) -> TextDataset:
    """Read a model's own data, and leave nothing beside it."""
    folder = loaded.path.parent
    cache = CorpusCache.beside(folder, keep=False)
    return loaded.task.read(folder, loaded.vocabulary, cache=cache, report=report)
