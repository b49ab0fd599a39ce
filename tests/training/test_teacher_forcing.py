"""With which probability inputs are the true ones, and which they are, against numbers worked out by hand."""

import math

import numpy as np
import pytest

from rnncli.training.teacher_forcing import TeacherForcing

SCHEDULES = ("constant", "linear", "exponential", "inverse_sigmoid")
falling = pytest.mark.parametrize("schedule", SCHEDULES[1:])


@pytest.mark.parametrize(
    ("options", "step", "expected"),
    [
        ({}, 0, 1.0),
        ({}, 100, 1.0),
        ({"start": 0.3}, 0, 0.3),
        ({"start": 0.3}, 100, 0.3),
        ({"schedule": "linear"}, 25, 0.75),
        ({"schedule": "linear", "start": 0.9, "end": 0.5}, 75, 0.6),
        ({"schedule": "linear", "start": 0.2, "end": 0.6}, 50, 0.4),  # it may rise, too
        ({"schedule": "exponential"}, 50, (0.1 - 0.01) / 0.99),
        ({"schedule": "exponential", "start": 0.8, "end": 0.2}, 50, 0.2 + 0.6 * 0.09 / 0.99),
        ({"schedule": "inverse_sigmoid"}, 50, 0.5),
        ({"schedule": "inverse_sigmoid", "end": 0.5}, 50, 0.75),
        ({"schedule": "inverse_sigmoid"}, 25, (1 / (1 + math.exp(-3)) - 1 / (1 + math.exp(6))) / math.tanh(3)),
    ],
    ids=str,
)
def test_the_probability_by_hand(options, step, expected):
    assert TeacherForcing(**options).probability(step, 101) == pytest.approx(expected, rel=1e-12)


@falling
@pytest.mark.parametrize(("start", "end"), [(1.0, 0.0), (0.9, 0.1), (0.7, 0.3), (0.0, 1.0)])
def test_it_goes_from_start_to_end_exactly_and_never_back(schedule, start, end):
    forcing = TeacherForcing(schedule, start, end)
    found = [forcing.probability(step, 37) for step in range(37)]
    assert (found[0], found[-1]) == (start, end)
    differences = np.diff(found) * np.sign(end - start)
    assert (differences > 0).all()
    assert forcing.probability(50, 37) == end  # of a run that is longer than it was to be


@falling
def test_a_run_of_one_step_begins(schedule):
    assert TeacherForcing(schedule, 0.8, 0.2).probability(0, 1) == 0.8


def test_each_schedule_is_another():
    found = {schedule: TeacherForcing(schedule).probability(30, 101) for schedule in SCHEDULES}
    assert sorted(found, key=found.get) == ["exponential", "linear", "inverse_sigmoid", "constant"]


@pytest.mark.parametrize(
    ("options", "always"),
    [
        ({}, True),
        ({"mode": "mixed"}, True),
        ({"start": 0.999}, False),
        ({"schedule": "linear"}, False),
        ({"schedule": "linear", "end": 1.0}, True),
        ({"schedule": "inverse_sigmoid", "start": 0.5, "end": 1.0}, False),
    ],
    ids=str,
)
def test_whether_there_is_nothing_to_draw(options, always):
    assert TeacherForcing(**options).always is always


def test_an_end_that_is_never_come_to_is_refused():
    with pytest.raises(ValueError, match="end is where the other schedules go: constant stays at start"):
        TeacherForcing(end=0.5)


def test_tokens_are_drawn_each_for_itself():
    forced = TeacherForcing().forced((400, 300), 0.7, np.random.default_rng(1))
    assert forced[0].all()
    assert forced[1:].mean() == pytest.approx(0.7, abs=0.005)
    assert np.ptp(forced[1:].mean(axis=0)) < 0.2  # no sequence has only the one or the other
    together = (forced[1:-1] & forced[2:]).mean()
    assert together == pytest.approx(0.49, abs=0.01)


def test_mixed_draws_whole_sequences():
    forced = TeacherForcing(mode="mixed").forced((9, 4000), 0.3, np.random.default_rng(1))
    assert forced[0].all()
    assert (forced[1:] == forced[1]).all()
    assert forced[1].mean() == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("mode", ["sampled", "mixed"])
@pytest.mark.parametrize(("probability", "expected"), [(0.0, False), (1.0, True)])
def test_the_ends_are_certain(mode, probability, expected):
    forced = TeacherForcing(mode=mode).forced((5, 50), probability, np.random.default_rng(2))
    assert (forced[1:] == expected).all()
    assert forced[0].all()


def test_the_same_generator_draws_the_same_and_another_does_not():
    first, again, other = (TeacherForcing().forced((6, 9), 0.5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
