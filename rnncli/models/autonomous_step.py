"""A language model that reads nothing any more: a dynamical system on its own, s_t = f(s_{t-1}).

B columns, V tokens, S states of a layer, H hidden units.
"""

import numpy as np

from rnncli.models.condition import fresh_state
from rnncli.models.language_model import LanguageModel
from rnncli.nn.layer_step import LayerStep
from rnncli.nn.layers import Recurrent
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import State


class AutonomousStep:
    """The logits of the state that follows from the one before it alone (Goodfellow et al. 2016, 10.1).

    In place of a token's vector the first layer reads zeros, so that its recurrence and its biases run alone; the
    layers above read the one below, as ever. `initial` is the state s_0 (S, H, 1) that each layer begins with.
    """

    def __init__(self, model: LanguageModel) -> None:
        self.output = model.output
        self.initial = [fresh_state(layer, 1) for layer in model.stack.layers]
        self.layers = [LayerStep(layer) for layer in model.stack.layers if isinstance(layer, Recurrent)]
        # inputs of no size add what zeros add, and a large vocabulary's weights are not multiplied for it
        self.layers[0].weight_ih = self.layers[0].weight_ih[:, :0]

    def start(self, state: State) -> State:
        """Return the state to step on from, given that of each layer (S, H, B)."""
        return list(state)

    def __call__(self, ids: Array, state: State) -> tuple[Array, State]:  # noqa: ARG002 - nothing is fed back
        """Return what `after` does, whatever the ids (B,) are: the step routine of generation."""
        return self.after(state)

    def after(self, state: State) -> tuple[Array, State]:
        """Return the logits (V, B) of the state that follows one of each layer (S, H, B), and that state."""
        following: State = []
        below = np.empty((0, state[0].shape[-1]), state[0].dtype)
        with np.errstate(all="ignore"):  # a state may grow without end; whoever draws sees what is not finite
            for layer, before in zip(self.layers, state, strict=True):
                following.append(layer(below, before))
                below = following[-1][0]
            return self.output.forward(below)[0], following
