"""Labelled sequences for classifiers: files → examples → splits → vocabulary, labels → ids, vectors, targets."""

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnncli.data import Examples, Source, Splits, Vocabulary, find_sources, split_items, split_stratified, units
from rnncli.data.examples import SUFFIXES, Columns, Example, check_columns, format_of, read_examples
from rnncli.data.numbering import InOrder
from rnncli.errors import DataError
from rnncli.nn.parameter import Array
from rnncli.tasks.labelled_spec import LabelledDataSpec
from rnncli.tasks.paths import Paths, as_paths, resolved
from rnncli.tasks.protocol import Report, Resources
from rnncli.tasks.sequence_inputs import Inputs, Standardization, inputs_of
from rnncli.tasks.targets import Targets
from rnncli.tasks.vector_files import read_vectors
from rnncli.training.randomness import generator


@dataclass(frozen=True)
class LabelledDataset:
    """Labelled sequences in splits, as a model reads them."""

    resources: Resources
    splits: Splits[Examples]
    notices: tuple[str, ...]
    fingerprint: str

    def sizes(self) -> dict[str, int]:
        """Return the numbers of inputs, of outputs and of sequences."""
        inputs = inputs_of(self.resources)
        width = {"vocabulary": len(inputs.vocabulary)} if inputs.vocabulary else {"features": inputs.width}
        sequences = {f"{name}_sequences": len(part) for name, part in self.splits._asdict().items()}
        return width | {"outputs": len(self.resources["outputs"])} | sequences


def read_dataset(
    spec: LabelledDataSpec,
    targets: Targets,
    random_seed: int,
    base: Path,
    resources: Resources | None,
    report: Report,
) -> LabelledDataset:
    """Read and split the examples; what a model needs to know of them, unless given, comes from the training part.

    Raises DataError for files that cannot be read, and examples that nothing can be learnt from.
    """
    if not as_paths(spec.train):
        raise DataError("no training data", hint="name a file: rnncli train reviews.csv, or data.train in the spec")
    gathered = Gathered(spec)
    spans: dict[str, range] = {}
    for name in Splits._fields:
        if paths := getattr(spec, name):
            start = len(gathered.places)
            for example in _examples(spec, targets, resolved(paths, base), report, f"reading {name}"):
                gathered.add(example)
            spans[name] = range(start, len(gathered.places))
    numbers = _split(spec, targets, gathered, spans, random_seed)
    labels, places = gathered.labels, gathered.places
    train = numbers.train.tolist()
    known = resources or targets.resources([labels[i] for i in train], [places[i] for i in train])
    inputs = inputs_of(resources) if resources else gathered.inputs(numbers.train)
    values, unknown_tokens = gathered.values(inputs)
    text = gathered.texts(values, inputs, unknown_tokens)
    encoded, unknown_labels = targets.encode(labels, places, known)
    every = Examples(values, gathered.starts, encoded, places, unknown_labels, text)
    splits = Splits(*(every.part(part) for part in numbers))
    notices = [f"no {name} split: there are too few examples, or its share is 0" for name in Splits._fields[1:]]
    notices = [notice for notice, part in zip(notices, splits[1:], strict=True) if not part]
    for name, part, chosen in zip(Splits._fields, splits, numbers, strict=True):
        if unknown_tokens is not None and part and (count := _within(unknown_tokens, gathered.starts, chosen)):
            notices.append(f"{count / len(part.values):.2%} of the {name} tokens are not in the vocabulary")
        if part.unknown is not None and (count := int(part.unknown.sum())):
            first = part.places[int(part.unknown.argmax())]
            notices.append(f"{name} examples with a label that is not in the training part: {count}, first {first}")
    validation = splits.validation
    lost = validation.unknown is not None and validation.unknown.all() and not targets.several
    if lost and splits.train.unknown is None:  # else it is the data that are not the model's
        raise DataError(
            "no validation example has a label that is in the training part",
            hint="give examples of the same labels",
            where=validation.places[0],
        )
    if splits.train.unknown is None:
        notices += targets.notices(splits.train, known)
    return LabelledDataset(inputs.resources() | known, splits, tuple(notices), _fingerprint(splits))


