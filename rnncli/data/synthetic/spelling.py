"""Spelling: sentences with slips of the keyboard, to the right ones."""

from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import ClassVar

import numpy as np

from rnncli.data.synthetic.pair_set import PairSet
from rnncli.data.synthetic.sentences import LONGEST_SENTENCE, SHORTEST, WORDS, pick, sentence
from rnncli.data.synthetic.synthetic_set import Split

KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
RATE = 1 / 4
"""Of the words, how many are mistyped."""


@dataclass(frozen=True)
class Spelling(PairSet):
    """Sentences of up to max_length words, a quarter of them mistyped, to the sentence that was meant.

    A slip swaps two letters, drops one, doubles one or hits the key beside it, once in a word. Only such as no other of
    the words could have led to are made, so that the answer is known. No sentence of the test is in the training, but
    its words are. Source: kinds of slips as in Damerau (1964); the sentences are our own.
    """

    train: int = 40_000
    max_length: int = 6

    name: ClassVar[str] = "spelling"
    title: ClassVar[str] = "sentences with slips of the keyboard, to the right ones"
    chance: ClassVar[str] = "exact match 25 % if nothing is changed"
    source: ClassVar[str] = "after Damerau 1964"
    bounds: ClassVar[dict[str, tuple[int, int]]] = {"max_length": (SHORTEST, LONGEST_SENTENCE)}

    def longest(self, split: Split) -> int:  # noqa: ARG002
        """Characters, with a space after each word."""
        return self.max_length * (max(map(len, WORDS)) + 1)

    def pair(self, rng: np.random.Generator) -> tuple[str, str]:
        """Draw a sentence, and its slips."""
        words = sentence(self.max_length, rng)
        typed = [mistyped(word, rng) if rng.random() < RATE else word for word in words]
        return " ".join(typed), " ".join(words)


def mistyped(word: str, rng: np.random.Generator) -> str:
    """Draw a kind of slip, and one of that kind; the word itself where all of them could mean another word."""
    kinds = certain_slips()[word]
    return pick(kinds[int(rng.integers(len(kinds)))], rng) if kinds else word


@cache
def certain_slips() -> dict[str, list[list[str]]]:
    """Return, by kind, the slips of each word that are no word and that no other word can become."""
    made = {word: slips(word) for word in WORDS}
    words_of = Counter(slip for kinds in made.values() for slip in set().union(*kinds))
    certain = {
        word: [[slip for slip in kind if words_of[slip] == 1 and slip not in WORDS] for kind in kinds]
        for word, kinds in made.items()
    }
    return {word: [kind for kind in kinds if kind] for word, kinds in certain.items()}


def slips(word: str) -> tuple[list[str], ...]:
    """Return what becomes of a word with two letters swapped, one dropped, one doubled, or the key beside it hit."""
    parts = [(word[:place], word[place], word[place + 1 :]) for place in range(len(word))]
    swapped = [start + end[0] + letter + end[1:] for start, letter, end in parts if end and end[0] != letter]
    dropped = [start + end for start, _, end in parts]
    doubled = [start + letter * 2 + end for start, letter, end in parts]
    beside = [start + key + end for start, letter, end in parts for key in beside_it()[letter]]
    return tuple(list(dict.fromkeys(kind)) for kind in (swapped, dropped, doubled, beside))


@cache
def beside_it() -> dict[str, str]:
    """Return the keys on the left and on the right of each key."""
    neighbours = dict.fromkeys("".join(KEYS), "")
    for row in KEYS:
        for left, right in pairwise(row):
            neighbours[left] += right
            neighbours[right] += left
    return neighbours
