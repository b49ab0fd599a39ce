"""What the tasks have in common that learn from pairs of a source and a text."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from rnncli.data import Vocabulary
from rnncli.data.paired import BucketedPairs, Pairs
from rnncli.metrics import ClosedLoopReport
from rnncli.tasks.closed_loop import closed_loop
from rnncli.tasks.corpus_cache import NO_CACHE, CorpusCache
from rnncli.tasks.feeding import feed_of, text_loop
from rnncli.tasks.pair_data import PairDataset, read_dataset, read_other
from rnncli.tasks.pair_decoding import Decoding
from rnncli.tasks.pair_model import PairModel
from rnncli.tasks.pair_resources import longest_of, source_of, target_of
from rnncli.tasks.pair_scores import PairScore, answers, evaluated, in_batches, score
from rnncli.tasks.pair_spec import DecodingSpec, PairDataSpec
from rnncli.tasks.protocol import Report, Resources, Task, Unit, silent
from rnncli.tasks.sequence_inputs import Inputs
from rnncli.training.events import Counted, Evaluation
from rnncli.training.teacher_forcing import FedTrainingSpec
from rnncli.training.trainer import Batches, Feed

SAMPLES = 3
"""Answers that are shown now and then while a model is trained."""


@dataclass(frozen=True)
class PairTask(Task):
    """A task of pairs: files of sources and targets, batches of similar length, answers that are texts."""

    score_type = PairScore
    single: ClassVar[bool]
    """Whether a source is one vector, and not a sequence."""

    data: PairDataSpec
    training: FedTrainingSpec
    decoding: DecodingSpec = DecodingSpec()

    @property
    def _decoding(self) -> Decoding:
        """How answers are found that are scored or shown: one of each source."""
        return Decoding(**asdict(self.decoding))

    @property
    def unit(self) -> Unit:
        """What a loss is counted by."""
        return self.data.tokenizer.level

    @property
    def reads_own_outputs(self) -> bool:
        """A target is written token after token."""
        return True

    @property
    def counted(self) -> Counted:
        """What the size of a batch is counted in."""
        return "tokens"

    def read(
        self,
        base: Path,
        resources: Resources | None = None,
        *,
        cache: CorpusCache = NO_CACHE,  # noqa: ARG002 - pairs are encoded in memory
        report: Report = silent,
    ) -> PairDataset:
        """Read the data, paths relative to `base`, and derive vocabularies from it unless they are given."""
        return read_dataset(self.data, self.training.random_seed, base, resources, report, single=self.single)

    def read_files(
        self, files: Iterable[str], resources: Resources, *, encoding: str | None = None, report: Report = silent
    ) -> tuple[Pairs, list[str]]:
        """Read files that are no part of the spec, and return them with notices."""
        spec = replace(self.data, encoding=encoding or self.data.encoding)
        return read_other(spec, tuple(files), resources, report, single=self.single)

    def sides(self, resources: Resources) -> tuple[Inputs, Vocabulary]:
        """Return how sources are read, and what targets are made of.

        DataError where that is not as the spec has it, and where it is not known how long the pairs of training were.
        """
        source, target = source_of(resources), target_of(resources)
        longest_of(resources)
        self.data.expect(source.vocabulary, target)
        return source, target

    def fitted(self, dataset: PairDataset) -> tuple[Self, list[str]]:
        """Return the task with a batch size that leaves 20 batches an epoch, and a notice where it shrank."""
        pairs, asked = len(dataset.splits.train), self.training.batch_size
        fitting = min(asked, max(1, pairs // 20))
        if fitting == asked:
            return self, []
        notice = f"small data ({pairs:,} pairs): batch_size {asked} → {fitting}"
        return replace(self, training=replace(self.training, batch_size=fitting)), [notice]

    def batches(self, dataset: PairDataset) -> Batches:
        """Return the training batches."""
        return BucketedPairs(dataset.splits.train, self.training.batch_size, single=self.single)

    def feed(self, model: Any, resources: Resources) -> Feed | None:
        """Return what puts the model's own tokens into the targets that it is trained on, as the spec has it."""
        return feed_of(model, self.training.teacher_forcing, text_loop(target_of(resources)))

    def evaluate(self, model: Any, resources: Resources, part: Pairs) -> Evaluation:  # noqa: ARG002 - others need them
        """Measure the model on a split, without decoding: that takes far longer."""
        return Evaluation(evaluated(model, part, single=self.single))

    def closed_loop(self, model: Any, resources: Resources, part: Pairs) -> ClosedLoopReport:
        """Measure the model on the targets of a split, fed with true tokens and with its own."""
        return closed_loop(model, in_batches(part, single=self.single), text_loop(target_of(resources)))

    def scores(
        self, model: Any, resources: Resources, train: Pairs | None, parts: Mapping[str, Pairs]
    ) -> list[PairScore]:
        """Return what the model's answers are worth on each split that is not empty, beside naive baselines."""
        return score(PairModel(model, self, resources), train, parts, self._decoding)

    def summary(self, dataset: PairDataset) -> str:
        """Say in a few words what the model is trained on."""
        return dataset.summary()

    def sample(self, model: Any, dataset: PairDataset) -> str:
        """Return the model's answers to a few sources that it does not learn from, if there are such."""
        part = dataset.splits.validation if len(dataset.splits.validation) else dataset.splits.train
        few = part.part(np.arange(min(SAMPLES, len(part))))
        texts = few.target_text if few.source_text is None else few.source_text
        written = answers(PairModel(model, self, dataset.resources), few, self._decoding)
        return "\n".join(f"{texts[i]} → {answer.text}" for i, answer in enumerate(written))
