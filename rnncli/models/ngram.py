"""Naive baselines for language models: interpolated n-grams over integer ids, with no Python loop over tokens.

Modified Kneser-Ney (Chen & Goodman 1999), interpolated at every order, down to the uniform distribution:

    Pₙ(w | h) = max(c(hw) - D, 0) / c(h·)  +  b(h) Pₙ₋₁(w | h')        P₀(w) = 1 / V

h' is h without its oldest token. c counts occurrences at the highest order and, below it, the distinct tokens seen
before hw (an occurrence that opens a sequence, with nothing before it, counts as one more). D grows with c(hw); b(h) is
the share of c(h·) that the discounts took, and 1 for a context that was never continued.

Letters: T tokens, V vocabulary size, U distinct n-grams of one length, C distinct contexts (n-grams one shorter).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnncli.data import Sequences
from rnncli.errors import DataError
from rnncli.nn.parameter import Array

BASELINES = {"unigram": 1, "bigram": 2, "5-gram": 5}
TOKENS = 2_000_000
"""Baselines learn from at most this many tokens, the last ones: about 200 MB where most 5-grams are different."""
BLOCK = 1 << 18
"""Tokens that are scored at a time."""


@dataclass(frozen=True, eq=False)
class Order:
    """The n-grams of one length: the label of one is its place in `keys`, and -1, not seen, finds the last entry."""

    keys: Array  # (U,) sorted: label of the context · V + last token
    discounted: Array  # (U + 1,) max(c - D, 0) / c(h·), then 0
    backoff: Array  # (C + 1,) b(h), then 1

    @classmethod
    def weigh(cls, keys: Array, counted: Array, contexts: int, vocabulary_size: int) -> "Order":
        """Discount the counts of the n-grams, given the label of each occurrence that counts."""
        counts = np.bincount(counted, minlength=keys.size)
        taken = _discounts(counts)[np.minimum(counts, 3)]
        context = keys // vocabulary_size
        total = np.bincount(context, counts, contexts)
        backoff = np.divide(np.bincount(context, taken, contexts), total, out=np.ones(contexts), where=total > 0)
        discounted = (counts - taken) / np.maximum(total, 1)[context]
        return cls(keys, np.append(discounted, 0.0), np.append(backoff, 1.0))


@dataclass(frozen=True, eq=False)
class NGram:
    """An interpolated n-gram model: after any context the probabilities of the V ids sum to one, and none is zero."""

    vocabulary_size: int
    orders: tuple[Order, ...]  # n-grams of length 1, 2, …

    @classmethod
    def fit_all(cls, train: Sequences, orders: Sequence[int], vocabulary_size: int) -> "list[NGram]":
        """Count n-grams once for models of several orders, on the last TOKENS tokens; contexts cross no borders.

        The first token of a sequence is context only: the tokens predicted are those a recurrent network predicts.
        Raises ValueError for an order below 1, and for ids outside 0 … vocabulary_size - 1.
        """
        if min(orders) < 1:
            raise ValueError(f"order must be at least 1, not {min(orders)}")
        tokens, first = train.read(max(0, train.size - TOKENS), train.size)
        _check(tokens, vocabulary_size)
        context = np.zeros(len(tokens), np.int32)  # the one n-gram of length 0 stands before every token
        keys, labels = _count(context, tokens, vocabulary_size)
        whole: dict[int, Order] = {}  # by length: of the n-grams that are the longest of their model
        lower: list[Order] = []  # and of those that are not
        for n in range(1, max(orders) + 1):
            contexts = lower[-1].keys.size if lower else 1
            counts = (labels >= 0) & ~first
            if n in orders:
                whole[n] = Order.weigh(keys, labels[counts], contexts, vocabulary_size)
            if n < max(orders):
                longer_keys, longer = _count(_before(labels, first), tokens, vocabulary_size)
                lower.append(Order.weigh(keys, labels[counts & _once(longer)], contexts, vocabulary_size))
                keys, labels = longer_keys, longer
        return [cls(vocabulary_size, (*lower[: n - 1], whole[n])) for n in orders]

    def cross_entropy(self, text: Sequences) -> tuple[float, int]:
        """Nats summed over every token but the first of each sequence, and the number of those tokens.

        A token early in its sequence is predicted from the shorter context it has. Raises ValueError as `fit_all` does.
        """
        nats, count = 0.0, 0
        for start in range(0, text.size, BLOCK):
            before = min(start, len(self.orders))
            tokens, first = text.read(start - before, min(start + BLOCK, text.size))
            scored = self._log_probabilities(tokens, first)[before:][~first[before:]]
            nats, count = nats - float(scored.sum()), count + scored.size
        return nats, count

    def _log_probabilities(self, tokens: Array, first: Array) -> Array:
        _check(tokens, self.vocabulary_size)
        probability = np.full(tokens.shape, 1 / self.vocabulary_size)
        context = np.zeros(tokens.shape, np.int32)
        for order in self.orders:
            labels = _find(order.keys, context * np.int64(self.vocabulary_size) + tokens)
            probability = order.discounted[labels] + order.backoff[context] * probability
            context = _before(labels, first)
        logs: Array = np.log(probability)
        return logs


def baselines(train: Sequences, tests: Mapping[str, Sequences], vocabulary_size: int) -> dict[str, dict[str, float]]:
    """Cross-entropy of each test in nats per predicted token under n-gram models of `train`, by name.

    Raises DataError where a test has no token to predict.
    """
    models = dict(zip(BASELINES, NGram.fit_all(train, [*BASELINES.values()], vocabulary_size), strict=True))
    scores: dict[str, dict[str, float]] = {}
    for split, test in tests.items():
        scores[split] = {}
        for name, model in models.items():
            nats, count = model.cross_entropy(test)
            if not count:
                raise DataError(f"{split}: no token to predict", hint="give it a sequence of two tokens or more")
            scores[split][name] = nats / count
    return scores


def _check(tokens: Array, vocabulary_size: int) -> None:
    if tokens.size and not 0 <= tokens.min() <= tokens.max() < vocabulary_size:
        raise ValueError(f"ids must be in 0 … {vocabulary_size - 1}, these are {tokens.min()} … {tokens.max()}")


def _count(context: Array, tokens: Array, vocabulary_size: int) -> tuple[Array, Array]:
    """Keys (U,) of the n-grams, and the label (T,) of the one that ends at each position, -1 where it has no context.

    NumPy's unique does this in twice the memory.
    """
    keys = np.where(context < 0, -1, context * np.int64(vocabulary_size) + tokens)
    places = np.argsort(keys)
    keys = keys[places]
    new = keys >= 0
    new[1:] &= keys[1:] != keys[:-1]
    labels = np.empty(len(keys), np.int32)
    labels[places] = np.cumsum(new, dtype=np.int32) - 1
    return keys[new], labels


def _find(keys: Array, wanted: Array) -> Array:
    """Labels (T,) of the wanted keys (T,) among the sorted keys (U,), -1 where absent."""
    place = np.searchsorted(keys, wanted).astype(np.int32)
    return np.where(np.append(keys, np.iinfo(np.int64).min)[place] == wanted, place, np.int32(-1))


def _before(labels: Array, first: Array) -> Array:
    """The label of the n-gram that ends just before each position (T,), -1 where its sequence begins."""
    return np.where(first, np.int32(-1), np.roll(labels, 1))


def _once(labels: Array) -> Array:
    """A mask (T,): one occurrence of each label, and every -1."""
    seen = np.flatnonzero(labels >= 0)
    occurrence = np.empty(labels.max(initial=-1) + 1, np.int32)
    occurrence[labels[seen]] = seen
    mask = labels < 0
    mask[occurrence] = True
    return mask


def _discounts(counts: Array) -> Array:
    """Discounts (4,) for n-grams counted 0, 1, 2 and 3 or more times, from how many there are of each (equation 17).

    Half an n-gram is added to each of the counts of counts n₁ … n₄, because small data leaves some of them empty.
    """
    n = np.bincount(np.minimum(counts, 5), minlength=6)[1:5] + 0.5
    y = n[0] / (n[0] + 2 * n[1])
    times = np.arange(1, 4)
    discounts = times - (times + 1) * y * n[1:] / n[:-1]
    return np.append(0.0, np.clip(discounts, 0.05, times))  # above 0, so that nothing has probability 0
