"""Naive baselines for classifiers and regressors: naive Bayes over words, the most frequent label, the mean.

Multinomial naive Bayes with add-one smoothing (McCallum & Nigam 1998). A text of n known words w is taken for the label
k with the largest

    log P(k) + Σ_w log P(w | k)      P(k) = Nₖ / N      P(w | k) = (c(w, k) + 1) / (c(·, k) + V)

where c counts words in the training texts of a label; words in none of them are ignored. A text with a set of labels is
decided label by label, as such a choice between the texts with the label and those without.

Letters: N texts, K labels, V distinct words in training, E pairs of a word and a label that occur together.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnncli.data import TOKENIZERS
from rnncli.data.numbering import InOrder
from rnncli.data.ranges import ranges
from rnncli.errors import DataError
from rnncli.nn.parameter import Array

BLOCK = 1 << 20
"""Texts are counted and scored in blocks of about this many words · labels, or of one text."""


def words(text: str) -> list[str]:
    """Return the words and punctuation marks of a text in lower case, without the white space."""
    return [word for token in TOKENIZERS["word"].split(text.lower()) if (word := token.strip())]


def majority(targets: Array) -> Array:
    """Return the most frequent of the ids (N,), or of the label sets (K, N) as one (K,); in a tie the lowest.

    Raises DataError where there is none.
    """
    _check_any(targets)
    values, counts = np.unique(targets, axis=-1, return_counts=True)
    most: Array = values[..., counts.argmax()]
    return most


def mean(targets: Array) -> Array:
    """Return the mean (K,) of targets (K, N), in float64; DataError where there is none."""
    _check_any(targets)
    means: Array = targets.mean(axis=-1, dtype=np.float64)
    return means


def baselines(
    texts: Iterable[str], targets: Array, tests: Mapping[str, Iterable[str]], K: int
) -> dict[str, dict[str, Array]]:
    """Return what the baselines, having learnt from texts and their targets, predict for each of the tests, by name.

    Raises what `NaiveBayes.fit` does.
    """
    most = majority(targets)
    model = NaiveBayes.fit(map(words, texts), targets, K)
    predicted = {split: model.predict(map(words, test)) for split, test in tests.items()}
    return {
        split: {"majority": np.broadcast_to(most[..., None], found.shape), "naive Bayes": found}
        for split, found in predicted.items()
    }


@dataclass(frozen=True, eq=False)
class NaiveBayes:
    """Naive Bayes over words, for one label a text or for label sets.

    The score of a label is `prior` and, for each known word, `each` and what `word` adds to all labels, and what the
    pair of the word and the label adds where the two occurred together. The pairs of a word w are those from starts[w]
    up to starts[w + 1]. Label sets have the labels of positive score.
    """

    sets: bool
    numbers: dict[str, int]  # of the V words
    prior: Array  # (K,)
    each: Array  # (K,)
    word: Array  # (V,)
    starts: Array  # (V + 1,)
    labels: Array  # (E,)
    pairs: Array  # (E,)

    @classmethod
    def fit(cls, texts: Iterable[Sequence[str]], targets: Array, K: int) -> "NaiveBayes":
        """Learn from texts, each a sequence of words, and their labels: ids (N,), or sets as booleans (K, N).

        Raises DataError where there is no text, and ValueError for ids that are no labels and another number of texts.
        """
        _check_any(targets)
        sets, N = targets.ndim == 2, targets.shape[-1]
        if sets and len(targets) != K:
            raise ValueError(f"{len(targets)} rows of targets for {K} labels")
        if sets:  # label K is that of all texts
            labels = np.nonzero(np.vstack((targets, np.ones(N, bool))).T)[1]
            labelled = np.count_nonzero(targets, axis=0) + 1
        else:
            labels, labelled = targets, np.ones(N, np.int64)
        if labels.min() < 0 or labels.max() >= K + sets:
            raise ValueError(f"ids must be in 0 … {K - 1}, these are {labels.min()} … {labels.max()}")
        numbers: InOrder[str] = InOrder()
        keys, counts = _tally(_keys(_blocks(texts, numbers.__getitem__, BLOCK // labelled.max()), labels, labelled, K))
        word, label = np.divmod(keys, K + 1)
        pair = label < K
        starts = np.append(0, np.bincount(word[pair], minlength=len(numbers)).cumsum())
        each_word = counts[~pair]
        c = counts[pair]
        smoothed = np.bincount(label[pair], c, K) + max(1, len(numbers))
        texts_with = np.bincount(labels, minlength=K)[:K]
        with np.errstate(divide="ignore"):  # a label of no text is never predicted, one of all texts always
            prior, each, pairs = np.log(texts_with) - np.log(N), -np.log(smoothed), np.log1p(c)
            if sets:
                all_c = each_word[word[pair]]
                prior = np.log(texts_with) - np.log(N - texts_with)
                each = each + np.log(each_word.sum() + 2 * max(1, len(numbers)) - smoothed)
                pairs = pairs - np.log1p(all_c - c) + np.log1p(all_c)
        return cls(sets, dict(numbers), prior, each, -np.log1p(each_word), starts, label[pair], pairs)

    def predict(self, texts: Iterable[Sequence[str]]) -> Array:
        """Return the labels of texts, each a sequence of words: ids (N,), or sets as booleans (K, N)."""
        K = len(self.prior)
        found = [np.empty((K, 0), bool) if self.sets else np.empty(0, np.int64)]
        for ids, lengths in _blocks(texts, lambda word: self.numbers.get(word, -1), BLOCK // K):
            scores = self._scores(ids, lengths)
            found.append(scores > 0 if self.sets else scores.argmax(axis=0))
        return np.concatenate(found, axis=-1)

    def _scores(self, ids: Array, lengths: Array) -> Array:
        """Scores (K, N) of texts, given the numbers of all their words, -1 for unknown ones, and their lengths (N,)."""
        K, N = len(self.prior), len(lengths)
        known = ids >= 0
        ids, text = ids[known], np.repeat(np.arange(N), lengths)[known]
        scores = self.prior[:, None] + self.each[:, None] * np.bincount(text, minlength=N)
        if self.sets:
            scores += np.bincount(text, self.word[ids], N)
        first, times = self.starts[ids], np.diff(self.starts)[ids]
        pair = ranges(first, times)
        place = self.labels[pair] * N + np.repeat(text, times)
        scores += np.bincount(place, self.pairs[pair], K * N).reshape(K, N)
        return scores


def _blocks(texts: Iterable[Sequence[str]], number: Callable[[str], int], limit: int) -> Iterator[tuple[Array, Array]]:
    """Yield the numbers of the words of some texts, and how many words each text has."""
    ids, lengths = array("q"), array("q")
    for text in texts:
        ids.extend(map(number, text))
        lengths.append(len(text))
        if len(ids) + len(lengths) >= limit:
            yield np.array(ids), np.array(lengths)
            ids, lengths = array("q"), array("q")
    yield np.array(ids), np.array(lengths)


def _keys(blocks: Iterable[tuple[Array, Array]], labels: Array, labelled: Array, K: int) -> Iterator[Array]:
    """Yield word · (K + 1) + label of each word and each label of its text; a text has `labelled` (N,) of `labels`."""
    first = labelled.cumsum() - labelled
    start = 0
    for ids, lengths in blocks:
        own = slice(start, start + len(lengths))
        start += len(lengths)
        if start > len(labelled):
            break
        times = np.repeat(labelled[own], lengths)
        yield np.repeat(ids, times) * (K + 1) + labels[ranges(np.repeat(first[own], lengths), times)]
    if start != len(labelled):
        raise ValueError(f"{len(labelled)} targets for another number of texts")


def _tally(blocks: Iterable[Array]) -> tuple[Array, Array]:
    """Return the distinct keys of all blocks, sorted, and how often each of them occurs."""
    parts = [(np.empty(0, np.int64), np.empty(0, np.int64))]
    for block in blocks:
        parts.append(np.unique(block, return_counts=True))
        if sum(len(keys) for keys, _ in parts[1:]) > max(BLOCK, len(parts[0][0])):  # sorted again only when doubled
            parts = [_merged(parts)]
    return _merged(parts)


def _merged(parts: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    keys, place = np.unique(np.concatenate([keys for keys, _ in parts]), return_inverse=True)
    counts = np.bincount(place, np.concatenate([counts for _, counts in parts]), len(keys))
    return keys, counts.astype(np.int64)


def _check_any(targets: Array) -> None:
    if not targets.size:
        raise DataError("there is no example to learn from")
