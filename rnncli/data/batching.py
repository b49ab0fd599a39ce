"""Token ids to batches of next-token prediction. T time steps, B sequences, N ids.

Each iterable has `len()` batches an epoch; `epoch(rng, start=k)` gives what `epoch(rng)` gives from its k-th batch on,
for generators in equal states, so that a run can resume in mid-epoch. Ids stay where they are, which may be a file,
until a batch is made; what an order costs in memory stands with each.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from rnncli.data.sequences import Flat, Sequences
from rnncli.data.splitting import shuffled

Indices = npt.NDArray[np.intp]

_CHUNK = 1 << 18  # items looked at together
_POOL = 50  # batches sorted by length together: many enough for little padding, few enough to stay random


@dataclass(frozen=True, eq=False)
class Batch:
    """Inputs and the tokens that follow them, (T, B) each."""

    inputs: Indices
    targets: Indices
    mask: npt.NDArray[np.bool_] | None
    """(T, B), True for real tokens; None when all are. Elsewhere inputs and targets are 0."""
    carry: bool
    """Whether every sequence goes on from the batch before, with its state."""
    condition: npt.NDArray[Any] | None = None
    """What each sequence is conditioned on, (C, B); None: nothing."""

    @property
    def tokens(self) -> int:
        """The number of real targets."""
        return self.targets.size if self.mask is None else int(np.count_nonzero(self.mask))


@dataclass(frozen=True, eq=False)
class Streams:
    """One long sequence (N,) read as B parallel ones in windows of `length` steps, for truncated BPTT; no shuffling.

    Stream i predicts the targets from number i (N-1) // B on: each id but the first is predicted exactly once an epoch,
    in order, and only the last window may be shorter or need a mask. Raises ValueError when B > N - 1.
    """

    ids: Flat
    batch_size: int
    length: int

    def __post_init__(self) -> None:
        if not (1 <= self.batch_size < len(self.ids) and self.length >= 1):
            raise ValueError(f"{len(self.ids)} ids do not fill {self.batch_size} streams cut every {self.length} steps")

    def __len__(self) -> int:
        return _ceil(self._steps, self.length)

    @property
    def _steps(self) -> int:
        return _ceil(len(self.ids) - 1, self.batch_size)  # of the longest streams, to which the last one belongs

    def epoch(self, rng: np.random.Generator, start: int = 0) -> Iterator[Batch]:  # noqa: ARG002 - the others draw
        """Yield the windows from the `start`-th on."""
        bounds = np.arange(self.batch_size + 1) * (len(self.ids) - 1) // self.batch_size
        for first in range(start * self.length, self._steps, self.length):
            yield _window(self.ids, bounds[:-1].tolist(), np.diff(bounds), first, self.length)


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of `length` steps at the multiples of `stride`, and one at the end; shuffled, each with a fresh state.

    With `stride` < `length` they overlap: most targets are predicted more than once an epoch (above it, some never).
    The last batch may be smaller. An epoch takes 4 bytes a window. Raises ValueError when `length` > N - 1.
    """

    ids: Flat
    batch_size: int
    length: int
    stride: int

    def __post_init__(self) -> None:
        if not (1 <= self.length < len(self.ids) and self.batch_size >= 1 and self.stride >= 1):
            sizes = f"batch size {self.batch_size}, length {self.length}, stride {self.stride}"
            raise ValueError(f"{len(self.ids)} ids do not fill a window of {sizes}")

    def __len__(self) -> int:
        return _ceil(self._number, self.batch_size)

    @property
    def _last(self) -> int:
        return len(self.ids) - 1 - self.length

    @property
    def _number(self) -> int:
        return _ceil(self._last, self.stride) + 1

    def epoch(self, rng: np.random.Generator, start: int = 0) -> Iterator[Batch]:
        """Draw an order at once and yield the batches from the `start`-th on."""
        order = shuffled(self._number, rng)
        cuts = range(start * self.batch_size, self._number, self.batch_size)
        batches = (order[k : k + self.batch_size].astype(np.intp) * self.stride for k in cuts)
        return (
            _window(self.ids, np.minimum(each, self._last).tolist(), np.full(len(each), self.length), 0, self.length)
            for each in batches
        )


