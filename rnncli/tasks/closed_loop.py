"""Measuring models that read their own outputs, with a loop that is closed and one that is not.

T time steps, B sequences, V tokens.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnncli.decoding import followed
from rnncli.metrics import ClosedLoopReport, FedSums
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import State
from rnncli.tasks.feeding import own_inputs


def closed_loop(model: Any, batches: Iterable[Any], forbidden: Sequence[int] = ()) -> ClosedLoopReport:
    """Return what a model is worth on batches as they are, and where it reads what it found most probable itself.

    In either case a sequence that goes on from the batch before begins with the state that the true tokens have led to.
    What is `forbidden` is never read: of a text that the model would end there it is asked to go on.
    """
    sums = _Sums()
    state: State | None = None
    with np.errstate(all="ignore"):  # an overflow shows as a loss that is not finite
        for batch in batches:
            before = state if batch.carry else None
            first_alone = np.zeros(batch.inputs.shape, bool)
            first_alone[:1] = True
            own = replace(batch, inputs=own_inputs(model, batch, before, first_alone, None, forbidden))
            sums.add(model, batch, own, before)
            _, state, _ = model.loss(batch, before, None, gradient=False)
    return sums.report()


class _Sums:
    """Tokens, losses and right answers at each position; of the longest batch so far."""

    def __init__(self) -> None:
        self.sums = np.zeros((5, 0))

    def add(self, model: Any, forced: Any, free: Any, state: State | None) -> None:
        targets, mask = forced.targets, forced.mask
        real = np.ones(targets.shape, bool) if mask is None else mask
        own = np.stack((real.sum(axis=1), *_measured(model, forced, real, state), *_measured(model, free, real, state)))
        missing = own.shape[1] - self.sums.shape[1]
        self.sums = np.pad(self.sums, ((0, 0), (0, max(0, missing))))
        self.sums[:, : own.shape[1]] += own

    def report(self) -> ClosedLoopReport:
        tokens, forced_losses, forced_right, free_losses, free_right = self.sums
        right = forced_right.astype(np.int64), free_right.astype(np.int64)
        forced, free = FedSums(forced_losses, right[0]), FedSums(free_losses, right[1])
        return ClosedLoopReport(tokens.astype(np.int64), forced, free)


def _measured(model: Any, batch: Any, real: Array, state: State | None) -> tuple[Array, Array]:
    """Return the sums of the losses in nats, and of right answers, at each position (T,), of `real` targets (T, B)."""
    step, columns = model.decoding_step(), np.arange(real.shape[1])
    losses, right = np.zeros((2, len(real)))
    logits, begun = step.begin(batch, state)
    behind = followed(step, logits, begun, batch.inputs)
    for t, (logits, targets, counts) in enumerate(zip(behind, batch.targets, real, strict=True)):
        below = logits.astype(np.float64)
        below -= below.max(axis=0)
        own = np.log(np.exp(below).sum(axis=0)) - below[targets, columns]
        losses[t] = own[counts].sum()
        right[t] = (logits.argmax(axis=0) == targets)[counts].sum()
    return losses, right
