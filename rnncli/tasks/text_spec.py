"""Which text a language model reads and learns from, and how: the `data` and `training` sections of a spec."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Lt

from rnncli.data import TokenizerSpec
from rnncli.tasks.paths import Paths, check_paths
from rnncli.training.trainer import Size, TrainingSpec

Part = Annotated[float, Ge(0), Lt(1)]


@dataclass(frozen=True)
class SplitSpec:
    """The shares of the training text that are split off where no files are given for them."""

    validation: Part = 0.05
    test: Part = 0.05

    def __post_init__(self) -> None:
        """Leave something to train on."""
        if self.validation + self.test >= 1:
            raise ValueError("validation and test together must leave a part to train on: their sum must be below 1")


@dataclass(frozen=True)
class TextDataSpec:
    """Which text, and how it is read: the `data` section of a spec. Paths are relative to the spec's folder."""

    train: Paths = ()
    validation: Paths = ()
    test: Paths = ()
    format: Literal["stream", "lines"] = "stream"
    encoding: str = "utf-8"
    tokenizer: TokenizerSpec = TokenizerSpec()
    split: SplitSpec = SplitSpec()

    def __post_init__(self) -> None:
        """Refuse paths that name nothing, or standard input among others."""
        check_paths(self.train, self.validation, self.test)


@dataclass(frozen=True)
class TextTrainingSpec(TrainingSpec):
    """How a language model is trained: the `training` section of a spec."""

    bptt: Literal["truncated", "full"] | None = None  # None: truncated for a stream, full for lines
    bptt_length: Size = 50
    state: Literal["carry", "reset"] = "carry"
    stride: Size | None = None  # between windows under `state: reset`; None: bptt_length, no overlap

    def __post_init__(self) -> None:
        """Refuse combinations that make no sense."""
        if self.stride is not None and self.state == "carry":
            raise ValueError(
                "stride needs state: reset; with carried state each window begins where the last one ended"
            )
