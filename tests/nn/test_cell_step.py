"""The calls of a step against the cell's own equations."""

import numpy as np
import pytest

from rnncli.nn.cell_step import arrange, cell_calls
from rnncli.nn.cells import CELLS

VARIANTS = [cell for cls in CELLS.values() for cell in cls.variants()]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("B", [1, 5])
@pytest.mark.parametrize("cell", VARIANTS, ids=lambda cell: getattr(cell, "activation", cell.name))
def test_the_calls_do_what_the_cell_does(cell, B, dtype):
    H, k, S, s = 4, len(cell.gates), len(cell.states), len(cell.saved)
    rng = np.random.default_rng(1)
    hidden, block = np.empty((H, B), dtype), np.empty((S - 1 + k + s, H, B), dtype)
    state = rng.standard_normal((S, H, B)).astype(dtype)
    hidden[:], block[: S - 1] = state[0], state[1:]
    calls = cell_calls(cell, hidden, block)
    for _ in range(3):  # in the same memory
        z = (rng.standard_normal((k, H, B)) * 2).astype(dtype)
        saved = rng.standard_normal((s, H, B)).astype(dtype)
        block[S - 1 : S - 1 + k] = arrange(cell, z.reshape(k * H, B)).reshape(k, H, B)
        block[S - 1 + k :] = saved
        for function, arguments in calls:
            function(*arguments)
        after = np.empty_like(state)
        cell.forward(z * np.array(cell.scales, dtype)[:, None, None], np.empty_like(z), state, after, saved)
        np.testing.assert_allclose([hidden, *block[: S - 1]], after, rtol=1e-6 if dtype == np.float32 else 1e-14)
        state = after
    assert hidden.dtype == dtype
