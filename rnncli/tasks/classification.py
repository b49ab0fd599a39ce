"""The tasks of one answer for a whole sequence: its label or labels, or a real value."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import DTypeLike

from rnncli.data import Examples
from rnncli.errors import DataError, SettingError
from rnncli.models.classifier_gradient_cases import sequence_classifier_case
from rnncli.models.gradient_cases import GradientCase
from rnncli.models.sequence_classifier import Output, SequenceClassifier, SequenceClassifierSpec
from rnncli.nn.parameter import Array
from rnncli.tasks import labelled_scores
from rnncli.tasks.corpus_cache import NO_CACHE, CorpusCache
from rnncli.tasks.gathered import SequenceDataset
from rnncli.tasks.labelled_data import read_dataset, read_other
from rnncli.tasks.labelled_scores import LabelledScore
from rnncli.tasks.labelled_spec import (
    ClassificationDataSpec,
    ClassificationTrainingSpec,
    LabelledDataSpec,
    RegressionDataSpec,
)
from rnncli.tasks.protocol import Report, Resources, Unit, silent
from rnncli.tasks.sequence_inputs import Standardization, inputs_of
from rnncli.tasks.sequence_task import SequenceTask, names_of
from rnncli.tasks.targets import LabelTargets, Targets, ValueTargets
from rnncli.training.events import Evaluation
from rnncli.training.trainer import TrainingSpec


@dataclass(frozen=True)
class LabelledTask(SequenceTask):
    """What classification and regression have in common: all but the targets."""

    command = "classify"
    example = "--task classification reviews.csv"
    inherited: ClassVar[tuple[str, ...]] = (
        "model",
        "data.tokenizer",
        "data.columns",
        "data.standardize",
        "data.max_length",
    )

    score_type = LabelledScore

    data: LabelledDataSpec
    model: SequenceClassifierSpec

    @property
    @abstractmethod
    def targets(self) -> Targets:
        """What sequences are labelled with."""

    @property
    @abstractmethod
    def output(self) -> Output:
        """What the outputs of the model stand for."""

    def read(
        self,
        base: Path,
        resources: Resources | None = None,
        *,
        cache: CorpusCache = NO_CACHE,  # noqa: ARG002 - labelled sequences are encoded in memory
        report: Report = silent,
    ) -> SequenceDataset:
        """Read the data, paths relative to `base`, and derive vocabulary and labels from it unless they are given."""
        seed, embedding = self.training.random_seed, self.model.embedding
        return read_dataset(self.data, self.targets, seed, base, resources, report, embedding)

    def read_files(
        self, files: Iterable[str], resources: Resources, *, encoding: str | None = None, report: Report = silent
    ) -> tuple[Examples, list[str]]:
        """Read files that are no part of the spec, and return them with notices."""
        spec = replace(self.data, encoding=encoding or self.data.encoding)
        return read_other(spec, self.targets, tuple(files), resources, report)

    def build_model(
        self, resources: Resources, rng: np.random.Generator | None, dtype: DTypeLike = np.float32
    ) -> SequenceClassifier:
        """Return a fresh model; without `rng` its weights are zeros, to be loaded."""
        names = names_of(resources)
        scaled = len(Standardization.from_plain(resources["scale"]).mean) if "scale" in resources else 0
        if scaled != (len(names) if self.output == "linear" else 0):
            raise DataError("a scale that does not fit the outputs")
        inputs = inputs_of(resources)
        return SequenceClassifier(
            self.model,
            len(names),
            self.output,
            inputs.sizes,
            pretrained=self.model.embedding.pretrained_of(resources, inputs.sizes.vocabulary or 0),
            rng=rng,
            dtype=dtype,
        )

    def evaluate(self, model: SequenceClassifier, resources: Resources, part: Examples) -> Evaluation:
        """Measure the model on a split."""
        return Evaluation(*labelled_scores.evaluated(model, resources, part))

    def scores(
        self,
        model: SequenceClassifier,
        resources: Resources,
        train: Examples | None,
        parts: Mapping[str, Examples],
    ) -> list[LabelledScore]:
        """Return what the model is worth on each split that is not empty, beside naive baselines."""
        return labelled_scores.score(model, resources, train, parts)

    def gradient_cases(self, random_seed: int) -> Iterator[GradientCase]:
        """Return what the gradients of this spec's model are checked on, at its own size."""
        for masked in (False, True):
            yield sequence_classifier_case(
                self.model,
                self.output,
                self.sizes_to_check,
                title=f"{self.model.cell.name}, {self.model.readout}, {'masked' if masked else 'full'}",
                masked=masked,
                random_seed=random_seed,
            )


@dataclass(frozen=True)
class ClassificationTask(LabelledTask):
    """A spec of `task: classification`."""

    inherited: ClassVar[tuple[str, ...]] = (*LabelledTask.inherited, "data.multi_label")

    task: Literal["classification"] = "classification"
    data: ClassificationDataSpec = ClassificationDataSpec()
    model: SequenceClassifierSpec = SequenceClassifierSpec(
        hidden_size=64, bidirectional=True, readout="max", dropout=0.5
    )
    training: ClassificationTrainingSpec = ClassificationTrainingSpec(batch_size=32)

    def __post_init__(self) -> None:
        """Refuse combinations of sections that make no sense."""
        if self.data.multi_label and self.training.class_weights is not None:
            raise SettingError(
                "training.class_weights is for one label a sequence, and data.multi_label allows several",
                key="training.class_weights",
            )

    @property
    def unit(self) -> Unit:
        """What a loss is counted by."""
        return "sequence"

    @property
    def output(self) -> Output:
        """What the outputs of the model stand for."""
        return "sigmoid" if self.data.multi_label else "softmax"

    @property
    def targets(self) -> LabelTargets:
        """What sequences are labelled with."""
        return LabelTargets(self.data.label, self.data.multi_label)

    def _weights(self, dataset: SequenceDataset) -> Array | None:
        weights, names = self.training.class_weights, dataset.names
        if weights is None:
            return None
        targets = dataset.splits.train.targets
        if weights == "balanced":  # so that each label counts the same in all, and the mean weight is 1
            counts = np.bincount(targets, minlength=len(names))
            of_label = len(targets) / (len(names) * np.maximum(counts, 1))
        else:
            if unknown := [name for name in weights if name not in names]:
                raise DataError(
                    f'training.class_weights has "{unknown[0]}", which is no label of the training data',
                    hint=f"the labels are {', '.join(names[:10])}{', …' * (len(names) > 10)}",
                )
            of_label = np.array([weights.get(name, 1.0) for name in names])
        each: Array = of_label.astype(np.float32)[targets]
        return each


@dataclass(frozen=True)
class RegressionTask(LabelledTask):
    """A spec of `task: regression`."""

    task: Literal["regression"] = "regression"
    data: RegressionDataSpec = RegressionDataSpec()
    model: SequenceClassifierSpec = SequenceClassifierSpec()
    training: TrainingSpec = TrainingSpec(batch_size=32)

    @property
    def unit(self) -> Unit:
        """What a loss is counted by."""
        return "value"

    @property
    def output(self) -> Output:
        """What the outputs of the model stand for."""
        return "linear"

    @property
    def targets(self) -> ValueTargets:
        """What sequences are labelled with."""
        return ValueTargets(self.data.target)
