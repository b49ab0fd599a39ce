"""Copying memory: say it again, after a while."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnncli.data.synthetic.language import Language, common_prefix
from rnncli.data.synthetic.synthetic_set import LONGEST, Split

ALPHABET, BLANK, GO = "abcdefgh", "-", ">"
_UP_TO_GO = re.compile(f"([{ALPHABET}]*)({BLANK}*)({GO}?)")


@dataclass(frozen=True)
class Copy(Language):
    """Symbols, a run of blanks, a go symbol, then the symbols again: after `>` all is known.

    There are `length` of 8 symbols, and 1 to `distance` blanks; in the test up to twice as many. A line with any number
    of symbols and of blanks, from 1 on, is of the language. Source: Hochreiter & Schmidhuber (1997); in this form
    Arjovsky et al. (2016).
    """

    length: int = 5
    distance: int = 20

    name: ClassVar[str] = "copy"
    title: ClassVar[str] = "symbols, blanks, then the same symbols: ceb----->ceb"
    chance: ClassVar[str] = "1 of 11 symbols legal after >"
    source: ClassVar[str] = "Hochreiter & Schmidhuber 1997; Arjovsky et al. 2016"
    bounds: ClassVar[dict[str, tuple[int, int]]] = {"length": (1, LONGEST), "distance": (1, LONGEST)}

    def longest(self, split: Split) -> int:
        """The symbols twice, the blanks and >."""
        return 2 * self.length + 1 + self.distance * (2 if split == "test" else 1)

    def strings(self, split: Split, size: int, rng: np.random.Generator) -> Iterable[str]:
        """Draw the symbols and the number of blanks of each."""
        D = self.distance
        first, last = (D + 1, 2 * D) if split == "test" else (1, D)
        for row in rng.integers(0, len(ALPHABET), (size, self.length)).tolist():
            symbols = "".join(ALPHABET[k] for k in row)
            yield f"{symbols}{BLANK * int(rng.integers(first, last + 1))}{GO}{symbols}"

    @staticmethod
    def legal(line: str) -> int:
        """Symbols, blanks and >, at least one of each, then what is the same, and the end."""
        found = _UP_TO_GO.match(line)
        assert found
        symbols, blanks, go = found.groups()
        if not symbols:
            return 0
        if not (blanks and go):
            return len(symbols) + len(blanks)
        again = line[found.end() :]
        return found.end() + common_prefix(again, symbols) + (again == symbols)
