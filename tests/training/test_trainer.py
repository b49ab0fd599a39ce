import itertools

import numpy as np
import pytest

from rnncli.data import Items, Streams, Windows
from rnncli.nn.cells import CELLS
from rnncli.nn.protocols import Loss
from rnncli.training.evaluation import evaluate
from rnncli.training.events import Evaluation, Finished, StepDone, Validated
from rnncli.training.optimizers import SGD, Adam
from rnncli.training.randomness import generator
from rnncli.training.schedules import Cosine
from rnncli.training.trainer import Trainer, TrainingSpec
from tests.data.small_sequences import bracketed, joined
from tests.training.tiny_trainer import IDS, tiny_model, tiny_trainer

STILL = SGD(learning_rate=1e-30)  # far below what changes a float32 weight


def of_kind(events, kind):
    return [event for event in events if isinstance(event, kind)]


def scripted(losses):
    """Validation losses as given, one after the other."""
    numbers = iter(losses)
    return lambda: Evaluation(Loss(next(numbers), 1))


@pytest.mark.parametrize(
    ("settings", "steps", "validated_at"),
    [
        ({"epochs": 3}, 12, [4, 8, 12]),
        ({"epochs": 1}, 4, [4]),
        ({"steps": 6}, 6, [4, 6]),  # the last step, too
        ({"steps": 8}, 8, [4, 8]),
        ({"epochs": 1, "steps": 9}, 9, [4, 8, 9]),  # steps have the last word
        ({"validate_every": 5}, 12, [5, 10, 12]),
        ({"validate_every": 1, "steps": 3}, 3, [1, 2, 3]),
        ({"validate_every": 100}, 12, [12]),
    ],
)
def test_a_run_has_its_steps_and_validations(settings, steps, validated_at):
    trainer = tiny_trainer(patience=None, **settings)
    events = list(trainer.run())
    done = of_kind(events, StepDone)
    assert [event.step for event in done] == list(range(1, steps + 1))
    assert {event.total_steps for event in done} == {steps}
    assert [event.epoch for event in done] == [step / 4 for step in range(1, steps + 1)]
    assert [event.step for event in of_kind(events, Validated)] == validated_at
    assert events[-1] == Finished(steps, f"all {steps} steps done")
    assert len(events) == steps + len(validated_at) + 1
    assert [event.epoch for event in of_kind(events, Validated)] == [step / 4 for step in validated_at]


@pytest.mark.parametrize(
    ("patience", "losses", "best"),
    [
        (1, [3.0, 2.0, 2.5], [True, True, False]),
        (2, [3.0, 2.0, 2.5, 2.4], [True, True, False, False]),
        (2, [3.0, 2.0, 2.5, 1.9, 1.9, 2.0], [True, True, False, True, False, False]),  # equal is no better
    ],
)
def test_patience_ends_a_run(patience, losses, best):
    trainer = tiny_trainer(validate=scripted(losses), validate_every=2, epochs=50, patience=patience)
    events = list(trainer.run())
    assert [event.best for event in of_kind(events, Validated)] == best
    assert [event.loss.mean for event in of_kind(events, Validated)] == losses
    assert events[-1] == Finished(2 * len(losses), f"no better validation loss in {patience} validations")
    assert trainer.best == min(losses)


def test_without_patience_a_run_goes_on():
    losses = [1.0, *range(2, 13)]
    events = list(tiny_trainer(validate=scripted(losses), validate_every=1, patience=None).run())
    assert [event.best for event in of_kind(events, Validated)] == [True] + [False] * 11
    assert events[-1].reason == "all 12 steps done"


def test_without_a_validation_split_the_training_loss_since_the_last_report_is_told():
    events = list(tiny_trainer(validate_every=3, steps=8).run())
    losses = [event.loss.sum for event in of_kind(events, StepDone)]
    reports = of_kind(events, Validated)
    assert [report.split for report in reports] == ["train"] * 3
    assert [report.loss.sum for report in reports] == [sum(losses[:3]), sum(losses[3:6]), sum(losses[6:])]
    assert [report.loss.count for report in reports] == [90, 90, 60]


def test_the_metrics_of_a_validation_are_passed_on_and_decide_nothing():
    found = [Evaluation(Loss(4.0, 2), {"accuracy": 0.9, "f1": 0.5}), Evaluation(Loss(1.5, 1), {"accuracy": 0.1})]
    evaluations = iter(found)
    trainer = tiny_trainer(validate=lambda: next(evaluations), validate_every=1, steps=2)
    reports = of_kind(trainer.run(), Validated)
    assert [(report.loss, report.metrics) for report in reports] == [(each.loss, each.metrics) for each in found]
    assert [report.best for report in reports] == [True, True]  # by the loss, though the accuracy fell
    assert trainer.progress.validations == [2.0, 1.5]


