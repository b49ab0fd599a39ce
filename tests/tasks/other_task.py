"""A task that is no language model though it works as one, to see that tasks are told apart."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from rnncli.models.language_model import LanguageModelSpec
from rnncli.tasks import LanguageModelTask, Task
from rnncli.tasks.text_spec import TextDataSpec, TextTrainingSpec
from tests.tasks.tiny_runs import tiny_task


@dataclass(frozen=True)
class OtherTask(Task):
    command = "ponder"
    example = "--task other corpus.txt"
    inherited: ClassVar[tuple[str, ...]] = ("model", "data.tokenizer", "training.bptt_length")
    fitting: ClassVar[tuple[str, ...]] = LanguageModelTask.fitting

    task: Literal["other"] = "other"
    data: TextDataSpec = TextDataSpec()
    model: LanguageModelSpec = LanguageModelSpec()
    training: TextTrainingSpec = TextTrainingSpec()

    unit = LanguageModelTask.unit
    read = LanguageModelTask.read
    read_files = LanguageModelTask.read_files
    fitted = LanguageModelTask.fitted
    build_model = LanguageModelTask.build_model
    batches = LanguageModelTask.batches
    evaluate = LanguageModelTask.evaluate
    scores = LanguageModelTask.scores
    summary = LanguageModelTask.summary
    gradient_cases = LanguageModelTask.gradient_cases

    def sample(self, model, dataset):
        return None


def other_task(**settings):
    """A tiny task of that kind."""
    task = tiny_task(**settings)
    return OtherTask(data=task.data, model=task.model, training=task.training)
