"""Errors of regressors against scikit-learn's, and of predictions that are no numbers."""

import math

import numpy as np
import pytest

from rnncli.metrics import OutputScore, regression_report

NAMES = ("mae", "mse", "rmse", "r2")


@pytest.mark.parametrize("name", ["random", "worse_than_the_mean", "constant_and_right", "constant_and_wrong"])
def test_scores_are_those_of_scikit_learn(golden, name):
    case = golden["regression"][name]
    targets, predicted = np.array(case["targets"]), np.array(case["predicted"])
    report = regression_report(targets, predicted, ["x", "y", "z"][: len(targets)])
    for place, score in enumerate(report.outputs):
        assert [getattr(score, name) for name in NAMES] == pytest.approx([each[place] for each in case["outputs"]])
    assert report.means == pytest.approx({name: case.get(name, math.sqrt(case["mse"])) for name in NAMES})
    assert report.examples == targets.shape[1]
    order = np.random.default_rng(0).permutation(targets.shape[1])
    assert regression_report(targets[:, order], predicted[:, order], "xyz"[: len(targets)]).means == pytest.approx(
        report.means
    )


def test_one_output_needs_no_second_axis():
    report = regression_report(np.array([0, 1, 2, 3], np.float32), np.array([0, 1, 2, 5], np.float32), ["y"])
    assert report.outputs == (OutputScore("y", 0.5, 1.0, 1.0, pytest.approx(1 - 4 / 5)),)
    assert report.means == {"mae": 0.5, "mse": 1.0, "rmse": 1.0, "r2": pytest.approx(0.2)}


def test_equal_targets_are_equal_though_their_mean_is_rounded():
    targets = np.full(7, 0.1)
    assert targets.var() > 0
    assert regression_report(targets, targets, ["y"]).r2 == 1
    assert regression_report(targets, targets + 1e-3, ["y"]).r2 == 0
    tiny = np.array([0, 1e-200])  # its variance is below the least number
    assert regression_report(tiny, tiny + 1, ["y"]).r2 == 0


def test_of_too_few_examples_scores_are_nan():
    one = regression_report(np.array([1.0]), np.array([3.0]), ["y"])
    assert (one.mae, one.mse, one.rmse) == (2, 4, 2)
    assert math.isnan(one.r2)
    none = regression_report(np.empty((2, 0)), np.empty((2, 0)), ["x", "y"])
    assert all(map(math.isnan, none.means.values()))
    assert none.examples == 0


def test_a_model_that_diverged_has_no_finite_error():
    targets = np.arange(3.0)
    huge = regression_report(targets, np.array([0, 1e300, -1e300]), ["y"])
    assert huge.mae == pytest.approx(2e300 / 3)
    assert (huge.mse, huge.r2) == (math.inf, -math.inf)
    assert regression_report(np.float32(targets), np.float32([0, 1e30, -1e30]), ["y"]).rmse == pytest.approx(
        math.sqrt(2 / 3) * 1e30
    )
    wide = regression_report(np.array([1e300, -1e300]), np.zeros(2), ["y"])
    assert (wide.mae, wide.mse) == (1e300, math.inf)
    assert math.isnan(wide.r2)
    infinite = regression_report(np.array([1, math.inf]), np.array([1, math.inf]), ["y"])
    assert all(map(math.isnan, infinite.means.values()))
    nan = regression_report(np.stack((targets, targets)), np.stack((targets, [0, 1, math.nan])), ["x", "y"])
    assert nan.outputs[0] == OutputScore("x", 0, 0, 0, 1)
    assert all(map(math.isnan, nan.means.values()))
    infinite = regression_report(targets, np.array([math.inf, 0, -math.inf], np.float32), ["y"])
    assert (infinite.mae, infinite.r2) == (math.inf, -math.inf)


def test_arrays_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match=r"targets are \(2,\), predictions \(3,\)"):
        regression_report(np.zeros(2), np.zeros(3), ["y"])
    with pytest.raises(ValueError, match="zip"):
        regression_report(np.zeros((2, 4)), np.zeros((2, 4)), ["y"])
