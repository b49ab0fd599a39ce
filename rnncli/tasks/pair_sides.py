"""The sides of pairs as they are read, compactly: texts cut into tokens that are numbered, or vectors.

P pairs, N steps of all sequences of a side, D numbers of a vector.
"""

from array import array
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from rnncli.data import TOKENIZERS, Side, TokenizerSpec, Vocabulary
from rnncli.data.examples import Vectors
from rnncli.data.numbering import InOrder
from rnncli.data.vocabulary import code_points
from rnncli.errors import DataError
from rnncli.nn.parameter import Array


def spaced(text: str, spec: TokenizerSpec) -> str:
    """Return a text as it is encoded: words with a space before the first, which so is the token it is elsewhere."""
    return f" {text}" if spec.level == "word" and text and not text[0].isspace() else text


class TokenSide:
    """Texts in tokens: numbered in the order in which they come up, or where they are characters by code point."""

    def __init__(self, spec: TokenizerSpec) -> None:
        self.spec = spec
        self._split = TOKENIZERS[spec.level].split
        self._is_joined = isinstance(self._split(""), str)
        self._ids, self._ends = array("I"), array("q", [0])
        self._numbers: InOrder[str] = InOrder()

    def cut(self, texts: Sequence[Any]) -> Sequence[Any]:
        """Return the tokens of each text; a string where each is one character."""
        spec, split = self.spec, self._split
        return [split(spaced(text.lower() if spec.lowercase else text, spec)) for text in texts]

    def take(self, cuts: Sequence[Any], places: Sequence[str]) -> None:  # noqa: ARG002 - texts have no faults
        """Take in what `cut` returned."""
        ends = np.cumsum(np.fromiter(map(len, cuts), np.int64, len(cuts)))
        self._ends.frombytes((ends + self._ends[-1]).tobytes())
        if self._is_joined:
            ids: Array = code_points("".join(map(str, cuts)))
        else:
            ids = np.fromiter(map(self._numbers.__getitem__, chain.from_iterable(cuts)), np.uint32, ends[-1])
        self._ids.frombytes(ids.astype("=u4").tobytes())

    @property
    def starts(self) -> Array:
        """Where each text begins, (P + 1,)."""
        return np.frombuffer(self._ends, np.int64)

    @property
    def _tokens(self) -> Array:
        """The number of each token, (N,)."""
        return np.frombuffer(self._ids, np.uint32)

    def _names(self, counts: Array) -> list[tuple[str, int]]:
        """Return the tokens that occur, given how often each number does, with their counts; in order of numbers."""
        used = np.flatnonzero(counts)
        every = [*self._numbers]
        names = [every[k] for k in used.tolist()] if every else [chr(code) for code in used.tolist()]
        return [*zip(names, counts[used].tolist(), strict=True)]

    def counts(self, numbers: Array) -> Counter[str]:
        """Count the tokens of the texts with these numbers."""
        chosen = np.zeros(len(self.starts) - 1, bool)
        chosen[numbers] = True
        return Counter(dict(self._names(np.bincount(self._tokens[np.repeat(chosen, np.diff(self.starts))]))))

    def encoded(self, vocabulary: Vocabulary) -> Side:
        """Return the texts in ids of a vocabulary; what it does not have is `<unk>`."""
        counts = np.bincount(self._tokens)
        table = np.zeros(len(counts), vocabulary.dtype)
        unknown = vocabulary.unknown_id or 0
        table[counts > 0] = [vocabulary.ids.get(token, unknown) for token, _ in self._names(counts)]
        return Side(table[self._tokens], self.starts)


class VectorSide:
    """Vectors; those that pairs share are kept once."""

    def __init__(self) -> None:
        self.vectors: list[Vectors] = []
        """The different ones, (S, D) each."""
        self._places: list[str] = []
        self._known: dict[int, int] = {}
        self._order = array("q")

    def cut(self, given: Sequence[Any]) -> Sequence[Any]:
        """Return them as they are."""
        return given

    def take(self, given: Sequence[Vectors], places: Sequence[str]) -> None:
        """Take vectors in, (S, D) each; raises DataError for those of another width than those before."""
        for vectors, place in zip(given, places, strict=True):
            number = self._known.setdefault(id(vectors), len(self.vectors))  # all are kept, and so no id comes twice
            if number == len(self.vectors):
                if self.vectors and vectors.shape[1] != self.vectors[0].shape[1]:
                    wanted, found = self.vectors[0].shape[1], vectors.shape[1]
                    raise DataError(f"vectors of {found} numbers, where those before have {wanted}", where=place)
                self.vectors.append(vectors)
                self._places.append(place)
            self._order.append(number)

    @property
    def order(self) -> Array:
        """The number of each pair's vectors, (P,)."""
        return np.frombuffer(self._order, np.int64)

    def side(self) -> Side:
        """Return the vectors as they were read."""
        starts = np.concatenate(([0], np.cumsum([len(vectors) for vectors in self.vectors])))
        return Side(np.concatenate(self.vectors), starts, self.order)

    def place(self, row: int) -> str:
        """Return where the first pair is that has this row of all vectors."""
        ends = np.cumsum([len(vectors) for vectors in self.vectors])
        return self._places[int(np.searchsorted(ends, row, "right"))]


def unknown_tokens(side: Side, vocabulary: Vocabulary) -> int:
    """Count the tokens that are not in the vocabulary."""
    unknown: Any = vocabulary.unknown_id
    return 0 if unknown is None else int(np.count_nonzero(side.values == unknown))
