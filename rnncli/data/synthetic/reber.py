"""The embedded Reber grammar: a symbol that decides the last but one, whatever lies between."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnncli.data.synthetic.language import Language
from rnncli.data.synthetic.synthetic_set import Split

END = "\n"
INNER = (
    {"T": 1, "P": 2},
    {"S": 1, "X": 3},
    {"T": 2, "V": 4},
    {"X": 2, "S": 5},
    {"P": 3, "V": 5},
    {"E": 6},
)
"""The grammar between B and E: from each state the symbols, and the state that each leads to."""


@dataclass(frozen=True)
class Reber(Language):
    """Strings of the embedded Reber grammar: B, T or P, a string of Reber's grammar, the same T or P again, E.

    Each branch is as likely as the other. Training strings have up to max_length symbols, those of the test up to twice
    as many, and none as few. Source: Reber (1967); embedded: Cleeremans et al. (1989), Hochreiter & Schmidhuber (1997),
    task 1.
    """

    train: int = 4_000
    validation: int = 500
    test: int = 500
    max_length: int = 20

    name: ClassVar[str] = "reber"
    title: ClassVar[str] = "strings of the embedded Reber grammar"
    chance: ClassVar[str] = "2 of 8 symbols legal, no more"
    source: ClassVar[str] = "Reber 1967; Cleeremans et al. 1989; Hochreiter & Schmidhuber 1997, task 1"
    bounds: ClassVar[dict[str, tuple[int, int]]] = {"max_length": (9, 500)}  # longer ones are too rare for float64

    def longest(self, split: Split) -> int:
        """max_length; of the test twice that."""
        return self.max_length * (2 if split == "test" else 1)

    def strings(self, split: Split, size: int, rng: np.random.Generator) -> Iterable[str]:
        """Draw the symbol that comes again, and a string of the grammar that fits the lengths."""
        shortest = self.max_length + 1 if split == "test" else 9
        inner = inner_strings(shortest - 5, self.longest(split) - 5, size, rng)  # the 5: B, T or P, B, T or P, E
        for which, string in zip(rng.integers(0, 2, size).tolist(), inner, strict=True):
            yield f"B{'TP'[which]}B{string}{'TP'[which]}E"

    @staticmethod
    def legal(line: str) -> int:
        """Walk the graph as far as it goes."""
        state = "begin"
        for number, symbol in enumerate((*line, END)):
            if symbol not in GRAPH[state]:
                return number
            state = GRAPH[state][symbol]
        return len(line) + 1


def embedded() -> dict[str, dict[str, str]]:
    """Return the symbols from each state, and where each leads, with an inner grammar for T and one for P."""
    graph = {"begin": {"B": "which"}, "which": {"T": "T", "P": "P"}, "last": {"E": "end"}, "end": {END: ""}}
    for which in "TP":
        graph[which] = {"B": f"{which}0"}
        for number, symbols in enumerate(INNER):
            graph[f"{which}{number}"] = {symbol: f"{which}{state}" for symbol, state in symbols.items()}
        graph[f"{which}{len(INNER)}"] = {which: "last"}
    return graph


GRAPH = embedded()


def inner_strings(shortest: int, longest: int, size: int, rng: np.random.Generator) -> Iterator[str]:
    """Draw strings, from after B up to E, as likely as the grammar makes them among those of these lengths.

    p[k, s] = Σ p[k - 1, s'] / number of branches, over the branches s → s': the probability that k symbols are left in
    state s. A length is drawn by p[k, 0], then each symbol by what it leaves.
    """
    p = np.zeros((longest + 1, len(INNER) + 1))
    p[0, len(INNER)] = 1
    for k in range(1, longest + 1):
        p[k, : len(INNER)] = [p[k - 1, list(symbols.values())].mean() for symbols in INNER]
    lengths = p[shortest:, 0] / p[shortest:, 0].sum()
    for length in (shortest + rng.choice(len(lengths), size, p=lengths)).tolist():
        state, string = 0, ""
        for k in reversed(range(length)):
            symbols = list(INNER[state])
            left = p[k, [INNER[state][symbol] for symbol in symbols]]
            symbol = symbols[int(rng.random() * left.sum() >= left[0])]
            state, string = INNER[state][symbol], string + symbol
        yield string
