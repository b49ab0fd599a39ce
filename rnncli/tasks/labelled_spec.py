"""Which labelled sequences are read and learnt from, and how: the `data` and `training` sections of a spec."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

from rnncli.data import TokenizerSpec
from rnncli.tasks.paths import Paths, check_paths
from rnncli.tasks.text_spec import SplitSpec
from rnncli.training.trainer import Size, TrainingSpec

Weight = Annotated[float, Gt(0)]
Column = Annotated[int, Ge(-1000), Le(1000)] | str
"""The name of a column, or its number: from 1 on, or from the end -1, -2, …"""


@dataclass(frozen=True, kw_only=True)
class SequenceDataSpec:
    """Which sequences of tokens or vectors, and how they are read. Paths are relative to the spec's folder."""

    train: Paths = ()
    validation: Paths = ()
    test: Paths = ()
    encoding: str = "utf-8"
    columns: tuple[str, ...] = ()  # the columns of numbers that make up a vector, in place of a text
    sequence: str | None = None  # the column that the rows of one sequence have in common
    time: str | None = None  # the column that the rows of a sequence are sorted by; None: they stand in order
    standardize: bool = True  # vectors, to mean 0 and deviation 1 over the training part
    split: SplitSpec = SplitSpec(validation=0.1, test=0.1)

    def __post_init__(self) -> None:
        """Refuse paths that name nothing, or standard input among others."""
        check_paths(self.train, self.validation, self.test)


@dataclass(frozen=True, kw_only=True)
class LabelledDataSpec(SequenceDataSpec):
    """The same of sequences that have a label or value each; without `sequence` each row is one."""

    format: Literal["auto", "fasttext", "csv", "tsv", "jsonl", "folder", "npz"] = "auto"
    text: str = "text"  # the column, or the key, that holds the text
    tokenizer: TokenizerSpec = TokenizerSpec(level="word", lowercase=True, min_count=2)
    max_length: Size | None = None  # steps of a sequence that are read, from its beginning; None: all


@dataclass(frozen=True, kw_only=True)
class ClassificationDataSpec(LabelledDataSpec):
    """The `data` section of a spec of `task: classification`."""

    label: str = "label"  # the column, or the key, that holds the label
    multi_label: bool = False  # whether a sequence may have several labels, or none


@dataclass(frozen=True, kw_only=True)
class RegressionDataSpec(LabelledDataSpec):
    """The `data` section of a spec of `task: regression`."""

    target: str = "target"  # the column, or the key, that holds the value


@dataclass(frozen=True, kw_only=True)
class ClassificationTrainingSpec(TrainingSpec):
    """The `training` section of a spec of `task: classification`."""

    class_weights: Literal["balanced"] | dict[str, Weight] | None = None  # what the loss of each label is multiplied by


@dataclass(frozen=True, kw_only=True)
class TaggingDataSpec(SequenceDataSpec):
    """The `data` section of a spec of `task: tagging`; without `sequence` the rows of a table are one sequence."""

    format: Literal["auto", "conll", "conllu", "csv", "tsv", "jsonl", "npz"] = "auto"
    token: Column | None = None  # the column, or the key, of the tokens; None: as the format has it
    label: Column | None = None  # of their labels
    multi_label: bool = False  # whether a step may have several labels, or none
    scheme: Literal["auto", "none", "bio", "bioes"] = "auto"  # how labels mark spans
    repair: bool = False  # mend labels that break the scheme, in place of refusing them
    tokenizer: TokenizerSpec = TokenizerSpec(level="word", min_count=2)
