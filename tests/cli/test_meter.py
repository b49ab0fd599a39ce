import math

import pytest

from rnncli.cli.meter import PARTS, Curve, Meter, duration
from rnncli.nn.protocols import Loss
from rnncli.training.events import StepDone, Validated

LEVELS = "12345678"


def step(number, nats=1.0, tokens=1000, total=100, sequences=None):
    return StepDone(number, total, number / 10, Loss(nats * tokens, tokens), 0.84, 0.002, sequences)


def test_speed_and_time_left_of_steady_steps():
    meter = Meter("character", 100.0)
    for number in range(1, 11):
        meter.step_done(step(number), 100 + 0.5 * number)
    assert meter.speed == pytest.approx(2000)
    assert meter.seconds_left == pytest.approx(45)
    assert meter.elapsed == pytest.approx(5)


def test_time_left_counts_validations_but_speed_does_not():
    meter, now = Meter("character", 0.0), 0.0
    for number in range(1, 21):
        now += 0.5
        meter.step_done(step(number), now)
        if number % 10 == 0:
            now += 3
            meter.validated(Validated(number, number / 10, Loss(1, 1), best=False), now)
    assert meter.speed == pytest.approx(2000)
    assert meter.seconds_left == pytest.approx(80 * (0.5 + 0.3))


def test_time_left_follows_recent_speed():
    meter, now = Meter("character", 0.0), 0.0
    for number in range(1, 1001):
        now += 0.1 if number <= 500 else 0.4
        meter.step_done(step(number, total=2000), now)
    assert meter.seconds_left == pytest.approx(1000 * 0.4, rel=0.01)


def test_time_left_in_a_resumed_run_is_measured_since_the_start():
    meter = Meter("character", 0.0)
    meter.step_done(step(91), 2.0)
    assert meter.seconds_left == pytest.approx(18)


@pytest.mark.parametrize("times", [[0, 0, 0], [5, 4, 3], [-9, -9, -9]])
def test_a_clock_that_stands_still_or_goes_back_gives_no_speed(times):
    meter = Meter("character", 5.0)
    assert meter.seconds_left is None
    for number, now in enumerate(times, 1):
        meter.step_done(step(number), now)
        meter.validated(Validated(number, 0, Loss(1, 1), best=True), now)
    assert (meter.speed, meter.seconds_left, meter.elapsed) == (None, None, 0)
    assert ("", "") in meter.pace(step(4))


def test_time_left_is_never_negative():
    meter = Meter("character", 0.0)
    meter.step_done(step(150, total=100), 1.0)
    assert meter.seconds_left == 0


def test_training_loss_is_smoothed_by_tokens_over_about_100_steps():
    meter = Meter("character", 0.0)
    assert math.isnan(meter.loss)
    meter.step_done(step(1, nats=3.0, tokens=100), 1)
    meter.step_done(step(2, nats=1.0, tokens=300), 2)
    assert meter.loss == pytest.approx((3 * 100 * 0.99 + 300) / (100 * 0.99 + 300))
    for number in range(3, 103):
        meter.step_done(step(number, nats=2.0), number)
    assert meter.loss == pytest.approx(2.0, abs=0.01)
    meter.step_done(step(103, tokens=0), 103)
    assert meter.loss == pytest.approx(2.0, abs=0.01)


def test_losses_in_the_unit_of_the_tokens():
    assert Meter("character", 0).in_unit(math.log(2) * 2.65) == ("", "2.65 bits/char")
    assert Meter("byte", 0).in_unit(math.log(2)) == ("", "1.00 bits/byte")
    assert Meter("byte", 0).in_unit(1e9) == ("", "1.44e+09 bits/byte")
    words = Meter("word", 0)
    assert words.in_unit(math.log(1234.5)) == ("perplexity", "1,234.5")
    assert words.in_unit(100.0) == ("perplexity", "2.69e+43")
    assert words.in_unit(800.0) == words.in_unit(math.inf) == ("perplexity", "inf")
    assert words.in_unit(math.nan) == ("perplexity", "nan")


def test_labels_and_values_have_no_other_unit():
    for unit in ("sequence", "value"):
        assert Meter(unit, 0).in_unit(1.5) == ("", "")


def test_a_validation_has_the_loss_in_its_unit_and_the_metrics_in_their_order():
    event = Validated(1, 1.0, Loss(2 * math.log(2), 1), best=True, metrics={"f1": 0.12345, "accuracy": 1.0})
    assert Meter("byte", 0).of(event) == [("", "2.00 bits/byte"), ("f1", "0.123"), ("accuracy", "1.000")]
    assert Meter("sequence", 0).of(event) == [("", ""), ("f1", "0.123"), ("accuracy", "1.000")]
    odd = Validated(1, 1.0, Loss(1, 1), best=True, metrics={"mse": 1234567.0, "r2": math.nan, "mae": -2.5})
    assert Meter("value", 0).of(odd) == [("", ""), ("mse", "1.23e+06"), ("r2", "nan"), ("mae", "-2.500")]


def test_speed_is_of_sequences_however_many_predictions_each_has():
    meter = Meter("sequence", 0.0)
    several = step(1, nats=0.5, tokens=16 * 20, sequences=16)  # 20 labels each
    meter.step_done(several, 0.01)
    assert meter.loss == 0.5
    assert meter.pace(several)[-1] == ("", "1,600 sequences/s")


def test_pace_in_words():
    meter = Meter("character", 0.0)
    meter.step_done(step(1, tokens=41_200), 1.0)
    assert meter.pace(step(1)) == [("lr", "0.002"), ("norm", "0.840"), ("", "41,200 tokens/s")]
    huge = StepDone(1, 2, 1, Loss(1, 1), 1.234e30, None)
    assert meter.pace(huge)[:2] == [("lr", ""), ("norm", "1.23e+30")]
    assert meter.pace(StepDone(1, 2, 1, Loss(1, 1), 123.4, 1e-5))[:2] == [("lr", "1e-05"), ("norm", "123")]


def test_curve_runs_from_the_highest_to_the_lowest_level():
    curve = Curve()
    assert curve.draw(40, LEVELS) == ""
    for nats in (8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0):
        curve.add(Loss(nats * 10, 10))
    assert curve.draw(40, LEVELS) == "87654321"
    assert curve.draw(4, LEVELS) == "8631"  # means 7.5, 5.5, 3.5, 1.5


def test_curve_keeps_the_whole_run_in_bounded_room():
    curve, steps = Curve(), 100_003
    for number in range(steps):
        curve.add(Loss(float(number), 1))
    assert PARTS // 2 <= len(curve._parts) <= PARTS
    assert sum(part.count for part in curve._parts) == steps
    assert sum(part.sum for part in curve._parts) == steps * (steps - 1) / 2
    shown = curve.draw(40, LEVELS)
    assert len(shown) == 40
    assert list(shown) == sorted(shown)
    assert {"1", "8"} == {shown[0], shown[-1]}


def test_curve_of_equal_or_infinite_losses():
    curve = Curve()
    for nats in (2.0, 2.0, math.nan, math.inf):
        curve.add(Loss(nats, 1))
    assert curve.draw(40, LEVELS) == "1188"
    curve.add(Loss(0.0, 0))
    assert curve.draw(40, LEVELS) == "11888"


def test_durations():
    assert duration(7810.4) == "2:10:10"
    assert duration(90000) == "1 day, 1:00:00"
    assert duration(None) == ""
    assert duration(1e300).endswith(":40")
