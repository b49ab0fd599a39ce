"""Which text a language model reads and learns from, and how: the `data` and `training` sections of a spec."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Lt

from rnncli.data import TokenizerSpec
from rnncli.errors import SettingError
from rnncli.tasks.paths import Paths, check_paths
from rnncli.training.teacher_forcing import FedTrainingSpec
from rnncli.training.trainer import Size

Part = Annotated[float, Ge(0), Lt(1)]
TEXT = "text"
"""The column, or the key, of the text, unless another is named."""
ONE_LABEL = ("fasttext", "folder")
"""The formats in which a text has one label, whatever it is called."""


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
    """Which text, and how it is read: the `data` section of a spec. Paths are relative to the spec's folder.

    A text is one stream, or items that begin and end: its lines, or what labelled examples hold, as rows of a table do.
    """

    train: Paths = ()
    validation: Paths = ()
    test: Paths = ()
    format: Literal["auto", "stream", "lines", "csv", "tsv", "jsonl", "fasttext", "folder"] = "auto"
    text: str = TEXT  # the column, or the key, that holds the text of an example
    condition: str | tuple[str, ...] = ()  # the columns, or keys, of labels that the text depends on
    encoding: str = "utf-8"
    tokenizer: TokenizerSpec = TokenizerSpec()
    split: SplitSpec = SplitSpec()

    def __post_init__(self) -> None:
        """Refuse paths that name nothing, or standard input among others, and conditions of texts without labels."""
        check_paths(self.train, self.validation, self.test)
        names = self.conditions
        object.__setattr__(self, "condition", names)
        if "" in names or self.text in names or len(set(names)) < len(names):
            raise SettingError("condition names different columns, none of them that of the text", key="condition")
        if names and self.format in ("stream", "lines"):
            message = f"condition needs texts with labels: format csv, tsv, jsonl, …, not {self.format}"
            raise SettingError(message, key="condition")
        if len(names) > 1 and self.format in ONE_LABEL:
            raise SettingError(f"{self.format} has one label for each text, and so one condition", key="condition")
        if self.text != TEXT and (not self.of_examples or self.format in ONE_LABEL):
            raise SettingError("text names a column, for format: csv, tsv or jsonl", key="text")

    @property
    def conditions(self) -> tuple[str, ...]:
        """The names of the conditions."""
        return (self.condition,) if isinstance(self.condition, str) else self.condition

    @property
    def is_items(self) -> bool:
        """Whether the text comes in items, each from its begin to its end symbol."""
        return self.of_examples or self.format == "lines"

    @property
    def of_examples(self) -> bool:
        """Whether the items are the texts of examples."""
        return bool(self.conditions) or self.format not in ("auto", "stream", "lines")


@dataclass(frozen=True)
class TextTrainingSpec(FedTrainingSpec):
    """How a language model is trained: the `training` section of a spec."""

    bptt: Literal["truncated", "full"] | None = None  # None: truncated for a stream, full for items
    bptt_length: Size = 50
    state: Literal["carry", "reset"] = "carry"
    stride: Size | None = None  # between windows under `state: reset`; None: bptt_length, no overlap

    def __post_init__(self) -> None:
        """Refuse combinations that make no sense."""
        if self.stride is not None and self.state == "carry":
            message = "stride needs state: reset; with carried state each window begins where the last one ended"
            raise SettingError(message, key="stride")
        if self.bptt == "full" and self.state == "reset":
            message = "bptt: full reads a stream as a whole, and state: reset in windows of bptt_length steps"
            raise SettingError(message, key="bptt")
