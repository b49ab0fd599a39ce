"""Words by their letters: what a model makes of a word that it never saw.

L characters of a word, U words, C characters in the vocabulary, E features of a character, H hidden units.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from rnncli.models.stack_spec import ModelSize
from rnncli.nn.cells import AnyCell, LSTMCell
from rnncli.nn.layers import Bidirectional, Embedding, Recurrent
from rnncli.nn.layers.bidirectional import BidirectionalCache
from rnncli.nn.layers.readouts.last import Last, LastCache
from rnncli.nn.parameter import Array, Parameters, prefixed


@dataclass(frozen=True)
class CharacterEncoderSpec:
    """How words are read letter by letter: the `characters` of a `model` section."""

    cell: AnyCell = LSTMCell()
    embedding_size: ModelSize = 25
    hidden_size: ModelSize = 25


class CharacterEncoderCache(NamedTuple):
    """What encoding leaves for the backward pass."""

    characters: Array  # (L, U)
    recurrent: BidirectionalCache
    ends: LastCache


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
        """Characters (L, U), mask (L, U) → the vectors of the words (2H, U), and the cache."""
        h, _, recurrent = self.recurrent.forward(self.embedding.forward(characters), None, mask)
        vectors, ends = self.ends.forward(h, mask)
        return vectors, CharacterEncoderCache(characters, recurrent, ends)

    def backward(self, d_vectors: Array, cache: CharacterEncoderCache) -> None:
        """Backpropagate ∂L/∂vectors (2H, U); add to the gradient of every parameter."""
        d_x, _ = self.recurrent.backward(self.ends.backward(d_vectors, cache.ends), cache.recurrent)
        assert d_x is not None
        self.embedding.backward(d_x, cache.characters)
