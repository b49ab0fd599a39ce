"""Formal languages as language models: strings one a line, and how many symbols of a line are legal."""

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from rnncli.data.synthetic.synthetic_set import Split, SyntheticSet


class Legality(NamedTuple):
    """How many symbols, the end of each line among them, and how many lines are legal, of how many."""

    legal_symbols: int
    symbols: int
    legal_lines: int
    lines: int


@dataclass(frozen=True)
class Language(SyntheticSet):
    """A set of strings for a language model, with a test of its own for what the model writes."""

    task: ClassVar[str] = "language_model"
    suffixes: ClassVar[tuple[str, ...]] = ("txt",)

    def content(self, split: Split, rng: np.random.Generator) -> bytes:
        """Draw one string a line."""
        return "".join(f"{line}\n" for line in self.strings(split, getattr(self, split), rng)).encode()

    @abstractmethod
    def strings(self, split: Split, size: int, rng: np.random.Generator) -> Iterable[str]:
        """Draw so many strings."""

    @staticmethod
    @abstractmethod
    def legal(line: str) -> int:
        """Return how many symbols of a line and its end, from the first on, begin some string of the language.

        All after the first illegal one are illegal too: no string begins with what stands before them.
        """

    @classmethod
    def check(cls, lines: Iterable[str]) -> Legality:
        """Count the legal symbols and the legal lines."""
        legal_symbols = symbols = legal_lines = number = 0
        for line in lines:
            legal = cls.legal(line)
            legal_symbols += legal
            symbols += len(line) + 1
            legal_lines += legal == len(line) + 1
            number += 1
        return Legality(legal_symbols, symbols, legal_lines, number)


def common_prefix(a: str, b: str) -> int:
    """Return the length of the longest common prefix."""
    return next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
