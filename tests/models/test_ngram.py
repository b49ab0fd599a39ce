"""Interpolated n-grams against a dictionary-based twin, hand-made numbers and known entropies."""

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.errors import DataError
from rnncli.models import ngram
from tests.data.small_sequences import joined


class NGram(ngram.NGram):
    """The same, of one array or several and of one order, with the log-probability of each predicted token."""

    @classmethod
    def fit(cls, ids, order, vocabulary_size):
        (model,) = cls.fit_all(sequences(ids), [order], vocabulary_size)
        return model

    def log_probabilities(self, ids):
        text = sequences(ids)
        tokens, first = text.read(0, text.size)
        return self._log_probabilities(tokens, first)[~first]

    def cross_entropy(self, ids):
        return super().cross_entropy(sequences(ids))


def sequences(ids):
    return joined([ids] if isinstance(ids, np.ndarray) else ids)


def baselines(train, test, vocabulary_size):
    return ngram.baselines(sequences(train), {"test": sequences(test)}, vocabulary_size)["test"]


class NaiveNGram:
    """Modified Kneser-Ney written down from its definition, one token at a time."""

    def __init__(self, sequences, order, vocabulary_size):
        self.order, self.V = order, vocabulary_size
        self.counts = []
        for n in range(1, order + 1):
            counts, left = Counter(), defaultdict(set)
            for sequence in sequences:
                for end in range(max(n, 2), len(sequence) + 1):
                    gram = tuple(sequence[end - n : end])
                    if n in (order, end):  # nothing is longer, or nothing stands before it
                        counts[gram] += 1
                    else:
                        left[gram].add(sequence[end - n - 1])
            for gram, before in left.items():
                counts[gram] += len(before)
            self.counts.append(counts)

    def probability(self, context, token):
        p = 1 / self.V
        for n, counts in enumerate(self.counts, start=1):
            if n - 1 > len(context):
                break
            h = tuple(context[len(context) - n + 1 :])
            n1, n2, n3, n4 = (sum(c == k for c in counts.values()) + 0.5 for k in (1, 2, 3, 4))
            y = n1 / (n1 + 2 * n2)
            raw = [1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
            discounts = [min(max(d, 0.05), k) for k, d in enumerate(raw, start=1)]
            continuations = {gram[-1]: c for gram, c in counts.items() if gram[:-1] == h}
            if not continuations:
                continue
            total = sum(continuations.values())
            c = continuations.get(token, 0)
            left_over = sum(discounts[min(count, 3) - 1] for count in continuations.values())
            p = ((c - discounts[min(c, 3) - 1]) if c else 0) / total + left_over / total * p
        return p

    def log_probabilities(self, sequences):
        return [
            np.log(self.probability(sequence[max(0, t - self.order + 1) : t], sequence[t]))
            for sequence in sequences
            for t in range(1, len(sequence))
        ]


def markov(rng, V, T):
    """A second-order Markov chain (T,) and its entropy rate in nats, measured along the chain."""
    transitions = rng.dirichlet(np.full(V, 0.3), size=(V, V))
    ids, nats = [0, 0], 0.0
    for _ in range(T - 2):
        row = transitions[ids[-2], ids[-1]]
        ids.append(int(rng.choice(V, p=row)))
        nats -= np.log(row[ids[-1]])
    return np.array(ids), nats / (T - 2)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_equals_the_naive_twin(order):
    rng = np.random.default_rng(order)
    chain, _ = markov(rng, 4, 300)
    train = [chain[:150], chain[150:153], chain[153:154], chain[:0], chain[154:]]
    test = [rng.integers(0, 6, n) for n in (40, 1, 2, 7, 0, 3)]  # ids 4 and 5 were never seen
    naive = NaiveNGram([s.tolist() for s in train], order, 6)
    scored = NGram.fit(train, order, 6).log_probabilities(test)
    np.testing.assert_allclose(scored, naive.log_probabilities([s.tolist() for s in test]), rtol=1e-12)


@settings(max_examples=25, deadline=None)
@given(
    items=st.lists(st.lists(st.integers(0, 3), max_size=12), max_size=5),
    context=st.lists(st.integers(0, 4), min_size=1, max_size=6),
    order=st.integers(1, 5),
)
def test_probabilities_sum_to_one_after_any_context(items, context, order):
    model = NGram.fit([np.array(item, np.int64) for item in items], order, 5)
    last = [model.log_probabilities(np.array([*context, token]))[-1] for token in range(5)]
    assert np.exp(last).sum() == pytest.approx(1, abs=1e-12)
    assert np.isfinite(last).all()


def test_unigram_by_hand():
    # Predicted: 1 1 1 1 1 2 (0 is context). One id is counted once, none 2 to 4 times; half is added to each of these.
    y = 1.5 / (1.5 + 2 * 0.5)
    once, often = 1 - 2 * y * 0.5 / 1.5, 3 - 4 * y * 0.5 / 0.5
    often = max(often, 0.05)
    floor = (once + often) / 6 / 4
    model = NGram.fit(np.array([0, 1, 1, 1, 1, 1, 2]), 1, 4)
    expected = [(5 - often) / 6 + floor, (1 - once) / 6 + floor, floor, floor]
    np.testing.assert_allclose(np.exp(model.log_probabilities(np.array([0, 1, 2, 3, 0]))), expected, rtol=1e-14)


def test_a_second_order_chain_is_learned_to_its_entropy_rate():
    ids, entropy = markov(np.random.default_rng(0), 8, 40_000)
    train, test = ids[:36_000], ids[36_000:]
    scores = {order: np.divide(*NGram.fit(train, order, 8).cross_entropy(test)) for order in (1, 2, 3, 5)}
    assert scores[3] == pytest.approx(entropy, rel=0.02)
    assert scores[1] > scores[2] + 0.05 > scores[3] + 0.1
    assert scores[5] < scores[3] + 0.1  # orders that say nothing new cost little


def test_tokens_without_structure_cannot_be_predicted():
    ids = np.random.default_rng(0).integers(0, 20, 20_000)
    for nats in baselines(ids[:18_000], ids[18_000:], 20).values():
        assert np.log(20) - 0.01 < nats < np.log(20) + 0.15


def test_contexts_do_not_cross_items():
    rng = np.random.default_rng(0)
    items = [rng.integers(0, 5, n) for n in (9, 2, 30, 1, 14)]
    model = NGram.fit(items, 5, 5)
    other_way = NGram.fit(items[::-1], 5, 5)
    together = model.log_probabilities(items)
    np.testing.assert_array_equal(together, np.concatenate([model.log_probabilities(item) for item in items]))
    np.testing.assert_allclose(together, other_way.log_probabilities(items), rtol=1e-14)
    joined = NGram.fit(np.concatenate(items), 5, 5)
    assert not np.allclose(together, joined.log_probabilities(items))


def test_what_opens_an_item_is_predicted_by_how_often_it_does():
    items = [np.array([0, 2, 1])] * 90 + [np.array([0, 3, 1])] * 10
    model = NGram.fit(items, 5, 4)
    p = np.exp([model.log_probabilities(np.array([0, token]))[0] for token in (2, 3)])
    np.testing.assert_allclose(p, [0.9, 0.1], atol=0.03)


def test_scores_all_but_the_first_token_of_each_sequence():
    model = NGram.fit(np.array([0, 1, 2, 0, 1, 2]), 2, 3)
    items = [np.array([0, 1, 2]), np.array([1]), np.array([], np.int64), np.array([2, 0])]
    nats, count = model.cross_entropy(items)
    assert count == 3
    assert nats == pytest.approx(-model.log_probabilities(items).sum(), rel=1e-15)
    assert model.cross_entropy(np.array([1])) == (0.0, 0)


def test_nothing_learned_is_uniform():
    for empty in ([], np.array([], np.uint8), [np.array([3])]):
        scored = NGram.fit(empty, 5, 7).log_probabilities(np.array([0, 3, 6, 6]))
        np.testing.assert_allclose(scored, -np.log(7), rtol=1e-15)


def test_large_vocabulary_and_long_context_do_not_overflow():
    V = 50_000
    phrase = np.array([V - 1, V - 2, V - 3, V - 4, V - 5, V - 6], np.uint16)
    noise = np.random.default_rng(0).integers(0, V, 20_000).astype(np.uint16)
    model = NGram.fit(np.concatenate([noise, np.tile(phrase, 200)]), 5, V)
    nats, count = model.cross_entropy(np.tile(phrase, 50))
    assert nats / count < 0.2
    assert count == 299


def test_baselines_name_the_orders():
    ids, _ = markov(np.random.default_rng(1), 5, 2_000)
    scores = baselines(ids[:1_800], [ids[1_800:1_900], ids[1_900:]], 5)
    assert list(scores) == ["unigram", "bigram", "5-gram"]
    for order, nats in zip((1, 2, 5), scores.values(), strict=True):
        total, count = NGram.fit(ids[:1_800], order, 5).cross_entropy([ids[1_800:1_900], ids[1_900:]])
        assert count == 198
        assert nats == total / count


def test_refuses_what_it_cannot_use():
    ids = np.array([0, 1, 2])
    with pytest.raises(ValueError, match="order must be at least 1, not 0"):
        NGram.fit(ids, 0, 3)
    with pytest.raises(ValueError, match=r"ids must be in 0 … 1, these are 0 … 2"):
        NGram.fit(ids, 2, 2)
    with pytest.raises(ValueError, match=r"these are -1 … 0"):
        NGram.fit(ids, 2, 3).log_probabilities(np.array([-1, 0]))
    with pytest.raises(DataError, match="no token to predict"):
        baselines(ids, np.array([1]), 3)
