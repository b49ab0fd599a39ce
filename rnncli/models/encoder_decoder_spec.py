"""What a spec says of an encoder–decoder."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from rnncli.errors import SettingError
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
            raise SettingError(f"an encoder–decoder needs a recurrent cell, not {self.cell.name}", key="cell")
        super().__post_init__()
        if self.recurrence == "output" and self.attention == "none":
            raise SettingError(
                "recurrence: output hands no state on that would tell of the source: it needs attention",
                key="recurrence",
            )
        if self.recurrence == "output" and self.input_feeding:
            raise SettingError(
                "input_feeding hands on what is hidden, and recurrence: output the previous output alone",
                key="input_feeding",
            )
        if self.embedding.kind == "pretrained":
            raise SettingError(
                "embedding.kind: pretrained is not for an encoder–decoder: use learned or one_hot", key="embedding.kind"
            )
        if self.attention == "none" and self.input_feeding:
            raise SettingError("input_feeding needs attention: dot, general or additive", key="input_feeding")
        if self.attention == "dot" and self.bidirectional:
            hint = "use attention: general, or bidirectional: false"
            raise SettingError(f"attention: dot needs outputs of one size on both sides; {hint}", key="attention")
        if self.embedding.kind == "one_hot" and (self.input_dropout or self.tie_embeddings):
            raise SettingError("input_dropout and tie_embeddings need embedding.kind: learned", key="embedding.kind")
        if self.tie_embeddings and self.embedding.size != self.hidden_size:
            sizes = f"embedding.size ({self.embedding.size}) equal to hidden_size ({self.hidden_size})"
            raise SettingError(f"tie_embeddings needs {sizes}", key="tie_embeddings")
