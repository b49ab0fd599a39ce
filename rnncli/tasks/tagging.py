"""The task of a label, or several, for every element of a sequence: words, characters, vector frames."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import DTypeLike

from rnncli.data import Examples, batch_of, for_answers
from rnncli.data.tagged import FORMATS
from rnncli.errors import DataError, SettingError
from rnncli.metrics import ClosedLoopReport
from rnncli.metrics.spans import SCHEMES
from rnncli.models.gradient_cases import GradientCase
from rnncli.models.sequence_tagger import SequenceTagger
from rnncli.models.sequence_tagger_spec import SequenceTaggerSpec, TagOutput
from rnncli.models.tagger_gradient_cases import sequence_tagger_case
from rnncli.tasks import tagging_scores
from rnncli.tasks.closed_loop import closed_loop
from rnncli.tasks.corpus_cache import NO_CACHE, CorpusCache
from rnncli.tasks.feeding import feed_of, label_loop
from rnncli.tasks.gathered import SequenceDataset
from rnncli.tasks.labelled_spec import TaggingDataSpec
from rnncli.tasks.protocol import Report, Resources, Unit, silent
from rnncli.tasks.sequence_inputs import inputs_of
from rnncli.tasks.sequence_task import SequenceTask, names_of
from rnncli.tasks.tagged_data import read_dataset, read_other
from rnncli.tasks.tagging_scores import TaggingScore
from rnncli.training.events import Counted, Evaluation
from rnncli.training.teacher_forcing import FedTrainingSpec
from rnncli.training.trainer import Feed


@dataclass(frozen=True)
class TaggingTask(SequenceTask):
    """A spec of `task: tagging`."""

    command = "tag"
    example = "--task tagging sentences.conll"
    inherited: ClassVar[tuple[str, ...]] = (
        "model",
        "data.tokenizer",
        "data.columns",
        "data.standardize",
        "data.multi_label",
        "data.scheme",
    )
    score_type = TaggingScore

    task: Literal["tagging"] = "tagging"
    data: TaggingDataSpec = TaggingDataSpec()
    model: SequenceTaggerSpec = SequenceTaggerSpec(hidden_size=64, dropout=0.5)
    training: FedTrainingSpec = FedTrainingSpec(batch_size=32)

    def __post_init__(self) -> None:
        """Refuse combinations of sections that make no sense."""
        if self.data.multi_label and self.model.crf:
            raise SettingError(
                "model.crf is for one label a step, and data.multi_label allows several", key="model.crf"
            )
        if self.data.tokenizer.level == "byte":
            raise SettingError(
                "data.tokenizer.level: byte is for texts alone: a step is a word or a character",
                key="data.tokenizer.level",
            )
        if self.data.multi_label and self.data.scheme in SCHEMES:
            raise SettingError(
                "data.scheme is for one label a step, and data.multi_label allows several", key="data.scheme"
            )
        if not (self.training.teacher_forcing.always or self.reads_own_outputs):
            raise SettingError(
                "training.teacher_forcing is for a tagger that reads its labels: model.recurrence output or both",
                key="training.teacher_forcing",
            )

    @property
    def unit(self) -> Unit:
        """What a loss is counted by."""
        return "label"

    @property
    def reads_own_outputs(self) -> bool:
        """Whether the labels of a step are read by the next one."""
        return self.model.recurrence != "hidden"

    @property
    def counted(self) -> Counted:
        """What the size of a batch is counted in."""
        return "sequences" if self.data.multi_label else "tokens"

    @property
    def output(self) -> TagOutput:
        """What the outputs of the model stand for."""
        return "sigmoid" if self.data.multi_label else "softmax"

    def read(
        self,
        base: Path,
        resources: Resources | None = None,
        *,
        cache: CorpusCache = NO_CACHE,  # noqa: ARG002 - labelled sequences are encoded in memory
        report: Report = silent,
    ) -> SequenceDataset:
        """Read the data, paths relative to `base`, and derive vocabulary and labels from it unless they are given."""
        return read_dataset(self.data, self.model, self.training.random_seed, base, resources, report)

    def read_files(
        self, files: Iterable[str], resources: Resources, *, encoding: str | None = None, report: Report = silent
    ) -> tuple[Examples, list[str]]:
        """Read files that are no part of the spec, and return them with notices."""
        spec = replace(self.data, encoding=encoding or self.data.encoding)
        return read_other(spec, tuple(files), resources, report)

    def build_model(
        self, resources: Resources, rng: np.random.Generator | None, dtype: DTypeLike = np.float32
    ) -> SequenceTagger:
        """Return a fresh model; without `rng` its weights are zeros, to be loaded."""
        names, inputs = names_of(resources), inputs_of(resources)
        if resources.get("scheme", "") not in (None, *(SCHEMES if self.output == "softmax" else ())):
            raise DataError("no scheme of spans that fits its labels")
        if resources.get("format") not in (*FORMATS, "npz"):
            raise DataError("no format of its training files")
        if inputs.vocabulary and inputs.vocabulary.spec != self.data.tokenizer:
            raise DataError("a vocabulary of another tokenizer")
        if bool(inputs.characters) != bool(inputs.vocabulary and self.model.characters):
            raise DataError("characters, or none, where the model asks for the other")
        return SequenceTagger(
            self.model,
            len(names),
            self.output,
            inputs.sizes,
            pretrained=self.model.embedding.pretrained_of(resources, inputs.sizes.vocabulary or 0),
            rng=rng,
            dtype=dtype,
        )

    def feed(self, model: SequenceTagger, resources: Resources) -> Feed | None:  # noqa: ARG002 - others need them
        """Return what puts the model's own labels into those that it reads in training, as the spec has it."""
        return feed_of(model, self.training.teacher_forcing, label_loop(several=self.data.multi_label))

    def closed_loop(
        self,
        model: SequenceTagger,
        resources: Resources,  # noqa: ARG002 - others need them
        part: Examples,
    ) -> ClosedLoopReport:
        """Measure the model on a split, fed with true labels and with its own."""
        batches = (batch_of(part, numbers) for numbers in for_answers(part.lengths))
        return closed_loop(model, batches, label_loop(several=self.data.multi_label))

    def evaluate(self, model: SequenceTagger, resources: Resources, part: Examples) -> Evaluation:
        """Measure the model on a split."""
        return Evaluation(*tagging_scores.evaluated(model, resources, part))

    def scores(
        self,
        model: SequenceTagger,
        resources: Resources,
        train: Examples | None,
        parts: Mapping[str, Examples],
    ) -> list[TaggingScore]:
        """Return what the model is worth on each split that is not empty, beside the naive baseline."""
        return tagging_scores.score(model, resources, train, parts)

    def gradient_cases(self, random_seed: int) -> Iterator[GradientCase]:
        """Return what the gradients of this spec's model are checked on, at its own size."""
        for masked in (False, True):
            yield sequence_tagger_case(
                self.model,
                self.output,
                self.sizes_to_check,
                title=f"{self.model.cell.name}, tagger, {'masked' if masked else 'full'}",
                masked=masked,
                random_seed=random_seed,
            )
