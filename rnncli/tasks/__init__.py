"""The tasks by name: each puts data, a model, a loss, scores and baselines together."""

from rnncli.tasks.captioning import CaptioningTask
from rnncli.tasks.classification import ClassificationTask, LabelledTask, RegressionTask
from rnncli.tasks.language_model import LanguageModelTask
from rnncli.tasks.pair_task import PairTask
from rnncli.tasks.protocol import Dataset, Report, Resources, Score, Task, silent
from rnncli.tasks.tagging import TaggingTask
from rnncli.tasks.translation import TranslationTask

TASKS: dict[str, type[Task]] = {
    "language_model": LanguageModelTask,
    "classification": ClassificationTask,
    "regression": RegressionTask,
    "tagging": TaggingTask,
    "translation": TranslationTask,
    "captioning": CaptioningTask,
}

__all__ = [
    "TASKS",
    "CaptioningTask",
    "ClassificationTask",
    "Dataset",
    "LabelledTask",
    "LanguageModelTask",
    "PairTask",
    "RegressionTask",
    "Report",
    "Resources",
    "Score",
    "TaggingTask",
    "Task",
    "TranslationTask",
    "silent",
]
