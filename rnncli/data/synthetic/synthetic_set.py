"""What every synthetic set is: sizes, three files, and a spec that reaches the known answer."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields
from importlib.resources import files as package_files
from string import Template
from typing import ClassVar, Literal

import numpy as np

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
LARGEST = 50_000_000
"""Steps in all the sequences of a set, which lie in memory while they are drawn."""

LONGEST = 100_000
"""Steps in a sequence, as far as options say; no network learns from so far."""


@dataclass(frozen=True)
class SyntheticSet(ABC):
    """A task whose answer is known, in as many sequences as `train`, `validation` and `test` say.

    The fields of a set are its options. The same random seed gives the same bytes, and the size of one split does not
    change the others. Raises ValueError for sizes of which there is no such set.
    """

    train: int = 10_000
    validation: int = 1_000
    test: int = 2_000

    name: ClassVar[str]
    title: ClassVar[str]
    """What it is, in a line."""
    task: ClassVar[str]
    chance: ClassVar[str]
    """What comes of guessing."""
    source: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]] = ("csv",)
    """Of the files of a split."""
    bounds: ClassVar[dict[str, tuple[int, int]]] = {}
    """The least and the greatest value of each option of its own."""

    def __post_init__(self) -> None:
        """Refuse sizes of which there is no such set."""
        sizes: dict[str, tuple[int, int]] = dict.fromkeys(SPLITS, (4, LARGEST))
        for option, (least, greatest) in (sizes | self.bounds).items():
            if not least <= (value := getattr(self, option)) <= greatest:
                raise ValueError(f"{option} must be from {least} to {greatest:,}, not {value:,}")
        if (steps := sum(getattr(self, split) * self.longest(split) for split in SPLITS)) > LARGEST:
            raise ValueError(f"train, validation and test may have {steps:,} steps, more than {LARGEST:,}")

    @classmethod
    def options(cls) -> tuple[str, ...]:
        """Return the names of its options, those that all sets have first."""
        return tuple(field.name for field in fields(cls))

    @abstractmethod
    def longest(self, split: Split) -> int:
        """Return how many steps the longest sequence of a split can have."""

    @abstractmethod
    def content(self, split: Split, rng: np.random.Generator) -> bytes:
        """Draw the file of a split, or the first of its files."""

    def contents(self, split: Split, rng: np.random.Generator) -> tuple[bytes, ...]:
        """Draw all files of a split, one for each suffix."""
        return (self.content(split, rng),)

    def file_names(self) -> tuple[str, ...]:
        """Return the names of the files: the three splits, then the spec."""
        return (*(name for split in SPLITS for name in self.split_names(split)), f"{self.name}.yaml")

    def split_names(self, split: Split) -> tuple[str, ...]:
        """Return the names of the files of a split."""
        return tuple(f"{split}.{suffix}" for suffix in self.suffixes)

    def files(self, random_seed: int) -> Iterator[tuple[str, bytes]]:
        """Yield each file's name and bytes."""
        for number, split in enumerate(SPLITS):
            contents = self.contents(split, np.random.default_rng([random_seed, number]))
            yield from zip(self.split_names(split), contents, strict=True)
        yield f"{self.name}.yaml", self.spec().encode()

    def spec(self) -> str:
        """Return the commented spec, with this set's options where its template has their names."""
        template = (package_files("rnncli.data.synthetic") / f"{self.name}.yaml").read_text("utf-8")
        return Template(template).substitute({option: getattr(self, option) for option in self.options()})


def balanced(classes: int, size: int, rng: np.random.Generator) -> list[int]:
    """Return class numbers in random order, each as often as any other, give or take one."""
    numbers: list[int] = rng.permutation(np.arange(size) % classes).tolist()
    return numbers


def text_table(rows: list[tuple[str, str]]) -> bytes:
    """Return a CSV of texts and labels that need no quotes."""
    return "".join(f"{text},{label}\n" for text, label in [("text", "label"), *rows]).encode()
