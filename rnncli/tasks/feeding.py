"""Models that read what they said themselves, in training and where they are measured.

T time steps, B sequences, V tokens, or K labels.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnncli.data import Vocabulary
from rnncli.decoding import fed_back
from rnncli.decoding.feedback import Choose, drawn, each_drawn, each_probable, most_probable
from rnncli.models.fed_labels import previous
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import State
from rnncli.training.teacher_forcing import TeacherForcing
from rnncli.training.trainer import Feed


@dataclass(frozen=True)
class Loop:
    """How the outputs of a kind of models become their inputs."""

    field: str
    """Of a batch, the array in which they stand."""
    true: Callable[[Any], Array]
    """What a batch has there, or would have: ids (T, B), or the yes or no to each label (K, T, B)."""
    draw: Callable[[np.random.Generator], Choose]
    best: Choose


def text_loop(vocabulary: Vocabulary) -> Loop:
    """Return that of tokens: what is never read behind the first input, begin and end symbols, is never fed back."""
    forbidden = unread(vocabulary)
    return Loop("inputs", lambda batch: batch.inputs, lambda rng: drawn(rng, forbidden), most_probable(forbidden))


def label_loop(*, several: bool) -> Loop:
    """Return that of labels, of which a step may have `several`."""
    draw, best = (each_drawn, each_probable) if several else (drawn, most_probable())
    return Loop("fed", lambda batch: previous(batch.targets), draw, best)


def feed_of(model: Any, forcing: TeacherForcing, loop: Loop) -> Feed | None:
    """Return what puts the model's own outputs into batches as a schedule has it; None where every input is true.

    They are drawn by the weights of the moment, without dropout, and no gradient goes through them (Bengio et al.
    2015).
    """
    if forcing.always:
        return None

    def feed(batch: Any, state: State | None, step: int, total_steps: int, rng: np.random.Generator) -> Any:
        T, B = loop.true(batch).shape[-2:]
        forced = forcing.forced((T, B), forcing.probability(step, total_steps), rng)
        return replace(batch, **{loop.field: own_inputs(model, batch, state, forced, loop, loop.draw(rng))})

    return feed


def own_inputs(model: Any, batch: Any, state: State | None, forced: Array, loop: Loop, choose: Choose) -> Array:
    """Return what is read with the model's own outputs where it is neither `forced` (T, B) nor padding.

    The model, with a `decoding_step()`, goes on from `state`, None for its own. What `fed_back` says holds here, too.
    """
    if batch.mask is not None:
        forced = forced | ~batch.mask
    free = np.flatnonzero(~forced[1:].all(axis=0))
    inputs = loop.true(batch).copy()
    if len(free):
        step = model.decoding_step()
        logits, begun = step.begin(batch, state)
        if len(free) < inputs.shape[-1]:
            logits, begun = logits[:, free], step.select(begun, free)
        inputs[..., free] = fed_back(step, logits, begun, inputs[..., free], forced[:, free], choose)
    return inputs


def unread(vocabulary: Vocabulary) -> list[int]:
    """Return the ids that a model never reads behind the first input: those of begin and end symbols."""
    return [token for token in (vocabulary.begin_id, vocabulary.end_id) if token is not None]
