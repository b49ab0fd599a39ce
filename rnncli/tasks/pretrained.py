"""Vectors of a file for the tokens of a vocabulary: which words get one, and which of the file's words come along."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnncli.data import Source, TokenizerSpec, Vocabulary, find_sources, units
from rnncli.data.files import printable
from rnncli.data.word_vectors import Kept, WordVectors, read_word_vectors
from rnncli.errors import DataError, SpecError
from rnncli.models.embedding_spec import EmbeddingSpec, Pretrained
from rnncli.tasks.paths import resolved
from rnncli.tasks.protocol import Report, TokenVectors

EXTRA_WORDS = 50_000
"""Words of the file alone that a model knows, where the spec does not say: 20 MB of 100 numbers each."""


class Found(NamedTuple):
    """What a file brings to a vocabulary."""

    vocabulary: Vocabulary
    """With words of the file behind its own."""
    pretrained: Pretrained
    vectors: TokenVectors
    notices: tuple[str, ...]


@dataclass(frozen=True)
class VectorsFile:
    """A file of word vectors that was found, and is to be read when the vocabulary is known."""

    source: Source
    embedding: EmbeddingSpec
    report: Report

    def read(self, vocabulary: Vocabulary, counts: Mapping[str, int] | None = None, *, cut: bool = True) -> Found:
        """Return the vectors of the vocabulary's words; a word without one has that of its lower-case form.

        Given the `counts` of all words to train on, and vectors that are not trainable, words of the file beyond the
        vocabulary become a part of it: those to train on first, then others in the file's order. With `cut` they are
        words that a text can be cut into. Raises DataError where no word has a vector, or vectors are not of the size
        that the spec gives.
        """
        asked = EXTRA_WORDS if self.embedding.extra_words is None else self.embedding.extra_words
        limit = 0 if counts is None or self.embedding.trainable else asked
        words = {i: word for token, i in vocabulary.ids.items() if (word := token.strip())}
        rare = [word for word in counts or () if word not in vocabulary.ids]
        wanted = {form for word in chain(words.values(), rare) for form in (word, word.lower())}
        found = self._read(Kept(wanted, limit, partial(_may_occur, spec=vocabulary.spec, cut=cut)))
        rows = {i: row for i, word in words.items() if (row := _row_of(word, found)) is not None}
        if not rows:
            message = f"none of the {len(words):,} words to train on has a vector"
            hint = "words are looked up as they stand, then in lower case: is the file of another language?"
            raise DataError(message, hint=hint, where=self.source.name)
        own = len(rows)
        needed = {_row_of(word, found) for word in rare}
        others = {word: row for word, row in found.rows.items() if word not in vocabulary.ids}
        first = sorted(others, key=lambda word: others[word] not in needed)[:limit]
        extra = sorted(first, key=others.__getitem__)
        rows |= {i: found.rows[word] for i, word in enumerate(extra, len(vocabulary))}
        vectors = TokenVectors(np.array([*rows]), found.vectors[[*rows.values()]])
        learned = tuple(i for i in range(len(vocabulary) + len(extra)) if i not in rows)
        deviation = float(vectors.vectors[:own].std(dtype=np.float64))
        pretrained = Pretrained(found.vectors.shape[1], deviation, None if self.embedding.trainable else learned)
        extended = _extended(vocabulary, extra, rare, counts or {}, pretrained)
        notices = (_coverage(own, len(words), extended, rows), *found.notices)
        return Found(extended, pretrained, vectors, notices)

    def _read(self, kept: Kept) -> WordVectors:
        source, size = self.source, self.embedding.size
        found = read_word_vectors(source, kept, lambda done: self.report("reading vectors", done, source.size))
        if size is not None and found.vectors.shape[1] != size:
            message = f"vectors of {found.vectors.shape[1]} numbers, where embedding.size is {size}"
            raise DataError(message, hint="leave embedding.size out", where=source.name)
        return found


def find_vectors(embedding: EmbeddingSpec, tokenizer: TokenizerSpec, base: Path, report: Report) -> VectorsFile | None:
    """Find the file that a spec names, its path relative to `base`; None where it names none.

    Raises SpecError for tokens that are not words, DataError for what is no file.
    """
    if embedding.path is None:
        return None
    if tokenizer.level != "word":
        message = f"embedding.kind: pretrained is for words, and data.tokenizer.level is {tokenizer.level}"
        raise SpecError(message, hint="set data.tokenizer.level=word, or model.embedding.kind=learned")
    found = find_sources(resolved(embedding.path, base))
    if len(found) > 1 or found[0].folder is not None:
        kind = "a folder" if found[0].folder is not None else f"{len(found)} files"
        raise DataError(f"{kind}, where one file of vectors is needed", where=printable(embedding.path))
    return VectorsFile(found[0], embedding, report)


def _row_of(word: str, found: WordVectors) -> int | None:
    row = found.rows.get(word)
    return found.rows.get(word.lower()) if row is None else row


def _may_occur(word: str, *, spec: TokenizerSpec, cut: bool) -> bool:
    """Tell whether this word can be a token, and so is of use."""
    if cut:
        return units(word, spec) == [word]
    return not spec.lowercase or word == word.lower()


def _extended(
    vocabulary: Vocabulary, extra: list[str], rare: list[str], known: Mapping[str, int], pretrained: Pretrained
) -> Vocabulary:
    """Return the vocabulary with more words, and how often each occurs among those that were `<unk>` before."""
    tokens, counts = vocabulary.tokens + tuple(extra), [*vocabulary.counts, *[0] * len(extra)]
    ids = vocabulary.ids | {word: i for i, word in enumerate(extra, len(vocabulary))}
    unknown = vocabulary.unknown_id or 0
    for word in rare:
        i = pretrained.id_of(word, ids)
        if i is not None:
            counts[i] += known[word]
            counts[unknown] -= known[word]
    return Vocabulary(vocabulary.spec, vocabulary.items, tokens, tuple(counts))


def _coverage(own: int, words: int, vocabulary: Vocabulary, rows: Mapping[int, int]) -> str:
    """Say how many of the words have a vector, and how many of the tokens to train on."""
    around = sum(vocabulary.counts[i] for i in (vocabulary.begin_id, vocabulary.end_id) if i is not None)
    tokens = sum(vocabulary.counts) - around
    share = sum(vocabulary.counts[i] for i in rows) / tokens
    more = f"; and {len(rows) - own:,} words more" if len(rows) > own else ""
    return f"vectors: {own:,} of {words:,} words ({own / words:.1%}), {share:.1%} of the tokens to train on{more}"
