"""Every numerical test fails at an overflow, a division by zero or an invalid operation."""

from collections.abc import Iterator

import numpy as np
import pytest

from rnncli.nn.cells import CELLS


@pytest.fixture(autouse=True)
def _strict_floating_point() -> Iterator[None]:
    with np.errstate(all="raise", under="ignore"):
        yield


@pytest.fixture(
    scope="session",
    params=[cell for cls in CELLS.values() for cell in cls.variants()],
    ids=lambda cell: getattr(cell, "activation", cell.name),
)
def cell(request):
    """Every variant of every cell in the table."""
    return request.param
