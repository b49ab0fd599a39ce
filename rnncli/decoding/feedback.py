"""Feeding a model its own outputs: what it says takes the place of what it would read.

T time steps, B sequences, V tokens, or labels.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np

from rnncli.decoding.sampling import State, Step, pick
from rnncli.nn.parameter import Array

Choose: TypeAlias = Callable[[Array], Array]
"""Logits (V, B) to what is said: ids (B,), or a yes or no to each of several labels (V, B)."""


def fed_back(step: Step[State], logits: Array, state: State, inputs: Array, forced: Array, choose: Choose) -> Array:
    """Return the inputs with what the model says of its own accord wherever they are not `forced` (T, B).

    Inputs are ids (T, B), or the yes or no to each label (V, T, B). `logits` (V, B) and `state` are what the model
    returned for the first of them, which stay as they are. Scheduled sampling, of Bengio et al. 2015.
    """
    fed = inputs.copy()
    free = np.flatnonzero(~forced[1:].all(axis=1)) + 1
    last = int(free[-1]) if len(free) else 0
    for t in range(1, last + 1):
        if not forced[t].all():
            fed[..., t, :] = np.where(forced[t], inputs[..., t, :], choose(logits))
        if t < last:
            logits, state = step(fed[..., t, :], state)
    return fed


def drawn(rng: np.random.Generator, forbidden: Sequence[int] = ()) -> Choose:
    """Return what draws an id of each column with its probability; `forbidden` ones never come up.

    Where none has a probability, the numbers of the model not being finite, some id stands.
    """
    barred = np.array(forbidden, np.intp)

    def choose(logits: Array) -> Array:
        weights = np.exp(logits - logits.max(axis=0))
        weights[barred] = 0
        return pick(weights, rng.random(logits.shape[1:]))

    return choose


def most_probable(forbidden: Sequence[int] = ()) -> Choose:
    """Return what takes the most probable id of each column, but for the `forbidden` ones."""
    barred = np.array(forbidden, np.intp)

    def choose(logits: Array) -> Array:
        allowed = logits.copy()
        allowed[barred] = -np.inf
        best: Array = allowed.argmax(axis=0)
        return best

    return choose


def each_drawn(rng: np.random.Generator) -> Choose:
    """Return what draws the yes or no to each label with its probability σ(logit)."""
    return lambda logits: rng.random(logits.shape) * (1 + np.exp(-logits)) < 1


def each_probable(logits: Array) -> Array:
    """Say yes to the labels that are at least as probable as not."""
    yes: Array = logits >= 0
    return yes


def followed(step: Step[State], logits: Array, state: State, inputs: Array) -> Iterator[Array]:
    """Yield the logits (V, B) behind each of the inputs (T, B), or (V, T, B); the next may overwrite them.

    `logits` and `state` are what the model returned for the first inputs.
    """
    yield logits
    for t in range(1, inputs.shape[-2]):
        logits, state = step(inputs[..., t, :], state)
        yield logits
