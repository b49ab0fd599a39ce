"""Who is measured: a process for each side, so that its memory is its own and its BLAS threads are as told."""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rnncli.benchmarks.workloads import Workload
from rnncli.errors import RnncliError, UsageError

PACKAGE = Path(__file__).parent
KEEP_MEMORY = {
    "MALLOC_TRIM_THRESHOLD_": "100000000000",
    "MALLOC_MMAP_THRESHOLD_": "100000000000",
    "MALLOC_TOP_PAD_": "67108864",
}
"""What keeps glibc's allocator from handing memory back, which PyTorch's many blocks gain by."""
PATIENCE = 3.0
"""Seconds that a process has to end by itself."""
ONEDNN = ("with oneDNN", "without oneDNN")
PACKED = ("packed, with oneDNN", "packed, without oneDNN")
PADDED = ("padded, with oneDNN", "padded, without oneDNN")
RAGGED = (("PyTorch", PACKED), ("PyTorch", PADDED))
PEERS: dict[str, dict[str, tuple[tuple[str, tuple[str, ...]], ...]]] = {
    "torch": {
        "train": (("PyTorch", ONEDNN),),
        "generate": (("PyTorch nn.LSTM", ONEDNN), ("PyTorch LSTMCell", ("eager", "traced"))),
        "classify": RAGGED,
        "tag": RAGGED,
        "train tagger": RAGGED,
        "train translator": RAGGED,
    },
    "naive": {"train": (("naive loop", ("float64",)),)},
}
"""What `--against` compares with: for each kind of work the peers, and the settings of which the fastest counts."""


@dataclass(frozen=True)
class Timing:
    """So many steps, and what they took."""

    steps: int
    seconds: float
    cpu_seconds: float  # of the process itself, without workers

    @property
    def rate(self) -> float:
        """Steps a second."""
        return self.steps / self.seconds

    @property
    def cpu_rate(self) -> float:
        """Steps a second of CPU time."""
        return self.steps / self.cpu_seconds


@dataclass
class Side:
    """A process that does a workload in measured portions; a context that starts it and ends it."""

    name: str
    setting: str
    work: Workload
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    timings: list[Timing] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)  # what it says of itself when it is ready
    steps: int = 1  # of a portion

    def __enter__(self) -> Self:
        """Start the process and wait until it is ready; UsageError when it lacks what it needs."""
        self._errors = tempfile.TemporaryFile()
        given = [json.dumps(asdict(self.work)), self.setting]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own script
                [*self.command, *given],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=os.environ | self.environment,
                text=True,
            )
        except OSError as error:
            self._errors.close()
            raise UsageError(f"{self.command[0]}: {error.strerror}", hint="name a Python interpreter") from None
        try:
            self.about = self._introduction()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process, which ends by itself when nothing more is asked of it."""
        assert self._process.stdin
        assert self._process.stdout
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def run(self, steps: int) -> Timing:
        """Do so many steps; RnncliError when the process has died."""
        assert self._process.stdin
        with suppress(BrokenPipeError):  # the answer that does not come says why
            self._process.stdin.write(f"{steps}\n")
            self._process.stdin.flush()
        return Timing(steps, **self._answer())

    def calibrate(self, seconds: float) -> None:
        """Warm up, and find how many steps take about so long; whole cycles of batches, so that all portions match."""
        cycle = self.work.cycle
        self.run(cycle)
        timing = self.run(cycle)
        while timing.seconds < seconds / 4:
            timing = self.run(2 * timing.steps)
        self.steps = cycle * max(1, round(timing.rate * seconds / cycle))

    @property
    def peak_memory(self) -> int | None:
        """Bytes of main memory that the process, and each worker of its, has held at the most; None if not on Linux."""
        peaks = [_peak(pid) for pid in (self._process.pid, *_children(self._process.pid))]
        return sum(filter(None, peaks)) or None

    def _introduction(self) -> dict[str, Any]:
        about = self._answer()
        if missing := about.get("missing"):
            raise UsageError(
                f"{missing} is not installed for {self.command[0]}",
                hint="pip install torch, or name an interpreter that has it: --torch-python PATH",
            )
        return about

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        status = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().split("\n")
        reason = next((line for line in reversed(said) if "Error" in line), said[-1])
        raise RnncliError(f"{self.name}: its process ended with status {status}", hint=reason)


def own_side(module: str, work: Workload, name: str = "rnncli", setting: str = "") -> Side:
    """Return a side that is a module of this package, for this interpreter."""
    path = os.pathsep.join(filter(None, (str(PACKAGE.parents[1]), os.environ.get("PYTHONPATH"))))
    return Side(name, setting, work, [sys.executable, "-P", "-m", f"{__package__}.{module}"], {"PYTHONPATH": path})


def peers(work: Workload, against: str, python: str) -> list[list[Side]]:
    """Return the sides that a workload is compared with, each in all its settings; `python` is PyTorch's interpreter.

    UsageError where there are none: the naive loop is an rnn of one layer. Padded sequences without packing are right
    for a classifier only where nothing is read behind their ends; a translator's encoder has them packed, and so where
    its decoder goes step by step there is one way alone.
    """
    named = PEERS[against].get(work.kind, ())
    if against == "torch":
        command, environment = [python, str(PACKAGE / "pytorch.py")], KEEP_MEMORY | {"PYTHONSAFEPATH": "1"}
        if work.workers > 1:  # as many threads as we have workers
            environment |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(work.workers))
        return [
            [Side(name, setting, work, command, environment) for setting in settings]
            for name, settings in named
            if not (settings == PADDED and (_reads_ends(work) or work.input_feeding))
        ]
    if (work.cell, work.num_layers) != ("rnn", 1) or not named:
        raise UsageError(f"{work.title}: the naive loop trains an rnn of one layer", hint="such as e or j")
    alone = replace(work, batch_size=1)
    return [[own_side(against, alone, name, setting) for setting in settings] for name, settings in named]


def _reads_ends(work: Workload) -> bool:
    """Return whether padding would be taken for the ends of sequences."""
    return work.kind == "classify" and (work.bidirectional or work.readout != "last")


def _peak(pid: int) -> int | None:
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])
    return None


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()]
    return []
