"""The task of a text for a text, or for a sequence of vectors: of any other length."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import DTypeLike

from rnncli.models.encoder_decoder import EncoderDecoder
from rnncli.models.encoder_decoder_gradient_cases import encoder_decoder_case
from rnncli.models.encoder_decoder_spec import EncoderDecoderSpec
from rnncli.models.gradient_cases import GradientCase
from rnncli.models.input_layer import InputSizes
from rnncli.tasks.pair_spec import TranslationDataSpec
from rnncli.tasks.pair_task import PairTask
from rnncli.tasks.protocol import Resources
from rnncli.training.teacher_forcing import FedTrainingSpec


@dataclass(frozen=True)
class TranslationTask(PairTask):
    """A spec of `task: translation`."""

    command = "translate"
    example = "--task translation pairs.tsv"
    inherited: ClassVar[tuple[str, ...]] = (
        "model",
        "data.tokenizer",
        "data.source_tokenizer",
        "data.shared_vocabulary",
        "data.columns",
        "data.standardize",
    )
    single = False

    task: Literal["translation"] = "translation"
    data: TranslationDataSpec = TranslationDataSpec()
    model: EncoderDecoderSpec = EncoderDecoderSpec(dropout=0.3)
    training: FedTrainingSpec = FedTrainingSpec(batch_size=64)

    def build_model(
        self, resources: Resources, rng: np.random.Generator | None, dtype: DTypeLike = np.float32
    ) -> EncoderDecoder:
        """Return a fresh model; without `rng` its weights are zeros, to be loaded."""
        source, target = self.sides(resources)
        return EncoderDecoder(
            self.model,
            len(target),
            source.sizes,
            shared=self.data.is_shared and source.vocabulary is not None,
            rng=rng,
            dtype=dtype,
        )

    def gradient_cases(self, random_seed: int) -> Iterator[GradientCase]:
        """Return what the gradients of this spec's model are checked on, at its own size."""
        sizes = InputSizes(None, max(3, len(self.data.columns))) if self.data.reads_vectors else InputSizes(12)
        for masked in (False, True):
            yield encoder_decoder_case(
                self.model,
                sizes,
                12,
                shared=self.data.is_shared and sizes.vocabulary is not None,
                title=f"{self.model.cell.name}, encoder–decoder, {'masked' if masked else 'full'}",
                masked=masked,
                random_seed=random_seed,
            )
