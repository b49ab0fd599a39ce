"""How fast this machine trains and generates, in processes of their own, beside PyTorch and a naive loop."""

from rnncli.benchmarks.comparison import Comparison, Result, measure
from rnncli.benchmarks.sides import PEERS
from rnncli.benchmarks.workloads import WORKLOADS, Workload

__all__ = ["PEERS", "WORKLOADS", "Comparison", "Result", "Workload", "measure"]
