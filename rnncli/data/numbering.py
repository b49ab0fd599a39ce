"""One pass over texts whose vocabulary is not known yet: tokens are numbered as they come, and counted.

Numbers lie in a scratch file. Where too many tokens are different, their names do so too: a new generation of numbers
begins, and merging finds what the tokens of all generations have in common. So memory is bounded, whatever the text.
"""

import heapq
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, count, groupby
from operator import itemgetter
from typing import Any, BinaryIO, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from rnncli.data.tokenizers import TOKENIZERS, TokenizerSpec, tokenize
from rnncli.data.vocabulary import Ids, Vocabulary, code_points

LIMIT = 1 << 18
"""A generation ends when it knows more tokens, which are about 60 MB of words."""
CHUNK = 1 << 18
"""Numbers that become ids at a time."""
_TOGETHER = 1000  # tokens on a line of the file of their names
_BEGIN, _END, _FIRST = range(3)  # the numbers around an item, and the first of a token, in every generation

T = TypeVar("T")
Scratch = Callable[[], BinaryIO]


class InOrder(dict[T, int]):
    """Numbers from 0 for tokens, or other values, in the order in which they come up."""

    def __missing__(self, value: T) -> int:
        """Give the next number."""
        number = self[value] = len(self)
        return number


class Run(NamedTuple):
    """Numbers that lie together: of one part of the corpus, one generation, one width."""

    part: int
    generation: int
    dtype: np.dtype[Any]
    size: int = 0


