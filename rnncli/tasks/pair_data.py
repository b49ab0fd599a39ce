"""Pairs for translation and captioning: files → pairs → splits → vocabularies, mean and deviation → ids, vectors."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from rnncli.data import Pairs, Source, Splits, Vocabulary, find_sources
from rnncli.data.pairs import SUFFIXES, Pair, PairColumns, PairReading, format_of, read_pairs
from rnncli.errors import DataError
from rnncli.tasks.gathered_pairs import GatheredPairs
from rnncli.tasks.pair_arrays import read_array_pairs, read_array_sources
from rnncli.tasks.pair_resources import longest_of, source_of, target_of
from rnncli.tasks.pair_sides import unknown_tokens
from rnncli.tasks.pair_spec import PairDataSpec
from rnncli.tasks.paths import Paths, as_paths, resolved
from rnncli.tasks.protocol import Report, Resources, TokenVectors
from rnncli.tasks.sequence_inputs import Inputs

_CHUNK = 1 << 12  # pairs hashed together


@dataclass(frozen=True)
class PairDataset:
    """Pairs in splits, as a model reads them."""

    source: Inputs
    target: Vocabulary
    longest: tuple[int, int]
    """Steps of the longest source of the training part, and tokens of its targets, but for the few longest."""
    splits: Splits[Pairs]
    notices: tuple[str, ...]
    vectors: TokenVectors | None = None

    @property
    def resources(self) -> Resources:
        """What a model of these data needs beside its weights: how it reads a source, tokens of targets, lengths."""
        return {
            "source": self.source.resources(),
            "target": self.target.to_plain(),
            "longest": [*self.longest],
        }

    @cached_property
    def fingerprint(self) -> str:
        """A hash of what there is to train and to validate on."""
        digest = hashlib.sha256()
        for part in self.splits[:2]:
            for side in (part.source, part.target):
                digest.update(np.ascontiguousarray(side.lengths).data)
                for first in range(0, len(side), _CHUNK):
                    numbers = np.arange(first, min(first + _CHUNK, len(side)))
                    digest.update(np.ascontiguousarray(side.together(numbers)).data)
        return digest.hexdigest()

    def sizes(self) -> dict[str, int]:
        """Return the numbers of inputs, of outputs and of pairs."""
        read = self.source.vocabulary
        width = {"source_vocabulary": len(read)} if read else {"features": self.source.width}
        pairs = {f"{name}_pairs": len(part) for name, part in self.splits._asdict().items()}
        return width | {"target_vocabulary": len(self.target)} | pairs

    def summary(self) -> str:
        """Say in a few words what there is."""
        read = self.source.vocabulary
        left = f"{len(read):,}" if read else f"vectors of {self.source.width}"
        return f"{left} → {len(self.target):,} tokens, {len(self.splits.train):,} pairs to train on"


def read_dataset(
    spec: PairDataSpec, random_seed: int, base: Path, resources: Resources | None, report: Report, *, single: bool
) -> PairDataset:
    """Read and split the pairs; what a model needs to know of them, unless given, comes from the training part.

    With `single` a source is one vector. Pairs of one source are never in two parts that are drawn. Raises DataError
    for files that cannot be read, and pairs that nothing can be learnt from.
    """
    if not as_paths(spec.train):
        example = "--task captioning features.npz captions.tsv" if single else "--task translation pairs.tsv"
        raise DataError("no training data", hint=f"name a file: rnncli train {example}, or data.train in the spec")
    gathered, trained = GatheredPairs(spec, source_of(resources) if resources else None, single=single), ""
    for name in Splits._fields:
        if paths := getattr(spec, name):
            entries = [find_sources([path]) for path in resolved(paths, base)]
            in_format = format_of(entries) if spec.format == "auto" else spec.format
            columns = PairColumns(spec.source, spec.target, spec.columns)
            if trained not in ("", in_format):
                columns = _fitting(columns, in_format)
            trained = trained or in_format
            _expect(gathered, entries, in_format, columns)
            reading = PairReading(columns, spec.encoding)
            gathered.add(name, _pairs(entries, in_format, reading, gathered.notices, report, f"reading {name}"))
    numbers = gathered.split(random_seed)
    if resources:
        source, target = source_of(resources), target_of(resources)
    else:
        source, target = gathered.derived(numbers.train)
    every = gathered.pairs(source, target)
    splits = Splits(*(every.part(part) for part in numbers))
    if resources and unknown_tokens(splits.train.target, target) == len(splits.train.target.values):
        message = "the model that is to go on knows none of the tokens of the targets"
        raise DataError(message, hint="train a new one: leave --init-from out")
    longest = splits.train.longest
    if resources:  # of another model's training, perhaps
        source_steps, target_tokens = longest_of(resources)
        longest = max(longest[0], source_steps), max(longest[1], target_tokens)
    notices = [*gathered.notices, *_missing(splits)]
    if not single and source.vocabulary is None and every.source.lengths.max() == 1:
        notices.append("each source is a single vector: for those there is task: captioning, too")
    notices += _unknown(splits._asdict(), source, target)
    return PairDataset(source, target, longest, splits, tuple(notices))


def read_other(
    spec: PairDataSpec, paths: Paths, resources: Resources, report: Report, *, single: bool
) -> tuple[Pairs, list[str]]:
    """Read files of pairs that are no part of the spec, for a model with these resources; return them with notices."""
    entries = [find_sources([path]) for path in resolved(paths, Path())]
    named = {Path(path).suffix.lower() for path in as_paths(paths)} & SUFFIXES.keys()
    like_training = spec.format != "auto" and not named and (spec.format != "parallel" or len(entries) % 2 == 0)
    name = spec.format if like_training else format_of(entries)
    columns = _fitting(PairColumns(spec.source, spec.target, spec.columns), name)
    source, target = source_of(resources), target_of(resources)
    gathered = GatheredPairs(spec, source, single=single)
    _expect(gathered, entries, name, columns)
    reading = PairReading(columns, spec.encoding, can_name_columns=False)
    gathered.add("given", _pairs(entries, name, reading, gathered.notices, report, "reading"))
    part = gathered.pairs(source, target)
    if not single and source.vocabulary is None and part.source.lengths.max() == 1 < longest_of(resources)[0]:
        gathered.notices.append("each source is a single vector, where the model was trained on sequences of them")
    return part, [*gathered.notices, *_unknown({"given": part}, source, target)]


def read_sources(spec: PairDataSpec, paths: Sequence[str]) -> Iterator[Pair]:
    """Yield the sources of files in one of the formats of pairs, whether they have targets or not."""
    entries = [find_sources([path]) for path in paths]
    name = format_of(entries)
    if name == "arrays":
        yield from read_array_sources([source for entry in entries for source in entry])
        return
    columns = _fitting(PairColumns(spec.source, spec.target, spec.columns), name)
    yield from read_pairs(entries, name, PairReading(columns, spec.encoding, targets=False, can_name_columns=False))


def _expect(gathered: GatheredPairs, entries: Sequence[Sequence[Source]], name: str, columns: PairColumns) -> None:
    """Refuse files whose format says that their sources are none that a model reads; of JSONL each line does."""
    if name != "jsonl" or columns.vector:
        are_vectors = name == "arrays" or bool(columns.vector)
        gathered.expect(entries[0][0].name, are_texts=not are_vectors)


def _fitting(columns: PairColumns, name: str) -> PairColumns:
    """Return those of the columns that a format has: the spec's may be of another, in which the training data are."""
    source, target, vector = columns.source, columns.target, columns.vector
    if name == "parallel":
        return PairColumns()
    if name == "jsonl":
        source, target = (None if isinstance(column, int) else column for column in (source, target))
    return PairColumns(source, target, () if name == "arrays" else vector)


