"""The limit: how fast this machine multiplies float32 matrices, alone, and in the shapes of a workload."""

import json
import sys
from time import perf_counter

import numpy as np

from rnncli.benchmarks.serving import say
from rnncli.benchmarks.workloads import Workload

SQUARE = [(1024, 1024, 1024, 1)]
SECONDS = 0.05
"""A round takes at least so long, and the fastest of several counts: what else the machine does only slows it."""


def speed(products: list[tuple[int, int, int, int]], rounds: int = 5) -> float:
    """Return the operations a second of products (m, k) by (k, n), each done as often as its last number says."""
    rng = np.random.default_rng(0)
    arrays = [
        (rng.random((m, k), np.float32), rng.random((k, n), np.float32), np.empty((m, n), np.float32), times)
        for m, k, n, times in products
    ]
    best, repeats = 0.0, 1
    while rounds:
        began = perf_counter()
        for _ in range(repeats):
            for a, b, out, times in arrays:
                for _ in range(times):
                    np.matmul(a, b, out=out)
        seconds = perf_counter() - began
        if seconds < SECONDS:
            repeats *= 2
            continue
        best = max(best, repeats * sum(2 * m * k * n * times for m, k, n, times in products) / seconds)
        rounds -= 1
    return best


if __name__ == "__main__":
    work = Workload(**json.loads(sys.argv[1]))
    say({"square": speed(SQUARE), "step": speed(work.products)})
