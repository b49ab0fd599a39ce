"""How words are spelled: the ids of their characters, once for each different word, and padded together for a batch.

W different words, M characters in all; in a batch L characters of the longest of U words, T steps, B sequences.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rnncli.data.ranges import ranges
from rnncli.data.vocabulary import Vocabulary

LONGEST = 64
"""Characters of a word that are read: of a longer one, such as an address, the first and the last half of so many."""


class SpelledWords(NamedTuple):
    """The different words of a batch, the longest first, padded behind their ends."""

    characters: npt.NDArray[np.intp]  # (L, U)
    mask: npt.NDArray[np.bool_] | None  # (L, U), True for real characters; None when all are


@dataclass(frozen=True, eq=False)
class Spellings:
    """The characters of W words one after the other, those of the w-th in characters[starts[w] : starts[w + 1]]."""

    characters: npt.NDArray[Any]  # (M,)
    starts: npt.NDArray[np.int64]  # (W + 1,)

    @classmethod
    def of(cls, words: Iterable[str], vocabulary: Vocabulary) -> "Spellings":
        """Spell words in the ids of a vocabulary of characters; an empty word reads as one unknown character."""
        shortened = [w if len(w) <= LONGEST else w[: LONGEST // 2] + w[-LONGEST // 2 :] for w in words]
        lengths = np.fromiter((max(1, len(word)) for word in shortened), np.int64, len(shortened))
        characters = vocabulary.encode("".join(word or "\0" for word in shortened))
        return cls(characters, np.concatenate(([0], np.cumsum(lengths))))

    def all_of(self, words: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the characters of all words with these numbers (N,), one after the other."""
        characters: npt.NDArray[Any] = self.characters[ranges(self.starts[words], np.diff(self.starts)[words])]
        return characters

    def together(self, words: npt.NDArray[Any]) -> tuple[npt.NDArray[np.intp], SpelledWords]:
        """Return the different ones of the words with these numbers (T, B), and the place (T, B) of each among them."""
        different, places = np.unique(words, return_inverse=True)
        lengths = np.diff(self.starts)[different]
        order = np.argsort(-lengths, kind="stable")  # so that padding is a slice
        different, lengths = different[order], lengths[order]
        mask = np.arange(lengths[0])[:, None] < lengths
        characters = np.zeros((len(different), lengths[0]), np.intp)
        characters[mask.T] = self.characters[ranges(self.starts[different], lengths)]
        where = np.empty_like(order)
        where[order] = np.arange(len(order))
        padded = SpelledWords(np.ascontiguousarray(characters.T), None if mask.all() else mask)
        return where[places.reshape(words.shape)], padded