def _pairs(
    entries: Sequence[Sequence[Source]],
    name: str,
    reading: PairReading,
    notices: list[str],
    report: Report,
    activity: str,
) -> Iterator[Pair]:
    total = sum(source.size for entry in entries for source in entry)

    def progress(done: int) -> None:
        report(activity, done, total)

    if name == "arrays":
        return read_array_pairs(entries, reading, notices, report=progress)
    return read_pairs(entries, name, reading, report=progress)


def _missing(splits: Splits[Pairs]) -> Iterable[str]:
    """Name the parts that there are not."""
    for name, part in zip(Splits._fields[1:], splits[1:], strict=True):
        if not len(part):
            yield f"no {name} split: there are too few pairs, or its share is 0"


def _unknown(parts: Mapping[str, Pairs], source: Inputs, target: Vocabulary) -> Iterable[str]:
    """Say in one notice how many of the tokens of each side of each part are not in its vocabulary."""
    shares = []
    for name, part in parts.items():
        for kind, side, vocabulary in (("source", part.source, source.vocabulary), ("target", part.target, target)):
            if vocabulary and len(part) and (count := unknown_tokens(side, vocabulary)):
                shares.append(f"{count / len(side.values):.2%} of the {name} {kind}")
    if shares:
        *others, last = shares
        before = f"{', '.join(others)} and " if others else ""
        yield f"{before}{last} tokens are not in the vocabulary"
