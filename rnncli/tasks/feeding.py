"""Models that read what they said themselves, in training and where they are measured.

T time steps, B sequences.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnncli.data import Vocabulary
from rnncli.decoding import fed_back
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import State
from rnncli.training.teacher_forcing import TeacherForcing
from rnncli.training.trainer import Feed


def feed_of(model: Any, forcing: TeacherForcing, forbidden: Sequence[int] = ()) -> Feed | None:
    """Return what puts the model's own tokens into batches as a schedule has it; None where every input is true.

    Tokens are drawn by the weights of the moment, without dropout, and no gradient goes through them (Bengio et al.
    2015). Those that are `forbidden` never stand in an input.
    """
    if forcing.always:
        return None

    def feed(batch: Any, state: State | None, step: int, total_steps: int, rng: np.random.Generator) -> Any:
        forced = forcing.forced(batch.inputs.shape, forcing.probability(step, total_steps), rng)
        return replace(batch, inputs=own_inputs(model, batch, state, forced, rng, forbidden))

    return feed


def own_inputs(
    model: Any,
    batch: Any,
    state: State | None,
    forced: Array,
    rng: np.random.Generator | None,
    forbidden: Sequence[int] = (),
) -> Array:
    """Return the inputs of a batch (T, B) with the model's own tokens where they are neither `forced` nor padding.

    The model, with a `decoding_step()`, goes on from `state`, None for its own. What `fed_back` says holds here, too.
    """
    if batch.mask is not None:
        forced = forced | ~batch.mask
    free = np.flatnonzero(~forced[1:].all(axis=0))
    inputs: Array = batch.inputs.copy()
    if len(free):
        step = model.decoding_step()
        logits, begun = step.begin(batch, state)
        if len(free) < inputs.shape[1]:
            logits, begun = logits[:, free], step.select(begun, free)
        inputs[:, free] = fed_back(step, logits, begun, inputs[:, free], forced[:, free], rng, forbidden)
    return inputs


def unread(vocabulary: Vocabulary) -> list[int]:
    """Return the ids that a model never reads behind the first input: those of begin and end symbols."""
    return [token for token in (vocabulary.begin_id, vocabulary.end_id) if token is not None]
