"""Tokens and their ids: special tokens first, then by falling count."""

import heapq
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import repeat
from typing import Any, Self, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from rnncli.data.tokenizers import TOKENIZERS, Level, Tokenizer, TokenizerSpec, tokenize
from rnncli.errors import DataError

Ids: TypeAlias = npt.NDArray[np.integer[Any]]

UNKNOWN, BEGIN, END = "<unk>", "<bos>", "<eos>"

_BLOCK = 1 << 18  # characters worked on at a time: bounds the memory and fits the cache


@dataclass(frozen=True)
class Vocabulary:
    """A two-way map between tokens and the ids 0..len-1, with how often each occurred in the training texts.

    The ids begin with `<unk>` (not at byte level, where nothing is unknown) and, with `items`, `<bos>` and `<eos>`; a
    text that spells one of these names is ordinary text. Raises DataError when the parts do not fit together.
    """

    spec: TokenizerSpec
    items: bool
    tokens: tuple[str, ...]
    counts: tuple[int, ...]
    """Of `<unk>`: the tokens it replaced; of `<bos>` and `<eos>`: the items."""

    def __post_init__(self) -> None:
        k = len(self._specials)
        tokens, alphabet = self.tokens[k:], self.tokenizer.alphabet
        if self.tokens[:k] != self._specials or len(self.counts) != len(self.tokens):
            raise DataError("not a vocabulary: its special tokens or its counts do not fit")
        if not tokens or "" in tokens or len(set(tokens)) < len(tokens):
            raise DataError("not a vocabulary: tokens are missing, empty or repeated")
        if isinstance(self.tokenizer.split(""), str) and max(map(len, tokens)) > 1:
            raise DataError(f"not a vocabulary: at {self.spec.level} level a token is one character")
        if alphabet and set(tokens) != set(alphabet):
            raise DataError(f"not a vocabulary: {self.spec.level} level has {len(alphabet)} tokens of its own")
        if re.search(r"[\ud800-\udfff]", "".join(tokens)):
            raise DataError("lone surrogates are not text", hint="for raw bytes: --set data.tokenizer.level=byte")

    @classmethod
    def from_counts(
        cls,
        counts: Iterable[tuple[str, int]],
        spec: TokenizerSpec,
        *,
        items: int | None,
        key: str = "data.tokenizer",
    ) -> Self:
        """Choose among tokens, each given once with its count, in a text or in a number of items.

        Raises DataError if none is left, with a hint for the tokenizer under that `key` of a spec. Beside the tokens
        that are kept it holds none in memory.
        """
        seen = 0

        def frequent() -> Iterator[tuple[str, int]]:
            nonlocal seen
            for token, count in counts:
                seen += count
                if count >= spec.min_count:
                    yield token, count

        alphabet = TOKENIZERS[spec.level].alphabet
        if alphabet:
            kept = sorted((dict.fromkeys(alphabet, 0) | dict(counts)).items(), key=_rank)
            seen = sum(count for _, count in kept)
        elif spec.max_size is None:
            kept = sorted(frequent(), key=_rank)
        else:
            kept = heapq.nsmallest(spec.max_size, frequent(), key=_rank)
        known = sum(count for _, count in kept)
        if not known:
            raise DataError(
                f"no {spec.level} occurs {spec.min_count} times in the training text" if seen else "no text",
                hint=f"set {key}.min_count=1" if seen else "",
            )
        special = {UNKNOWN: seen - known, BEGIN: items, END: items}
        names = _special_tokens(spec, items=items is not None)
        tokens, numbers = zip(*((name, special[name]) for name in names), *kept, strict=True)
        return cls(spec, items is not None, tokens, numbers)

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of this vocabulary's level."""
        return TOKENIZERS[self.spec.level]

    @property
    def unknown_id(self) -> int | None:
        """The id of `<unk>`."""
        return self._special_id(UNKNOWN)

    @property
    def begin_id(self) -> int | None:
        """The id of `<bos>`."""
        return self._special_id(BEGIN)

    @property
    def end_id(self) -> int | None:
        """The id of `<eos>`."""
        return self._special_id(END)

    @cached_property
    def ids(self) -> dict[str, int]:
        """The id of every token but the special ones."""
        k = len(self._specials)
        return {token: i for i, token in enumerate(self.tokens[k:], k)}

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest unsigned integer type that holds every id."""
        return np.min_scalar_type(len(self) - 1)

    def split(self, text: str) -> list[str]:
        """Return the tokens of a text as they stand in it (after `lowercase`), known or not."""
        return [token for tokens in _split(text, self.spec) for token in tokens]

    def encode(self, text: str) -> Ids:
        """Return the ids of a text, (tokens,) of `dtype`; what is not in the vocabulary becomes `<unk>`."""
        ids = bytearray()  # grows in place: a list of arrays would need twice the memory
        for tokens in _split(text, self.spec):
            ids += self._look_up(tokens).data
        return np.frombuffer(ids, self.dtype)

    def as_typed(self, text: str) -> str:
        """Return a text with a space before it where only that makes its first word a known one."""
        first = next((tokens[0] for tokens in _split(text, self.spec)), "")
        return f" {text}" if first and first not in self.ids and f" {first}" in self.ids else text

    def encode_prime(self, text: str) -> Ids:
        """Encode a text that a user typed, and refuse what the model cannot know.

        A first word that was only ever seen after a space is taken so. Raises DataError for a token not in the
        vocabulary when `<unk>` was never seen in training, because its weights are then as they were drawn.
        """
        typed, text = text, self.as_typed(text)
        unknown = self.unknown_positions(text)
        if unknown and not self.counts[0]:
            position, token = unknown[0]
            position -= len(text) - len(typed)
            word = token.lstrip(" ") or token
            kind = f"character {word!r} (U+{ord(word):04X})" if len(word) == 1 else f"word {word[:40]!r}"
            more = f" (nor were {len(unknown) - 1} more)" if unknown[1:] else ""
            raise DataError(
                f"{kind} at position {position + len(token) - len(word) + 1} was never seen in training{more}",
                hint="leave it out, or train with data.tokenizer.level=byte, or with min_count=2 to learn <unk>",
            )
        return self.encode(text)

    def unknown_positions(self, text: str) -> list[tuple[int, str]]:
        """Return the offset (from 0, in characters, after `lowercase`) and the token of all that is not known."""
        found, position = [], 0
        for tokens in _split(text, self.spec):
            for token in tokens:
                if token not in self.ids:
                    found.append((position, token))
                position += len(token)
        return found

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ids, `<unk>` spelled out, without `<bos>` and `<eos>`."""
        return self.tokenizer.join(self.tokens[i] for i in map(int, ids) if i not in (self.begin_id, self.end_id))

    def to_plain(self) -> dict[str, Any]:
        """Return all of it as dicts, lists, strings and numbers, ready for JSON."""
        return {
            "tokenizer": asdict(self.spec),
            "items": self.items,
            "tokens": list(self.tokens),
            "counts": list(self.counts),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the vocabulary that `to_plain` wrote; raises DataError for anything else."""
        match plain:
            case {
                "tokenizer": {
                    "level": str(level),
                    "lowercase": bool(lowercase),
                    "min_count": min_count,
                    "max_size": max_size,
                },
                "items": bool(items),
                "tokens": [*tokens],
                "counts": [*counts],
            } if (
                level in TOKENIZERS
                and all(type(token) is str for token in tokens)
                and all(type(n) is int and 0 <= n < 1 << 63 for n in counts)
                and all(type(n) is int and n >= 1 for n in (min_count, 1 if max_size is None else max_size))
            ):
                spec = TokenizerSpec(cast("Level", level), lowercase, min_count, max_size)
                vocabulary = cls(spec, items, tuple(tokens), tuple(counts))
                if vocabulary.to_plain() == plain:  # nothing is left over
                    return vocabulary
        raise DataError("not a vocabulary: parts are missing, unknown, or of the wrong type")

    @property
    def _specials(self) -> tuple[str, ...]:
        return _special_tokens(self.spec, items=self.items)

    def _special_id(self, name: str) -> int | None:
        return self._specials.index(name) if name in self._specials else None

    @cached_property
    def _table(self) -> Ids:
        """The id of every code point up to the last one known, and one entry for all beyond."""
        codes = [ord(token) for token in self.ids]
        table = np.full(max(codes) + 2, self.unknown_id or 0, self.dtype)
        table[codes] = list(self.ids.values())
        return table

    def _look_up(self, tokens: Sequence[str]) -> Ids:
        if isinstance(tokens, str):
            return self._table.take(code_points(tokens), mode="clip")
        return np.fromiter(map(self.ids.get, tokens, repeat(self.unknown_id)), self.dtype, len(tokens))


def _special_tokens(spec: TokenizerSpec, *, items: bool) -> tuple[str, ...]:
    return (() if TOKENIZERS[spec.level].alphabet else (UNKNOWN,)) + ((BEGIN, END) if items else ())


def _rank(entry: tuple[str, int]) -> tuple[int, str]:
    return -entry[1], entry[0]


def _split(text: str, spec: TokenizerSpec) -> Iterator[Sequence[str]]:
    """Tokenize a text block by block."""
    return tokenize((text[start : start + _BLOCK] for start in range(0, len(text), _BLOCK)), spec)


def code_points(tokens: str) -> Ids:
    """Return the code points of a text, uint32."""
    return np.frombuffer(tokens.encode("utf-32-le", "surrogatepass"), "<u4")
