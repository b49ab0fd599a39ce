"""The tasks by name: each puts data, a model, a loss, baselines and decoding together."""

from rnncli.tasks.language_model import LanguageModelTask

Task = LanguageModelTask

TASKS: dict[str, type[Task]] = {"language_model": LanguageModelTask}

__all__ = ["TASKS", "LanguageModelTask", "Task"]
