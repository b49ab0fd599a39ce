"""The process of one side: it does steps when told how many, and says how long they took."""

import json
import sys
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any

from rnncli.benchmarks.workloads import Workload


def serve(prepare: Callable[[Workload], Callable[[int], object]]) -> None:
    """Prepare the workload of the first argument; then answer each number of steps with wall and CPU seconds."""
    run = prepare(Workload(**json.loads(sys.argv[1])))
    say({})
    for line in sys.stdin:
        began, cpu_began = perf_counter(), process_time()
        run(int(line))
        say({"seconds": perf_counter() - began, "cpu_seconds": process_time() - cpu_began})


def say(answer: dict[str, Any]) -> None:
    """Write one line of JSON."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