def read_other(
    spec: LabelledDataSpec, targets: Targets, paths: Paths, resources: Resources, report: Report
) -> tuple[Examples, list[str]]:
    """Read labelled files that are no part of the spec, for a model with these resources; return them with notices."""
    if all(Path(path).suffix.lower() in SUFFIXES for path in as_paths(paths)):
        spec = replace(spec, format="auto")  # it need not be that of the training data
    gathered = Gathered(spec)
    for example in _examples(spec, targets, resolved(paths, Path()), report, "reading"):
        gathered.add(example)
    inputs = inputs_of(resources)
    values, unknown_tokens = gathered.values(inputs)
    text = gathered.texts(values, inputs, unknown_tokens)
    encoded, unknown = targets.encode(gathered.labels, gathered.places, resources)
    notices = []
    if unknown_tokens is not None and (count := int(unknown_tokens.sum())):
        notices.append(f"{count / len(values):.2%} of the given tokens are not in the vocabulary")
    if unknown is not None and (count := int(unknown.sum())):
        first = gathered.places[int(unknown.argmax())]
        notices.append(f"examples with a label that the model does not know: {count}, first {first}")
    return Examples(values, gathered.starts, encoded, gathered.places, unknown, text), notices


def read_inputs(spec: LabelledDataSpec, targets: Targets, paths: Sequence[str]) -> Iterator[Example]:
    """Yield the examples of files in one of the formats of labelled ones, whether they have labels or not."""
    return _read(spec, targets, find_sources(paths), bool, labelled=False)


def _examples(
    spec: LabelledDataSpec, targets: Targets, paths: Sequence[str], report: Report, activity: str
) -> Iterator[Example]:
    sources = find_sources(paths)
    total = sum(source.size for source in sources)
    return _read(spec, targets, sources, lambda done: report(activity, done, total), labelled=True)


def _read(
    spec: LabelledDataSpec,
    targets: Targets,
    sources: Sequence[Source],
    report: Callable[[int], object],
    *,
    labelled: bool,
) -> Iterator[Example]:
    name = format_of(sources) if spec.format == "auto" else spec.format
    columns = Columns(spec.text, targets.column, spec.columns, spec.sequence, spec.time)
    kinds = {"labelled": labelled, "multi_label": targets.several, "values": targets.values}
    if name == "npz":
        check_columns(name, columns)
        for source in sources:
            yield from read_vectors(source, **kinds, report=report)
        return
    yield from read_examples(sources, name, columns, encoding=spec.encoding, **kinds, report=report)


