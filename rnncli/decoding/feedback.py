"""Feeding a model its own outputs: what it says takes the place of the tokens that it would read.

T time steps, B sequences, V tokens.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from rnncli.decoding.sampling import State, Step, pick
from rnncli.nn.parameter import Array


def fed_back(
    step: Step[State],
    logits: Array,
    state: State,
    inputs: Array,
    forced: Array,
    rng: np.random.Generator | None,
    forbidden: Sequence[int] = (),
) -> Array:
    """Return the inputs (T, B) with what the model says of its own accord wherever they are not `forced` (T, B).

    `logits` (V, B) and `state` are what the model returned for the first inputs, which stay as they are. A token is
    drawn with its probability, without `rng` it is the most probable; `forbidden` ids never come up. Where no token has
    a probability, the numbers of the model not being finite, some id stands. Scheduled sampling, of Bengio et al. 2015.
    """
    fed = inputs.copy()
    free = np.flatnonzero(~forced[1:].all(axis=1)) + 1
    last = int(free[-1]) if len(free) else 0
    barred = np.array(forbidden, np.intp)
    for t in range(1, last + 1):
        if not forced[t].all():
            fed[t] = np.where(forced[t], inputs[t], _chosen(logits, rng, barred))
        if t < last:
            logits, state = step(fed[t], state)
    return fed


def followed(step: Step[State], logits: Array, state: State, inputs: Array) -> Iterator[Array]:
    """Yield the logits (V, B) behind each of the inputs (T, B); the next may overwrite them.

    `logits` and `state` are what the model returned for the first inputs.
    """
    yield logits
    for ids in inputs[1:]:
        logits, state = step(ids, state)
        yield logits


def _chosen(logits: Array, rng: np.random.Generator | None, barred: Array) -> Array:
    """Return an id of each column (B,)."""
    if rng is None:
        allowed = logits.copy()
        allowed[barred] = -np.inf
        best: Array = allowed.argmax(axis=0)
        return best
    weights = np.exp(logits - logits.max(axis=0))
    weights[barred] = 0
    return pick(weights, rng.random(logits.shape[1:]))
