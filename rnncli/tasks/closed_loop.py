"""Measuring models that read their own outputs, with a loop that is closed and one that is not.

T time steps, B sequences, V tokens, or K labels.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from rnncli.decoding import followed
from rnncli.metrics import ClosedLoopReport, FedSums
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import State
from rnncli.tasks.feeding import Loop, own_inputs


def closed_loop(model: Any, batches: Iterable[Any], loop: Loop) -> ClosedLoopReport:
    """Return what a model is worth on batches as they are, and where it reads what it found best itself.

    In either case a sequence that goes on from the batch before begins with the state that the true tokens have led to.
    Of a text that the model would end before its time it is asked to go on. Of several labels a step, the loss is their
    mean, and only all of them together are a right answer.
    """
    sums = _Sums()
    state: State | None = None
    with np.errstate(all="ignore"):  # an overflow shows as a loss that is not finite
        for batch in batches:
            before, true = state if batch.carry else None, loop.true(batch)
            first_alone = np.zeros(true.shape[-2:], bool)
            first_alone[:1] = True
            own = own_inputs(model, batch, before, first_alone, loop, loop.best)
            forced, free = (_measured(model, batch, inputs, before) for inputs in (true, own))
            sums.add(forced, free, _real(batch))
            _, state, _ = model.loss(replace(batch, **{loop.field: true}), before, None, gradient=False)
    return sums.report()


class _Sums:
    """Steps, losses and right answers at each position; of the longest batch so far."""

    def __init__(self) -> None:
        self.sums = np.zeros((5, 0))

    def add(self, forced: Array, free: Array, real: Array) -> None:
        """Add losses and right answers (2, T, B) of both ways, where targets (T, B) are real."""
        own = np.concatenate([np.where(real, each, 0).sum(axis=2) for each in (real[None], forced, free)])
        missing = own.shape[1] - self.sums.shape[1]
        self.sums = np.pad(self.sums, ((0, 0), (0, max(0, missing))))
        self.sums[:, : own.shape[1]] += own

    def report(self) -> ClosedLoopReport:
        tokens, forced_losses, forced_right, free_losses, free_right = self.sums
        forced, free = FedSums(forced_losses, forced_right), FedSums(free_losses, free_right)
        return ClosedLoopReport(tokens.astype(np.int64), forced, free)


def _real(batch: Any) -> Array:
    """Return which targets (T, B) there are: neither padding nor, of one label a step, one that is missing."""
    targets: Array = batch.targets
    there = np.ones(targets.shape[-2:], bool) if batch.mask is None else batch.mask
    return there if targets.ndim > 2 else there & (targets >= 0)


def _measured(model: Any, batch: Any, inputs: Array, state: State | None) -> Array:
    """Return the losses in nats of the steps (T, B), fed with these inputs, and below whether they are right."""
    step, found = model.decoding_step(), []
    logits, begun = step.begin(batch, state)
    for t, each in enumerate(followed(step, logits, begun, inputs)):
        targets = batch.targets[..., t, :]
        found.append(_of_labels(each, targets) if targets.ndim > 1 else _of_ids(each, targets))
    return np.stack(found, axis=1)


def _of_ids(logits: Array, targets: Array) -> Array:
    """-log softmax(o)_y of logits o (V, B) and ids y (B,), and below whether y is the most probable: (2, B)."""
    below = logits.astype(np.float64)
    below -= below.max(axis=0)
    losses = np.log(np.exp(below).sum(axis=0)) - below[targets, np.arange(len(targets))]
    return np.stack((losses, logits.argmax(axis=0) == targets))


def _of_labels(logits: Array, targets: Array) -> Array:
    """The mean of log(1 + exp(∓o)) over labels, o (K, B), y (K, B), and whether all are on the right side: (2, B)."""
    losses = np.logaddexp(0, np.where(targets > 0, -logits, logits).astype(np.float64)).mean(axis=0)
    return np.stack((losses, ((logits >= 0) == (targets > 0)).all(axis=0)))
