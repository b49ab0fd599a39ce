"""The tasks by name: each puts data, a model, a loss, scores and baselines together."""

from rnncli.tasks.classification import ClassificationTask, LabelledTask, RegressionTask
from rnncli.tasks.language_model import LanguageModelTask
from rnncli.tasks.protocol import Dataset, Report, Resources, Score, Task, silent
from rnncli.tasks.tagging import TaggingTask

TASKS: dict[str, type[Task]] = {
    "language_model": LanguageModelTask,
    "classification": ClassificationTask,
    "regression": RegressionTask,
    "tagging": TaggingTask,
}

__all__ = [
    "TASKS",
    "ClassificationTask",
    "Dataset",
    "LabelledTask",
    "LanguageModelTask",
    "RegressionTask",
    "Report",
    "Resources",
    "Score",
    "TaggingTask",
    "Task",
    "silent",
]
