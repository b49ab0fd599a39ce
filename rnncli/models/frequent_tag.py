"""The naive baseline for taggers: of each word the tag that it has most often in training.

A word that does not occur there has the tag that most of the different words have, each of them counted once: new words
are seldom of the kind of which there are few, however often those occur. In a tie the tag that is more frequent over
all is taken, then the one of the lower number.

Letters: N words, W different ones in training, K labels, L different label sets.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from rnncli.data.numbering import InOrder
from rnncli.errors import DataError
from rnncli.nn.parameter import Array

Words = Iterable[str] | Array
"""Words themselves, or the number (N,) of each."""


@dataclass(frozen=True, eq=False)
class FrequentTags:
    """The most frequent tag of each word, which calling it with words returns: ids (N,), or label sets (K, N)."""

    numbers: dict[str, int]  # of the words; empty where they came as numbers
    tags: Array  # (W,), -1 for a number that did not occur
    unseen: int
    sets: Array | None  # (K, L), the label sets that the tags are the numbers of

    def __call__(self, words: Words) -> Array:  # noqa: D102
        ids = _ids(words, lambda word: self.numbers.get(word, -1))
        found = np.full(ids.size, -1)
        known = (ids >= 0) & (ids < self.tags.size)
        found[known] = self.tags[ids[known]]
        found[found < 0] = self.unseen
        return found if self.sets is None else self.sets[:, found]


def frequent_tags(words: Words, targets: Array, K: int) -> FrequentTags:
    """Learn from words and their tags: ids (N,), -1 for a tag to be passed over, or label sets as booleans (K, N).

    Raises DataError where there is nothing to learn from, and ValueError for another number of words than targets and
    ids that are no labels.
    """
    numbers: InOrder[str] = InOrder()
    ids = _ids(words, numbers.__getitem__)
    sets, tags = (None, targets.astype(np.int64)) if targets.ndim == 1 else _numbered(targets)
    if ids.shape != tags.shape:
        raise ValueError(f"{tags.size} targets for {ids.size} words")
    known = tags >= 0
    ids, tags = ids[known], tags[known]
    if not tags.size:
        raise DataError("there is no example to learn from")
    often = np.bincount(tags, minlength=K)
    if sets is None and often.size > K:
        raise ValueError(f"ids must be in 0 … {K - 1}, the largest is {tags.max()}")
    pairs, counts = np.unique(ids * often.size + tags, return_counts=True)
    word, tag = np.divmod(pairs, often.size)
    order = np.lexsort((tag, -often[tag], -counts, word))
    seen, first = np.unique(word[order], return_index=True)
    most = np.full(ids.max() + 1, -1)
    most[seen] = tag[order][first]
    words_of = np.bincount(most[seen], minlength=often.size)
    return FrequentTags(dict(numbers), most, int(np.lexsort((-often, -words_of))[0]), sets)


def _ids(words: Words, number: Callable[[str], int]) -> Array:
    return words.astype(np.int64) if isinstance(words, np.ndarray) else np.fromiter(map(number, words), np.int64)


def _numbered(targets: Array) -> tuple[Array, Array]:
    """Label sets (K, N) → the different ones (K, L), and the number (N,) of each."""
    rows = np.ascontiguousarray(np.packbits(targets.astype(bool), axis=0).T)
    _, first, numbers = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return targets[:, first].astype(bool), numbers.reshape(-1)
