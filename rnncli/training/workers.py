"""Workers: processes that share out each batch, and whose gradients are summed in a fixed order."""

import mmap
import os
import select
import signal
import struct
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np
from numpy.typing import DTypeLike

from rnncli.errors import RnncliError
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import Loss, State

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

FEWEST = 4
"""Sequences for each worker at least: then two are 1.2 to 1.7 times as fast as one, with half of it 1.1 times."""
SPIN_SECONDS = 3e-4
"""Who waits looks again and again for so long before it sleeps, since waking up takes time: 5 % of a 4 ms step."""
GO, DONE, FAILED = b"g", b"d", b"f"
LOSS = struct.Struct("=dq")


class WorkerDiedError(RnncliError):
    """A worker ended before its time; the trainer is as it was after the last whole step."""


@dataclass(frozen=True)
class Share:
    """What came of a worker's share of a batch, or of the whole batch."""

    loss: Loss
    sequences: int  # of the whole batch
    state: State  # after it, of the share's sequences


def workers_for(asked: int, batch_size: int) -> tuple[int, list[str]]:
    """Return how many workers of those asked for are of use, and a notice where they are fewer."""
    if asked > 1 and (not hasattr(os, "fork") or sys.platform == "darwin"):  # whose BLAS does not survive a fork
        return 1, [f"workers {asked} → 1: this system cannot fork them"]
    useful = max(1, min(asked, batch_size // FEWEST))
    if useful == asked:
        return asked, []
    return useful, [f"workers {asked} → {useful}: each needs {FEWEST} of a batch's {batch_size} sequences to be of use"]


def shared_zeros(size: int, dtype: DTypeLike) -> Array:
    """Return zeros (size,) in memory that stays common to this process and the workers it starts later."""
    try:
        return np.frombuffer(mmap.mmap(-1, size * np.dtype(dtype).itemsize), dtype)
    except OSError:
        raise MemoryError(f"Unable to share {size:,} numbers with workers") from None


def share_of(batch: Any, worker: int, workers: int) -> Any:
    """Return the sequences `worker`, `worker + workers`, …: these columns of the last axis of every array of a batch.

    Dealt like cards, since where a batch is sorted by length neighbours take equally long.
    """
    if workers == 1:
        return batch
    arrays = {field.name: getattr(batch, field.name) for field in fields(batch)}
    return replace(
        batch,
        **{
            name: np.ascontiguousarray(array[..., worker::workers])
            for name, array in arrays.items()
            if isinstance(array, np.ndarray)
        },
    )


class Workers:
    """A context with a worker for each of `grads`: this process is worker 0, the others are forked from it.

    Worker k draws its share of each batch from its own `work(k)`, which leaves the share's gradient in grads[k]. What
    workers have in common comes from `shared_zeros`. The others ignore the signals that end a run, which this process
    answers for all; they end with it even when it is killed, since that closes their pipe.
    """

    def __init__(self, work: Callable[[int], Iterator[Share]], grads: list[Array]) -> None:
        self.work, self.grads = work, grads
        self._own = work(0)
        self._others: list[tuple[int, Connection]] = []  # process and pipe of worker 1, 2, …

    def __enter__(self) -> Self:
        for worker in range(1, len(self.grads)):
            try:
                self._others.append(self._start(worker))
            except OSError as error:
                self.__exit__()
                raise RnncliError(f"cannot start worker {worker}: {error.strerror}") from None
        return self

    def __exit__(self, *_: object) -> None:
        for process, pipe in self._others:
            pipe.close()
            with suppress(ProcessLookupError, ChildProcessError):  # where SIGCHLD is ignored
                os.kill(process, signal.SIGKILL)  # it has nothing to lose, and may be in the middle of a long step
                os.waitpid(process, 0)
        self._others = []

    def step(self) -> Share:
        """Compute the next batch: its loss, the state after it, and in grads[0] the sum of the workers' gradients.

        Raises WorkerDiedError when a worker has ended or failed.
        """
        for worker, (_, pipe) in enumerate(self._others, 1):
            try:
                pipe.send_bytes(GO)
            except OSError:
                raise self._death(worker) from None
        own = next(self._own)
        if not self._others:
            return own
        loss, workers = own.loss, len(self.grads)
        state = [np.empty((*layer.shape[:-1], own.sequences), layer.dtype) for layer in own.state]
        for whole, layer in zip(state, own.state, strict=True):
            whole[..., ::workers] = layer
        for worker, (_, pipe) in enumerate(self._others, 1):
            answer = self._answer(worker, pipe)
            loss = loss.plus(Loss(*LOSS.unpack_from(answer, 1)))
            start = 1 + LOSS.size
            for whole in state:
                part = whole[..., worker::workers]
                part[...] = np.frombuffer(answer, whole.dtype, part.size, start).reshape(part.shape)
                start += part.nbytes
            self.grads[0] += self.grads[worker]
        return Share(loss, own.sequences, state)

    def _start(self, worker: int) -> "tuple[int, Connection]":
        from multiprocessing.connection import Pipe

        ours, theirs = Pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads that hold locks: none that a worker takes
            process = os.fork()
        if not process:
            ours.close()
            self._serve(worker, theirs)
        theirs.close()
        return process, ours

    def _answer(self, worker: int, pipe: "Connection") -> bytes:
        try:
            answer = _receive(pipe)
        except (EOFError, OSError):
            raise self._death(worker) from None
        if answer.startswith(FAILED):
            raise WorkerDiedError(f"worker {worker} failed: {answer[1:].decode()}")
        return answer

    def _death(self, worker: int) -> WorkerDiedError:
        """Return the error that tells how a worker ended."""
        process, _ = self._others[worker - 1]
        cause = "ended"
        with suppress(ChildProcessError):
            end = os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
            if end and end.si_code in (os.CLD_KILLED, os.CLD_DUMPED):
                cause = f"was ended by signal {end.si_status} ({signal.strsignal(end.si_status)})"
        return WorkerDiedError(f"worker {worker} {cause}")

    def _serve(self, worker: int, pipe: "Connection") -> NoReturn:
        """Compute a share whenever told to, until the pipe is closed; then end this process."""
        try:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            for _, other in self._others:
                other.close()
            work = self.work(worker)
            while _receive(pipe):
                share = next(work)
                state = b"".join(layer.tobytes() for layer in share.state)
                pipe.send_bytes(DONE + LOSS.pack(share.loss.sum, share.loss.count) + state)
        except EOFError:
            pass
        except BaseException as error:  # noqa: BLE001 - worker 0 reports it
            with suppress(OSError):
                pipe.send_bytes(FAILED + f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)


def _receive(pipe: "Connection") -> bytes:
    """Return the next message; EOFError or OSError when the other side has ended."""
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    until = perf_counter() + SPIN_SECONDS
    while not poll.poll(0) and perf_counter() < until:
        pass
    return pipe.recv_bytes()
