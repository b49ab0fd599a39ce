"""A corpus into an encoded file, read piece by piece: what is needed of it never lies in memory whole."""

import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import chain, compress
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from rnncli.data import (
    TOKENIZERS,
    Numbering,
    Source,
    Splits,
    Text,
    Vocabulary,
    lines,
    recut,
    split_items,
    split_text,
    write_encoded,
)
from rnncli.errors import DataError
from rnncli.storage import Scratch
from rnncli.tasks.protocol import Report
from rnncli.tasks.text_spec import TextDataSpec
from rnncli.training.randomness import generator

VERSION = 1
"""Of the way from files to ids; another number leaves alone what older versions have kept."""


def key_of(spec: TextDataSpec, random_seed: int, sources: Mapping[str, Sequence[Source]], report: Report) -> str:
    """Return a hash of all that the ids depend on, the bytes of the files first."""
    total, done = sum(source.size for source in chain(*sources.values())), 0
    hashes: dict[str, list[tuple[bool, str]]] = {}
    for name, found in sources.items():
        hashes[name] = []
        for source in found:
            hashes[name].append((source.folder is not None, source.sha256()))
            done += source.size
            report("looking for the encoded text", done, total)
    settings = {name: value for name, value in asdict(spec).items() if name not in Splits._fields}
    seed = random_seed if spec.is_items else None
    key = [VERSION, unicodedata.unidata_version, hashes, settings, seed]
    return hashlib.sha256(json.dumps(key).encode()).hexdigest()


def encode(
    spec: TextDataSpec,
    random_seed: int,
    sources: Mapping[str, Sequence[Source]],
    vocabulary: Vocabulary | None,
    report: Report,
    file: BinaryIO,
    scratch: Scratch,
) -> None:
    """Write splits, whose files are given by name, in ids of a vocabulary, else of that of the training part.

    Raises DataError for text that cannot be read, or is too short to train on.
    """
    binary, items = spec.tokenizer.level == "byte", spec.is_items
    texts = {}
    for name, found in sources.items():
        total = sum(source.size for source in found)
        texts[name] = Text(found, spec.encoding, binary=binary, report=_share(report, f"reading {name}", total))
    numbering = Numbering(spec.tokenizer, scratch, items=items)
    if items:
        lists = _items(spec, random_seed, texts, report)
        for name in Splits._fields:
            numbering.add_items(lists.get(name, ()))
    else:
        streams = _streams(spec, texts, report)
        for name in Splits._fields:
            numbering.add_stream(streams.get(name, ()))
    vocabulary = vocabulary or numbering.vocabulary()
    tokens = numbering.sizes[0] - 2 * numbering.lengths[0]
    if "train" in texts and tokens < 2:
        raise DataError(
            f"{texts['train'].kept[0].name}: the training text has {tokens} tokens, and at least 2 are needed",
            hint="use a longer text, or a smaller data.split",
        )
    for source in chain(*sources.values()):
        source.check_unchanged()
    skipped = texts["train"].skipped if "train" in texts else []
    total = sum(numbering.sizes)
    write_encoded(file, numbering, vocabulary, skipped, _share(report, "writing ids", total))


def _streams(spec: TextDataSpec, texts: Mapping[str, Text], report: Report) -> dict[str, Iterator[str]]:
    """Return the pieces of each split of a stream."""
    spans = {name: (text, 0, text.size) for name, text in texts.items()}
    if train := texts.get("train"):
        cut = split_text(train, *_shares(spec, texts), TOKENIZERS[spec.tokenizer.level])
        spans = {name: (train, *span) for name, span in cut._asdict().items()} | spans | {"train": (train, *cut.train)}
    return {
        name: _watched(text.read(start, stop), _share(report, f"encoding {name}", stop - start))
        for name, (text, start, stop) in spans.items()
    }


def _items(
    spec: TextDataSpec, random_seed: int, texts: Mapping[str, Text], report: Report
) -> dict[str, Iterator[list[str]]]:
    """Return lists of the lines of each split."""

    def blocks(text: Text, activity: str) -> Iterator[list[str]]:
        pieces = _watched(text.read(), _share(report, activity, text.size))
        return map(lines, recut(pieces, lambda piece: piece.rfind("\n") + 1))

    parts = {name: blocks(text, f"encoding {name}") for name, text in texts.items()}
    if train := texts.get("train"):
        number = sum(map(len, blocks(train, "counting lines")))
        dealt = split_items(number, *_shares(spec, texts), generator(random_seed, "splitting"))
        drawn = {
            name: _chosen(blocks(train, f"encoding {name}"), dealt, part) for part, name in enumerate(Splits._fields)
        }
        parts = drawn | parts | {"train": drawn["train"]}
    return parts


def _chosen(blocks: Iterable[list[str]], dealt: npt.NDArray[np.uint8], part: int) -> Iterator[list[str]]:
    """Yield the items that were dealt to a part."""
    start = 0
    for items in blocks if (dealt == part).any() else ():
        yield [*compress(items, (dealt[start : start + len(items)] == part).tolist())]
        start += len(items)


def _shares(spec: TextDataSpec, texts: Mapping[str, Text]) -> tuple[float, float]:
    """Return what is split off for validation and test: nothing where they have files of their own."""
    return (
        0.0 if "validation" in texts else spec.split.validation,
        0.0 if "test" in texts else spec.split.test,
    )


def _share(report: Report, activity: str, total: int) -> Callable[[int], None]:
    return lambda done: report(activity, done, total)


def _watched(pieces: Iterable[str], report: Callable[[int], None]) -> Iterator[str]:
    done = 0
    for piece in pieces:
        yield piece
        done += len(piece)
        report(done)
