"""The tagger one label at a time, where its outputs are recurrent: the step routine of decoding.

T time steps, B columns, K labels, E features of an input, S states of a layer, H hidden units.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rnncli.models.condition import fresh_state
from rnncli.models.fed_labels import NONE, joined
from rnncli.nn.layer_step import step_of
from rnncli.nn.layers import Linear, Stack
from rnncli.nn.losses import activated
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import State


class TaggingState(NamedTuple):
    """Where each column stands."""

    x: Array  # (E, T, B), what is read at all steps
    step: int  # that comes next
    layers: State  # (S, H, B) each


class SequenceTaggerStep:
    """The scores of the labels of one more step, as `SequenceTagger.loss` has them, by the weights of this moment."""

    def __init__(self, read: Callable[[Any], Array], stack: Stack, output: Linear, *, several: bool) -> None:
        """`read` makes vectors (E, T, B) of a batch; `several`: a step may have several labels."""
        self.read, self.stack, self.output, self.several = read, stack, output, several
        self.layers = [step_of(layer) for layer in stack.layers]

    def begin(self, batch: Any, state: State | None = None) -> tuple[Array, TaggingState]:
        """Read the inputs; return the scores (K, B) of the first step, and the state. A state that is given goes on."""
        return self.begin_with(self.read(batch), state)

    def begin_with(self, x: Array, state: State | None = None) -> tuple[Array, TaggingState]:
        """Return the same for vectors x (E, T, B)."""
        B, K = x.shape[2], len(self.output.weight.value)
        layers = state or [fresh_state(layer, B) for layer in self.stack.layers]
        return self(np.full((K, B) if self.several else (B,), NONE), TaggingState(x, 0, layers))

    def own_scores(self, x: Array, threshold: float) -> Array:
        """Return the scores (K, T, B) of vectors x (E, T, B), where each label that is fed is the best there was.

        Where there may be several, they are those that are at least as probable as the threshold.
        """
        scores, (found, state) = [], self.begin_with(x)
        for _ in range(1, x.shape[1]):
            scores.append(found.copy())
            fed = activated(found, "sigmoid") >= threshold if self.several else found.argmax(axis=0)
            found, state = self(fed, state)
        return np.stack([*scores, found], axis=1)

    def select(self, state: TaggingState, columns: Array) -> TaggingState:
        """Return a state made of copies of these columns (B',)."""
        layers = [layer.take(columns, axis=-1) for layer in state.layers]
        return TaggingState(state.x.take(columns, axis=-1), state.step, layers)

    def __call__(self, fed: Array, state: TaggingState) -> tuple[Array, TaggingState]:
        """Return the scores (K, B) that follow the labels of the step before, ids (B,) or 0 or 1 (K, B), and the state.

        IndexError behind the last step.
        """
        x, t, layers = state.x[:, state.step, None], state.step + 1, []
        below = joined(x, fed[..., None, :], len(self.output.weight.value))[:, 0]
        for layer, before in zip(self.layers, state.layers, strict=True):
            layers.append(layer(below, before))
            below = layers[-1][0]
        return self.output.forward(below)[0], TaggingState(state.x, t, layers)
