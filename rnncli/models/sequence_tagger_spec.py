"""What a spec says of a sequence tagger."""

from dataclasses import dataclass
from typing import Literal

from rnncli.errors import SettingError
from rnncli.models.character_encoder import CharacterEncoderSpec
from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.recurrence import FedStackSpec
from rnncli.models.stack_spec import ModelSize, Probability

TagOutput = Literal["softmax", "sigmoid"]
"""One label of K, or a yes or no for each of K labels."""


@dataclass(frozen=True)
class SequenceTaggerSpec(FedStackSpec):
    """The architecture of a sequence tagger: the `model` section of a spec."""

    num_layers: ModelSize = 1
    embedding: EmbeddingSpec = EmbeddingSpec()
    characters: CharacterEncoderSpec | None = None
    bidirectional: bool = True
    crf: bool = False
    input_dropout: Probability = 0.0

    def __post_init__(self) -> None:
        """Refuse combinations that make no sense."""
        super().__post_init__()
        if self.embedding.kind == "one_hot" and (self.characters or self.input_dropout):
            raise SettingError(
                "characters and input_dropout need vectors of words: embedding.kind: learned", key="embedding.kind"
            )
        if self.recurrence != "hidden" and self.bidirectional:
            reason = "hands each label on to the next step, and nothing ahead is labelled yet"
            raise SettingError(f"recurrence: {self.recurrence} {reason}: set bidirectional: false", key="recurrence")
        if self.recurrence != "hidden" and self.crf:
            reason = "labels each step by the one before, and a crf all of them together: set crf: false"
            raise SettingError(f"recurrence: {self.recurrence} {reason}", key="recurrence")
