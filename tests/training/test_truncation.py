"""Truncated backpropagation through time: exact within a window, and what it drops is what flows between windows."""

import numpy as np
import pytest

from rnncli.data import Streams
from rnncli.nn.cells import CELLS
from rnncli.nn.gradient_check import compare_gradients
from rnncli.nn.parameter import pack
from tests.training.tiny_trainer import IDS, tiny_model, tiny_trainer

every_cell = pytest.mark.parametrize("cell", [cell for cls in CELLS.values() for cell in cls.variants()], ids=str)


def windows(length, text=IDS[:25]):
    return list(Streams(text, 2, length).epoch(None))


def passes(model, batches):
    """Run over batches with carried state: the gradients of each alone, and the states between them."""
    flat, state, grads, states = pack(model.parameters()), None, [], [None]
    for batch in batches:
        flat.grads[:] = 0
        _, state, cache = model.loss(batch, state)
        model.backward(cache)
        grads.append(flat.grads.copy())
        states.append(state)
    return flat, grads, states


@every_cell
def test_a_window_has_the_exact_gradient_of_its_own_loss(cell):
    model = tiny_model(np.float64, cell=cell, num_layers=2)
    first, second = windows(6)
    flat, (_, grads), (_, state, _) = passes(model, [first, second])
    values = {name: parameter.value for name, parameter in model.parameters().items()}
    found = compare_gradients(
        lambda: model.loss(second, state)[0].sum, values, {name: grads[place] for name, place in flat.slices.items()}
    )
    assert max(entry.error for entry in found) < 1e-6


@every_cell
def test_truncation_drops_what_flows_through_the_state_and_nothing_else(cell):
    model = tiny_model(np.float64, cell=cell)
    (whole,) = windows(12)
    first, second = windows(6)
    flat, truncated, (_, between, _) = passes(model, [first, second])
    _, (full,), _ = passes(model, [whole])

    def through_state():
        """∂L₂/∂state · state, whose gradient is the part of L₂'s that the cut drops."""
        _, state, _ = model.loss(first)
        return float(np.sum(d_between[0] * state[0]))

    _, _, cache = model.loss(second, between)
    _, d_between = model.backward(cache)
    dropped = full - sum(truncated)
    assert np.abs(dropped).max() > 1e-3
    values = {name: parameter.value for name, parameter in model.parameters().items()}
    found = compare_gradients(through_state, values, {name: dropped[place] for name, place in flat.slices.items()})
    assert max(entry.error for entry in found) < 1e-6


def test_a_window_as_long_as_the_text_is_full_backpropagation():
    full, long = (tiny_trainer(batches=Streams(IDS, 3, length)) for length in (40, 1000))
    assert len(full.batches) == len(long.batches) == 1
    for trainer in (full, long):
        list(trainer.run())
    assert full.flat.values.tobytes() == long.flat.values.tobytes()
    truncated = tiny_trainer(batches=Streams(IDS, 3, 20))
    list(truncated.run())
    assert not np.allclose(truncated.flat.values, full.flat.values)


def test_carried_state_gives_a_window_the_loss_it_has_within_the_whole():
    model = tiny_model(np.float64)
    (whole,) = windows(12)
    first, second = windows(6)
    _, state, _ = model.loss(first)
    cut = model.loss(first)[0].plus(model.loss(second, state)[0])
    assert cut.sum == pytest.approx(model.loss(whole)[0].sum, rel=1e-12)
    assert cut.count == 24
    assert model.loss(second, None)[0].sum != pytest.approx(model.loss(second, state)[0].sum, rel=1e-6)
