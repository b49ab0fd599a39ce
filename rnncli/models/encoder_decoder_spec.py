"""What a spec says of an encoder–decoder."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.recurrence import FedStackSpec
from rnncli.models.stack_spec import ModelSize, Probability


@dataclass(frozen=True, kw_only=True)
class EncoderDecoderSpec(FedStackSpec):
    """The architecture of an encoder–decoder: the `model` section of a spec. Both sides have these sizes.

    The recurrence is the decoder's: an encoder, which has no outputs, is always one of hidden states.
    """

    reads_outputs: ClassVar[str] = "a decoder"
    has_others: ClassVar[bool] = True

    num_layers: ModelSize = 1
    embedding: EmbeddingSpec = EmbeddingSpec()
    tie_embeddings: bool = False
    bidirectional: bool = True
    attention: Literal["none", "dot", "general", "additive"] = "additive"
    input_feeding: bool = False
    input_dropout: Probability = 0.0

    def __post_init__(self) -> None:
        """Refuse combinations that make no sense."""
        if self.is_control:
            raise ValueError(f"an encoder–decoder needs a recurrent cell, not {self.cell.name}")
        super().__post_init__()
        if self.recurrence == "output" and self.attention == "none":
            raise ValueError("recurrence: output hands no state on that would tell of the source: it needs attention")
        if self.recurrence == "output" and self.input_feeding:
            raise ValueError("input_feeding hands on what is hidden, and recurrence: output the previous output alone")
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
