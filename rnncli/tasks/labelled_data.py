"""Labelled sequences for classifiers: files → examples → splits → vocabulary, labels → ids, vectors, targets."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rnncli.data import Examples, Source, Splits, find_sources, units
from rnncli.data.examples import SUFFIXES, Columns, Example, check_columns, format_of, read_examples
from rnncli.errors import DataError
from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.tasks.gathered import Gathered, SequenceDataset, split, split_notices
from rnncli.tasks.labelled_spec import LabelledDataSpec
from rnncli.tasks.paths import Paths, as_paths, resolved
from rnncli.tasks.pretrained import find_vectors
from rnncli.tasks.protocol import Report, Resources
from rnncli.tasks.sequence_inputs import inputs_of
from rnncli.tasks.targets import Targets
from rnncli.tasks.vector_files import read_vectors


def read_dataset(
    spec: LabelledDataSpec,
    targets: Targets,
    random_seed: int,
    base: Path,
    resources: Resources | None,
    report: Report,
    embedding: EmbeddingSpec,
) -> SequenceDataset:
    """Read and split the examples; what a model needs to know of them, unless given, comes from the training part.

    If it does, and the embedding asks for vectors of a file, this is read, too. Raises DataError for files that cannot
    be read, and examples that nothing can be learnt from.
    """
    if not as_paths(spec.train):
        raise DataError("no training data", hint="name a file: rnncli train reviews.csv, or data.train in the spec")
    file = find_vectors(embedding, spec.tokenizer, base, report) if resources is None else None
    gathered, labels = Gathered(spec.tokenizer, spec.standardize), list[tuple[str, ...]]()
    spans: dict[str, range] = {}
    for name in Splits._fields:
        if paths := getattr(spec, name):
            labels += _gather(
                gathered, spec, _examples(spec, targets, resolved(paths, base), report, f"reading {name}")
            )
            spans[name] = range(max((span.stop for span in spans.values()), default=0), len(labels))
    classes = targets.classes(labels[: len(spans["train"])])
    numbers, places = split(spec.split, spans, classes, random_seed), gathered.places
    train = numbers.train.tolist()
    known = resources or targets.resources([labels[i] for i in train], [places[i] for i in train])
    inputs, found = inputs_of(resources) if resources else gathered.inputs(numbers.train), None
    if file:
        inputs, found = gathered.pretrained(inputs, numbers.train, file)
    values, unknown_tokens = gathered.values(inputs)
    text = gathered.texts(values, inputs, unknown_tokens)
    encoded, unknown_labels = targets.encode(labels, places, known)
    every = Examples(values, gathered.starts, encoded, places, unknown_labels, text)
    splits = Splits(*(every.part(part) for part in numbers))
    notices = split_notices(splits, numbers, gathered.starts, unknown_tokens)
    for name, part in splits._asdict().items():
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
    if found is None:
        return SequenceDataset(inputs, known, splits, tuple(notices))
    return SequenceDataset(inputs, known, splits, (*found.notices, *notices), found.vectors)


def read_other(
    spec: LabelledDataSpec, targets: Targets, paths: Paths, resources: Resources, report: Report
) -> tuple[Examples, list[str]]:
    """Read labelled files that are no part of the spec, for a model with these resources; return them with notices."""
    if all(Path(path).suffix.lower() in SUFFIXES for path in as_paths(paths)):
        spec = replace(spec, format="auto")  # it need not be that of the training data
    gathered = Gathered(spec.tokenizer, spec.standardize)
    labels = _gather(gathered, spec, _examples(spec, targets, resolved(paths, Path()), report, "reading"))
    inputs = inputs_of(resources)
    values, unknown_tokens = gathered.values(inputs)
    text = gathered.texts(values, inputs, unknown_tokens)
    encoded, unknown = targets.encode(labels, gathered.places, resources)
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


def _gather(gathered: Gathered, spec: LabelledDataSpec, examples: Iterable[Example]) -> list[tuple[str, ...]]:
    """Take examples in, and return their labels."""
    labels = []
    for example in examples:
        given, longest = example.input, spec.max_length
        steps = units(given, spec.tokenizer)[:longest] if isinstance(given, str) else given[:longest]
        gathered.add(steps, example.where)
        labels.append(example.labels)
    return labels


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
