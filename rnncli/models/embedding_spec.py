"""How a token becomes a vector: what the specs of all models say of it, and what a file of vectors adds to that."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import isfinite
from typing import Annotated, Any, Literal, Self

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import DTypeLike

from rnncli.errors import DataError, SettingError
from rnncli.models.stack_spec import ModelSize
from rnncli.nn.layers import Embedding


class _Open(int):
    """A size that nobody has asked for: what a spec leaves out is as in the default, whatever its `kind` is."""


SIZE = _Open(64)
"""Of a learned vector, where the spec does not say."""


@dataclass(frozen=True)
class Pretrained:
    """What a model must know of the vectors of a file beside the vectors themselves."""

    size: int
    deviation: float
    """Of the given vectors; those of tokens that the file does not have are drawn so."""
    learned: tuple[int, ...] | None
    """The tokens, increasing, whose vectors are learned while all others stand still; None: all are learned."""

    @classmethod
    def from_plain(cls, plain: Any, vocabulary_size: int) -> Self:
        """Return what a checkpoint holds; DataError when it is none."""
        match plain:
            case {"size": int(size), "deviation": float(deviation), "learned": [*_] | None as learned} if (
                len(plain) == 3 and type(size) is int and size > 0 <= deviation and isfinite(deviation)
            ):
                ids = [-1, *(learned or ()), vocabulary_size]
                if all(type(i) is int for i in ids) and all(a < b for a, b in pairwise(ids)):
                    return cls(size, deviation, None if learned is None else tuple(learned))
        raise DataError("no account of its pretrained vectors")

    def id_of(self, token: str, ids: Mapping[str, int]) -> int | None:
        """Return the id of a token; where it has none, that of its lower-case form, if that has a frozen vector."""
        found = ids.get(token)
        if found is None and self.learned is not None:
            found = ids.get(token.lower())
            return None if found in self._learned else found
        return found

    @cached_property
    def _learned(self) -> frozenset[int]:
        return frozenset(self.learned or ())

    def to_plain(self) -> dict[str, Any]:
        """Return it JSON-able."""
        learned = None if self.learned is None else list(self.learned)
        return {"size": self.size, "deviation": self.deviation, "learned": learned}


@dataclass(frozen=True)
class EmbeddingSpec:
    """How a token becomes a vector: its own learned one, a one-hot one (kept as its index), or one of a file.

    The last three are for vectors of a file, and None elsewhere.
    """

    kind: Literal["learned", "one_hot", "pretrained"] = "learned"
    size: ModelSize | None = SIZE  # None: as the vectors of the file have it
    path: str | None = None  # relative to the spec's folder
    trainable: bool | None = None  # whether the vectors of the file are only a beginning; None: false
    extra_words: Annotated[int, Ge(0), Le(200_000)] | None = (
        None  # words of the file alone that are known; None: 50,000 if of use
    )

    def __post_init__(self) -> None:
        """Refuse what is of another kind, and fill in the size."""
        if self.kind == "pretrained":
            if isinstance(self.size, _Open):
                object.__setattr__(self, "size", None)
            object.__setattr__(self, "trainable", bool(self.trainable))
            if not self.path or self.path == "-":
                raise SettingError("kind: pretrained needs path, the file of the vectors", key="kind")
            if self.trainable and self.extra_words:
                raise SettingError(
                    "extra_words is for vectors that are not trainable: others would never be learned",
                    key="extra_words",
                )
            return
        for name in ("path", "trainable", "extra_words"):
            if getattr(self, name) is not None:
                raise SettingError(f"{name} is for kind: pretrained, not {self.kind}", key=name)
        if self.size is None:
            object.__setattr__(self, "size", SIZE)

    def build(
        self,
        vocabulary_size: int,
        pretrained: Pretrained | None = None,
        *,
        rng: np.random.Generator | None,
        dtype: DTypeLike,
        deviation: float = 1.0,
    ) -> Embedding | None:
        """Return the embedding of so many tokens, its learned vectors drawn with that deviation; None for one-hot ones.

        What vectors of a file bring goes before the spec. Where that is not known, as to check gradients, every other
        token's stands in for those of the file.
        """
        V = vocabulary_size
        if self.kind == "one_hot":
            return None
        if self.kind == "pretrained" and pretrained is None:
            pretrained = Pretrained(self.size or SIZE, deviation, None if self.trainable else tuple(range(0, V, 2)))
        if pretrained is None:
            return Embedding(V, self.size or SIZE, rng=rng, dtype=dtype, deviation=deviation)
        learned = None if pretrained.learned is None else np.array(pretrained.learned, np.intp)
        return Embedding(V, pretrained.size, rng=rng, dtype=dtype, deviation=pretrained.deviation, learned=learned)

    def pretrained_of(self, resources: Mapping[str, Any], vocabulary_size: int) -> Pretrained | None:
        """Return what the resources of a checkpoint say of pretrained vectors; DataError where it does not fit."""
        if self.kind == "pretrained":
            return Pretrained.from_plain(resources.get("pretrained"), vocabulary_size)
        if "pretrained" in resources:
            raise DataError("pretrained vectors, where the spec has none")
        return None
