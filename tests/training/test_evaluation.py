import numpy as np
import pytest

from rnncli.data import Items, Streams, Windows
from rnncli.training.evaluation import evaluate
from tests.data.small_sequences import bracketed, joined
from tests.training.tiny_trainer import IDS, V, tiny_model


@pytest.mark.parametrize(("streams", "length"), [(1, 120), (1, 7), (3, 9)])
def test_the_length_of_windows_does_not_show(streams, length):
    model = tiny_model(np.float64, num_layers=2)
    whole, _, _ = model.loss(next(Streams(IDS, streams, 1000).epoch(None)))
    found = evaluate(model, Streams(IDS, streams, length))
    assert found.count == whole.count == 120
    assert found.sum == pytest.approx(whole.sum, rel=1e-12)


def test_lines_have_the_loss_that_each_has_alone():
    model = tiny_model(np.float64)
    items = [IDS[k : k + 1 + k % 7] for k in range(0, 50, 5)]
    alone = [evaluate(model, Items(joined([bracketed(item, 0, 1)]), 1)) for item in items]
    together = evaluate(model, Items(joined([bracketed(item, 0, 1) for item in items]), 4))
    assert together.count == sum(len(item) + 1 for item in items)
    assert together.sum == pytest.approx(sum(loss.sum for loss in alone), rel=1e-12)


def test_nothing_is_dropped_and_nothing_learned():
    plain, dropping = (tiny_model(dropout=probability, recurrent_dropout=probability) for probability in (0.0, 0.5))
    weights = {name: parameter.value.copy() for name, parameter in dropping.parameters().items()}
    losses = [evaluate(model, Windows(IDS, 3, 10, 10)) for model in (plain, dropping, dropping)]
    assert losses[0] == losses[1] == losses[2]
    assert all((parameter.value == weights[name]).all() for name, parameter in dropping.parameters().items())
    assert not any(parameter.grad.any() for parameter in dropping.parameters().values())


def test_a_model_of_zeros_pays_log_v_a_token():
    model = tiny_model(np.float64)
    for parameter in model.parameters().values():
        parameter.value[:] = 0
    assert evaluate(model, Streams(IDS, 3, 10)).mean == pytest.approx(np.log(V), rel=1e-12)
