"""What `rnncli bench` measures, through pytest-benchmark: `pytest tests/benchmarks/test_speed.py -m benchmark -n 0`.

With TORCH_PYTHON, an interpreter that has PyTorch, its settings are timed beside.
"""

import os

import pytest

from rnncli.benchmarks import WORKLOADS
from rnncli.benchmarks.sides import own_side, peers

OPERATIONS = 1e10
"""In the products of a round, the same for each side."""


def sides(work):
    """Yield our side, and PyTorch's in each setting."""
    yield own_side("ours", work)
    if python := os.environ.get("TORCH_PYTHON"):
        for settings in peers(work, "torch", python):
            yield from settings


CASES = {f"{name} {side.name} {side.setting}": side for name, work in WORKLOADS.items() for side in sides(work)}


@pytest.mark.benchmark
@pytest.mark.parametrize("side", CASES.values(), ids=CASES)
def test_speed(side, benchmark):
    with side:
        steps = max(1, round(OPERATIONS / side.work.flops))
        benchmark.group = side.work.title
        benchmark.pedantic(side.run, args=(steps,), rounds=7, warmup_rounds=1)
        benchmark.extra_info["tokens_per_second"] = side.work.tokens * steps / benchmark.stats.stats.median
        benchmark.extra_info["peak_memory"] = side.peak_memory
