import math

from rnncli.nn.protocols import Loss


def test_the_mean_of_two_batches_weighs_each_prediction_alike():
    both = Loss(10.0, 1).plus(Loss(2.0, 3))
    assert (both.sum, both.count) == (12.0, 4)
    assert both.mean == 3.0


def test_the_mean_of_no_predictions_is_not_a_number():
    assert math.isnan(Loss(0.0, 0).mean)
