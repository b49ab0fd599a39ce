"""How a model of sequences reads its inputs: texts as ids of a vocabulary, vectors as they stand to those of training.

T time steps, D features.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Self

import numpy as np

from rnncli.data import TokenizerSpec, Vocabulary, units
from rnncli.data.examples.steps import as_vectors, number
from rnncli.errors import DataError
from rnncli.models.embedding_spec import Pretrained
from rnncli.models.input_layer import InputSizes
from rnncli.nn.parameter import Array
from rnncli.tasks.protocol import Resources

Place = Callable[[int], str]
"""Returns where the i-th vector stands, as messages show it."""
_CHUNK = 1 << 16
_OTHER_UNIT = "mend it, leave it out, or use another unit"


@dataclass(frozen=True)
class Standardization:
    """x ← (x - mean) / deviation, feature by feature, (D,) each."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @classmethod
    def of(cls, vectors: Array, place: Place | None = None, *, on: bool = True) -> Self:
        """Return what gives vectors (N, D) mean 0 and deviation 1, a constant feature mean 0; not `on`: the identity.

        Sums are taken in float64; where they overflow, DataError names the `place` of the vector that is farthest off.
        """
        N, width = vectors.shape
        if not on:
            return cls((0.0,) * width, (1.0,) * width)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = vectors.sum(axis=0, dtype=np.float64) / N
            squares = sum((np.square(part - mean).sum(axis=0) for part in _chunks(vectors)), np.zeros(width)) / N
        if not np.isfinite(squares).all():
            row = int(np.abs(vectors).max(axis=1).argmax())
            message = f"{np.abs(vectors[row]).max():g} is too large to be squared, as a deviation needs it"
            raise DataError(message, hint=_OTHER_UNIT, where=place(row) if place else "")
        # The mean of equal values, rounded, may differ from them, and squares of the least differences are 0
        varies = (vectors.min(axis=0) < vectors.max(axis=0)) & (squares > 0)
        return cls(tuple(mean.tolist()), tuple(np.where(varies, np.sqrt(squares), 1.0).tolist()))

    def apply(self, vectors: Array, place: Place | None = None) -> Array:
        """Return vectors (N, D) standardized, in float32; for what is beyond it DataError names its `place`."""
        standard, mean, deviation = np.empty(vectors.shape, np.float32), np.array(self.mean), np.array(self.deviation)
        for start, part, out in zip(count(0, _CHUNK), _chunks(vectors), _chunks(standard), strict=False):
            with np.errstate(over="ignore"):
                out[:] = (part - mean) / deviation
            if not np.isfinite(out).all():
                row, feature = np.argwhere(~np.isfinite(out))[0].tolist()
                away = f"from a mean of {mean[feature]:g} with a deviation of {deviation[feature]:g}"
                message = f"{part[row, feature]:g} is too far {away}, as they were in training"
                raise DataError(message, hint=_OTHER_UNIT, where=place(start + row) if place else "")
        return standard

    def undo(self, vectors: Array) -> Array:
        """Return standardized values (N, D) in their own unit, float64."""
        plain: Array = vectors * np.array(self.deviation) + np.array(self.mean)
        return plain

    @classmethod
    def from_plain(cls, plain: Any) -> Self:
        """Return what a checkpoint holds; DataError when it is none."""
        match plain:
            case {"mean": [*mean], "deviation": [*deviation]} if (
                len(mean) == len(deviation) > 0
                and all(type(value) is float and np.isfinite(value) for value in (*mean, *deviation))
                and min(deviation) > 0
            ):
                return cls(tuple(mean), tuple(deviation))
        raise DataError("no mean and deviation of each feature")

    def to_plain(self) -> dict[str, list[float]]:
        """Return it JSON-able."""
        return {"mean": list(self.mean), "deviation": list(self.deviation)}


def _chunks(vectors: Array) -> Iterator[Array]:
    """Yield vectors (N, D) part by part, so that what is made of them in float64 stays small."""
    for start in range(0, len(vectors), _CHUNK):
        yield vectors[start : start + _CHUNK]


