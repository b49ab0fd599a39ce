"""The task of a text for a vector: what a network made of a picture, say, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import DTypeLike

from rnncli.errors import DataError, SettingError
from rnncli.models.gradient_cases import GradientCase, language_model_case
from rnncli.models.language_model import LanguageModel, LanguageModelSpec
from rnncli.tasks.pair_spec import CaptioningDataSpec
from rnncli.tasks.pair_task import PairTask
from rnncli.tasks.protocol import Resources
from rnncli.training.teacher_forcing import FedTrainingSpec


@dataclass(frozen=True)
class CaptioningTask(PairTask):
    """A spec of `task: captioning`: a language model whose condition is the vector."""

    command = "caption"
    example = "--task captioning features.npz captions.tsv"
    inherited: ClassVar[tuple[str, ...]] = ("model", "data.tokenizer", "data.columns", "data.standardize")
    single = True

    task: Literal["captioning"] = "captioning"
    data: CaptioningDataSpec = CaptioningDataSpec()
    model: LanguageModelSpec = LanguageModelSpec(num_layers=1)
    training: FedTrainingSpec = FedTrainingSpec(batch_size=64)

    def __post_init__(self) -> None:
        """Refuse what a model of captions cannot be."""
        if self.model.is_control:
            raise SettingError(f"captions need a recurrent model.cell, not {self.model.cell.name}", key="model.cell")
        if self.model.embedding.kind == "pretrained":
            raise SettingError(
                "model.embedding.kind: pretrained is not for captions: use learned or one_hot",
                key="model.embedding.kind",
            )

    def build_model(
        self, resources: Resources, rng: np.random.Generator | None, dtype: DTypeLike = np.float32
    ) -> LanguageModel:
        """Return a fresh model; without `rng` its weights are zeros, to be loaded."""
        source, target = self.sides(resources)
        if source.vocabulary is not None:
            raise DataError("a vocabulary of sources, where captions are of vectors")
        return LanguageModel(self.model, len(target), condition_size=source.width, rng=rng, dtype=dtype)

    def gradient_cases(self, random_seed: int) -> Iterator[GradientCase]:
        """Return what the gradients of this spec's model are checked on, at its own size."""
        for masked in (False, True):
            yield language_model_case(
                self.model,
                12,
                condition_size=max(3, len(self.data.columns)),
                title=f"{self.model.cell.name}, caption, {'masked' if masked else 'full'}",
                masked=masked,
                random_seed=random_seed,
            )
