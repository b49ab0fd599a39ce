"""Sets of pairs of texts, for translation, whose test holds nothing that the training has seen."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar
from zlib import crc32

import numpy as np

from rnncli.data.synthetic.synthetic_set import Split, SyntheticSet

PARTS: dict[int, Split] = {0: "test", 1: "validation"}


def split_of(key: str) -> Split:
    """Return the one split where all that has this key belongs, whatever the seed: a tenth test, a tenth validation."""
    return PARTS.get(crc32(key.encode()) % 10, "train")


@dataclass(frozen=True)
class PairSet(SyntheticSet):
    """Texts and what they are translated to: a pair a line, with a tab between."""

    task: ClassVar[str] = "translation"
    suffixes: ClassVar[tuple[str, ...]] = ("tsv",)

    def content(self, split: Split, rng: np.random.Generator) -> bytes:
        """Draw pairs, and keep those of the split until there are enough."""
        rows: list[str] = []
        while len(rows) < getattr(self, split):
            source, target = self.pair(rng)
            if split_of(self.key(source, target)) == split:
                rows.append(f"{source}\t{target}\n")
        return "".join(rows).encode()

    @abstractmethod
    def pair(self, rng: np.random.Generator) -> tuple[str, str]:
        """Draw a source and its target."""

    def key(self, source: str, target: str) -> str:  # noqa: ARG002
        """Return what two pairs have in common that must not stand in different splits: the target."""
        return target
