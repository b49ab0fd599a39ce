"""Token ids to batches of next-token prediction. T time steps, B sequences, N ids.

Each iterable has `len()` batches an epoch; `epoch(rng, start=k)` gives what `epoch(rng)` gives from its k-th batch on,
for generators in equal states, so that a run can resume in mid-epoch. Ids stay compact until a batch is made.
"""

from collections.abc import Iterator, Sequence
from dataclasses import InitVar, dataclass, field
from itertools import islice

import numpy as np
import numpy.typing as npt

from rnncli.data.vocabulary import Ids

Indices = npt.NDArray[np.intp]

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

    ids: Ids
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
            yield _window(self.ids, bounds[:-1], np.diff(bounds), first, self.length)


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of `length` steps at the multiples of `stride`, and one at the end; shuffled, each with a fresh state.

    With `stride` < `length` they overlap: most targets are predicted more than once an epoch (above it, some never).
    The last batch may be smaller. Raises ValueError when `length` > N - 1.
    """

    ids: Ids
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
        starts = np.minimum(rng.permutation(self._number) * self.stride, self._last)
        cuts = range(start * self.batch_size, self._number, self.batch_size)
        batches = (starts[k : k + self.batch_size] for k in cuts)
        return (_window(self.ids, each, np.full(len(each), self.length), 0, self.length) for each in batches)


@dataclass(frozen=True, eq=False)
class Items:
    """Separate sequences: from [begin, item] predict [item, end], in shuffled batches of items of similar length.

    With `length`, each padded batch is cut in windows of that many steps, all but the first with `carry`. The number of
    batches is the same in every epoch. The last items may make a smaller batch.
    """

    items: InitVar[Sequence[Ids]]
    begin_id: int
    end_id: int
    batch_size: int
    length: int | None = None
    _number: int = field(init=False, repr=False)
    _flat: Ids = field(init=False, repr=False)
    _starts: Indices = field(init=False, repr=False)
    _lengths: Indices = field(init=False, repr=False)

    def __post_init__(self, items: Sequence[Ids]) -> None:
        if not (items and self.batch_size >= 1 and (self.length is None or self.length >= 1)):
            raise ValueError(f"no batches: {len(items)} items, batch size {self.batch_size}, length {self.length}")
        dtype = np.result_type(*{item.dtype for item in items})
        begin, end = np.array([[self.begin_id], [self.end_id]], dtype)
        # one array and offsets: an array object an item would outweigh short items ten times
        object.__setattr__(self, "_flat", np.concatenate([part for item in items for part in (begin, item, end)]))
        lengths = np.array([len(item) + 1 for item in items])
        object.__setattr__(self, "_lengths", lengths)
        object.__setattr__(self, "_starts", np.cumsum(lengths + 1) - lengths - 1)
        windows = np.sort(self._windows)  # the longest item of a batch is its last
        lasts = [min(k + self.batch_size, len(windows)) - 1 for k in self._firsts]
        object.__setattr__(self, "_number", int(windows[lasts].sum()))

    def __len__(self) -> int:
        return self._number

    @property
    def _windows(self) -> Indices:
        return -(-self._lengths // self._length)  # that each item needs

    @property
    def _length(self) -> int:
        return self.length or int(self._lengths.max())

    @property
    def _firsts(self) -> range:
        return range(0, len(self._lengths), self.batch_size)

    def epoch(self, rng: np.random.Generator, start: int = 0) -> Iterator[Batch]:
        """Draw an order at once and yield the batches from the `start`-th on."""
        order, length = rng.permutation(len(self._lengths)), self._length
        # by the windows they need, so that every epoch has the same number of batches; then, within a pool, by length
        order = order[np.argsort(self._windows[order], kind="stable")]
        order = order[np.lexsort((self._lengths[order], np.arange(len(order)) // (_POOL * self.batch_size)))]
        cuts = (
            (items, first)
            for k in rng.permutation(self._firsts)
            for items in [order[k : k + self.batch_size]]
            for first in range(0, self._lengths[items[-1]], length)
        )
        return (
            _window(self._flat, self._starts[items], self._lengths[items], first, length)
            for items, first in islice(cuts, start, None)
        )


def _ceil(number: int, divisor: int) -> int:
    return -(-number // divisor)


def _window(ids: Ids, starts: Indices, lengths: Indices, first: int, length: int) -> Batch:
    """Take the steps from `first` on of the sequences that begin at `starts` (B,) and have `lengths` (B,) targets."""
    steps = np.arange(first, min(first + length, lengths.max()))[:, None]
    mask = steps < lengths
    at = np.where(mask, starts + steps, 0)
    inputs, targets = (np.where(mask, ids[each], 0).astype(np.intp) for each in (at, at + 1))
    return Batch(inputs, targets, None if mask.all() else mask, carry=first > 0)
