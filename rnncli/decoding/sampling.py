"""Sampling from any model of the next token, which is a step function, the first logits and the state behind them.

Logits are feature-major. Letters: V vocabulary size, B samples drawn side by side, R recent tokens.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np

from rnncli.errors import RnncliError
from rnncli.nn.parameter import Array

State = TypeVar("State")
Step: TypeAlias = Callable[[Array, State], tuple[Array, State]]
"""Ids (B,) and a state to the logits (V, B) that follow and the new state. The logits may be a buffer used again."""


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn from the logits; the defaults leave the model's own distribution as it is.

    The filters apply in this order, each to what the one before it left:
    - `repetition_penalty` divides the positive logits of recent tokens and multiplies the negative ones, once however
      often a token occurs in the last `repetition_window` (Keskar et al. 2019);
    - `temperature` divides the logits; below 1e-6 it means `greedy`: the most probable token, of several the lowest id;
    - `top_k` keeps the k most probable tokens, and any as probable as the last of them (Fan et al. 2018);
    - `top_p` keeps the fewest tokens that together have this share, and ties likewise (Holtzman et al. 2020);
    - `min_p` keeps the tokens at least this many times as probable as the most probable (Nguyen et al. 2024).
    Raises ValueError for a value out of range.
    """

    temperature: float = 1.0
    greedy: bool = False
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition_penalty: float = 1.0
    repetition_window: int = 64

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if not 0 <= self.temperature < np.inf:
            raise ValueError(f"temperature must be 0 (greedy) or a number above, not {self.temperature}")
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(f"top_k must be at least 1, not {self.top_k}")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must be in (0, 1], not {self.top_p}")
        if self.min_p is not None and not 0 <= self.min_p <= 1:
            raise ValueError(f"min_p must be in [0, 1], not {self.min_p}")
        if not 0 < self.repetition_penalty < np.inf:
            raise ValueError(f"repetition_penalty must be a number above 0, not {self.repetition_penalty}")
        if self.repetition_window < 1:
            raise ValueError(f"repetition_window must be at least 1, not {self.repetition_window}")


class Chosen(NamedTuple):
    """The tokens of B samples at one time step."""

    ids: Array  # (B,); `end_id` where a sample ended earlier
    log_probability: Array  # (B,) nats under the model itself, before any filter; 0 where a sample ended earlier
    active: Array  # (B,) True up to and including the token that ends a sample


def sample(
    step: Step[State],
    logits: Array,
    state: State,
    *,
    rngs: Sequence[np.random.Generator],
    length: int,
    sampling: Sampling,
    prime: Sequence[int] | Array = (),
    forbidden: Sequence[int] = (),
    end_id: int | None = None,
) -> Iterator[Chosen]:
    """Draw B samples of up to `length` tokens, yielding each time step before the model is asked for the next.

    `logits` (V, B) and `state` are what the model returned for the last token of the prime text; the ids `prime` (P,)
    of that text matter to the repetition penalty alone. A sample ends with `end_id`; `forbidden` ids never come up.
    Column b draws one number a token from `rngs[b]` and nothing else, so it is the same alone and among others.
    Raises RnncliError where no token has a probability, ValueError unless there is one generator for each column.
    """
    if logits.shape[1] != len(rngs):
        raise ValueError(f"{logits.shape[1]} columns of logits need as many generators, not {len(rngs)}")
    window, end = sampling.repetition_window, -1 if end_id is None else end_id
    recent = np.repeat(np.asarray(prime, np.int64)[-window:, None], len(rngs), axis=1)
    columns, active = np.arange(len(rngs)), np.ones(len(rngs), bool)
    for position in range(1, length + 1):
        uniforms = np.array([rng.random() for rng in rngs])
        ids = np.where(active, pick(distribution(logits, sampling, recent, forbidden), uniforms), end)
        yield Chosen(ids, np.where(active, log_softmax(logits)[ids, columns], 0.0), active)
        active = ids != end
        if position == length or not active.any():
            return
        if sampling.repetition_penalty != 1:
            recent = np.vstack([recent, ids])[-window:]
        logits, state = step(ids, state)


def distribution(
    logits: Array, sampling: Sampling, recent: Array | None = None, forbidden: Sequence[int] = ()
) -> Array:
    """Probabilities (V, B), in float64, from which `sampling` draws after `logits` (V, B) and `recent` ids (R, B)."""
    logits = logits.astype(np.float64, order="F")  # a column in one piece: everything below runs along columns
    if recent is not None and sampling.repetition_penalty != 1:
        seen = np.take_along_axis(logits, recent, axis=0)
        seen *= sampling.repetition_penalty ** -np.sign(seen)
        np.put_along_axis(logits, recent, seen, axis=0)
    if len(forbidden):
        logits[list(forbidden)] = -np.inf
    below = _below_best(logits)
    columns = np.arange(logits.shape[1])
    if sampling.greedy or sampling.temperature < 1e-6:
        best = np.zeros_like(logits)
        best[below.argmax(axis=0), columns] = 1
        return best
    weights = np.exp(below / sampling.temperature)  # relative to the most probable, as min_p is
    floor = sampling.min_p or 0.0
    if sampling.top_k or sampling.top_p:
        largest = np.sort(weights, axis=0)[::-1][: sampling.top_k]
        mass = largest.cumsum(axis=0)
        last = (mass < (sampling.top_p or 1) * mass[-1]).sum(axis=0)
        floor = np.maximum(floor, largest[last, columns])
    weights *= weights >= floor
    weights /= weights.sum(axis=0)
    return weights


def pick(probabilities: Array, uniforms: Array) -> Array:
    """Ids (B,) by the inverse of each column's cumulative distribution (V, B) at `uniforms` (B,) in [0, 1)."""
    cumulative = probabilities.cumsum(axis=0)
    ids: Array = (cumulative > uniforms * cumulative[-1]).argmax(axis=0)
    return ids


def log_softmax(logits: Array) -> Array:
    """Log-probabilities (V, B) of the model itself, in float64 nats."""
    below = _below_best(logits.astype(np.float64, order="F"))
    below -= np.log(np.exp(below).sum(axis=0))
    return below


def _below_best(logits: Array) -> Array:
    """Logits (V, B) less the largest of their column, in place."""
    best = logits.max(axis=0)
    if not np.isfinite(best).all():
        raise RnncliError("no token has a probability", hint="all are forbidden, or the model's output is not finite")
    logits -= best
    return logits
