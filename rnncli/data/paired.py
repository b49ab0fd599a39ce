"""Pairs of sequences in memory, and in batches: a source, of tokens or vectors, and a target, of tokens.

P pairs, N steps of all sequences of a side, D features of a vector; in a batch S steps of the longest source, T of the
longest target and its end, B pairs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rnncli.data.batching import Indices
from rnncli.data.ranges import ranges
from rnncli.data.splitting import shuffled
from rnncli.data.texts import Texts

Array = npt.NDArray[Any]

USUAL = 0.95
"""Of the targets, the share that says how long they are."""

POOL = 100
"""Batches sorted by lengths together: many enough for little padding, few enough to stay random."""
STRIP = 10
"""Of them, those whose targets are of similar length."""


@dataclass(frozen=True, eq=False)
class Side:
    """What stands on one side of pairs: sequences one after the other, of which several pairs may share one."""

    stored: Array
    """Token ids (N,), or vectors (N, D)."""
    bounds: npt.NDArray[np.int64]
    """The k-th sequence is stored[bounds[k] : bounds[k + 1]]."""
    order: npt.NDArray[np.integer[Any]] | None = None
    """The number of each pair's sequence, (P,); None: each has its own, in their order."""

    def __len__(self) -> int:
        return len(self.bounds) - 1 if self.order is None else len(self.order)

    @cached_property
    def lengths(self) -> npt.NDArray[np.int64]:
        """The steps of each pair's sequence, (P,)."""
        lengths: npt.NDArray[np.int64] = np.diff(self.bounds)
        return lengths if self.order is None else lengths[self.order]

    @property
    def values(self) -> Array:
        """The ids or vectors of all pairs, one after the other: a copy where pairs share some."""
        return self.stored if self.order is None else self.together(np.arange(len(self)))

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """Where in the `values` those of each pair begin, (P + 1,)."""
        return self.bounds if self.order is None else np.concatenate(([0], np.cumsum(self.lengths)))

    def of(self, i: int) -> Array:
        """Return the ids (T,) or vectors (T, D) of the i-th pair."""
        k = i if self.order is None else self.order[i]
        values: Array = self.stored[self.bounds[k] : self.bounds[k + 1]]
        return values

    def together(self, numbers: npt.NDArray[np.integer[Any]]) -> Array:
        """Return the ids or vectors of the pairs with these numbers, one after the other."""
        k = numbers if self.order is None else self.order[numbers]
        values: Array = self.stored[ranges(self.bounds[k], self.lengths[numbers])]
        return values

    def part(self, numbers: npt.NDArray[np.integer[Any]]) -> "Side":
        """Return those of the pairs with these numbers, in that order; vectors stay where they are."""
        if self.stored.ndim > 1:
            return Side(self.stored, self.bounds, numbers if self.order is None else self.order[numbers])
        return Side(self.together(numbers), np.concatenate(([0], np.cumsum(self.lengths[numbers]))))


@dataclass(frozen=True, eq=False)
class Pairs:
    """Sources and their targets, as a model reads them and as they were written."""

    source: Side
    target: Side
    """Ids without `<bos>` and `<eos>`."""
    places: Texts
    """Where each was read, as messages show it."""
    source_text: Texts | None
    """None for vectors."""
    target_text: Texts
    begin_id: int
    end_id: int

    def __len__(self) -> int:
        return len(self.target)

    def place(self, i: int) -> str:
        """Return where the i-th was read."""
        return self.places[i]

    @property
    def longest(self) -> tuple[int, int]:
        """The steps of the longest source, and of the targets the most tokens that USUAL of them do not exceed.

        A single target that is a thousand times longer than the others says nothing of how long answers are.
        """
        tokens = np.quantile(self.target.lengths, USUAL, method="inverted_cdf")
        return int(self.source.lengths.max()), int(tokens)

    def part(self, numbers: npt.NDArray[np.integer[Any]]) -> "Pairs":
        """Return those with these numbers, in that order."""
        return Pairs(
            self.source.part(numbers),
            self.target.part(numbers),
            self.places.part(numbers),
            None if self.source_text is None else self.source_text.part(numbers),
            self.target_text.part(numbers),
            self.begin_id,
            self.end_id,
        )


