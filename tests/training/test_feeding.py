"""What the trainer asks of whoever changes its batches, and that it learns from what comes of it."""

from dataclasses import replace

import numpy as np
import pytest

from rnncli.data import Items, Streams
from rnncli.training import workers
from rnncli.training.events import StepDone
from rnncli.training.randomness import generator
from tests.data.small_sequences import bracketed, joined
from tests.training.tiny_trainer import IDS, tiny_model, tiny_trainer


@pytest.fixture(autouse=True)
def tiny_shares(monkeypatch):
    """Let workers have as few sequences as they like."""
    monkeypatch.setattr(workers, "FEWEST", 1)


def fed_trainer(feed, batches=None, **settings):
    trainer = tiny_trainer(tiny_model(), batches or Streams(IDS, 3, 10), **settings)
    trainer.feed = feed
    return trainer


def losses(trainer):
    return [event.loss.sum for event in trainer.run() if isinstance(event, StepDone)]


def test_it_is_told_where_the_run_is_and_what_each_batch_goes_on_from():
    asked = []

    def feed(batch, state, step, total_steps, rng):
        asked.append((batch, state, step, total_steps, rng.random()))
        return batch

    trainer = fed_trainer(feed, epochs=2)
    states = [trainer.progress.state for event in trainer.run() if isinstance(event, StepDone)]
    assert [step for _, _, step, *_ in asked] == list(range(8))
    assert {total for *_, total, _ in asked} == {8}
    drawn = [generator(trainer.settings.random_seed, "teacher_forcing", step).random() for step in range(8)]
    assert [number for *_, number in asked] == drawn
    for (batch, state, *_), before in zip(asked, [None, *states], strict=False):
        assert state is (before if batch.carry else None)
    assert losses(fed_trainer(None, epochs=2)) == losses(fed_trainer(lambda batch, *_: batch, epochs=2))


def test_what_it_returns_is_learnt_from():
    shifted = (IDS + 1) % 5
    given = [batch.inputs for batch in Streams(shifted, 3, 10).epoch(np.random.default_rng(0))]
    fed = losses(fed_trainer(lambda batch, _, step, *__: replace(batch, inputs=given[step % 4]), epochs=2))

    class Shifted:
        def __len__(self):
            return 4

        def epoch(self, rng, start=0):
            for batch, inputs in zip(Streams(IDS, 3, 10).epoch(rng), given, strict=True):
                yield replace(batch, inputs=inputs)

    assert fed == losses(fed_trainer(None, Shifted(), epochs=2))
    assert fed != losses(fed_trainer(None, epochs=2))


def test_each_worker_draws_for_itself_and_knows_the_step():
    alike = Items(joined([bracketed(IDS[:20], 0, 0)] * 2), 2)
    asked = []

    def feed(batch, state, step, total_steps, rng):
        asked.append((step, total_steps, batch.inputs.shape, rng.random()))
        return batch

    trainer = fed_trainer(feed, alike, workers=2, batch_size=2, epochs=9)
    trainer.progress.step = 5
    for worker in (0, 1):
        next(trainer._shares(worker))
    (*first, drawn), (*second, other) = asked
    assert first == second == [5, 9, (21, 1)]
    assert drawn != other
    next(fed_trainer(feed, alike)._shares(0))
    assert asked[-1][2:] != (asked[0][2:])


def test_the_weights_are_those_of_the_moment():
    seen = []
    trainer = fed_trainer(lambda batch, *_: seen.append(trainer.flat.values.copy()) or batch, epochs=1)
    before = [trainer.flat.values.copy()]
    before += [trainer.flat.values.copy() for event in trainer.run() if isinstance(event, StepDone)]
    np.testing.assert_array_equal(seen, before[:-1])
    assert (np.abs(np.diff(before, axis=0)).max(axis=1) > 0).all()


def test_numbers_that_are_not_finite_end_the_run_and_warn_of_nothing():
    def feed(batch, *_):
        np.exp(np.float32(1e4)) - np.exp(np.float32(1e4))
        return batch

    assert len(losses(fed_trainer(feed, epochs=1))) == 4