@dataclass
class Gathered:
    """Examples as they are read, compactly: tokens are numbered as they come up."""

    spec: LabelledDataSpec
    labels: list[tuple[str, ...]] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    _ends: Any = field(default_factory=lambda: array("q", [0]))
    _ids: Any = field(default_factory=lambda: array("I"))
    _numbers: InOrder = field(default_factory=InOrder)
    _vectors: list[Array] = field(default_factory=list)

    def add(self, example: Example) -> None:
        """Take an example in."""
        if isinstance(example.input, str):
            steps: Any = units(example.input, self.spec.tokenizer)[: self.spec.max_length]
            self._ids.extend(map(self._numbers.__getitem__, steps))
        else:
            steps = vectors = example.input[: self.spec.max_length]
            if self._vectors and vectors.shape[1] != self._vectors[0].shape[1]:
                wanted, found = self._vectors[0].shape[1], vectors.shape[1]
                raise DataError(f"vectors of {found} numbers, where those before have {wanted}", where=example.where)
            self._vectors.append(vectors)
        if not len(steps):
            raise DataError("a sequence without a step", hint="leave it out", where=example.where)
        if bool(self._vectors) == bool(self._ids):
            raise DataError("vectors among texts, or a text among vectors", where=example.where)
        self._ends.append(self._ends[-1] + len(steps))
        self.labels.append(example.labels)
        self.places.append(example.where)

    @property
    def starts(self) -> Array:
        """Where each sequence begins, (S + 1,)."""
        return np.frombuffer(self._ends, np.int64)

    def inputs(self, train: Array) -> Inputs:
        """Derive from the training part how sequences are read: its vocabulary, or its mean and deviation."""
        if self._vectors:
            vectors = np.concatenate([self._vectors[i] for i in train.tolist()])
            return Inputs(None, Standardization.of(vectors, on=self.spec.standardize))
        is_train = np.zeros(len(self.places), bool)
        is_train[train] = True
        ids = np.frombuffer(self._ids, np.uint32)[np.repeat(is_train, np.diff(self.starts))]
        counts = np.bincount(ids, minlength=len(self._numbers))
        counted = ((token, count) for token, count in zip(self._numbers, counts.tolist(), strict=True) if count)
        return Inputs(Vocabulary.from_counts(counted, self.spec.tokenizer, items=None), None)

    def values(self, inputs: Inputs) -> tuple[Array, Array | None]:
        """Return the ids (N,) or vectors (N, D) of all sequences as a model reads them, and which tokens are unknown.

        Raises DataError for texts where the model reads vectors, and the other way round.
        """
        if self._vectors:
            return inputs.standardized(np.concatenate(self._vectors), self._place_of), None
        vocabulary = inputs.expect_text(self.places[0])
        unknown = vocabulary.unknown_id
        table = np.array([vocabulary.ids.get(token, unknown or 0) for token in self._numbers], vocabulary.dtype)
        values = table[np.frombuffer(self._ids, np.uint32)]
        return values, None if unknown is None else values == unknown

    def _place_of(self, row: int) -> str:
        """Return where the sequence is that this row of all vectors is a step of."""
        return self.places[int(np.searchsorted(self.starts, row, "right")) - 1]

    def texts(self, values: Array, inputs: Inputs, unknown: Array | None) -> Callable[[int], str] | None:
        """Return what spells the i-th text in its tokens, given what `values` returned; None for vectors.

        Beside the ids only the tokens that the vocabulary does not have are kept.
        """
        vocabulary, starts, every = inputs.vocabulary, self.starts, [*self._numbers]
        if vocabulary is None:
            return None
        places = np.flatnonzero(unknown) if unknown is not None else np.zeros(0, np.int64)
        strange = np.frombuffer(self._ids, np.uint32)[places]

        def text(i: int) -> str:
            tokens = [vocabulary.tokens[token] for token in values[starts[i] : starts[i + 1]].tolist()]
            first, last = np.searchsorted(places, starts[i : i + 2])
            for place, number in zip(
                (places[first:last] - starts[i]).tolist(), strange[first:last].tolist(), strict=True
            ):
                tokens[place] = every[number]
            return " ".join(tokens) if vocabulary.spec.level == "word" else vocabulary.tokenizer.join(tokens)

        return text


def _split(
    spec: LabelledDataSpec, targets: Targets, gathered: Gathered, spans: dict[str, range], random_seed: int
) -> Splits[Array]:
    """Return the numbers of the examples of each part: of its own files, else drawn from those to train on."""
    shares = {name: 0.0 if name in spans else getattr(spec.split, name) for name in Splits._fields[1:]}
    train, rng = spans["train"], generator(random_seed, "splitting")
    classes = targets.classes(gathered.labels[: len(train)])
    if classes is None:
        parts = split_items(len(train), shares["validation"], shares["test"], rng)
    else:
        parts = split_stratified(classes, shares["validation"], shares["test"], rng)
    drawn = [np.flatnonzero(parts == part) for part in range(3)]
    own = {name: np.arange(span.start, span.stop) for name, span in spans.items() if name != "train"}
    return Splits(*(own.get(name, numbers) for name, numbers in zip(Splits._fields, drawn, strict=True)))


def _within(flags: Array, starts: Array, numbers: Iterable[int]) -> int:
    """Count the True among the steps of sequences."""
    counts = np.concatenate(([0], np.cumsum(flags)))
    chosen = np.asarray(numbers)
    return int((counts[starts[chosen + 1]] - counts[starts[chosen]]).sum())


def _fingerprint(splits: Splits[Examples]) -> str:
    digest = hashlib.sha256()
    for part in splits[:2]:
        for values in (part.starts, part.values, part.targets):
            digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()