@dataclass(frozen=True, eq=False)
class Items:
    """Separate sequences, each from its begin to its end symbol, in shuffled batches of items of similar length.

    With `length`, each padded batch is cut in windows of that many steps, all but the first with `carry`. The number of
    batches is the same in every epoch. The last items may make a smaller batch. It takes 4 bytes an item, and in an
    epoch 4 more; with windows up to 28 while an order is drawn.
    """

    items: Sequences
    batch_size: int
    length: int | None = None
    _number: int = field(init=False, repr=False)
    _length: int = field(init=False, repr=False)
    _lengths: npt.NDArray[np.uint32] = field(init=False, repr=False)
    """The targets of each item."""

    def __post_init__(self) -> None:
        items = len(self.items)
        if not (items and self.batch_size >= 1 and (self.length is None or self.length >= 1)):
            raise ValueError(f"no batches: {items} items, batch size {self.batch_size}, length {self.length}")
        lengths = np.empty(items, np.uint32)
        for k in range(0, items, _CHUNK):
            lengths[k : k + _CHUNK] = np.diff(self.items.starts[k : k + _CHUNK + 1]) - 1
        object.__setattr__(self, "_lengths", lengths)
        longest = int(lengths.max())
        object.__setattr__(self, "_length", min(self.length or longest, longest))
        number = len(self._firsts)
        if self._length < longest:
            windows = np.sort(self._windows(lengths))  # the longest item of a batch is its last
            number = int(windows[[min(k + self.batch_size, items) - 1 for k in self._firsts]].sum())
        object.__setattr__(self, "_number", number)

    def __len__(self) -> int:
        return self._number

    def _windows(self, lengths: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """Return how many windows items of these lengths need."""
        return (lengths - 1) // self._length + 1

    @property
    def _firsts(self) -> range:
        return range(0, len(self._lengths), self.batch_size)

    def epoch(self, rng: np.random.Generator, start: int = 0) -> Iterator[Batch]:
        """Draw an order at once and yield the batches from the `start`-th on."""
        order = shuffled(len(self._lengths), rng)
        # by the windows they need, so that every epoch has the same number of batches; then, within a pool, by length
        if self._number > len(self._firsts):
            order = order[np.argsort(self._windows(self._lengths[order]), kind="stable")]
        cuts = (
            (items, first)
            for items in bucketed(order, self._lengths, self.batch_size, rng)
            for first in range(0, int(self._lengths[items[-1]]), self._length)
        )
        return (
            _window(
                self.items.ids,
                map(self.items.start, items.tolist()),
                self._lengths[items].astype(np.intp),
                first,
                self._length,
                self.items.condition(items),
            )
            for items, first in islice(cuts, start, None)
        )


def bucketed(
    order: npt.NDArray[np.integer[Any]], lengths: npt.NDArray[Any], batch_size: int, rng: np.random.Generator
) -> Iterator[npt.NDArray[np.integer[Any]]]:
    """Sort an order by length within each pool, in place; return its batches in random order, shortest item first."""
    for k in range(0, len(order), _POOL * batch_size):
        pool = order[k : k + _POOL * batch_size]
        pool[:] = pool[np.argsort(lengths[pool], kind="stable")]
    return (order[k : k + batch_size] for k in rng.permutation(range(0, len(order), batch_size)))


def _ceil(number: int, divisor: int) -> int:
    return -(-number // divisor)


def _window(
    ids: Flat,
    starts: Iterable[int],
    lengths: Indices,
    first: int,
    length: int,
    condition: npt.NDArray[Any] | None = None,
) -> Batch:
    """Take the steps from `first` on of the sequences that begin at `starts` (B,) and have `lengths` (B,) targets."""
    last = np.minimum(lengths, first + length)
    steps = int(last.max()) - first
    rows = np.zeros((len(lengths), steps + 1), ids.dtype)
    for row, start, end in zip(rows, starts, last.tolist(), strict=True):
        if end > first:
            row[: end - first + 1] = ids[start + first : start + end + 1]
    tokens = rows.T.astype(np.intp, order="C")
    mask = np.arange(first, first + steps)[:, None] < lengths
    if mask.all():
        return Batch(tokens[:-1], tokens[1:], None, first > 0, condition)
    return Batch(np.where(mask, tokens[:-1], 0), tokens[1:], mask, first > 0, condition)
