"""Training, validation and test parts: of a text and of a stream in their order, of items at random."""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from rnncli.data.tokenizers import TOKENIZERS, Tokenizer

Part = TypeVar("Part")


class Splits(NamedTuple, Generic[Part]):
    """The three parts; validation and test may be empty."""

    train: Part
    validation: Part
    test: Part


def split_text(
    text: str, validation: float, test: float, tokenizer: Tokenizer = TOKENIZERS["character"]
) -> Splits[str]:
    """Cut a text in train, validation, test, in this order, where `tokenizer` tears no token.

    The fractions are of the characters. A part of fewer than 2 tokens goes to the part before it, so that no part has
    a single token, which would leave nothing to predict.
    """

    def enough(start: int, stop: int) -> bool:
        return len(tokenizer.split(text[start : min(stop, start + 1000)])) >= 2

    first, second = _cuts(len(text), validation, test, enough, lambda position: tokenizer.cut(text, position))
    return Splits(text[:first], text[first:second], text[second:])


def split_items(n: int, validation: float, test: float, rng: np.random.Generator) -> Splits[npt.NDArray[np.intp]]:
    """Deal the indices 0..n-1 at random to three parts, each sorted; where there are too few, train comes first."""
    order = rng.permutation(n)
    first, second = _cuts(n, validation, test, lambda start, stop: stop > start)
    return Splits(np.sort(order[:first]), np.sort(order[first:second]), np.sort(order[second:]))


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
