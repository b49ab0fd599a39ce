"""The language-model task: text in, a model of the next token out."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import DTypeLike

from rnncli.data import Sequences, Vocabulary
from rnncli.decoding import Sampling
from rnncli.errors import SettingError, UsageError
from rnncli.metrics import ClosedLoopReport
from rnncli.models.gradient_cases import GradientCase, language_model_case
from rnncli.models.language_model import LanguageModel, LanguageModelSpec
from rnncli.models.ngram import baselines
from rnncli.nn.protocols import Loss
from rnncli.tasks import conditioned_data
from rnncli.tasks.closed_loop import closed_loop
from rnncli.tasks.conditions import Conditions
from rnncli.tasks.corpus_cache import NO_CACHE, CorpusCache
from rnncli.tasks.feeding import feed_of, text_loop
from rnncli.tasks.pretrained import find_vectors
from rnncli.tasks.protocol import Report, Resources, Task, Unit, silent
from rnncli.tasks.text_data import TextDataset, evaluation_batches, fit_sizes, make_batches, read_dataset, read_other
from rnncli.tasks.text_generation import TextGenerator
from rnncli.tasks.text_spec import TextDataSpec, TextTrainingSpec
from rnncli.training.evaluation import evaluate
from rnncli.training.events import Evaluation
from rnncli.training.trainer import Batches, Feed

SAMPLE_LENGTH = 160
"""Tokens of the text that is shown now and then while a model is trained."""
SAMPLES = 3
"""Texts that they are, of a conditioned model."""
CHECKED_VALUES = 3
"""Of each condition, where gradients are checked."""


@dataclass(frozen=True)
class TextScore:
    """A model's loss on a split, and the naive baselines on the same split, in nats a token."""

    split: str
    loss: Loss
    baselines: dict[str, float]


