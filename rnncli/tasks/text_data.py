"""Text for language models: files → splits → vocabulary → ids → batches."""

import glob
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Lt

from rnncli.data import (
    TOKENIZERS,
    Corpus,
    Items,
    Splits,
    Streams,
    TokenizerSpec,
    Vocabulary,
    Windows,
    lines,
    read_corpus,
    split_items,
    split_text,
)
from rnncli.errors import DataError
from rnncli.training.randomness import generator
from rnncli.training.trainer import Batches, TrainingSpec

Part = Annotated[float, Ge(0), Lt(1)]
Paths = str | tuple[str, ...]
STREAM_TOKENS = 1000
"""Evaluation reads a text in streams of at least this many tokens, so that few of them begin without context."""


@dataclass(frozen=True)
class SplitSpec:
    """The shares of the training text that are split off where no files are given for them."""

    validation: Part = 0.05
    test: Part = 0.05

    def __post_init__(self) -> None:
        """Leave something to train on."""
        if self.validation + self.test >= 1:
            raise ValueError("validation and test together must leave a part to train on: their sum must be below 1")


@dataclass(frozen=True)
class TextDataSpec:
    """Which text, and how it is read: the `data` section of a spec. Paths are relative to the spec's folder."""

    train: Paths = ()
    validation: Paths = ()
    test: Paths = ()
    format: Literal["stream", "lines"] = "stream"
    encoding: str = "utf-8"
    tokenizer: TokenizerSpec = TokenizerSpec()
    split: SplitSpec = SplitSpec()

    def __post_init__(self) -> None:
        """Refuse paths that name nothing, or standard input among others."""
        for paths in map(as_paths, (self.train, self.validation, self.test)):
            if "" in paths or ("-" in paths and paths != as_paths(self.train)) or ("-" in paths and len(paths) > 1):
                raise ValueError("train, validation and test name files, folders or globs; train may be - for stdin")


@dataclass(frozen=True)
class TextDataset:
    """A text in splits, encoded: each split is a list of id arrays, the whole stream or one array an item."""

    vocabulary: Vocabulary
    splits: Splits[list[np.ndarray[Any, Any]]]
    notices: tuple[str, ...]

    def tokens(self, split: str) -> int:
        """Return the number of tokens in a split."""
        return sum(len(ids) for ids in self.part(split))

    def part(self, split: str) -> list[np.ndarray[Any, Any]]:
        """Return "train", "validation" or "test"."""
        part: list[np.ndarray[Any, Any]] = getattr(self.splits, split)
        return part

    def fingerprint(self) -> str:
        """Return a hash of the ids to train and to validate on, by which a resumed run knows its data again."""
        digest = hashlib.sha256()
        for ids in (*self.splits.train, *self.splits.validation):
            digest.update(len(ids).to_bytes(8, "little") + ids.tobytes())
        return digest.hexdigest()


def as_paths(paths: Paths) -> tuple[str, ...]:
    """Return one path or several as a tuple."""
    return (paths,) if isinstance(paths, str) else paths


def resolved(paths: Paths, base: Path) -> tuple[str, ...]:
    """Return the paths as seen from `base`; "-" is standard input."""
    return tuple(path if path == "-" else _joined(base, path) for path in as_paths(paths))


def _joined(base: Path, path: str) -> str:
    joined = os.path.join(base, path)  # noqa: PTH118
    if set(path) & set("*?[") and not os.path.exists(joined):  # noqa: PTH110
        return os.path.join(glob.escape(str(base)), path)  # noqa: PTH118
    return joined


def read_text(spec: TextDataSpec, paths: Paths, base: Path) -> tuple[Corpus, str]:
    """Read the files as one text, each ending in a newline where another follows."""
    binary = spec.tokenizer.level == "byte"
    corpus = read_corpus(resolved(paths, base), spec.encoding, binary=binary)
    *first, last = corpus.texts
    return corpus, "".join(text if text.endswith("\n") else text + "\n" for text in first) + last


