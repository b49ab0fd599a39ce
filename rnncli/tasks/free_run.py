"""Running a language model without input: where it begins, what is refused, and how its state moves."""

from collections.abc import Iterator
from itertools import islice

import numpy as np

from rnncli.errors import UsageError
from rnncli.models.autonomous_step import AutonomousStep
from rnncli.models.language_model import LanguageModel
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import State


def autonomous_step(model: LanguageModel) -> AutonomousStep:
    """Return the step routine of a model that reads nothing; UsageError where no state would go on."""
    if not model.spec.is_recurrent:
        raise UsageError(
            "--free-run goes on from the state alone, and this model has none: what its layers read are tokens",
            hint="leave it out, or train a model with recurrence",
        )
    return AutonomousStep(model)


def first_state(step: AutonomousStep) -> tuple[Array, State]:
    """Return the logits (V, 1) of s_1, the first state after the model's own beginning s_0, and that state.

    UsageError where that is zeros and stays zeros, as it does without biases.
    """
    logits, state = step.after(step.initial)
    if not any(layer.any() for layer in (*step.initial, *state)):
        raise UsageError(
            "--free-run needs a start: the state of this model begins at zeros, and nothing moves it from there",
            hint="add --seed TEXT; the state after reading it is one",
        )
    return logits, state


def movement(step: AutonomousStep, state: State, length: int) -> Iterator[tuple[float, float]]:
    """Yield |s_t| and |s_{t+1} - s_t| of `length` states from this one on, over all numbers of all layers.

    Where the second is 0, the state has come to rest; neither is finite where the state has grown beyond all bounds.
    """

    def states() -> Iterator[Array]:
        one = state
        while True:
            yield np.concatenate([layer.ravel() for layer in one]).astype(np.float64)  # whose squares overflow later
            _, one = step.after(one)

    following = states()
    s = next(following)
    for after in islice(following, length):
        with np.errstate(invalid="ignore"):
            norms = float(np.linalg.norm(s)), float(np.linalg.norm(after - s))
        yield norms
        s = after