class Numbering:
    """The numbers of a corpus, part after part; the tokens of part 0, which is to train on, are counted.

    `scratch` opens nameless files. Without `items` each part is one stream.
    """

    def __init__(self, spec: TokenizerSpec, scratch: Scratch, *, items: bool) -> None:
        self.spec, self.items, self._scratch = spec, items, scratch
        self.sizes: list[int] = []
        """The numbers of each part."""
        self.lengths: list[int] = []
        """The items of each part."""
        self.starts = scratch()
        """Where each item begins in its part: int64."""
        self._numbers, self._runs = scratch(), list[Run]()
        self._generations: list[tuple[BinaryIO, int]] = []  # [token, number, count] sorted by token; numbers in use
        self._begin()

    def add_stream(self, pieces: Iterable[str]) -> None:
        """Number the next part, a text in pieces."""
        self._next_part()
        for tokens in tokenize(pieces, self.spec):
            self._write(self._numbered(tokens))

    def add_items(self, blocks: Iterable[Sequence[str]]) -> None:
        """Number the next part, lists of items."""
        self._next_part()
        split = TOKENIZERS[self.spec.level].split
        for texts in filter(None, blocks):
            found = [split(text.lower() if self.spec.lowercase else text) for text in texts]
            lengths = np.fromiter(map(len, found), np.int64, len(found)) + 2
            stops = np.cumsum(lengths)
            inside = np.ones(lengths.sum(), bool)
            inside[stops - lengths] = inside[stops - 1] = False
            numbers = np.full(len(inside), _END)
            numbers[stops - lengths] = _BEGIN
            numbers[inside] = self._numbered(_joined(found))
            self.starts.write((stops - lengths + self.sizes[-1]).astype("<i8").data)
            self.lengths[-1] += len(found)
            self._write(numbers)

    def vocabulary(self) -> Vocabulary:
        """Return the vocabulary of part 0; raises DataError as Vocabulary.from_counts does."""
        self._end()
        merged = heapq.merge(*(self._read(generation) for generation in range(len(self._generations))))
        counts = ((token, sum(n for *_, n in same)) for token, same in groupby(merged, key=itemgetter(0)))
        return Vocabulary.from_counts(counts, self.spec, items=self.lengths[0] if self.items else None)

    def ids(self, vocabulary: Vocabulary) -> Iterator[tuple[int, Ids]]:
        """Yield the parts in ids of a vocabulary, in arrays of bounded size, each with the number of its part."""
        self._end()
        self._numbers.seek(0)
        for generation, runs in groupby(self._runs, key=itemgetter(1)):
            table = self._table(generation, vocabulary)
            for run in runs:
                for start in range(0, run.size, CHUNK):
                    size = min(CHUNK, run.size - start)
                    numbers = np.frombuffer(self._numbers.read(size * run.dtype.itemsize), run.dtype)
                    yield run.part, table.take(numbers)

    def _next_part(self) -> None:
        self.sizes.append(0)
        self.lengths.append(0)

    def _begin(self) -> None:
        self._known: defaultdict[str, int] = defaultdict(count(_FIRST).__next__)
        self._counts = np.zeros(_FIRST, np.int64)
        self._of_codes = np.zeros(0x110000, np.int32)  # the number of each code point, 0 while it has none

    def _end(self) -> None:
        if not self._known:
            return
        counts = np.zeros(len(self._known) + _FIRST, np.int64)
        counts[: len(self._counts)] = self._counts
        names, known = self._scratch(), sorted(self._known.items())
        for k in range(0, len(known), _TOGETHER):
            part = [(token, number, int(counts[number])) for token, number in known[k : k + _TOGETHER]]
            names.write(json.dumps(part).encode() + b"\n")
        self._generations.append((names, len(counts)))
        self._begin()

    def _read(self, generation: int) -> Iterator[list[Any]]:
        names, _ = self._generations[generation]
        names.seek(0)
        return chain.from_iterable(map(json.loads, names))

    def _table(self, generation: int, vocabulary: Vocabulary) -> Ids:
        """The id of each number of a generation."""
        unknown = vocabulary.unknown_id or 0
        table = np.full(self._generations[generation][1], unknown, vocabulary.dtype)
        table[[_BEGIN, _END]] = vocabulary.begin_id or 0, vocabulary.end_id or 0
        for token, number, _ in self._read(generation):
            table[number] = vocabulary.ids.get(token, unknown)
        return table

    def _numbered(self, tokens: Sequence[str]) -> npt.NDArray[np.integer[Any]]:
        if len(self._known) > LIMIT:
            self._end()
        numbers = self._of_characters(tokens) if isinstance(tokens, str) else self._of_words(tokens)
        if len(self.sizes) == 1:
            counts = np.bincount(numbers, minlength=len(self._counts))
            counts[: len(self._counts)] += self._counts
            self._counts = counts
        return numbers

    def _of_words(self, tokens: Sequence[str]) -> npt.NDArray[np.integer[Any]]:
        return np.fromiter(map(self._known.__getitem__, tokens), np.int64, len(tokens))

    def _of_characters(self, tokens: str) -> npt.NDArray[np.integer[Any]]:
        codes = code_points(tokens)
        numbers = self._of_codes.take(codes, mode="clip")
        if not numbers.all():
            for code in np.unique(codes[numbers == 0]).tolist():
                self._of_codes[code] = self._known[chr(code)]
            numbers = self._of_codes.take(codes, mode="clip")
        return numbers

    def _write(self, numbers: npt.NDArray[np.integer[Any]]) -> None:
        dtype = np.min_scalar_type(len(self._known) + _FIRST - 1)
        run = Run(len(self.sizes) - 1, len(self._generations), dtype)
        if not self._runs or self._runs[-1][:-1] != run[:-1]:
            self._runs.append(run)
        self._runs[-1] = self._runs[-1]._replace(size=self._runs[-1].size + len(numbers))
        self._numbers.write(numbers.astype(dtype).data)
        self.sizes[-1] += len(numbers)


def _joined(parts: Sequence[Sequence[str]]) -> Sequence[str]:
    """Join lists of tokens, or strings where a token is one character."""
    strings = [part for part in parts if isinstance(part, str)]
    return "".join(strings) if strings else [*chain.from_iterable(parts)]
