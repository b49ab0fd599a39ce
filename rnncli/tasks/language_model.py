"""The language-model task: text in, a model of the next token out."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import DTypeLike

from rnncli.data import Vocabulary
from rnncli.models.language_model import LanguageModel, LanguageModelSpec
from rnncli.models.ngram import baselines
from rnncli.tasks.corpus_cache import CorpusCache
from rnncli.tasks.text_data import NO_CACHE, TextDataset, evaluation_batches, fit_sizes, make_batches, read_dataset
from rnncli.tasks.text_encoding import Report, silent
from rnncli.tasks.text_spec import TextDataSpec, as_paths
from rnncli.training.trainer import Batches, TrainingSpec


@dataclass(frozen=True)
class LanguageModelTask:
    """A spec of `task: language_model`."""

    task: Literal["language_model"] = "language_model"
    data: TextDataSpec = TextDataSpec()
    model: LanguageModelSpec = LanguageModelSpec()
    training: TrainingSpec = TrainingSpec()

    def __post_init__(self) -> None:
        """Refuse combinations of sections that make no sense."""
        if self.data.format == "lines" and self.training.state == "reset":
            raise ValueError(
                "training.state: reset is for data.format: stream; each line begins with a fresh state anyway"
            )

    def read(
        self,
        base: Path,
        vocabulary: Vocabulary | None = None,
        *,
        cache: CorpusCache = NO_CACHE,
        report: Report = silent,
    ) -> TextDataset:
        """Read the data, paths relative to `base`, and build its vocabulary unless one is given."""
        return read_dataset(self.data, self.training.random_seed, base, vocabulary, cache=cache, report=report)

    def fitted(self, dataset: TextDataset) -> tuple[Self, list[str]]:
        """Return the task with sizes that fit a small corpus, and a notice for each size that shrank."""
        batch_size, length = fit_sizes(self.data, self.training, dataset.splits.train)
        changes: dict[str, Any] = {"batch_size": batch_size, "bptt_length": length}
        notices = [
            f"small corpus ({dataset.tokens('train'):,} tokens): {name} {getattr(self.training, name)} → {value}"
            for name, value in changes.items()
            if value != getattr(self.training, name)
        ]
        return replace(self, training=replace(self.training, **changes)), notices

    def resources(self, dataset: TextDataset) -> dict[str, Any]:
        """Return what a model of this data needs beside its weights, JSON-able."""
        return {"vocabulary": dataset.vocabulary.to_plain()}

    def build_model(
        self, resources: dict[str, Any], rng: np.random.Generator | None, dtype: DTypeLike = np.float32
    ) -> LanguageModel:
        """Return a fresh model; without `rng` its weights are zeros, to be loaded."""
        return LanguageModel(self.model, len(vocabulary_of(resources)), rng=rng, dtype=dtype)

    def batches(self, dataset: TextDataset) -> Batches:
        """Return the training batches."""
        training = self.training
        return make_batches(self.data, training, dataset.splits.train, training.batch_size, training.bptt_length)

    def evaluation(self, dataset: TextDataset, split: str) -> Batches | None:
        """Return batches that predict each token of a split once, None where the split is empty."""
        part = dataset.part(split)
        return evaluation_batches(self.data, self.training, part) if part else None

    def baselines(self, dataset: TextDataset, splits: Iterable[str]) -> dict[str, dict[str, float]]:
        """Return the cross-entropy of n-gram models on each split, in nats a token."""
        return baselines(
            dataset.splits.train, {split: dataset.part(split) for split in splits}, len(dataset.vocabulary)
        )

    def moved(self, base: Path, folder: Path) -> Self:
        """Return the task with its data paths, relative to `base`, as seen from `folder`."""
        moved: dict[str, Any] = {}
        for name in ("train", "validation", "test"):
            # Of real paths: the system looks for the ".." of a link above what the link points to
            real = map(os.path.realpath, (base / path for path in as_paths(getattr(self.data, name))))
            paths = tuple(os.path.relpath(path, os.path.realpath(folder)) for path in real)
            moved[name] = paths[0] if len(paths) == 1 else paths
        return replace(self, data=replace(self.data, **moved))


def vocabulary_of(resources: dict[str, Any]) -> Vocabulary:
    """Return the vocabulary of a checkpoint's resources; DataError when it is none."""
    return Vocabulary.from_plain(resources.get("vocabulary", {}))
