"""Beam search over any model of the next token: the sequences of highest log-probability, deterministically.

Logits are feature-major. Letters: V vocabulary size, K live hypotheses, one a column.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from rnncli.decoding.sampling import State, Step, log_softmax
from rnncli.errors import RnncliError
from rnncli.nn.parameter import Array

Select: TypeAlias = Callable[[State, Array], State]
"""A state and columns (K,) to the state made of copies of these columns."""


class Hypothesis(NamedTuple):
    """One sequence found."""

    ids: Array  # (n,), with `end_id` at the end where it ended
    log_probability: float  # nats, summed over `ids`
    score: float  # what hypotheses are ranked by


def beam_search(
    step: Step[State],
    select: Select[State],
    logits: Array,
    state: State,
    *,
    beam_size: int,
    length: int,
    end_id: int | None = None,
    forbidden: Sequence[int] = (),
    length_penalty: float = 0.0,
    results: int = 1,
) -> list[Hypothesis]:
    """Return the best `results` sequences of up to `length` tokens after `logits` (V, 1) and `state`, best first.

    Each time step keeps the `beam_size` most probable continuations of the live hypotheses; of equals the lower id.
    Those that end with `end_id` are set aside and take no place in the next step; at `length` the rest join them. The
    score is the log-probability over ((5 + n) / 6) ** length_penalty for n tokens (Wu et al. 2016), so that 0 favours
    short sequences. The search stops once no live hypothesis can still come in among the results. A beam of 1 is
    greedy decoding, one of V ** length is exact.
    Raises ValueError for a value out of range, RnncliError where no sequence has a probability.
    """
    if min(beam_size, length, results) < 1:
        raise ValueError(f"beam_size {beam_size}, length {length} and results {results} must all be at least 1")
    if not 0 <= length_penalty <= 10:
        raise ValueError(f"length_penalty must be in [0, 10], not {length_penalty}")
    ids, live = np.zeros((0, 1), np.int64), np.zeros(1)  # (n, K), and log-probabilities (K,)
    ended: list[Hypothesis] = []
    for n in range(1, length + 1):
        total = log_softmax(logits) + live
        total[list(forbidden)] = -np.inf
        tokens, parents, live = _best(total, beam_size)
        ids = np.vstack([ids[:, parents], tokens])
        going = (tokens != (-1 if end_id is None else end_id)) & (n < length)
        scores = live / ((5 + n) / 6) ** length_penalty
        ended += [Hypothesis(ids[:, k], float(live[k]), float(scores[k])) for k in np.flatnonzero(~going)]
        ended = sorted(ended, key=lambda hypothesis: -hypothesis.score)[:results]
        ids, parents, live = ids[:, going], parents[going], live[going]
        within_reach = live.max(initial=-np.inf) / ((5 + length) / 6) ** length_penalty  # were all that follows certain
        if not live.size or (len(ended) == results and ended[-1].score >= within_reach):
            break
        logits, state = step(ids[-1], select(state, parents))
    if not ended:
        raise RnncliError("no sequence has a probability", hint="every token is forbidden somewhere")
    return ended


def _best(total: Array, count: int) -> tuple[Array, Array, Array]:
    """Rows, columns and values of the `count` largest finite entries of (V, K), largest first, ties by column."""
    flat = total.ravel(order="F")
    least = np.partition(flat, -count)[-count] if count < flat.size else -np.inf
    kept = np.flatnonzero((flat >= least) & (flat > -np.inf))
    kept = kept[np.argsort(-flat[kept], kind="stable")][:count]
    columns, rows = np.divmod(kept, total.shape[0])
    return rows, columns, flat[kept]
