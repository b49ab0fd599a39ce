"""A run that explodes ends with its cause, and with the weights it had before the step that shows it."""

import numpy as np
import pytest

from rnncli.data import Streams
from rnncli.errors import DivergedError
from rnncli.nn.cells import CELLS, RNNCell
from rnncli.nn.protocols import Loss
from rnncli.training.evaluation import evaluate
from rnncli.training.events import Evaluation, StepDone, Validated
from rnncli.training.optimizers import OPTIMIZERS, Adam
from tests.training.tiny_trainer import IDS, tiny_model, tiny_trainer

every_cell = pytest.mark.parametrize("cell", [cell for cls in CELLS.values() for cell in cls.variants()], ids=str)


def run_until_diverged(trainer):
    """The events before the error, and the error, which has touched neither weights nor slots."""
    events, arrays, before = [], [trainer.flat.values, *trainer.slots.values()], []

    def follow():
        for event in trainer.run():
            events.append(event)
            before[:] = [array.tobytes() for array in arrays]

    with pytest.raises(DivergedError) as caught:
        follow()
    assert before == [array.tobytes() for array in arrays]
    assert np.isfinite(trainer.flat.values).all()
    assert trainer.progress.step == len([event for event in events if isinstance(event, StepDone)])
    return events, caught.value


@every_cell
@pytest.mark.parametrize("max_norm", [5.0, None], ids=["clipped", "not clipped"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_learning_rate_far_too_large(cell, optimizer, max_norm):
    optimizer = OPTIMIZERS[optimizer](learning_rate=1e9)
    events, error = run_until_diverged(tiny_trainer(tiny_model(cell=cell), optimizer=optimizer, max_norm=max_norm))
    assert str(error).startswith(f"training diverged: the loss of step {len(events) + 1} is ")
    assert "(learning rate 1e+09)" in error.message
    assert "--learning-rate" in error.hint
    assert error.exit_status == 4


def test_a_loss_that_is_not_finite_is_named():
    trainer = tiny_trainer()
    trainer.model.parameters()["output.bias"].value[0] = np.inf
    before = trainer.flat.values.tobytes()
    with pytest.raises(DivergedError, match=r"the loss of step 1 is not finite \(learning rate 0.1\)"):
        next(trainer.run())
    assert trainer.flat.values.tobytes() == before


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_a_gradient_that_is_not_finite_is_named(bad):
    model = tiny_model()
    backward = model.backward

    def spoilt(cache):
        backward(cache)
        model.parameters()["recurrent.0.bias"].grad[1] = bad

    model.backward = spoilt
    trainer = tiny_trainer(model)
    before = trainer.flat.values.tobytes()
    with pytest.raises(DivergedError, match="the gradient norm of step 1 is not finite"):
        next(trainer.run())
    assert trainer.flat.values.tobytes() == before


def test_the_loss_may_rise_a_hundredfold():
    losses = iter([0.5, 400.0, 999.0, 1001.0])
    model = tiny_model()
    forward = model.loss

    def scaled(batch, state, rng):
        loss, after, cache = forward(batch, state, rng)
        return Loss(next(losses) * loss.count, loss.count), after, cache

    model.loss = scaled
    events, error = run_until_diverged(tiny_trainer(model))
    assert len(events) == 3
    assert error.message == "training diverged: the loss of step 4 is 1e+03 (learning rate 0.1)"


def test_a_validation_loss_that_is_not_finite_ends_the_run_and_warns_of_nothing():
    model = tiny_model(cell=RNNCell(activation="relu"))
    trainer = tiny_trainer(
        model,
        validate=lambda: Evaluation(evaluate(model, Streams(IDS, 1, 120))),
        optimizer=Adam(learning_rate=1e9),
        validate_every=1,
    )
    events, error = run_until_diverged(trainer)
    assert [type(event) for event in events] == [StepDone]
    assert error.message == "training diverged: the validation loss after step 1 is not finite"
    assert trainer.progress.validations == []


def test_a_validation_loss_that_explodes_ends_the_run_before_it_counts_as_best():
    losses = iter([400.0, 1e30])
    trainer = tiny_trainer(validate=lambda: Evaluation(Loss(next(losses), 1)), validate_every=1, steps=2)
    events, error = run_until_diverged(trainer)
    assert [event.loss.mean for event in events if isinstance(event, Validated)] == [400.0]
    assert error.message == "training diverged: the validation loss after step 2 is 1e+30"


def test_a_validation_loss_may_be_far_from_the_training_loss_and_rise():
    """Real values far from those to train on give a loss that says nothing of the run."""
    losses = iter([3600.0, 3.6e6, 3.7e6])
    trainer = tiny_trainer(validate=lambda: Evaluation(Loss(next(losses), 1)), validate_every=1, steps=3)
    events, error = run_until_diverged(trainer)
    assert trainer.progress.first_loss < 3
    assert [event.loss.mean for event in events if isinstance(event, Validated)] == [3600.0, 3.6e6]
    assert error.message == "training diverged: the validation loss after step 3 is 3.7e+06"
