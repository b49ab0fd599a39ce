"""The training loop, as a generator of events."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Protocol

import numpy as np
from annotated_types import Ge, Gt, Le

from rnncli.errors import DivergedError
from rnncli.nn.parameter import collect, pack
from rnncli.nn.protocols import Loss, Model, State
from rnncli.training.clipping import clip
from rnncli.training.events import Counted, Evaluation, Event, Finished, StepDone, Validated
from rnncli.training.optimizers import Adam, Optimizer
from rnncli.training.randomness import generator
from rnncli.training.schedules import AnySchedule, Constant, Position
from rnncli.training.workers import Share, Workers, share_of, shared_zeros, workers_for

Size = Annotated[int, Gt(0), Le(1 << 40)]
EXPLODED = 1000
"""A loss that is so many times the first one, and so many nats, will not come back, finite or not."""


@dataclass(frozen=True)
class TrainingSpec:
    """How any model is trained: what the `training` sections of all tasks have in common."""

    epochs: Size = 20
    steps: Size | None = None  # stop after so many updates, whatever `epochs` says
    batch_size: Size = 50
    reduction: Literal["mean", "sum"] = "mean"
    optimizer: Optimizer = Adam()
    schedule: AnySchedule = Constant()
    max_norm: Annotated[float, Gt(0)] | None = 5.0
    max_value: Annotated[float, Gt(0)] | None = None
    validate_every: Size | None = None  # steps; None: at the end of each epoch
    patience: Size | None = 5  # validations without a new best before the run stops; None: never
    random_seed: Annotated[int, Ge(0)] = 1
    workers: Annotated[int, Gt(0), Le(1024)] = 1  # processes that share out each batch


class Batches(Protocol):
    """An epoch of batches, the same for the same generator, that can be entered at any batch."""

    def __len__(self) -> int: ...
    def epoch(self, rng: np.random.Generator, start: int = 0) -> Iterator[Any]: ...  # noqa: D102


class Feed(Protocol):
    """Puts what a model says itself in the place of some of the inputs that it is trained on."""

    def __call__(self, batch: Any, state: State | None, step: int, total_steps: int, rng: np.random.Generator) -> Any:
        """Return a batch with other inputs, given the state that it goes on from, and the steps done and in all."""
        ...


@dataclass
class Progress:
    """Where a run stands, beside weights and optimizer slots; together they resume it to the byte."""

    step: int = 0
    epoch: int = 0
    batch: int = 0  # batches of this epoch already used
    validated_step: int = 0
    validations: list[float] = field(default_factory=list)
    recent: Loss = Loss(0.0, 0)  # training loss since the last validation
    first_loss: float | None = None  # of step 1, which later ones are measured by
    state: State | None = None  # hidden state carried to the next batch


class Trainer:
    """A model, an optimizer and batches; `run()` yields an event after every step and every validation.

    The size of a batch is `counted` in tokens or in sequences. Each batch is shared out to `settings.workers`
    processes, or to as few as `notices` says, and each share passes through `feed`, if there is one. Between two events
    the trainer is whole: saving `flat.values`, `slots` and `progress` then, and putting them back into a new trainer,
    continues the run as if it had never stopped.
    """

    def __init__(
        self,
        model: Model,
        batches: Batches,
        validate: Callable[[], Evaluation] | None,
        settings: TrainingSpec,
        counted: Counted = "tokens",
        feed: Feed | None = None,
    ) -> None:
        self.model, self.batches, self.validate, self.settings = model, batches, validate, settings
        self.counted: Counted = counted
        self.feed = feed
        self.workers, self.notices = workers_for(settings.workers, settings.batch_size)
        self.flat = pack(model.parameters(), shared_zeros if self.workers > 1 else np.zeros)
        grads = self.flat.grads
        self._grads = [grads, *(shared_zeros(grads.size, grads.dtype) for _ in range(1, self.workers))]  # one a worker
        self.slots = {name: np.zeros_like(self.flat.values) for name in settings.optimizer.slots}
        self.progress = Progress()

    @property
    def total_steps(self) -> int:
        """Steps of the whole run, if it is not stopped early."""
        return self.settings.steps or self.settings.epochs * len(self.batches)

    @property
    def best(self) -> float:
        """The lowest validation loss so far, infinite before the first."""
        return min(self.progress.validations, default=math.inf)

    def run(self) -> Iterator[Event]:
        """Train until the steps are used up or patience runs out.

        Raises DivergedError at the first loss or gradient that is not finite, or loss far above the first one, before
        the weights are touched, and at such a validation loss; WorkerDiedError when a worker has died, leaving the
        trainer as after the step before.
        """
        with Workers(self._shares, self._grads) as workers:
            while True:
                progress = self.progress
                if self._validation_is_due():
                    yield self._validate()
                if reason := self._reason_to_stop():
                    yield Finished(progress.step, reason)
                    return
                if progress.batch == len(self.batches):
                    progress.epoch, progress.batch = progress.epoch + 1, 0
                yield self._step(workers)

    def _step(self, workers: Workers) -> StepDone:
        settings, progress = self.settings, self.progress
        rate = settings.optimizer.learning_rate * settings.schedule.scale(
            Position(progress.step, self.total_steps, progress.epoch, progress.validations)
        )
        # An overflow shows as a loss or a norm that is not finite, which ends the run with its cause
        with np.errstate(all="ignore"):
            done = workers.step()
            loss = done.loss
            self.flat.grads[:] /= loss.count if settings.reduction == "mean" else done.sequences
            norm = clip(self.flat.grads, settings.max_norm, settings.max_value)
            at = f" of step {progress.step + 1}"
            self._check("loss" + at, loss.mean, _exploded(progress.first_loss), rate)
            self._check("gradient norm" + at, norm, math.inf, rate)
            settings.optimizer.step(self.flat.values, self.flat.grads, self.slots, rate, progress.step + 1)
        progress.step += 1
        progress.batch += 1
        progress.state = done.state
        progress.recent = progress.recent.plus(loss)
        if progress.first_loss is None:
            progress.first_loss = loss.mean
        sequences = done.sequences if self.counted == "sequences" else None
        return StepDone(progress.step, self.total_steps, self._epochs_done(), loss, norm, rate, sequences)

    def _shares(self, worker: int) -> Iterator[Share]:
        """Yield what comes of a worker's share of each batch from here on; its gradient is in self._grads[worker]."""
        first, state = self.progress.step, self.progress.state
        if state is not None:
            state = [layer[..., worker :: self.workers] for layer in state]
        collect(self.model.parameters(), self.flat.slices, self._grads[worker])
        for step, batch in enumerate(self._batches(), first):
            share, sequences = share_of(batch, worker, self.workers), batch.inputs.shape[-1]
            self._grads[worker][:] = 0
            if worker < sequences:
                position = (step, worker) if self.workers > 1 else (step,)
                before = state if share.carry else None
                if self.feed:
                    share = self._fed(self.feed, share, before, position)
                dropout = generator(self.settings.random_seed, "dropout", *position)
                loss, state = self._gradient(share, before, dropout)
                yield Share(loss, sequences, state)
            else:
                yield Share(Loss(0.0, 0), sequences, [])

    def _fed(self, feed: Feed, batch: Any, state: State | None, position: tuple[int, ...]) -> Any:
        """Return the batch with what the model says by its weights of this moment."""
        with np.errstate(all="ignore"):
            rng = generator(self.settings.random_seed, "teacher_forcing", *position)
            return feed(batch, state, position[0], self.total_steps, rng)

    def _gradient(self, batch: Any, state: State | None, dropout: np.random.Generator) -> tuple[Loss, State]:
        """Add the gradient of the summed loss to every parameter; return the loss, and the state after the batch."""
        with np.errstate(all="ignore"):
            loss, state, cache = self.model.loss(batch, state, dropout)
            self.model.backward(cache)
        return loss, state

    def _batches(self) -> Iterator[Any]:
        """Yield every batch from here on, epoch after epoch."""
        epoch, start = self.progress.epoch, self.progress.batch
        while True:
            yield from self.batches.epoch(generator(self.settings.random_seed, "shuffling", epoch), start)
            epoch, start = epoch + 1, 0

    def _epochs_done(self) -> float:
        return self.progress.epoch + self.progress.batch / len(self.batches)

    def _validation_is_due(self) -> bool:
        step, every = self.progress.step, self.settings.validate_every
        if step == self.progress.validated_step:
            return False
        at_epoch_end = every is None and self.progress.batch == len(self.batches)
        return at_epoch_end or (every is not None and step % every == 0) or step >= self.total_steps

    def _validate(self) -> Validated:
        progress = self.progress
        found = self.validate() if self.validate else Evaluation(progress.recent)
        loss = found.loss
        # Data of their own may be far from those to train on from the start: only what they were tells what is too much
        first = next(iter(progress.validations), math.inf) if self.validate else progress.first_loss
        self._check(f"validation loss after step {progress.step}", loss.mean, _exploded(first))
        is_best = loss.mean < self.best
        progress.validations.append(loss.mean)
        progress.validated_step = progress.step
        progress.recent = Loss(0.0, 0)
        split: Literal["validation", "train"] = "validation" if self.validate else "train"
        return Validated(progress.step, self._epochs_done(), loss, is_best, split, found.metrics)

    def _check(self, what: str, value: float, limit: float, rate: float | None = None) -> None:
        """Raise DivergedError for a value that a run does not come back from: not finite, or above the limit."""
        if math.isfinite(value) and value <= limit:
            return
        found = f"{value:.3g}" if math.isfinite(value) else "not finite"
        raise DivergedError(
            f"training diverged: the {what} is {found}" + (f" (learning rate {rate:g})" if rate else ""),
            hint="try a smaller --learning-rate, or a smaller training.max_norm",
        )

    def _reason_to_stop(self) -> str:
        validations, patience = self.progress.validations, self.settings.patience
        if self.progress.step >= self.total_steps:
            return f"all {self.total_steps} steps done"
        if patience and validations and len(validations) - 1 - int(np.argmin(validations)) >= patience:
            return f"no better validation loss in {patience} validations"
        return ""


def _exploded(first: float | None) -> float:
    """Return the largest loss that a run may come back from, given its first one."""
    return EXPLODED * max(1.0, first or 1.0)
