"""Sides measured in turn, A B A B, so that what else the machine does slows all of them alike."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from rnncli.benchmarks.sides import Side, Timing, own_side, peers
from rnncli.benchmarks.workloads import Workload

TRIALS = 3
"""Portions by which the fastest of a peer's settings is found."""


@dataclass(frozen=True)
class Result:
    """What came of one side."""

    name: str
    setting: str
    version: str | None
    tokens_per_second: float  # the median
    ratio: float | None  # our speed by this one's, the median over the rounds; None for our own
    cpu_ratio: float | None  # the same of CPU time, which a busy machine sways less; it leaves workers out
    peak_memory: int | None  # bytes
    timings: tuple[Timing, ...]


@dataclass(frozen=True)
class Comparison:
    """A workload as we do it, and as each peer does."""

    work: Workload
    ours: Result
    peers: tuple[Result, ...]
    gemm: dict[str, float]
    """The limit, in operations a second: of `square` products, and of a `step`'s forward products alone."""

    @property
    def flops(self) -> float:
        """The operations a second that our side does, by the count of the workload."""
        return self.ours.tokens_per_second / self.work.tokens * self.work.flops

    @property
    def share(self) -> float:
        """What part that is of the large products that as many cores could do."""
        return self.flops / (self.gemm["square"] * self.work.workers)


def measure(
    work: Workload,
    *,
    against: str | None = None,
    python: str = "",
    repeats: int = 7,
    seconds: float = 1.0,
    report: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Measure a workload in rounds: in each a portion of about so many seconds by us and by each peer of `against`.

    `python` is the interpreter that has PyTorch. UsageError where it has not, RnncliError where a side fails.
    """
    others = peers(work, against, python) if against else []
    with ExitStack() as stack:
        sides = [own_side("ours", work)]
        for settings in others:
            report(f"{settings[0].name}, which of its settings is the fastest")
            sides.append(fastest(settings, seconds) if len(settings) > 1 else settings[0])
        report("the limit of matrix products")
        with own_side("products", work) as limit:
            gemm = limit.about
        for side in sides:
            report(f"{side.name} warms up")
            stack.enter_context(side).calibrate(seconds)
        for number in range(repeats):
            report(f"round {number + 1} of {repeats}")
            for side in sides:
                side.timings.append(side.run(side.steps))
        own, *theirs = [result(side, sides[0]) for side in sides]
    return Comparison(work, own, tuple(theirs), gemm)


def fastest(settings: list[Side], seconds: float) -> Side:
    """Return the side whose setting proves the fastest, its process ended again."""
    with ExitStack() as stack:
        for side in settings:
            stack.enter_context(side).calibrate(seconds / TRIALS)
        trials = [[side.run(side.steps).rate for side in settings] for _ in range(TRIALS)]
    best = [max(rates) for rates in zip(*trials, strict=True)]
    return settings[best.index(max(best))]


def result(side: Side, own: Side) -> Result:
    """Return what came of a side, beside ours."""
    pairs = list(zip(own.timings, side.timings, strict=True))
    work = own.work.tokens / side.work.tokens
    return Result(
        side.name,
        side.setting,
        side.about.get("version"),
        side.work.tokens * median(timing.rate for timing in side.timings),
        None if side is own else work * median(ours.rate / theirs.rate for ours, theirs in pairs),
        None if side is own else work * median(ours.cpu_rate / theirs.cpu_rate for ours, theirs in pairs),
        side.peak_memory,
        tuple(side.timings),
    )
