"""Sequences whose every step has a label: files → sentences → splits → vocabulary, labels → ids, spellings, targets.

S sequences, N steps.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnncli.data import Examples, Source, Splits, find_sources
from rnncli.data.examples import shown
from rnncli.data.labelled import step_place
from rnncli.data.numbering import InOrder
from rnncli.data.tagged import SUFFIXES, TagColumns, TaggedExample, check_columns, format_of, read_tagged
from rnncli.errors import DataError
from rnncli.metrics.spans import faults, repaired, scheme_of
from rnncli.models.sequence_tagger_spec import SequenceTaggerSpec
from rnncli.nn.parameter import Array
from rnncli.tasks.gathered import Gathered, SequenceDataset, split, split_notices
from rnncli.tasks.labelled_spec import TaggingDataSpec
from rnncli.tasks.paths import Paths, as_paths, resolved
from rnncli.tasks.pretrained import find_vectors
from rnncli.tasks.protocol import Report, Resources
from rnncli.tasks.sequence_inputs import Inputs, inputs_of
from rnncli.tasks.tagged_vector_files import read_tagged_vectors
from rnncli.tasks.targets import MOST_ANSWERS, LabelTargets


def read_dataset(
    spec: TaggingDataSpec,
    model: SequenceTaggerSpec,
    random_seed: int,
    base: Path,
    resources: Resources | None,
    report: Report,
) -> SequenceDataset:
    """Read and split the sequences; what a model needs to know of them, unless given, comes from the training part.

    That is its labels and its words, their characters if the `model` reads them, and vectors of a file if it asks for
    them. Raises DataError for files that cannot be read, labels that break the scheme by which they mark spans, and
    examples that nothing can be learnt from.
    """
    if not as_paths(spec.train):
        raise DataError("no training data", hint="name a file: rnncli train --task tagging train.conll")
    file = find_vectors(model.embedding, spec.tokenizer, base, report) if resources is None else None
    gathered, found, trained = Tags(spec), None, ""
    spans: dict[str, range] = {}
    for name in Splits._fields:
        if paths := getattr(spec, name):
            start, sources = len(gathered.sequences.places), find_sources(resolved(paths, base))
            in_format = format_of(sources) if spec.format == "auto" else spec.format
            trained = trained or in_format
            for example in _examples(spec, trained, sources, in_format, report, f"reading {name}"):
                gathered.add(example)
            spans[name] = range(start, len(gathered.sequences.places))
    numbers = split(spec.split, spans, None, random_seed)
    if resources is None:
        known, inputs = gathered.resources(numbers.train), gathered.sequences.inputs(numbers.train)
        known["format"] = trained
        if model.characters:
            inputs = replace(inputs, characters=gathered.sequences.characters(numbers.train))
        if file:
            inputs, found = gathered.sequences.pretrained(inputs, numbers.train, file, cut=False)
    else:
        known, inputs = {name: resources[name] for name in ("outputs", "scheme", "format")}, inputs_of(resources)
    every, unknown_tokens = gathered.examples(inputs, known)
    splits = Splits(*(every.part(part) for part in numbers))
    notices = [*(found.notices if found else ()), *gathered.notices]
    notices += split_notices(splits, numbers, every.starts, unknown_tokens)
    for name, part in splits._asdict().items():
        notices += _unknown_labels(part, f"{name} steps with a label that is not in the training part")
    if splits.train.unknown is None:  # else it is the data that are not the model's
        _expect_known_labels(splits.validation, whole=model.crf)
        notices += LabelTargets("label", spec.multi_label).notices(splits.train, known)
    return SequenceDataset(inputs, known, splits, tuple(notices), found.vectors if found else None)


def read_other(spec: TaggingDataSpec, paths: Paths, resources: Resources, report: Report) -> tuple[Examples, list[str]]:
    """Read tagged files that are no part of the spec, for a model with these resources; return them with notices."""
    gathered, sources, endings = Tags(spec), find_sources(resolved(paths, Path())), _endings(paths)
    like_training = not endings <= SUFFIXES.keys() or endings <= _endings(spec.train)
    in_format = spec.format if like_training and spec.format != "auto" else format_of(sources)
    for example in _examples(spec, resources["format"], sources, in_format, report, "reading"):
        gathered.add(example)
    part, unknown_tokens = gathered.examples(inputs_of(resources), resources)
    notices = gathered.notices
    if unknown_tokens is not None and (count := int(unknown_tokens.sum())):
        notices.append(f"{count / len(unknown_tokens):.2%} of the given tokens are not in the vocabulary")
    return part, notices + _unknown_labels(part, "steps with a label that the model does not know")


def columns_of(spec: TaggingDataSpec, trained: str, name: str) -> TagColumns:
    """Return where tokens and labels stand in files of a format: as the spec says, if training files were `trained` so.

    In those of another format the spec's columns are others.
    """
    if trained != name and {trained, name} != {"csv", "tsv"}:
        return TagColumns()
    return TagColumns(spec.token, spec.label, spec.columns, spec.sequence, spec.time)


def _endings(paths: Paths) -> set[str]:
    return {Path(path).suffix.lower() for path in as_paths(paths)}


def _examples(
    spec: TaggingDataSpec, trained: str, sources: Sequence[Source], name: str, report: Report, activity: str
) -> Iterator[TaggedExample]:
    """Yield the sequences of files in the format of that name with their labels."""
    total = sum(source.size for source in sources)
    columns, several = columns_of(spec, trained, name), spec.multi_label

    def progress(done: int) -> None:
        report(activity, done, total)

    if name == "npz":
        check_columns(name, columns)
        for source in sources:
            yield from read_tagged_vectors(source, multi_label=several, report=progress)
        return
    yield from read_tagged(sources, name, columns, encoding=spec.encoding, multi_label=several, report=progress)


def _unknown_labels(part: Examples, what: str) -> list[str]:
    if part.unknown is None:
        return []
    return [f"{what}: {int(part.unknown.sum()):,}, first {part.place(int(part.unknown.argmax()))}"]


def _expect_known_labels(part: Examples, *, whole: bool) -> None:
    """Raise DataError where no label, or no `whole` sequence of labels, is known: there would be no loss to measure."""
    if part.unknown is None or part.targets.ndim > 1:  # of several labels, those that are known make a loss
        return
    unknown = np.logical_or.reduceat(part.unknown, part.starts[:-1]) if whole else part.unknown
    if unknown.all():
        what = "sequence has only labels that are" if whole else "step has a label that is"
        message = f"no validation {what} in the training part"
        raise DataError(message, hint="give examples of the same labels", where=part.place(int(part.unknown.argmax())))


@dataclass
class Tags:
    """Sequences as they are read, with the labels of their steps, which are numbered as they come up."""

    spec: TaggingDataSpec
    sequences: Gathered = field(init=False)
    notices: list[str] = field(default_factory=list)
    _labels: Any = field(default_factory=lambda: array("I"))
    _different: InOrder[tuple[str, ...]] = field(default_factory=InOrder)
    _lines: Any = field(default_factory=lambda: array("I"))

    def __post_init__(self) -> None:
        self.sequences = Gathered(self.spec.tokenizer, self.spec.standardize)

    def add(self, example: TaggedExample) -> None:
        """Take a sequence in."""
        self.sequences.add(example.steps, example.where)
        self._labels.extend(map(self._different.__getitem__, example.labels))
        self._lines.extend(example.lines or [0] * len(example.labels))

    @property
    def labels(self) -> Array:
        """The number of each step's label, or set of labels, among the different ones, (N,)."""
        return np.frombuffer(self._labels, np.uint32)

    def _expect_characters(self) -> None:
        """Raise DataError for a token of more than one character."""
        for number, token in enumerate(self.sequences.different):
            if len(token) > 1:
                step = int((self.sequences.numbers == number).argmax())
                hint = 'set data.tokenizer.level=word, or write JSONL: {"tokens": "abc", "labels": [...]}'
                message = f"the token {shown(token)}, where data.tokenizer.level is character"
                raise DataError(message, hint=hint, where=self._place(step))

    def _place(self, step: int) -> str:
        """Return where this one of all steps stands."""
        starts = self.sequences.starts
        i = int(np.searchsorted(starts, step, "right")) - 1
        return step_place(self.sequences.places[i], self._lines[step], step - int(starts[i]))

    def resources(self, train: Array) -> Resources:
        """Return what a model must know of the labels of the training part: `outputs`, and the `scheme` of spans."""
        if self.spec.tokenizer.level == "character":
            self._expect_characters()
        places = [self.sequences.places[i] for i in train[:1].tolist()]
        scheme: str | None = self.spec.scheme
        if scheme == "auto":
            scheme = None if self.spec.multi_label else scheme_of([name for names in self._of(train) for name in names])
        scheme = None if scheme == "none" else scheme
        self._mend(scheme)
        return LabelTargets("label", self.spec.multi_label).resources(self._of(train), places) | {"scheme": scheme}

    def _of(self, numbers: Array) -> list[tuple[str, ...]]:
        """Return the different labels of these sequences."""
        chosen = np.zeros(len(self.sequences.places), bool)
        chosen[numbers] = True
        used = np.unique(self.labels[np.repeat(chosen, np.diff(self.sequences.starts))]).tolist()
        every = [*self._different]
        return [every[number] for number in used]

    def _mend(self, scheme: str | None) -> None:
        """Mend labels that break the scheme, where the spec asks for that; DataError for the first that does."""
        if scheme is None:
            return
        starts, outside = self.sequences.starts, self._different.get(("O",), -1)
        spanned = np.flatnonzero(np.add.reduceat(self.labels != outside, starts[:-1]))
        every, first, count = [*self._different], "", 0
        for i in map(int, spanned):
            own = slice(starts[i], starts[i + 1])
            names = [every[number][0] for number in self.labels[own].tolist()]
            broken = [*faults(names, scheme)]
            if broken and not first:
                step, message = broken[0]
                first = f"{self._place(own.start + step)}: {message}"
            count += len(broken)
            if broken and self.spec.repair:
                numbers = [self._different[name,] for name in repaired(names, scheme)]
                self._labels[own] = array("I", numbers)
        if count and not self.spec.repair:
            more = f"; {count:,} labels break {scheme.upper()} in all" if count > 1 else ""
            raise DataError(first + more, hint="mend them, or train with data.repair=true, or data.scheme=none")
        if count:
            self.notices.append(f"labels that break {scheme.upper()}, mended: {count:,}, the first {first}")

    def examples(self, inputs: Inputs, known: Resources) -> tuple[Examples, Array | None]:
        """Return all sequences as a model reads them, and which tokens it does not know (N,)."""
        self._mend(known["scheme"])
        targets, unknown = LabelTargets("label", self.spec.multi_label).encode([*self._different], [], known)
        K, N = len(known["outputs"]), len(self._labels)
        if self.spec.multi_label and K * N > MOST_ANSWERS:
            message = f"{K:,} labels for each of {N:,} steps are more than {MOST_ANSWERS:,}"
            raise DataError(message, hint="leave rare labels out, or give fewer sequences")
        of_steps = None if unknown is None else unknown[self.labels]
        lines = np.frombuffer(self._lines, np.uint32)
        return self.sequences.examples(inputs, targets[..., self.labels], of_steps, lines)
