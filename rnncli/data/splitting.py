"""Training, validation and test parts: of a text in its order, of items at random, of classes in equal shares."""

from collections.abc import Callable, Iterator
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from rnncli.data.tokenizers import TOKENIZERS, Tokenizer

Part = TypeVar("Part")


class Splits(NamedTuple, Generic[Part]):
    """The three parts; validation and test may be empty."""

    train: Part
    validation: Part
    test: Part


class Cuttable(Protocol):
    """A text that can be read from any character on, such as a `Text`."""

    size: int

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[str]: ...  # noqa: D102


def split_text(
    text: Cuttable, validation: float, test: float, tokenizer: Tokenizer = TOKENIZERS["character"]
) -> Splits[tuple[int, int]]:
    """Cut a text in train, validation, test, in this order, where `tokenizer` tears no token: from here up to there.

    The fractions are of the characters. A part of fewer than 2 tokens goes to the part before it, so that no part has
    a single token, which would leave nothing to predict.
    """

    def enough(start: int, stop: int) -> bool:
        return len(tokenizer.split("".join(text.read(start, min(stop, start + 1000))))) >= 2

    def cut(position: int) -> int:
        for piece in text.read(position):
            place = tokenizer.cut(piece, 0)
            if place < len(piece):
                return position + place
            position += len(piece)
        return text.size

    first, second = _cuts(text.size, validation, test, enough, cut)
    return Splits((0, first), (first, second), (second, text.size))


def split_items(n: int, validation: float, test: float, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Deal n items at random: 0 for train, 1 for validation, 2 for test, (n,); where there are too few, train is first.

    It takes 5 bytes an item.
    """
    order = shuffled(n, rng)
    first, second = _cuts(n, validation, test, lambda start, stop: stop > start)
    parts = np.zeros(n, np.uint8)
    parts[order[first:second]] = 1
    parts[order[second:]] = 2
    return parts


def split_stratified(
    classes: npt.NDArray[np.integer[Any]], validation: float, test: float, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Deal items at random, as `split_items`, but of every class (n,) the same shares, to within one item.

    Items sorted by class are gone through, and each time a share adds up to another whole item, one is dealt to its
    part. What there is of a class is first of all in train.
    """
    n = len(classes)
    order = shuffled(n, rng)
    order = order[np.argsort(classes[order], kind="stable")]
    parts = np.zeros(n, np.uint8)
    left = order
    for part, share in ((2, test), (1, validation)):
        wanted = round(n * share)
        dealt = np.diff(np.floor(np.arange(len(left) + 1) * (wanted / max(1, len(left))) + 0.5)) > 0
        parts[left[dealt]] = part
        left = left[~dealt]
    known = np.unique(classes[parts == 0])
    for missing in np.setdiff1d(classes, known):
        parts[np.flatnonzero(classes == missing)[:1]] = 0
    return parts


def shuffled(n: int, rng: np.random.Generator) -> npt.NDArray[np.integer[Any]]:
    """Return rng.permutation(n) in half the memory: 4 bytes a number."""
    numbers: npt.NDArray[np.integer[Any]] = np.arange(n, dtype=np.uint32) if n <= 1 << 32 else np.arange(n)
    rng.shuffle(numbers)
    return numbers


def _cuts(
    size: int,
    validation: float,
    test: float,
    enough: Callable[[int, int], bool],
    cut: Callable[[int], int] = int,
) -> tuple[int, int]:
    """Return where validation and test begin; raises ValueError for fractions that leave nothing to train on."""
    if not (validation >= 0 and test >= 0 and validation + test < 1):
        raise ValueError(f"validation {validation} and test {test} must be at least 0 and below 1 together")
    for share in (test, 0):  # train is served first, then validation
        second = cut(size - round(size * share))
        if not enough(second, size):
            second = size
        first = cut(second - round(size * validation))
        if not enough(first, second):
            first = second
        if enough(0, first):
            return first, second
    return size, size
