import json
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def golden():
    """scikit-learn's scores, as make_golden.py wrote them."""
    return json.loads((Path(__file__).parent / "scikit_learn.json").read_text("utf-8"))


@pytest.fixture(autouse=True)
def strict_floating_point():
    """Scores divide nothing by zero, and overflow only where they say so."""
    with np.errstate(all="raise", under="ignore"):
        yield