def test_an_event_tells_of_the_step_before_its_update():
    trainer = tiny_trainer(steps=3, max_norm=None, optimizer=SGD(learning_rate=0.5), schedule=Cosine(warmup_steps=1))
    events = trainer.run()
    batch = next(trainer.batches.epoch(None))
    model = tiny_model()
    loss, _, _ = model.loss(batch)
    weights = trainer.flat.values.copy()
    event = next(events)
    assert event.loss == loss
    assert event.loss.count == 30
    assert event.learning_rate == 0.25
    assert event.gradient_norm == pytest.approx(float(np.linalg.norm(weights - trainer.flat.values)) / 0.25, rel=1e-4)
    assert [event.learning_rate for event in of_kind(events, StepDone)] == [0.5, 0.25]


def test_the_sum_and_the_mean_over_time_differ_by_the_factor_of_steps():
    mean, total = (tiny_trainer(reduction=name, max_norm=None, steps=1) for name in ("mean", "sum"))
    weights = mean.flat.values.copy()
    norms = [next(trainer.run()).gradient_norm for trainer in (mean, total)]
    assert norms[1] == pytest.approx(10 * norms[0], rel=1e-5)
    np.testing.assert_allclose(total.flat.values - weights, 10 * (mean.flat.values - weights), rtol=1e-3, atol=1e-6)
    slower = tiny_trainer(reduction="sum", max_norm=None, optimizer=SGD(learning_rate=0.01), epochs=3)
    usual = tiny_trainer(reduction="mean", max_norm=None, optimizer=SGD(learning_rate=0.1), epochs=3)
    assert len(list(slower.run())) == len(list(usual.run()))
    np.testing.assert_allclose(slower.flat.values, usual.flat.values, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_validation_leaves_no_trace_in_the_run(cell):
    states = []
    results = []
    for validated in (True, False):
        model = tiny_model(cell=CELLS[cell](), dropout=0.2)
        other = Streams(IDS[::-1].copy(), 2, 7)
        validate = (lambda model=model, other=other: Evaluation(evaluate(model, other))) if validated else None
        trainer = tiny_trainer(model, validate=validate, validate_every=1, patience=None, optimizer=Adam())
        events = list(trainer.run())
        results.append((trainer.flat.values.tobytes(), of_kind(events, StepDone)))
        states.append([layer.tobytes() for layer in trainer.progress.state])
        assert len(of_kind(events, Validated)) == 12
    assert results[0] == results[1]
    assert states[0] == states[1]


def test_the_state_is_carried_to_where_batches_continue():
    given = []
    model = tiny_model()
    forward = model.loss

    def spy(batch, state, rng):
        loss, after, cache = forward(batch, state, rng)
        given.append((batch.carry, state, after))
        return loss, after, cache

    model.loss = spy
    list(tiny_trainer(model, epochs=2).run())
    assert [carry for carry, *_ in given] == [False, True, True, True] * 2
    for (_, _, before), (carry, state, _) in itertools.pairwise(given):
        assert state is (before if carry else None)


def test_reset_windows_never_see_a_state():
    model = tiny_model()
    forward, given = model.loss, []
    model.loss = lambda batch, state, rng: given.append(state) or forward(batch, state, rng)
    list(tiny_trainer(model, Windows(IDS, 3, 10, 10), epochs=2).run())
    assert given == [None] * 8


@pytest.mark.parametrize("option", ["dropout", "recurrent_dropout"])
def test_dropout_differs_from_step_to_step_and_repeats_from_run_to_run(option):
    def losses(probability, seed=1):
        one_window = Streams(IDS, 3, 40)
        trainer = tiny_trainer(
            tiny_model(**{option: probability}), one_window, epochs=6, optimizer=STILL, random_seed=seed, patience=None
        )
        return [event.loss.sum for event in of_kind(trainer.run(), StepDone)]

    assert len(set(losses(0.3))) == 6
    assert losses(0.3) == losses(0.3)
    assert not set(losses(0.3)) & set(losses(0.3, seed=2))
    assert len(set(losses(0.0))) == 1


@pytest.mark.parametrize("kind", ["windows", "lines"])
def test_every_epoch_shows_each_example_once_in_an_order_of_its_own(kind):
    ids = np.arange(61)
    lines = [ids[k : k + 3] for k in range(0, 60, 3)]
    batches = (
        Windows(ids, 4, 3, 3) if kind == "windows" else Items(joined([bracketed(line, 0, 0) for line in lines]), 4)
    )
    epochs = [list(batches.epoch(generator(1, "shuffling", number))) for number in range(3)]
    seen = []

    class Model:
        parameters = tiny_model().parameters
        backward = staticmethod(lambda cache: None)

        def loss(self, batch, state, rng):
            seen.append(batch.targets.tobytes())
            return Loss(1.0, 1), [], None

    trainer = Trainer(Model(), batches, None, TrainingSpec(epochs=3, patience=None, optimizer=STILL))
    list(trainer.run())
    assert seen == [batch.targets.tobytes() for epoch in epochs for batch in epoch]
    assert len({tuple(batch.targets.tobytes() for batch in epoch) for epoch in epochs}) == 3
    for epoch in epochs:
        assert sorted(first for batch in epoch for first in batch.targets[0]) == [
            *range(0 if kind == "lines" else 1, 60, 3)
        ]