@dataclass(frozen=True)
class Inputs:
    """What a model reads: tokens of a vocabulary, or vectors that are standardized."""

    vocabulary: Vocabulary | None
    standardization: Standardization | None
    characters: Vocabulary | None = None
    """Of words that are spelled out, too."""
    pretrained: Pretrained | None = None
    """What there is to know of the vectors of a file."""

    @property
    def width(self) -> int:
        """D, the features of a vector; 0 for texts."""
        return len(self.standardization.mean) if self.standardization else 0

    @property
    def sizes(self) -> InputSizes:
        """What there is for a model to read."""
        vocabulary = len(self.vocabulary) if self.vocabulary else None
        return InputSizes(vocabulary, self.width, len(self.characters) if self.characters else 0)

    def resources(self) -> Resources:
        """Return it as a part of a checkpoint's resources."""
        if self.vocabulary:
            others = {"characters": self.characters, "pretrained": self.pretrained}
            plain = {name: other.to_plain() for name, other in others.items() if other}
            return {"vocabulary": self.vocabulary.to_plain(), **plain}
        assert self.standardization
        return {"standardization": self.standardization.to_plain()}

    def read(self, given: str | Array, where: str) -> Array:
        """Return a text as ids (T,), or vectors (T, D) standardized.

        Raises DataError for a text where the model reads vectors or the other way round, vectors of another width, and
        an input without a step.
        """
        if isinstance(given, str):
            tokens = units(given, self.expect_text(where).spec)
            if not tokens:
                raise DataError("the text is empty", where=where)
            return self.ids(tokens)
        if not len(given):
            raise DataError("a sequence without a step", where=where)
        return self.standardized(given, where)

    def ids(self, tokens: Iterable[str]) -> Array:
        """Return the ids (T,) of tokens, of those that the vocabulary does not have that of `<unk>`.

        But where its lower-case form has a vector that stands still, a token has that.
        """
        assert self.vocabulary
        known, unknown = self.vocabulary.ids, self.vocabulary.unknown_id or 0
        if self.vocabulary.spec.lowercase:
            tokens = map(str.lower, tokens)
        elif self.pretrained:
            found = [self.pretrained.id_of(token, known) for token in tokens]
            return np.array([unknown if i is None else i for i in found], np.intp)
        return np.array([known.get(token, unknown) for token in tokens], np.intp)

    def expect_text(self, where: str) -> Vocabulary:
        """Return the vocabulary; DataError where the model reads vectors."""
        if self.vocabulary is None:
            message = f"a text, where the model reads vectors of {self.width} numbers"
            raise DataError(message, hint="give vectors, or name a model of texts", where=where)
        return self.vocabulary

    def expect_vectors(self, where: str) -> Standardization:
        """Return how vectors are standardized; DataError where the model reads texts."""
        if self.standardization is None:
            hint = "give texts, or name a model of vectors"
            raise DataError("vectors, where the model reads texts", hint=hint, where=where)
        return self.standardization

    def expect_fitting(self, vectors: Array, where: str, *, single: bool = False) -> Standardization:
        """Return how vectors (T, D) are standardized.

        Raises DataError where the model reads texts, for vectors of another width, and with `single` for more than one.
        """
        standardization = self.expect_vectors(where)
        if vectors.shape[1] != self.width:
            message = f"vectors of {vectors.shape[1]} numbers, where the model reads vectors of {self.width}"
            raise DataError(message, where=where)
        if single and len(vectors) != 1:
            message = f"a sequence of {len(vectors):,} vectors, where the model reads one"
            raise DataError(message, hint="give one for each text", where=where)
        return standardization

    def standardized(self, vectors: Array, where: str | Place, *, single: bool = False) -> Array:
        """Return vectors (T, D) standardized, which all stand at one place, or each at its own.

        Raises DataError as `expect_fitting` and `Standardization.apply` do.
        """
        place = (lambda _: where) if isinstance(where, str) else where
        return self.expect_fitting(vectors, place(0), single=single).apply(vectors, place)


def inputs_of(resources: Resources) -> Inputs:
    """Return how the model of a checkpoint reads; DataError when its resources do not say so."""
    if "vocabulary" in resources:
        characters = Vocabulary.from_plain(resources["characters"]) if "characters" in resources else None
        if characters and (characters.spec != TokenizerSpec() or characters.items):
            raise DataError("characters that are not those of words")
        vocabulary, pretrained = Vocabulary.from_plain(resources["vocabulary"]), None
        if "pretrained" in resources:
            pretrained = Pretrained.from_plain(resources["pretrained"], len(vocabulary))
        return Inputs(vocabulary, None, characters, pretrained)
    return Inputs(None, Standardization.from_plain(resources.get("standardization")))


def vectors_of_line(line: str, where: str, *, single: bool = False) -> Array:
    """Return the vectors (T, D) that a line holds, as `1.5,2` or `[[1.5, 2], [3, 4]]`; DataError for any other line.

    With `single` its hint shows the way to write one vector alone.
    """
    try:
        plain: Any = json.loads(line) if line.lstrip().startswith("[") else [number(cell) for cell in line.split(",")]
        rows = plain if type(plain[0]) is list else [plain]
        if all(type(value) in (int, float) for row in rows for value in row):
            vectors = np.array(rows, np.float64)
            if vectors.size and np.isfinite(vectors).all():
                return as_vectors(vectors, where)  # rounded as those of files are
    except (ValueError, TypeError, IndexError, OverflowError, RecursionError):
        pass
    if single:
        raise DataError("not a vector of finite numbers", hint="write them with commas, as 1.5,2", where=where)
    hint = "write 1.5,2 for one step, [[1.5, 2], [3, 4]] for two"
    raise DataError("not a vector of finite numbers, or a list of them", hint=hint, where=where)
