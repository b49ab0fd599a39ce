"""How a token becomes a vector: what the specs of all models say of it."""

from dataclasses import dataclass
from typing import Literal

from rnncli.models.stack_spec import ModelSize


@dataclass(frozen=True)
class EmbeddingSpec:
    """How a token becomes a vector: its own learned one, or a one-hot one (kept as its index)."""

    kind: Literal["learned", "one_hot"] = "learned"
    size: ModelSize = 64
