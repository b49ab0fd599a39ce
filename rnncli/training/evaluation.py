"""The loss of a model over batches it does not learn from."""

import numpy as np

from rnncli.nn.protocols import Loss, Model, State
from rnncli.training.trainer import Batches


def evaluate(model: Model, batches: Batches) -> Loss:
    """Return the loss summed over every target; no dropout, and a state of its own."""
    total, state = Loss(0.0, 0), None
    with np.errstate(all="ignore"):  # an overflow shows as a loss that is not finite
        for batch in batches.epoch(np.random.default_rng(0)):
            before: State | None = state if batch.carry else None
            loss, state, _ = model.loss(batch, before, None, gradient=False)
            total = total.plus(loss)
    return total
