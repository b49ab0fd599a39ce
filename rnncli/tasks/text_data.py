"""Text for language models: files → splits → vocabulary → ids → batches."""

import hashlib
import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Self

from rnncli.data import Encoded, Items, Sequences, Splits, Streams, Vocabulary, Windows, find_sources
from rnncli.errors import DataError
from rnncli.models.embedding_spec import Pretrained
from rnncli.tasks.conditions import Conditions
from rnncli.tasks.corpus_cache import NO_CACHE, CorpusCache
from rnncli.tasks.paths import Paths, as_paths, resolved
from rnncli.tasks.pretrained import VectorsFile
from rnncli.tasks.protocol import Report, Resources, TokenVectors, silent
from rnncli.tasks.text_encoding import encode, key_of
from rnncli.tasks.text_spec import TextDataSpec, TextTrainingSpec
from rnncli.training.trainer import Batches

STREAM_TOKENS = 1000
"""Evaluation reads a text in streams of at least this many tokens, so that few of them begin without context."""


@dataclass(frozen=True)
class TextDataset:
    """A text in splits, encoded: each is one sequence, or as many as it has lines, between begin and end symbols."""

    vocabulary: Vocabulary
    splits: Splits[Sequences]
    notices: tuple[str, ...]
    fingerprint: str
    """A hash of the ids to train and to validate on, by which a resumed run knows its data again."""
    conditions: Conditions | None = None
    """What each sequence has a value of, if there is such a thing."""
    pretrained: Pretrained | None = None
    """What there is to know of the vectors of a file."""
    vectors: TokenVectors | None = None

    @property
    def resources(self) -> Resources:
        """What a model of this text needs beside its weights."""
        given = {"conditions": self.conditions, "pretrained": self.pretrained}
        plain = {name: each.to_plain() for name, each in given.items() if each}
        return {"vocabulary": self.vocabulary.to_plain(), **plain}

    def with_vectors(self, file: VectorsFile) -> Self:
        """Return it with the vectors of a file for the words of its vocabulary, and a notice of how many have one.

        Raises DataError as `VectorsFile.read` does.
        """
        found = file.read(self.vocabulary)
        notices = (*found.notices, *self.notices)
        return replace(self, notices=notices, pretrained=found.pretrained, vectors=found.vectors)

    def sizes(self) -> dict[str, int]:
        """Return the numbers of tokens, and of the values of conditions."""
        return {
            "vocabulary": len(self.vocabulary),
            **({"conditions": self.conditions.size} if self.conditions else {}),
            **{f"{split}_tokens": self.tokens(split) for split in Splits._fields},
        }

    def tokens(self, split: str) -> int:
        """Return the number of tokens in a split, those around lines not counted."""
        return tokens_of(self.part(split), self.vocabulary)

    def part(self, split: str) -> Sequences:
        """Return "train", "validation" or "test"."""
        part: Sequences = getattr(self.splits, split)
        return part


def tokens_of(part: Sequences, vocabulary: Vocabulary) -> int:
    """Return the number of tokens, those around lines not counted."""
    return part.size - (2 * len(part) if vocabulary.items else 0)


def read_dataset(
    spec: TextDataSpec,
    random_seed: int,
    base: Path,
    vocabulary: Vocabulary | None = None,
    *,
    cache: CorpusCache = NO_CACHE,
    report: Report = silent,
) -> TextDataset:
    """Read, split and encode the text; the vocabulary, unless given, comes from the training part alone.

    What the cache has of the same files and settings is not encoded again. Raises DataError for text that cannot be
    read, or that is too short to learn from, and RnncliError when the ids cannot be written.
    """
    if not as_paths(spec.train):
        raise DataError("no training text", hint="name a file: rnncli train corpus.txt, or data.train in the spec")
    sources = {name: find_sources(resolved(paths, base)) for name in Splits._fields if (paths := getattr(spec, name))}
    key = key_of(spec, random_seed, sources, report)
    encoded = _found(cache, key, len(sources["train"]))
    if vocabulary and (encoded is None or encoded.vocabulary != vocabulary):
        key = hashlib.sha256(f"{key} {json.dumps(vocabulary.to_plain())}".encode()).hexdigest()
        encoded = _found(cache, key, len(sources["train"]))
        if encoded and encoded.vocabulary != vocabulary:
            encoded = None
    if encoded is None:
        encoded = cache.make(key, partial(encode, spec, random_seed, sources, vocabulary, report))
    notices = []
    if skipped := encoded.skipped:
        first = sources["train"][skipped[0]].name
        notices.append(f"files that are not text, left out: {len(skipped)}, the first {first}")
    for name, part, unknown in zip(Splits._fields, encoded.splits, encoded.unknown, strict=True):
        if not part:
            notices.append(f"no {name} split: the text is too short, or its share is 0")
        notices += unknown_notice(name, unknown, tokens_of(part, encoded.vocabulary))
    return TextDataset(vocabulary or encoded.vocabulary, encoded.splits, tuple(notices), encoded.fingerprint)


