"""Naive baselines for language models: interpolated n-grams over integer ids, with no Python loop over tokens.

Modified Kneser-Ney (Chen & Goodman 1999), interpolated at every order, down to the uniform distribution:

    Pₙ(w | h) = max(c(hw) - D, 0) / c(h·)  +  b(h) Pₙ₋₁(w | h')        P₀(w) = 1 / V

h' is h without its oldest token. c counts occurrences at the highest order and, below it, the distinct tokens seen
before hw (an occurrence that opens a sequence, with nothing before it, counts as one more). D grows with c(hw); b(h) is
the share of c(h·) that the discounts took, and 1 for a context that was never continued.

Letters: T tokens, V vocabulary size, U distinct n-grams of one length, C distinct contexts (n-grams one shorter).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rnncli.errors import DataError
from rnncli.nn.parameter import Array

BASELINES = {"unigram": 1, "bigram": 2, "5-gram": 5}


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
    def fit(cls, ids: Array | Sequence[Array], order: int, vocabulary_size: int) -> "NGram":
        """Count n-grams up to length `order` in one sequence (T,), or in several whose contexts do not cross borders.

        The first token of a sequence is context only: the tokens predicted are those a recurrent network predicts.
        Raises ValueError for an order below 1, and for ids outside 0 … vocabulary_size - 1.
        """
        if order < 1:
            raise ValueError(f"order must be at least 1, not {order}")
        tokens, first = _flatten(ids, vocabulary_size)
        grams: list[tuple[Array, Array]] = []  # by length: keys (U,), and the label (T,) of the n-gram ending there
        context = np.zeros_like(tokens)  # the one n-gram of length 0 stands before every token
        for _ in range(order):
            known, labels = context >= 0, np.full_like(tokens, -1)
            keys, labels[known] = np.unique((context * vocabulary_size + tokens)[known], return_inverse=True)
            grams.append((keys, labels))
            context = _before(labels, first)
        grams.append((keys, np.full_like(tokens, -1)))  # none is longer than `order`: there every occurrence counts
        orders: list[Order] = []
        for (keys, labels), (_, longer) in pairwise(grams):
            counted = labels[_once(longer) & (labels >= 0) & ~first]
            contexts = orders[-1].keys.size if orders else 1
            orders.append(Order.weigh(keys, counted, contexts, vocabulary_size))
        return cls(vocabulary_size, tuple(orders))

    def log_probabilities(self, ids: Array | Sequence[Array]) -> Array:
        """Natural log-probability of every token but the first of each sequence, (T - sequences,), in order.

        A token early in its sequence is predicted from the shorter context it has. Raises ValueError as `fit` does.
        """
        tokens, first = _flatten(ids, self.vocabulary_size)
        probability = np.full(tokens.shape, 1 / self.vocabulary_size)
        context = np.zeros_like(tokens)
        for order in self.orders:
            labels = _find(order.keys, context * self.vocabulary_size + tokens)
            probability = order.discounted[labels] + order.backoff[context] * probability
            context = _before(labels, first)
        logs: Array = np.log(probability[~first])
        return logs

    def cross_entropy(self, ids: Array | Sequence[Array]) -> tuple[float, int]:
        """Nats summed over every token but the first of each sequence, and the number of those tokens."""
        scored = self.log_probabilities(ids)
        return float((-scored).sum()), scored.size


def baselines(train: Array | Sequence[Array], test: Array | Sequence[Array], vocabulary_size: int) -> dict[str, float]:
    """Cross-entropy of `test` in nats per predicted token under n-gram models of `train`, by name.

    Raises DataError where `test` has no token to predict.
    """
    scores = {}
    for name, order in BASELINES.items():
        nats, count = NGram.fit(train, order, vocabulary_size).cross_entropy(test)
        if not count:
            raise DataError("the test data has no token to predict", hint="give it a sequence of two tokens or more")
        scores[name] = nats / count
    return scores


def _flatten(ids: Array | Sequence[Array], vocabulary_size: int) -> tuple[Array, Array]:
    """Join sequences: tokens (T,) and a mask (T,), True where a sequence begins."""
    sequences = [ids] if isinstance(ids, np.ndarray) else ids
    tokens = np.concatenate([np.zeros(0, np.int64), *sequences], dtype=np.int64, casting="same_kind")
    if tokens.size and not 0 <= tokens.min() <= tokens.max() < vocabulary_size:
        raise ValueError(f"ids must be in 0 … {vocabulary_size - 1}, these are {tokens.min()} … {tokens.max()}")
    lengths = np.array([len(sequence) for sequence in sequences], np.int64)
    first = np.zeros(tokens.shape, bool)
    first[(np.cumsum(lengths) - lengths)[lengths > 0]] = True
    return tokens, first


def _find(keys: Array, wanted: Array) -> Array:
    """Labels (T,) of the wanted keys (T,) among the sorted keys (U,), -1 where absent."""
    place = np.searchsorted(keys, wanted)
    return np.where(np.append(keys, np.iinfo(np.int64).min)[place] == wanted, place, -1)


def _before(labels: Array, first: Array) -> Array:
    """The label of the n-gram that ends just before each position (T,), -1 where its sequence begins."""
    return np.where(first, -1, np.roll(labels, 1))


def _once(labels: Array) -> Array:
    """A mask (T,): one occurrence of each label, and every -1."""
    seen = np.flatnonzero(labels >= 0)
    occurrence = np.empty(labels.max(initial=-1) + 1, np.int64)
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
