"""Naive baselines for texts that are made of others: the most frequent target, and that of the nearest source.

Texts are near whose terms are alike. The terms of a text are its words and marks in lower case, or, where the sources
of training have fewer than 3 words on average between white space, its trigrams of characters, a space around it: so
single words, numbers, and scripts without spaces are compared by their spelling. With the count c(w, t) of a term w in
a text t, of which N are trained on, and d(w) of them have it,

    v_w(t) = c(w, t) · log(N / d(w))      nearness(s, t) = v(s)·v(t) / (|v(s)| |v(t)|)        (Salton & Buckley 1988)

Of a long text the beginning counts. Vectors are near whose Euclidean distance is small. Of sources as near as each
other the first is taken.

Letters: P pairs, Q sources asked for, N texts or vectors that are compared, W terms, E pairs of a term and a text that
has it, D features.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rnncli.data import Texts
from rnncli.data.numbering import InOrder
from rnncli.errors import DataError
from rnncli.models.naive_bayes import words
from rnncli.nn.parameter import Array

MOST = 1 << 16
"""Of more training pairs than these, so many that lie as far apart as each other are compared."""
BLOCK = 1 << 22
"""Distances that are held at once: 16 MiB in float32."""
LONGEST = 128
"""Terms of a text that are looked at."""
FEW = 3
"""With fewer words on average texts are compared by their trigrams."""


def most_frequent(texts: Sequence[str] | Texts) -> int:
    """Return the number of that text which occurs most often, where it occurs first; of a tie the first of all.

    Raises DataError where there is none.
    """
    if not len(texts):
        raise DataError("there is no example to learn from")
    # 8 bytes a text: they may all be different
    hashes = np.fromiter(map(hash, texts), np.int64, len(texts))
    _, first, counts = np.unique(hashes, return_index=True, return_counts=True)
    return int(first[counts == counts.max()].min())


def nearest_texts(sources: Sequence[str] | Texts, asked: Sequence[str] | Texts) -> Array:
    """Return the number (Q,) of that source which is nearest to each text asked for; -1 where none has a term of it.

    A source that is the same text is the nearest, the first if there are several.
    """
    same = dict.fromkeys(asked, -1)
    for number, text in enumerate(sources):
        if same.get(text) == -1:
            same[text] = number
    found = np.array([same[text] for text in asked], np.int64)
    if len(sources) and (found < 0).any():
        chosen = _spread(len(sources))
        model = Bags.fit([sources[number] for number in chosen.tolist()])
        for number in np.flatnonzero(found < 0).tolist():
            place = model.nearest(asked[number])
            found[number] = -1 if place < 0 else chosen[place]
    return found


def nearest_vectors(vectors: Array, asked: Array) -> Array:
    """Return the number (Q,) of that of the vectors (P, D) which is nearest to each asked for (Q, D); -1 of none.

    Vectors are of floats; those that are equal to each other make no first one for sure.
    """
    found = np.full(len(asked), -1)
    if not len(vectors):
        return found
    chosen = _spread(len(vectors))
    known = vectors[chosen]
    step = max(1, BLOCK // len(known))
    with np.errstate(over="ignore", invalid="ignore"):  # what is too far away is not near
        center = known.mean(axis=0)  # far from zero, squares would drown the differences
        known -= center
        squares = np.einsum("nd,nd->n", known, known)
        for start in range(0, len(asked), step):
            distances = squares - 2 * ((asked[start : start + step] - center) @ known.T)
            found[start : start + step] = chosen[distances.argmin(axis=1)]
    return found


@dataclass(frozen=True, eq=False)
class Bags:
    """N texts as the terms that they have: those that have term w, and its share, from starts[w] to starts[w + 1]."""

    split: Callable[[str], list[str]]
    numbers: dict[str, int]  # of the W terms
    starts: Array  # (W + 1,)
    texts: Array  # (E,)
    shares: Array  # (E,), v_w(t) log(N / d(w)) / |v(t)|

    @classmethod
    def fit(cls, texts: list[str]) -> "Bags":
        """Count the terms of texts, of which there is one at least."""
        N, split = len(texts), words if sum(len(text.split()) for text in texts) >= FEW * len(texts) else trigrams
        numbers: InOrder[str] = InOrder()
        lengths = np.zeros(N, np.int64)

        def terms() -> Iterator[int]:
            for number, text in enumerate(texts):
                found = split(text)[:LONGEST]
                lengths[number] = len(found)
                yield from map(numbers.__getitem__, found)

        terms_of = np.fromiter(terms(), np.int64)
        pairs, counts = np.unique(terms_of * N + np.repeat(np.arange(N), lengths), return_counts=True)
        term, text = np.divmod(pairs, N)
        have = np.bincount(term, minlength=len(numbers))
        rarity = np.log(N / have)[term]
        values = counts * rarity
        norms = np.sqrt(np.bincount(text, values**2, N))
        some = values > 0  # a term of all texts tells none from another
        starts = np.append(0, np.bincount(term[some], minlength=len(numbers)).cumsum())
        shares = values[some] * rarity[some] / norms[text[some]]
        return cls(split, dict(numbers), starts, text[some], shares)

    def nearest(self, text: str) -> int:
        """Return the number of the nearest text, -1 where none has a term of this one that not all have."""
        nearness = np.zeros(self.texts.max(initial=-1) + 1)
        for term, times in Counter(self.split(text)[:LONGEST]).items():
            if (number := self.numbers.get(term)) is not None:
                own = slice(*self.starts[number : number + 2].tolist())
                nearness[self.texts[own]] += times * self.shares[own]
        place = int(nearness.argmax()) if nearness.size else -1
        return place if place >= 0 and nearness[place] > 0 else -1


def trigrams(text: str) -> list[str]:
    """Return each three characters in a row of a text in lower case, a space around it."""
    padded = f" {text.lower()} "
    return [padded[place : place + 3] for place in range(len(padded) - 2)]


def _spread(count: int) -> Array:
    """Return the numbers of all, or of MOST as far apart as each other."""
    return np.arange(MOST) * count // MOST if count > MOST else np.arange(count)