def _found(cache: CorpusCache, key: str, files: int) -> Encoded | None:
    """Return what the cache has of that many files to train on, and nothing that cannot be of them."""
    found = cache.find(key)
    return found if found and all(place < files for place in found.skipped) else None


def read_other(
    spec: TextDataSpec, paths: Paths, vocabulary: Vocabulary, report: Report = silent
) -> tuple[Sequences, list[str]]:
    """Read and encode files that are no part of the spec; return them with notices.

    Raises DataError where they have nothing to predict, and as `read_dataset` does.
    """
    sources = {"test": find_sources(resolved(paths, Path()))}
    encoded = NO_CACHE.make("", partial(encode, spec, 0, sources, vocabulary, report))
    size = tokens_of(encoded.splits.test, vocabulary)
    if size < 2:
        name = sources["test"][0].name
        raise DataError(f"{name}: too short to evaluate on", hint="give a text of at least 2 tokens")
    return encoded.splits.test, unknown_notice("given", encoded.unknown.test, size)


def unknown_notice(name: str, unknown: int, tokens: int) -> list[str]:
    """Say how many of a part's tokens are unknown, if any are."""
    return [f"{unknown / tokens:.2%} of the {name} tokens are not in the vocabulary"] if unknown else []


def fit_sizes(spec: TextDataSpec, training: TextTrainingSpec, train: Sequences) -> tuple[int, int]:
    """Return batch_size and bptt_length, smaller than asked where the text is too small for 20 batches an epoch."""
    tokens, batch_size, length = train.size, training.batch_size, training.bptt_length
    if spec.is_items:
        return min(batch_size, max(1, len(train) // 20)), length
    if training.bptt == "full":
        return min(batch_size, tokens - 1), length
    length = min(length, tokens - 1)
    step = (training.stride or length) if training.state == "reset" else length
    fitting = max(1, (tokens - 1) // (20 * step))
    if fitting < batch_size:
        batch_size = fitting // 16 * 16 if fitting > 16 else fitting  # multiples of 16 run fastest
    return batch_size, length


def make_batches(
    spec: TextDataSpec, training: TextTrainingSpec, part: Sequences, batch_size: int, length: int
) -> Batches:
    """Return the batches of a split: items padded together, parallel streams, or sliding windows."""
    if spec.is_items:
        return Items(part, batch_size, length if training.bptt == "truncated" else None)
    stream = part.ids
    batch_size = min(batch_size, len(stream) - 1)
    if training.state == "reset":
        length = min(length, len(stream) - 1)
        return Windows(stream, batch_size, length, training.stride or length)
    full = -(-(len(stream) - 1) // batch_size)
    return Streams(stream, batch_size, full if training.bptt == "full" else length)


def evaluation_batches(spec: TextDataSpec, training: TextTrainingSpec, part: Sequences) -> Batches:
    """Return batches that predict every token of a split once, in streams long enough to have context."""
    streams = training.batch_size
    if not spec.is_items:
        streams = max(1, min(streams, part.size // STREAM_TOKENS))
    # Whatever `training` says of windows and state: the defaults read a stream with carried state, and whole items
    return make_batches(spec, TextTrainingSpec(), part, streams, training.bptt_length)
