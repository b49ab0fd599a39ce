"""Beam search over any model of the next token: the sequences of highest log-probability, deterministically.

Many sentences are searched at once, and each one's result is the same alone and among others.

Logits are feature-major. Letters: V vocabulary size, N sentences, K live hypotheses of one, M those of all sentences,
which are the columns and stand sentence by sentence, each one's best first; n tokens so far.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from rnncli.decoding.sampling import State, Step, no_probability
from rnncli.errors import RnncliError
from rnncli.nn.parameter import Array

Select: TypeAlias = Callable[[State, Array], State]
"""A state and columns (M,) to the state made of copies of these columns."""

BLOCK = 64
"""Tokens of which only the most probable is looked at first."""


class Hypothesis(NamedTuple):
    """One sequence found."""

    ids: Array  # (n,), with `end_id` at the end where it ended
    log_probabilities: Array  # (n,) of each token, in nats
    log_probability: float  # their sum
    score: float  # what hypotheses are ranked by


def beam_search(
    step: Step[State],
    select: Select[State],
    logits: Array,
    state: State,
    *,
    beam_size: int,
    length: int | Sequence[int] | Array,
    end_id: int | None = None,
    forbidden: Sequence[int] = (),
    length_penalty: float = 0.0,
    results: int = 1,
) -> list[list[Hypothesis]]:
    """Return for each of N sentences the best `results` sequences of tokens, best first.

    `logits` (V, N) and `state` are what the model returned for what comes before, a column a sentence; `length`, one
    for all or (N,), is the most tokens.

    Each time step keeps the `beam_size` most probable continuations of a sentence's live hypotheses; of equals those
    of the better hypothesis, then the lower id. Those that end with `end_id` are set aside and take no place in the
    next step; at `length` the rest join them. The score is the log-probability over ((5 + n) / 6) ** length_penalty
    for n tokens (Wu et al. 2016), so that 0 favours short sequences. A sentence leaves the columns once no live
    hypothesis can still come in among its results. A beam of 1 is greedy decoding, one of V ** length is exact.
    Raises ValueError for a value out of range, RnncliError where no sequence has a probability.
    """
    V, N = logits.shape
    limits = np.broadcast_to(np.asarray(length), N)
    shortest = limits.min() if N else 1
    if min(beam_size, shortest, results) < 1:
        raise ValueError(f"beam_size {beam_size}, length {shortest} and results {results} must all be at least 1")
    if not 0 <= length_penalty <= 10:
        raise ValueError(f"length_penalty must be in [0, 10], not {length_penalty}")
    end = -1 if end_id is None else end_id
    longest = ((5 + limits) / 6) ** length_penalty
    continuations = _Continuations(V, forbidden, beam_size)
    found: list[list[Hypothesis]] = [[] for _ in range(N)]
    to_beat = np.full(N, -np.inf)  # the score of a sentence's last result, once there are all
    sentences, live = np.arange(N), np.zeros(N)  # (M,), and log-probabilities (M,)
    ids, own = np.zeros((0, N), np.intp), np.zeros((0, N))  # (n, M), and each one's log-probability
    n = 0
    while len(live):
        n += 1
        tokens, parents, added = continuations(logits, sentences, live)
        of, totals = sentences[parents], live[parents] + added
        scores = totals / ((5 + n) / 6) ** length_penalty
        over = (tokens == end) | (n == limits[of])
        for k in np.flatnonzero(over & (scores > to_beat[of])):
            so_far, chosen = (np.append(a[:, parents[k]], b[k]) for a, b in ((ids, tokens), (own, added)))
            best = found[of[k]]
            best.append(Hypothesis(so_far, chosen, float(totals[k]), float(scores[k])))
            best.sort(key=lambda hypothesis: -hypothesis.score)
            del best[results:]
            if len(best) == results:
                to_beat[of[k]] = best[-1].score
        going = np.flatnonzero(~over)
        leads = going[_first(of[going])]
        within_reach = np.full(N, -np.inf)  # were all that follows certain
        within_reach[of[leads]] = totals[leads] / longest[of[leads]]
        going = going[(within_reach > to_beat)[of[going]]]
        sentences, live, parents = of[going], totals[going], parents[going]
        ids = np.vstack([ids[:, parents], tokens[going]])
        own = np.vstack([own[:, parents], added[going]])
        if not len(going):
            break
        # what `step` returned may be handed on as it is, unlike what the caller did
        if n == 1 or not np.array_equal(parents, np.arange(logits.shape[1])):
            state = select(state, parents)
        logits, state = step(ids[-1], state)
    if not all(found):
        raise RnncliError("no sequence has a probability", hint="every token is forbidden somewhere")
    return found


class _Continuations:
    """The best continuations of each sentence's live hypotheses.

    The logits of a column, less their largest x̂ and log Σ exp(x − x̂), are log-probabilities. The `count` best tokens
    are all in the `count` blocks of tokens whose best is highest, so that few are ever looked at one by one.
    """

    def __init__(self, V: int, forbidden: Sequence[int], count: int) -> None:
        self.V, self.count, self.forbidden = V, count, list(forbidden)
        self.blocks = -(-V // BLOCK)
        self.barred = np.zeros(self.blocks * BLOCK)
        self.barred[V:] = self.barred[self.forbidden] = -np.inf
        self.memory = np.empty(0)

    def __call__(self, logits: Array, sentences: Array, live: Array) -> tuple[Array, Array, Array]:
        """Return tokens, the columns that they continue, and their own log-probabilities: each (M',).

        `logits` (V, M) are of columns that belong to `sentences` (M,) and have log-probabilities `live` (M,).
        """
        M = len(live)
        largest, best, log_sums = self._summary(logits)
        first = _first(sentences)
        starts = np.flatnonzero(first)
        rows = first.cumsum() - 1
        places = np.arange(M) - starts[rows]
        tops = np.full((len(starts), places.max() + 1, self.blocks), -np.inf)
        tops[rows, places] = (((largest - best) - log_sums) + live).T
        tops = tops.reshape(len(starts), -1)

        chosen = _largest(tops, self.count)
        places, blocks = np.divmod(chosen, self.blocks)
        columns = np.minimum(starts[:, None] + places, M - 1)[..., None]
        ids = blocks[..., None] * BLOCK + np.arange(BLOCK)
        own = logits[np.minimum(ids, self.V - 1), columns].astype(np.float64)
        own -= best[columns]
        own -= log_sums[columns]
        totals = own + live[columns]
        totals += self.barred[ids]
        totals[np.take_along_axis(tops, chosen, axis=1) == -np.inf] = -np.inf  # columns that a sentence does not have
        totals = totals.reshape(len(starts), -1)

        chosen = _largest(totals, self.count)
        order = np.argsort(-np.take_along_axis(totals, chosen, axis=1), axis=1, kind="stable")
        chosen = np.take_along_axis(chosen, order, axis=1)
        chosen = (chosen + np.arange(0, totals.size, totals.shape[1])[:, None]).ravel()
        chosen = chosen[totals.ravel()[chosen] > -np.inf]
        return ids.ravel()[chosen], columns.ravel()[chosen // BLOCK], own.ravel()[chosen]

    def _summary(self, logits: Array) -> tuple[Array, Array, Array]:
        """Return the largest logit that is not forbidden of each block, x̂ and log Σ exp(x − x̂): (b, M), (M,), (M,)."""
        V, M = logits.shape
        rows, dtype = self.blocks * BLOCK, np.result_type(logits, np.float32)
        if self.memory.size < rows * M or self.memory.dtype != dtype:
            self.memory = np.empty(rows * M, dtype)
        weights = self.memory[: rows * M].reshape(rows, M)
        weights[:V], weights[V:] = logits, -np.inf
        weights[self.forbidden] = -np.inf
        blocks = weights.reshape(self.blocks, BLOCK, M)
        largest = _fold(np.maximum, blocks).astype(np.float64)
        best = np.maximum(largest.max(axis=0), logits[self.forbidden].max(axis=0, initial=-np.inf))
        if not np.isfinite(best).all():
            raise no_probability()
        np.subtract(logits, best.astype(dtype), out=weights[:V])  # the rows behind are still -inf
        np.exp(weights, out=weights)
        sums = _fold(np.add, blocks).cumsum(axis=0, dtype=np.float64)[-1]
        return largest, best, np.log(sums)


def _fold(function: np.ufunc, blocks: Array) -> Array:
    """Reduce blocks (b, BLOCK, M) to (b, M) in place, in an order that does not depend on M, unlike NumPy's own."""
    size = BLOCK
    while size > 1:
        size //= 2
        function(blocks[:, :size], blocks[:, size : 2 * size], out=blocks[:, :size])
    return blocks[:, 0]


def _first(sentences: Array) -> Array:
    """Return where another sentence begins (M,)."""
    begins = np.ones(len(sentences), bool)
    np.not_equal(sentences[1:], sentences[:-1], out=begins[1:])
    return begins


def _largest(values: Array, count: int) -> Array:
    """Return the places, in ascending order, of the `count` largest of each row (N, n), the first of equals."""
    N, n = values.shape
    if count >= n:
        return np.tile(np.arange(n), (N, 1))
    least = np.partition(values, n - count, axis=1)[:, n - count, None]
    above, equal = values > least, values == least
    kept = above | (equal & (equal.cumsum(axis=1) <= count - above.sum(axis=1, keepdims=True)))
    return np.nonzero(kept)[1].reshape(N, count)
