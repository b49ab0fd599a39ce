"""What a spec says of an encoder–decoder."""

from dataclasses import dataclass
from typing import Literal

from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.stack_spec import ModelSize, Probability, StackSpec


@dataclass(frozen=True, kw_only=True)
class EncoderDecoderSpec(StackSpec):
    """The architecture of an encoder–decoder: the `model` section of a spec. Both sides have these sizes."""

    num_layers: ModelSize = 1
    embedding: EmbeddingSpec = EmbeddingSpec()
    tie_embeddings: bool = False
    bidirectional: bool = True
    attention: Literal["none", "dot", "general", "additive"] = "additive"
    input_feeding: bool = False
    input_dropout: Probability = 0.0

    def __post_init__(self) -> None:
        """Refuse combinations that make no sense."""
        super().__post_init__()
        if not self.is_recurrent:
            raise ValueError(f"an encoder–decoder needs a recurrent cell, not {self.cell.name}")
        if self.embedding.kind == "pretrained":
            raise ValueError("embedding.kind: pretrained is not for an encoder–decoder: use learned or one_hot")
        if self.attention == "none" and self.input_feeding:
            raise ValueError("input_feeding needs attention: dot, general or additive")
        if self.attention == "dot" and self.bidirectional:
            hint = "use attention: general, or bidirectional: false"
            raise ValueError(f"attention: dot needs outputs of one size on both sides; {hint}")
        if self.embedding.kind == "one_hot" and (self.input_dropout or self.tie_embeddings):
            raise ValueError("input_dropout and tie_embeddings need embedding.kind: learned")
        if self.tie_embeddings and self.embedding.size != self.hidden_size:
            raise ValueError(
                f"tie_embeddings needs embedding.size ({self.embedding.size}) equal to hidden_size ({self.hidden_size})"
            )