@dataclass(frozen=True)
class LanguageModelTask(Task):
    """A spec of `task: language_model`."""

    command = "generate"
    example = "corpus.txt"
    inherited: ClassVar[tuple[str, ...]] = ("data.condition", "model", "data.tokenizer", "data.format")
    score_type = TextScore
    fitting: ClassVar[tuple[str, ...]] = ("batch_size", "bptt_length")

    task: Literal["language_model"] = "language_model"
    data: TextDataSpec = TextDataSpec()
    model: LanguageModelSpec = LanguageModelSpec()
    training: TextTrainingSpec = TextTrainingSpec()

    def __post_init__(self) -> None:
        """Refuse combinations of sections that make no sense."""
        if self.data.is_items and self.training.state == "reset":
            item = "line" if self.data.format == "lines" else "text"
            raise SettingError(
                f"training.state: reset is for data.format: stream; each {item} begins with a fresh state anyway",
                key="training.state",
            )
        if self.data.conditions and self.model.is_control:
            raise SettingError(
                f"data.condition needs a recurrent model.cell, not {self.model.cell.name}", key="data.condition"
            )
        if self.model.condition != "bias" and not self.data.conditions:
            raise SettingError(
                f"model.condition: {self.model.condition} needs data.condition, the columns of labels that texts have",
                key="model.condition",
            )
        if self.model.embedding.extra_words:
            raise SettingError(
                "model.embedding.extra_words is for classifiers: a language model would have to predict those words",
                key="model.embedding.extra_words",
            )

    @property
    def reads_own_outputs(self) -> bool:
        """A text is written token after token."""
        return True

    @property
    def unit(self) -> Unit:
        """What a loss is counted by."""
        return self.data.tokenizer.level

    def read(
        self,
        base: Path,
        resources: Resources | None = None,
        *,
        cache: CorpusCache = NO_CACHE,
        report: Report = silent,
    ) -> TextDataset:
        """Read the data, paths relative to `base`, and build its vocabulary unless one is given.

        Vectors of a file are read with a vocabulary that is new.
        """
        embedding, seed = self.model.embedding, self.training.random_seed
        read: Callable[..., TextDataset]
        if self.data.of_examples:
            known = None if resources is None else _conditions_of(resources, self.data)
            read = partial(conditioned_data.read_dataset, self.data, seed, base, conditions=known, report=report)
        else:
            read = partial(read_dataset, self.data, seed, base, cache=cache, report=report)
        if resources is not None:
            vocabulary = vocabulary_of(resources)
            return replace(read(vocabulary), pretrained=embedding.pretrained_of(resources, len(vocabulary)))
        file = find_vectors(embedding, self.data.tokenizer, base, report)
        return read().with_vectors(file) if file else read()

    def read_files(
        self, files: Iterable[str], resources: Resources, *, encoding: str | None = None, report: Report = silent
    ) -> tuple[Sequences, list[str]]:
        """Read files that are no part of the spec, and return them with notices."""
        spec, vocabulary = replace(self.data, encoding=encoding or self.data.encoding), vocabulary_of(resources)
        if spec.of_examples:
            conditions = _conditions_of(resources, self.data)
            return conditioned_data.read_other(spec, tuple(files), vocabulary, conditions, report)
        return read_other(spec, tuple(files), vocabulary, report)

    def fitted(self, dataset: TextDataset) -> tuple[Self, list[str]]:
        """Return the task with sizes that fit a small corpus, and a notice for each size that shrank."""
        sizes = fit_sizes(self.data, self.training, dataset.splits.train)
        changes: dict[str, Any] = dict(zip(self.fitting, sizes, strict=True))
        notices = [
            f"small corpus ({dataset.tokens('train'):,} tokens): {name} {getattr(self.training, name)} → {value}"
            for name, value in changes.items()
            if value != getattr(self.training, name)
        ]
        return replace(self, training=replace(self.training, **changes)), notices

    def build_model(
        self, resources: Resources, rng: np.random.Generator | None, dtype: DTypeLike = np.float32
    ) -> LanguageModel:
        """Return a fresh model; without `rng` its weights are zeros, to be loaded."""
        V, conditions = len(vocabulary_of(resources)), _conditions_of(resources, self.data)
        size, pretrained = conditions.size if conditions else 0, self.model.embedding.pretrained_of(resources, V)
        return LanguageModel(self.model, V, condition_size=size, pretrained=pretrained, rng=rng, dtype=dtype)

    def writer(self, model: LanguageModel, resources: Resources, given: Sequence[str] = ()) -> TextGenerator:
        """Return the model as one that continues and scores texts; `given` are NAME=VALUE of its conditions.

        Raises UsageError for conditions that it does not know, or needs and is not given.
        """
        conditions, vocabulary = _conditions_of(resources, self.data), vocabulary_of(resources)
        if conditions:
            return conditioned_writer(model, vocabulary, conditions, conditions.chosen(given))
        if given:
            raise UsageError("the model has no conditions", hint="leave --condition out, or train with data.condition")
        return TextGenerator(model, vocabulary)

    def batches(self, dataset: TextDataset) -> Batches:
        """Return the training batches."""
        training = self.training
        return make_batches(self.data, training, dataset.splits.train, training.batch_size, training.bptt_length)

    def feed(self, model: LanguageModel, resources: Resources) -> Feed | None:
        """Return what puts the model's own tokens into the texts that it is trained on, as the spec has it."""
        return feed_of(model, self.training.teacher_forcing, text_loop(vocabulary_of(resources)))

    def evaluate(
        self,
        model: LanguageModel,
        resources: Resources,  # noqa: ARG002 - other tasks need them, here and below
        part: Sequences,
    ) -> Evaluation:
        """Measure the model on each token of a split once."""
        return Evaluation(evaluate(model, evaluation_batches(self.data, self.training, part)))

    def closed_loop(self, model: LanguageModel, resources: Resources, part: Sequences) -> ClosedLoopReport:
        """Measure the model on a split, fed with true tokens and with its own from the begin of each item, or window.

        Windows of a stream are `bptt_length` long, and begin with the state of the true text before them.
        """
        batches = evaluation_batches(self.data, self.training, part).epoch(np.random.default_rng(0))
        return closed_loop(model, batches, text_loop(vocabulary_of(resources)))

    def scores(
        self,
        model: LanguageModel,
        resources: Resources,
        train: Sequences | None,
        parts: Mapping[str, Sequences],
    ) -> list[TextScore]:
        """Return the model's loss on each split that is not empty, beside that of n-grams."""
        parts = {name: part for name, part in parts.items() if part}
        known = baselines(train, parts, model.vocabulary_size) if train and parts else {}
        return [
            TextScore(name, self.evaluate(model, resources, part).loss, known.get(name, {}))
            for name, part in parts.items()
        ]

    def summary(self, dataset: TextDataset) -> str:
        """Say in a few words what the model is trained on."""
        given = [f"{name} ({len(values)})" for name, values in (dataset.conditions or Conditions({})).values.items()]
        tokens = f"{len(dataset.vocabulary):,} tokens in the vocabulary, {dataset.tokens('train'):,} to train on"
        return tokens + f", conditioned on {', '.join(given)}" * bool(given)

    def sample(self, model: LanguageModel, dataset: TextDataset) -> str:
        """Return a little text as the model writes it now; of a conditioned one, for some values of each condition."""
        if dataset.conditions is None:
            return _sample(TextGenerator(model, dataset.vocabulary), SAMPLE_LENGTH)
        vocabulary, conditions = dataset.vocabulary, dataset.conditions
        writers = [conditioned_writer(model, vocabulary, conditions, one) for one in conditions.some(SAMPLES)]
        written = ((writer, _sample(writer, SAMPLE_LENGTH // len(writers))) for writer in writers)
        return "\n".join(f"{', '.join(writer.condition.values())}: {text}" for writer, text in written)

    def gradient_cases(self, random_seed: int) -> Iterator[GradientCase]:
        """Return what the gradients of this spec's model are checked on, at its own size."""
        size = CHECKED_VALUES * len(self.data.conditions)
        for masked in (False, True):
            title = f"{self.model.cell.name}, {'masked' if masked else 'full'}"
            yield language_model_case(
                self.model, 12, condition_size=size, title=title, masked=masked, random_seed=random_seed
            )


def _conditions_of(resources: Resources, data: TextDataSpec) -> Conditions | None:
    return Conditions.from_plain(resources.get("conditions"), data.conditions)


def conditioned_writer(
    model: LanguageModel, vocabulary: Vocabulary, conditions: Conditions, chosen: Mapping[str, str]
) -> TextGenerator:
    """Return the model as one that writes under one value of each condition."""
    return TextGenerator(model.given(conditions.vector(chosen)), vocabulary, chosen)


def _sample(writer: TextGenerator, length: int) -> str:
    drawn = writer.generate("", length=length, sampling=Sampling(temperature=0.7))
    return "".join(piece for _, piece, _ in drawn)


def vocabulary_of(resources: Resources) -> Vocabulary:
    """Return the vocabulary of a checkpoint's resources; DataError when it is none."""
    return Vocabulary.from_plain(resources.get("vocabulary", {}))