def read_dataset(spec: TextDataSpec, random_seed: int, base: Path, vocabulary: Vocabulary | None = None) -> TextDataset:
    """Read, split and encode the text; the vocabulary, unless given, comes from the training part alone.

    Raises DataError for text that cannot be read, or that is too short to learn from.
    """
    if not as_paths(spec.train):
        raise DataError("no training text", hint="name a file: rnncli train corpus.txt, or data.train in the spec")
    corpus, text = read_text(spec, spec.train, base)
    given = {name: read_text(spec, paths, base)[1] for name in ("validation", "test") if (paths := getattr(spec, name))}
    validation = 0.0 if "validation" in given else spec.split.validation
    test = 0.0 if "test" in given else spec.split.test
    parts: dict[str, list[str]]
    if spec.format == "lines":
        items = lines(text)
        chosen = split_items(len(items), validation, test, generator(random_seed, "splitting"))
        parts = {name: [items[i] for i in getattr(chosen, name)] for name in ("train", "validation", "test")}
        parts |= {name: lines(other) for name, other in given.items()}
    else:
        cut = split_text(text, validation, test, TOKENIZERS[spec.tokenizer.level])
        parts = {name: [getattr(cut, name)] for name in ("train", "validation", "test")}
        parts |= {name: [other] for name, other in given.items()}

    vocabulary = vocabulary or Vocabulary.build(parts["train"], spec.tokenizer, items=spec.format == "lines")
    encoded = {name: [ids for part in texts if len(ids := vocabulary.encode(part))] for name, texts in parts.items()}
    for name in ("validation", "test"):  # a target needs a token before it
        if spec.format == "stream" and sum(map(len, encoded[name])) < 2:
            encoded[name] = []
    dataset = TextDataset(vocabulary, Splits(**encoded), _notices(corpus, vocabulary, encoded))
    if dataset.tokens("train") < 2:
        raise DataError(
            f"{corpus.names[0]}: the training text has {dataset.tokens('train')} tokens, and at least 2 are needed",
            hint="use a longer text, or a smaller data.split",
        )
    return dataset


def read_other(spec: TextDataSpec, paths: Paths, vocabulary: Vocabulary) -> list[np.ndarray[Any, Any]]:
    """Read and encode files that are no part of the spec; DataError where they have nothing to predict."""
    corpus, text = read_text(spec, paths, Path())
    encoded = [vocabulary.encode(part) for part in (lines(text) if spec.format == "lines" else [text])]
    if sum(map(len, encoded)) < 2:
        raise DataError(f"{corpus.names[0]}: too short to evaluate on", hint="give a text of at least 2 tokens")
    return encoded


def unknown_notice(name: str, ids: Sequence[np.ndarray[Any, Any]], vocabulary: Vocabulary) -> list[str]:
    """Return a notice of the share of tokens that the vocabulary does not have, if there are any."""
    unknown = vocabulary.unknown_id
    seen = sum(int((part == unknown).sum()) for part in ids) if unknown is not None else 0
    return [f"{seen / sum(map(len, ids)):.2%} of the {name} tokens are not in the vocabulary"] if seen else []


def _notices(corpus: Corpus, vocabulary: Vocabulary, encoded: dict[str, list[np.ndarray[Any, Any]]]) -> tuple[str, ...]:
    notices = []
    if corpus.skipped:
        notices.append(f"files that are not text, left out: {len(corpus.skipped)}, the first {corpus.skipped[0]}")
    for name, ids in encoded.items():
        if not ids:
            notices.append(f"no {name} split: the text is too short, or its share is 0")
        notices += unknown_notice(name, ids, vocabulary)
    return tuple(notices)


def fit_sizes(spec: TextDataSpec, training: TrainingSpec, train: Sequence[np.ndarray[Any, Any]]) -> tuple[int, int]:
    """Return batch_size and bptt_length, smaller than asked where the text is too small for 20 batches an epoch."""
    tokens, batch_size, length = sum(map(len, train)), training.batch_size, training.bptt_length
    if spec.format == "lines":
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
    spec: TextDataSpec,
    training: TrainingSpec,
    vocabulary: Vocabulary,
    ids: Sequence[np.ndarray[Any, Any]],
    batch_size: int,
    length: int,
) -> Batches:
    """Return the batches of a split: lines padded together, parallel streams, or sliding windows."""
    if spec.format == "lines":
        cut = length if training.bptt == "truncated" else None
        assert vocabulary.begin_id is not None
        assert vocabulary.end_id is not None
        return Items(ids, vocabulary.begin_id, vocabulary.end_id, batch_size, cut)
    (stream,) = ids
    batch_size = min(batch_size, len(stream) - 1)
    if training.state == "reset":
        length = min(length, len(stream) - 1)
        return Windows(stream, batch_size, length, training.stride or length)
    full = -(-(len(stream) - 1) // batch_size)
    return Streams(stream, batch_size, full if training.bptt == "full" else length)


def evaluation_batches(
    spec: TextDataSpec, training: TrainingSpec, vocabulary: Vocabulary, ids: Sequence[np.ndarray[Any, Any]]
) -> Batches:
    """Return batches that predict every token of a split once, in streams long enough to have context."""
    streams = training.batch_size
    if spec.format == "stream":
        streams = max(1, min(streams, sum(map(len, ids)) // STREAM_TOKENS))
    # Whatever `training` says of windows and state: the defaults read a stream with carried state, and whole lines
    return make_batches(spec, TrainingSpec(), vocabulary, ids, streams, training.bptt_length)
