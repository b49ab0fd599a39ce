"""Words by their letters: what a model makes of a word that it never saw.

L characters of a word, U words, C characters in the vocabulary, E features of a character, H hidden units.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from rnncli.models.stack_spec import ModelSize
from rnncli.nn.blocks import empty
from rnncli.nn.cells import AnyCell, LSTMCell
from rnncli.nn.layers import Bidirectional, Embedding, Recurrent
from rnncli.nn.layers.bidirectional import BidirectionalCache
from rnncli.nn.layers.readouts.last import Last, LastCache
from rnncli.nn.parameter import Array, Parameters, prefixed
from rnncli.nn.products import LANES

FEWEST, MOST = 32, 256
"""Words of a group: fewer cost more calls than padding saves, more fall out of the caches."""


@dataclass(frozen=True)
class CharacterEncoderSpec:
    """How words are read letter by letter: the `characters` of a `model` section."""

    cell: AnyCell = LSTMCell()
    embedding_size: ModelSize = 25
    hidden_size: ModelSize = 25


class GroupCache(NamedTuple):
    """What encoding some of the words leaves for the backward pass."""

    words: slice
    characters: Array  # (L', U')
    recurrent: BidirectionalCache
    ends: LastCache


CharacterEncoderCache: TypeAlias = list[GroupCache]


class CharacterEncoder:
    """A word as the two ends of a bidirectional layer over its letters: v = (→h_L; ←h_1) (Ling et al. 2015)."""

    def __init__(
        self,
        spec: CharacterEncoderSpec,
        characters: int,
        *,
        rng: np.random.Generator | None,
        dtype: DTypeLike,
        deviation: float,
    ) -> None:
        E, H = spec.embedding_size, spec.hidden_size
        self.embedding = Embedding(characters, E, rng=rng, dtype=dtype, deviation=deviation)
        ahead, back = (Recurrent(spec.cell, E, H, rng=rng, dtype=dtype) for _ in range(2))
        self.recurrent = Bidirectional(ahead, back)
        self.ends = Last(backward_rows=H)

    @property
    def output_size(self) -> int:
        """2H: features of a word."""
        return self.recurrent.output_size

    def parameters(self) -> Parameters:
        """Return `embedding.weight`, `recurrent.forward.weight_ih`, …"""
        return prefixed("embedding", self.embedding.parameters()) | prefixed("recurrent", self.recurrent.parameters())

    def forward(self, characters: Array, mask: Array | None) -> tuple[Array, CharacterEncoderCache]:
        """Characters (L, U), mask (L, U) → the vectors of the words (2H, U), and the cache; the longest words first.

        They are read in groups of similar length: padded to the longest of a text, four fifths of all steps would be
        padding.
        """
        vectors, cache = self._room(characters), CharacterEncoderCache()
        for own, group in self._groups(characters, mask):
            vectors[:, group.words] = own
            cache.append(group)
        return vectors, cache

    def vectors(self, characters: Array, mask: Array | None) -> Array:
        """Return the vectors alone: with no cache to keep, those of any number of words."""
        vectors = self._room(characters)
        for own, group in self._groups(characters, mask):
            vectors[:, group.words] = own
        return vectors

    def _room(self, characters: Array) -> Array:
        return empty((self.output_size, characters.shape[1]), self.embedding.weight.value.dtype)

    def _groups(self, characters: Array, mask: Array | None) -> Iterator[tuple[Array, GroupCache]]:
        """Yield the vectors of words of similar length, and their cache."""
        L, U = characters.shape
        lengths = np.full(U, L) if mask is None else mask.sum(axis=0)
        for words in groups(lengths):
            longest = int(lengths[words.start])
            own = np.ascontiguousarray(characters[:longest, words])
            real = None if mask is None or lengths[words.stop - 1] == longest else mask[:longest, words]
            h, _, recurrent = self.recurrent.forward(self.embedding.forward(own), None, real)
            vectors, ends = self.ends.forward(h, real)
            yield vectors, GroupCache(words, own, recurrent, ends)

    def backward(self, d_vectors: Array, cache: CharacterEncoderCache) -> None:
        """Backpropagate ∂L/∂vectors (2H, U); add to the gradient of every parameter."""
        for words, characters, recurrent, ends in cache:
            d_x, _ = self.recurrent.backward(self.ends.backward(d_vectors[:, words], ends), recurrent)
            assert d_x is not None
            self.embedding.backward(d_x, characters)


def groups(lengths: Array) -> Iterator[slice]:
    """Yield words of descending lengths (U,) in groups: down to half the length of its first, FEWEST to MOST words."""
    start, U = 0, len(lengths)
    while start < U:
        similar = int(np.searchsorted(-lengths, -lengths[start] / 2)) - start
        count = LANES * math.ceil(min(max(similar, FEWEST), MOST) / LANES)
        stop = start + count if U - start - count >= LANES else U
        yield slice(start, stop)
        start = stop
