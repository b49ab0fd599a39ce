"""What the first layer of a model reads of its inputs: vectors as they stand, tokens as vectors of their own.

T time steps, B sequences, D features of a vector, V tokens, E features of a token.
"""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import DTypeLike

from rnncli.models.character_encoder import CharacterEncoder, CharacterEncoderCache, CharacterEncoderSpec
from rnncli.models.embedding_spec import EmbeddingSpec, Pretrained
from rnncli.nn.blocks import empty
from rnncli.nn.layers import Dropout, Embedding, Lookup
from rnncli.nn.layers.embedding import add_by_id
from rnncli.nn.parameter import Array, Parameters, prefixed

DEVIATION = 0.1
"""Of the initial vectors of tokens. With 1, as a language model has it, words that are rare stay as loud as they were
drawn: of 8,500 sentences it costs 2 points of accuracy, of 500 reviews 6."""


class InputSizes(NamedTuple):
    """What there is to read: one of V tokens at each step, spelled with so many characters, or vectors of D numbers."""

    vocabulary: int | None  # None for vectors
    vector: int = 0
    characters: int = 0  # where they are read


class SpelledWords(Protocol):
    """The U different words of a batch: ids of their characters (L, U), and mask (L, U)."""

    @property
    def characters(self) -> Array: ...  # noqa: D102
    @property
    def mask(self) -> Array | None: ...  # noqa: D102


class InputCache(NamedTuple):
    """What reading leaves for the backward pass."""

    ids: Array | None = None  # (T, B), where they are those of tokens
    words: Array | None = None  # (T, B), their places among the spelled ones
    characters: CharacterEncoderCache | None = None
    dropped: Array | None = None  # what dropout multiplied by


NOTHING_READ = InputCache()
"""Of vectors that stand for no inputs."""


class InputLayer:
    """x_t: a vector (D) as it stands; of a token its embedding above what the character encoder makes of it (E).

    Dropout is on what comes of that.
    """

    def __init__(
        self,
        sizes: InputSizes,
        embedding: EmbeddingSpec,
        characters: CharacterEncoderSpec | None = None,
        pretrained: Pretrained | None = None,
        *,
        shared: Embedding | None = None,
        dropout: float = 0.0,
        rng: np.random.Generator | None,
        dtype: DTypeLike,
    ) -> None:
        """`shared` is the embedding of another layer, to be this one's, too."""
        self.sizes, self.dtype, V = sizes, dtype, sizes.vocabulary
        self.embedding: Embedding | None = None
        self.characters: CharacterEncoder | None = None
        if V is not None:
            self.embedding = shared or embedding.build(V, pretrained, rng=rng, dtype=dtype, deviation=DEVIATION)
        if V is not None and characters:
            C = sizes.characters
            self.characters = CharacterEncoder(characters, C, rng=rng, dtype=dtype, deviation=DEVIATION)
        self.dropout = Dropout(dropout)
        self.embedding_size = self.embedding.size if self.embedding else V or sizes.vector
        self.output_size = self.embedding_size + (self.characters.output_size if self.characters else 0)

    def parameters(self) -> Parameters:
        """Return `embedding.weight`, `characters.embedding.weight`, …"""
        embedding = prefixed("embedding", self.embedding.parameters()) if self.embedding else {}
        return embedding | (prefixed("characters", self.characters.parameters()) if self.characters else {})

    def forward(
        self,
        given: Array,
        words: Array | None = None,
        spelled: SpelledWords | None = None,
        *,
        word_vectors: Array | None = None,
        rng: np.random.Generator | None = None,
    ) -> tuple[Array | Lookup, InputCache]:
        """Ids (T, B) or vectors (D, T, B) → vectors (E, T, B) or (D, T, B), or a lookup of the ids, and the cache.

        `words` (T, B) are the places of words among the `spelled` ones, where characters are read, or among those whose
        vectors (E', U) are known, from which there is no going backward; `rng` draws dropout, None evaluates. Raises
        IndexError for ids that are none, and ValueError for vectors of another width.
        """
        V = self.sizes.vocabulary
        x: Array | Lookup = given
        if V is None:
            if len(given) != self.sizes.vector:
                raise ValueError(f"vectors must have {self.sizes.vector} features, not {len(given)}")
            cache = InputCache()
        else:
            if given.size and not 0 <= given.min() <= given.max() < V:
                raise IndexError(f"token ids must be in 0..{V - 1}")
            x, cache = self.embedding.forward(given) if self.embedding else Lookup(given), InputCache(given)
        if self.characters and words is not None and (spelled or word_vectors is not None):
            encoded: CharacterEncoderCache = []
            if spelled and word_vectors is None:
                word_vectors, encoded = self.characters.forward(spelled.characters, spelled.mask)
            assert word_vectors is not None
            joined = empty((self.output_size, *given.shape), word_vectors.dtype)
            joined[: self.embedding_size] = self.vectors(x)
            np.take(word_vectors, words, axis=1, out=joined[self.embedding_size :], mode="clip")
            x, cache = joined, InputCache(given, words, encoded)
        if rng is not None and self.dropout.probability:
            x, dropped = self.dropout.forward(self.vectors(x), rng)
            cache = cache._replace(dropped=dropped)
        return x, cache

    def vectors(self, x: Array | Lookup) -> Array:
        """Return what a lookup of vectors stands for, (E, T, B)."""
        if not isinstance(x, Lookup):
            return x
        if x.vectors is None:
            one_hot = np.zeros((self.embedding_size, *x.ids.shape), self.dtype)
            np.put_along_axis(one_hot, x.ids[None], 1, axis=0)
            return one_hot
        return np.ascontiguousarray(np.moveaxis(x.vectors[x.ids], -1, 0))

    def backward(self, d_x: Array, cache: InputCache) -> None:
        """Backpropagate ∂L/∂x, of vectors (E, T, B) or of a lookup's vectors (V, E), into the tokens."""
        d_x = self.dropout.backward(d_x, cache.dropped)
        if self.characters and cache.characters and cache.words is not None:
            d_words = np.zeros((self.characters.output_size, cache.characters[-1].words.stop), d_x.dtype)
            add_by_id(d_words, d_x[self.embedding_size :], cache.words)
            self.characters.backward(d_words, cache.characters)
            d_x = d_x[: self.embedding_size]
        if self.embedding and cache.ids is not None:
            self.embedding.backward(d_x, cache.ids)