@dataclass(frozen=True, eq=False)
class PairBatch:
    """Pairs, padded together behind the ends of the shorter ones; 0 stands there."""

    source: Array
    """Token ids (S, B), or vectors (D, S, B); or a single vector of each pair, (D, B)."""
    source_mask: npt.NDArray[np.bool_] | None
    """(S, B), True for real steps; None when all are, and for single vectors."""
    inputs: Indices
    """`<bos>` and the target, (T, B)."""
    targets: Indices
    """The target and `<eos>`, (T, B)."""
    mask: npt.NDArray[np.bool_] | None
    """(T, B), True for real tokens; None when all are."""
    carry: bool = False

    @property
    def condition(self) -> Array:
        """What a model of captions is conditioned on: the single vectors, (D, B)."""
        return self.source


@dataclass(frozen=True, eq=False)
class BucketedPairs:
    """Pairs in shuffled batches of similar lengths on both sides; the last pairs may make a smaller batch.

    With `single` a source is one vector. What is said in `batching` of `len()` and `epoch` holds here, too; an epoch
    takes 4 bytes a pair.
    """

    pairs: Pairs
    batch_size: int
    single: bool = False

    def __post_init__(self) -> None:
        if not (len(self.pairs) and self.batch_size >= 1):
            raise ValueError(f"no batches: {len(self.pairs)} pairs, batch size {self.batch_size}")

    def __len__(self) -> int:
        return (len(self.pairs) - 1) // self.batch_size + 1

    def epoch(self, rng: np.random.Generator, start: int = 0) -> Iterator[PairBatch]:
        """Draw an order at once and yield the batches from the `start`-th on."""
        size, order = self.batch_size, shuffled(len(self.pairs), rng)
        for first in range(0, len(order), POOL * size):
            pool = order[first : first + POOL * size]
            pool[:] = self._sorted(pool)
        firsts = rng.permutation(range(0, len(order), size))[start:]
        return (
            pair_batch(self.pairs, order[first : first + size].astype(np.intp), single=self.single) for first in firsts
        )

    def _sorted(self, pool: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.integer[Any]]:
        """Sort a pool of pairs: strips of similar targets, the longest first, and in each strip by their sources.

        So both sides of a batch are of similar lengths, also where they have nothing to do with each other. Sources
        fall, too: padding is then the last columns of a step, which layers can pass over as a slice.
        """
        pool = pool[np.argsort(-self.pairs.target.lengths[pool], kind="stable")]
        if self.single:
            return pool
        strip = np.arange(len(pool)) // (STRIP * self.batch_size)
        return pool[np.lexsort((-self.pairs.source.lengths[pool], strip))]


def pair_batch(pairs: Pairs, numbers: Indices, *, single: bool) -> PairBatch:
    """Return those of the pairs with these numbers (B,) as a batch; with `single` a source is one vector."""
    target, mask = _padded(pairs.target, numbers)
    B, n = target.shape[1], pairs.target.lengths[numbers]
    inputs, targets = np.full((2, len(target) + 1, B), pairs.begin_id, np.intp)
    inputs[1:] = targets[:-1] = target
    targets[-1] = 0
    targets[n, np.arange(B)] = pairs.end_id
    with_end = np.vstack((np.ones((1, B), bool), mask))
    mask_or_none = None if with_end.all() else with_end
    if single:
        vectors = np.ascontiguousarray(pairs.source.together(numbers).T)
        return PairBatch(vectors, None, inputs, targets, mask_or_none)
    source, source_mask = _padded(pairs.source, numbers)
    return PairBatch(source, None if source_mask.all() else source_mask, inputs, targets, mask_or_none)


def _padded(side: Side, numbers: npt.NDArray[np.integer[Any]]) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Return ids (T, B) or vectors (D, T, B), 0 behind their ends, and the mask (T, B)."""
    lengths = side.lengths[numbers]
    real = np.arange(lengths.max()) < lengths[:, None]
    stored = side.stored
    rows = np.zeros((*real.shape, *stored.shape[1:]), np.intp if stored.ndim == 1 else stored.dtype)
    rows[real] = side.together(numbers)
    return np.ascontiguousarray(rows.transpose() if rows.ndim == 2 else rows.transpose(2, 1, 0)), real.T.copy()
