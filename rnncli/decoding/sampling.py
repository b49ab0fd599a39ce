"""Sampling from any model of the next token, which is a step function, the first logits and the state behind them.

Logits are feature-major. Letters: V vocabulary size, B samples drawn side by side, R recent tokens.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np

from rnncli.errors import RnncliError
from rnncli.nn.parameter import Array

State = TypeVar("State")
Step: TypeAlias = Callable[[Array, State], tuple[Array, State]]
"""Ids (B,) and a state to the logits (V, B) that follow and the new state. Both may be overwritten by the next call."""

AHEAD = 256
"""So many random numbers are drawn at once from each generator."""


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

    @property
    def is_greedy(self) -> bool:
        """Whether the most probable token is always taken."""
        return self.greedy or self.temperature < 1e-6

    @property
    def is_unfiltered(self) -> bool:
        """Whether nothing but the temperature changes the distribution."""
        return not (self.is_greedy or self.top_k or self.top_p or self.min_p or self.repetition_penalty != 1)


class Chosen(NamedTuple):
    """The tokens of B samples at one time step."""

    ids: Array  # (B,); `end_id` where a sample ended earlier
    logits: Array  # (V, B) of the model itself, before any filter; may be overwritten once the next are asked for
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
    Column b draws one number a token from `rngs[b]`, some of them ahead, so it is the same alone and among others.
    Raises RnncliError where no token has a probability, ValueError unless there is one generator for each column.
    """
    B = logits.shape[1]
    if len(rngs) != B:
        raise ValueError(f"{B} columns of logits need as many generators, not {len(rngs)}")
    penalty, window = sampling.repetition_penalty, sampling.repetition_window
    recent = np.repeat(np.asarray(prime, np.int64)[-window:, None], B, axis=1)
    choose = _unfiltered(sampling.temperature, forbidden, logits.shape) if sampling.is_unfiltered else None
    active = np.ones(B, bool)
    for position, uniforms in enumerate(_uniforms(rngs, length), 1):
        ids = choose(logits, uniforms) if choose else pick(_weights(logits, sampling, recent, forbidden), uniforms)
        if end_id is not None:
            ids = np.where(active, ids, end_id)
        yield Chosen(ids, logits, active)
        if end_id is not None:
            active = ids != end_id
        if position == length or not (end_id is None or active.any()):
            return
        if penalty != 1:
            recent = np.vstack([recent, ids])[-window:]
        logits, state = step(ids, state)


def _uniforms(rngs: Sequence[np.random.Generator], length: int) -> Iterator[Array]:
    """Yield `length` times a number in [0, 1) of each generator (B,), drawn ahead: a call costs more than a number."""
    for start in range(0, length, AHEAD):
        yield from np.stack([rng.random(min(AHEAD, length - start)) for rng in rngs], axis=1)


def _unfiltered(
    temperature: float, forbidden: Sequence[int], shape: tuple[int, ...]
) -> Callable[[Array, Array], Array]:
    """Return a function of logits (V, B) and uniforms (B,) that draws as `pick` from `_weights` without filters.

    It takes two thirds of their time for many columns, since its arrays stay where they are, and a third for one.
    """
    one = shape[1] == 1
    weights, cumulative, above, threshold = np.empty(shape), np.empty(shape), np.empty(shape, bool), np.empty(shape[1])
    total, barred, divisor = cumulative[-1], np.array(forbidden, np.intp), np.array(temperature)
    if one:
        weights, cumulative = weights[:, 0], cumulative[:, 0]

    def choose(logits: Array, uniforms: Array) -> Array:
        np.copyto(weights, logits[:, 0] if one else logits)
        if len(barred):
            weights[barred] = -np.inf
        best = weights[weights.argmax()] if one else weights.max(axis=0)
        if not (isfinite(best) if one else np.isfinite(best).all()):
            raise no_probability()
        np.subtract(weights, best, weights)
        if temperature != 1:
            np.divide(weights, divisor, weights)
        np.exp(weights, weights)
        np.add.accumulate(weights, 0, None, cumulative)
        np.multiply(uniforms, total, threshold)
        ids: Array
        if one:
            ids = cumulative.searchsorted(threshold, "right")
        else:
            ids = np.greater(cumulative, threshold, above).argmax(axis=0)
        return ids

    return choose


def distribution(
    logits: Array, sampling: Sampling, recent: Array | None = None, forbidden: Sequence[int] = ()
) -> Array:
    """Probabilities (V, B), in float64, from which `sampling` draws after `logits` (V, B) and `recent` ids (R, B)."""
    weights = _weights(logits, sampling, recent, forbidden)
    weights /= weights.sum(axis=0)
    return weights


def _weights(logits: Array, sampling: Sampling, recent: Array | None, forbidden: Sequence[int]) -> Array:
    """The same relative to the most probable token."""
    logits = logits.astype(np.float64)
    if recent is not None and sampling.repetition_penalty != 1:
        seen = np.take_along_axis(logits, recent, axis=0)
        seen *= sampling.repetition_penalty ** -np.sign(seen)
        np.put_along_axis(logits, recent, seen, axis=0)
    if len(forbidden):
        logits[list(forbidden)] = -np.inf
    below = _below_best(logits)
    columns = np.arange(logits.shape[1])
    if sampling.is_greedy:
        best = np.zeros_like(logits)
        best[below.argmax(axis=0), columns] = 1
        return best
    below /= sampling.temperature
    weights: Array = np.exp(below, out=below)
    floor = sampling.min_p or 0.0
    if sampling.top_k or sampling.top_p:
        largest = np.sort(weights, axis=0)[::-1][: sampling.top_k]
        mass = largest.cumsum(axis=0)
        last = (mass < (sampling.top_p or 1) * mass[-1]).sum(axis=0)
        floor = np.maximum(floor, largest[last, columns])
    if np.any(floor):
        weights *= weights >= floor
    return weights


def pick(weights: Array, uniforms: Array) -> Array:
    """Ids (B,) drawn by `weights` (V, B), of any sum: the inverse of their cumulative sums at `uniforms` in [0, 1)."""
    cumulative = weights.cumsum(axis=0)
    ids: Array = (cumulative > uniforms * cumulative[-1]).argmax(axis=0)
    return ids


def log_softmax(logits: Array) -> Array:
    """Log-probabilities (V, B) of the model itself, in float64 nats."""
    below = _below_best(logits.astype(np.float64))
    below -= np.log(np.exp(below).sum(axis=0))
    return below


def _below_best(logits: Array) -> Array:
    """Logits (V, B) less the largest of their column, in place."""
    best = logits.max(axis=0)
    if not np.isfinite(best).all():
        raise no_probability()
    logits -= best
    return logits


def no_probability() -> RnncliError:
    """Return the error of logits whose largest is no number."""
    return RnncliError("no token has a probability", hint="all are forbidden, or the model's output is not finite")
