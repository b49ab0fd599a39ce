"""An encoded corpus in one file: the ids of its splits, where their items begin, and a manifest; proved by a checksum.

    ids of train, validation, test | zeros up to a multiple of 8 | starts (int64) of each | manifest (JSON) | end

Sizes and types stand in the manifest. The end is the manifest's length, the SHA-256 of all before it, and MAGIC.
"""

import hashlib
import json
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, BinaryIO

import numpy as np

from rnncli.data.files import PIECE
from rnncli.data.numbering import Numbering
from rnncli.data.sequences import NOTHING, Descriptor, DiskArray, Sequences
from rnncli.data.splitting import Splits
from rnncli.data.vocabulary import Vocabulary
from rnncli.errors import DataError

MAGIC = b"rnncli 1"
_END = struct.Struct("<Q32s8s")


@dataclass(frozen=True, eq=False)
class Encoded:
    """A corpus as ids on disk; a stream of fewer than 2 tokens, in which nothing can be predicted, is NOTHING."""

    vocabulary: Vocabulary
    splits: Splits[Sequences]
    unknown: Splits[int]
    """The tokens of each that are not in the vocabulary."""
    fingerprint: str
    """A hash of the ids to train and to validate on."""
    skipped: list[int]
    """The places of files that were passed over, among those to train on."""


def write_encoded(
    file: BinaryIO, numbering: Numbering, vocabulary: Vocabulary, skipped: list[int], report: Callable[[int], None]
) -> None:
    """Write the three parts of a corpus in ids of a vocabulary; `report` is called with the number that is done."""
    sizes, items = numbering.sizes, numbering.lengths if numbering.items else [int(n > 1) for n in numbering.sizes]
    unknown, done = [0, 0, 0], 0
    checksum, fingerprint = hashlib.sha256(), hashlib.sha256()

    def write(data: Any) -> None:
        file.write(data)
        checksum.update(data)

    for part, chunks in groupby(numbering.ids(vocabulary), key=itemgetter(0)):
        counts = part < 2 and items[part]
        if counts:
            fingerprint.update(sizes[part].to_bytes(8, "little"))
        for _, ids in chunks:
            write(ids.data)
            if counts:
                fingerprint.update(ids.data)
            if vocabulary.unknown_id is not None:
                unknown[part] += int(np.count_nonzero(ids == vocabulary.unknown_id))
            done += len(ids)
            report(done)
    write(bytes(-file.tell() % 8))
    numbering.starts.seek(0)
    for size, number in zip(sizes, items, strict=True):
        for start in range(0, number, PIECE):
            length = 8 * min(PIECE, number - start)
            write(numbering.starts.read(length) if numbering.items else bytes(length))
        write((size if number else 0).to_bytes(8, "little"))
    manifest = {
        "dtype": vocabulary.dtype.str,
        "sizes": sizes,
        "items": items,
        "unknown": unknown,
        "fingerprint": fingerprint.hexdigest(),
        "vocabulary": vocabulary.to_plain(),
        "skipped": skipped,
    }
    packed = json.dumps(manifest).encode()
    write(packed)
    file.write(_END.pack(len(packed), checksum.digest(), MAGIC))
    file.flush()


def read_encoded(file: BinaryIO) -> Encoded | None:
    """Read what `write_encoded` wrote; the file may be closed then. None for anything else."""
    try:
        size = os.fstat(file.fileno()).st_size - _END.size
        file.seek(size)
        length, checksum, magic = _END.unpack(file.read(_END.size))
        if magic != MAGIC or checksum != _sha256(file, size):
            return None
        file.seek(size - length)
        match json.loads(file.read(length)):
            case {
                "dtype": str(dtype),
                "sizes": [_, _, _] as sizes,
                "items": [_, _, _] as items,
                "unknown": [_, _, _] as unknown,
                "fingerprint": str(fingerprint),
                "vocabulary": plain,
                "skipped": [*skipped],
            } if all(type(number) is int and number >= 0 for number in chain(sizes, items, unknown, skipped)):
                vocabulary = Vocabulary.from_plain(plain)
                parts = _parts(Descriptor(file.fileno()), vocabulary.dtype, sizes, items, size - length)
                if dtype == vocabulary.dtype.str and all(_fits(part, len(vocabulary)) for part in parts):
                    seen = (min(number, part.size) for number, part in zip(unknown, parts, strict=True))
                    return Encoded(vocabulary, Splits(*parts), Splits(*seen), fingerprint, skipped)
    except (OSError, ValueError, struct.error, RecursionError, DataError):
        pass
    return None


def _parts(file: Descriptor, dtype: np.dtype[Any], sizes: list[int], items: list[int], end: int) -> list[Sequences]:
    """Return the parts of a file; raises DataError where their starts do not stand before its byte number `end`."""
    at, starts = 0, sum(sizes) * dtype.itemsize
    starts += -starts % 8
    if starts + 8 * (sum(items) + len(items)) != end:
        raise DataError("not an encoded text: its sizes do not fit")
    parts = []
    for size, number in zip(sizes, items, strict=True):
        ids = DiskArray(file, dtype, at, size)
        parts.append(Sequences(ids, DiskArray(file, "<i8", starts, number + 1)) if number else NOTHING)
        at, starts = at + size * dtype.itemsize, starts + 8 * (number + 1)
    return parts


def _fits(part: Sequences, vocabulary_size: int) -> bool:
    """Whether all ids are below the size of the vocabulary, and sequences of 2 or more follow each other."""
    return (
        (part.start(0), part.start(len(part))) == (0, part.size)
        and all(np.diff(part.starts[i : i + PIECE + 1]).min() > 1 for i in range(0, len(part), PIECE))
        and all(part.ids[i : i + PIECE].max() < vocabulary_size for i in range(0, part.size, PIECE))
    )


def _sha256(file: BinaryIO, size: int) -> bytes:
    """Hash the first bytes of a file."""
    digest = hashlib.sha256()
    file.seek(0)
    while size and (data := file.read(min(size, PIECE))):
        digest.update(data)
        size -= len(data)
    return digest.digest()
