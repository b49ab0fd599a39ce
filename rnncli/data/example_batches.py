"""Labelled sequences to batches, padded behind the ends of the shorter ones.

T time steps, B sequences of S, D features. What is said in `batching` of `len()` and `epoch` holds here, too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from rnncli.data.batching import Indices, bucketed
from rnncli.data.labelled import Examples
from rnncli.data.spellings import SpelledWords, Spellings
from rnncli.data.splitting import shuffled

STEPS = 1 << 14
"""Steps, padding included, of sequences that are answered together: bounds the memory, but for a longer sequence."""
SEQUENCES = 64
"""Sequences that are answered together at most."""


@dataclass(frozen=True, eq=False)
class ExampleBatch:
    """Labelled sequences, padded together behind the ends of the shorter ones."""

    inputs: npt.NDArray[Any]
    """Token ids (T, B), or vectors (D, T, B); 0 where padded."""
    targets: npt.NDArray[Any]
    """Class ids (B,), or values (K, B); of every step (T, B), -1 where padded, or (K, T, B), 0 where padded."""
    mask: npt.NDArray[np.bool_] | None
    """(T, B), True for real steps; None when all are."""
    weights: npt.NDArray[Any] | None
    """(B,), by which each sequence's loss is multiplied."""
    numbers: Indices
    """(B,), which examples these are."""
    word_numbers: Indices | None = None
    """Where words are spelled out: the number of each in the `spellings`, (T, B)."""
    spellings: Spellings | None = None
    fed: npt.NDArray[Any] | None = None
    """Of targets of every step those that a model is fed in place of the true ones, a step later; -1 at first."""
    carry: bool = False

    @cached_property
    def _together(self) -> tuple[Indices | None, SpelledWords | None]:
        if self.spellings is None or self.word_numbers is None:
            return None, None
        return self.spellings.together(self.word_numbers)

    @property
    def words(self) -> Indices | None:
        """The place (T, B) of each word among the `spelled` ones."""
        return self._together[0]

    @property
    def spelled(self) -> SpelledWords | None:
        """The different words: of a share of a batch those of that share alone."""
        return self._together[1]


@dataclass(frozen=True, eq=False)
class Bucketed:
    """Labelled sequences in shuffled batches of similar length; the last examples may make a smaller batch.

    `weights` (S,) multiply the losses of the examples. An epoch takes 4 bytes an example.
    """

    examples: Examples
    batch_size: int
    weights: npt.NDArray[Any] | None = None

    def __post_init__(self) -> None:
        if not (len(self.examples) and self.batch_size >= 1):
            raise ValueError(f"no batches: {len(self.examples)} examples, batch size {self.batch_size}")

    def __len__(self) -> int:
        return (len(self.examples) - 1) // self.batch_size + 1

    def epoch(self, rng: np.random.Generator, start: int = 0) -> Iterator[ExampleBatch]:
        """Draw an order at once and yield the batches from the `start`-th on."""
        order = shuffled(len(self.examples), rng)
        batches = bucketed(order, self.examples.lengths, self.batch_size, rng)
        # The longest first: padding is then the last columns of a step, which layers can pass over as a slice
        return (
            batch_of(self.examples, numbers[::-1].astype(np.intp), self.weights)
            for numbers in islice(batches, start, None)
        )


def padded(inputs: Sequence[npt.NDArray[Any]]) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]:
    """Put sequences of ids (T,) or of vectors (T, D) side by side: ids (T, B) or vectors (D, T, B), and the mask."""
    values = side_by_side(inputs)
    lengths = np.array([len(each) for each in inputs])
    mask = np.arange(values.shape[-2])[:, None] < lengths
    return values.astype(np.intp, copy=False) if values.ndim == 2 else values, None if mask.all() else mask


def side_by_side(sequences: Sequence[npt.NDArray[Any]], padding: int = 0) -> npt.NDArray[Any]:
    """Put sequences (T,) or (T, D) side by side: (T, B) or (D, T, B), `padding` behind the ends of shorter ones."""
    first, steps = sequences[0], max(map(len, sequences))
    rows = np.full((len(sequences), steps, *first.shape[1:]), padding, first.dtype)
    for row, each in zip(rows, sequences, strict=True):
        row[: len(each)] = each
    return np.ascontiguousarray(rows.transpose() if first.ndim == 1 else rows.transpose(2, 1, 0))


def batch_of(examples: Examples, numbers: Indices, weights: npt.NDArray[Any] | None = None) -> ExampleBatch:
    """Return those of the examples with these numbers (B,) as a batch; `weights` (S,) are of all of them."""
    own = [slice(*examples.starts[i : i + 2].tolist()) for i in numbers.tolist()]
    inputs, mask = padded([examples.values[steps] for steps in own])
    if examples.of_steps:
        some = examples.targets.ndim > 1  # 0 or 1 for each of several labels
        targets = side_by_side([examples.targets[..., steps].T for steps in own], 0 if some else -1)
    else:
        targets = examples.targets[..., numbers]
    weights = None if weights is None else weights[numbers]
    words = None if examples.words is None else side_by_side([examples.words[steps] for steps in own])
    return ExampleBatch(inputs, targets, mask, weights, numbers, words, examples.spellings)


def for_answers(lengths: npt.NDArray[np.integer[Any]]) -> Iterator[Indices]:
    """Yield the numbers of sequences to answer together, given the steps (S,) of each: of similar length, bounded."""
    order = np.argsort(lengths, kind="stable")[::-1]  # the longest first, in a batch and of all
    while len(order):
        count = max(1, min(SEQUENCES, STEPS // max(1, int(lengths[order[0]]))))
        yield order[:count]
        order = order[count:]
