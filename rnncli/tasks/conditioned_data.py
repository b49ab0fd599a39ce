"""Texts with labels for language models: files → examples → splits → vocabulary and values → ids, each with its labels.

S texts, n conditions, C values of them all.
"""

import hashlib
import json
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from rnncli.data import (
    Encoded,
    GrowingTexts,
    Numbering,
    Sequences,
    Source,
    Splits,
    Texts,
    Vocabulary,
    find_sources,
    write_encoded,
)
from rnncli.data.conditioned import ConditionedSequences
from rnncli.data.examples import SUFFIXES, Columns, Example, LabelCountError, format_of, read_examples
from rnncli.data.numbering import InOrder
from rnncli.errors import DataError, SpecError
from rnncli.nn.parameter import Array
from rnncli.storage import Scratch
from rnncli.tasks.conditions import Conditions
from rnncli.tasks.corpus_cache import NO_CACHE
from rnncli.tasks.gathered import split
from rnncli.tasks.paths import Paths, as_paths, resolved
from rnncli.tasks.protocol import Report, silent
from rnncli.tasks.text_data import TextDataset, tokens_of, unknown_notice
from rnncli.tasks.text_spec import ONE_LABEL, TEXT, TextDataSpec

_VECTORS = (".npz", ".npy")
TOGETHER = 1000
"""Texts that are encoded at a time."""


class LabelledTexts:
    """Texts as they are read, each with its values of the conditions, which are numbered as they come up."""

    def __init__(self) -> None:
        self._texts, self._places = GrowingTexts(), GrowingTexts()
        self._numbers, self._different = array("I"), InOrder[tuple[str, ...]]()

    def __len__(self) -> int:
        return len(self._numbers)

    def read(
        self,
        spec: TextDataSpec,
        paths: Sequence[str],
        report: Report,
        activity: str,
        *,
        by_name: bool = False,
        by_spec: bool = False,
    ) -> range:
        """Take the texts of files in, and return their numbers; DataError for files that have none.

        `by_name` files are in the format that their names say, whatever the spec does. Those that the spec is written
        for, `by_spec`, have what it names; SpecError where they do not.
        """
        before, sources = len(self), find_sources(paths)
        if vectors := next((source for source in sources if Path(source.path).suffix.lower() in _VECTORS), None):
            raise DataError("vectors, where texts are read", hint="give csv, tsv or jsonl", where=vectors.name)
        name = format_of(sources) if by_name or spec.format == "auto" else spec.format
        if by_spec and spec.text != TEXT and name in ONE_LABEL:
            raise SpecError(f"{name} has no columns, and so none for data.text", hint="leave data.text out")
        total = sum(source.size for source in sources)
        for text, values, where in _texts(spec, name, sources, lambda done: report(activity, done, total)):
            self._texts.extend((text,))
            self._places.extend((where,))
            self._numbers.append(self._different[values])
        if len(self) == before:
            hint = "name the column of the text in data.text"
            raise DataError("all texts are blank", hint=hint, where=sources[0].name)
        return range(before, len(self))

    @property
    def texts(self) -> Texts:
        """The texts; no others can be taken in."""
        return self._texts.texts

    @property
    def places(self) -> Texts:
        """Where each stands; no others can be taken in."""
        return self._places.texts

    @property
    def numbers(self) -> Array:
        """The number of each one's values among the `different` ones, (S,)."""
        return np.array(self._numbers)

    @property
    def different(self) -> list[tuple[str, ...]]:
        """The values (n,) that there are together."""
        return [*self._different]


def read_dataset(
    spec: TextDataSpec,
    random_seed: int,
    base: Path,
    vocabulary: Vocabulary | None = None,
    *,
    conditions: Conditions | None = None,
    report: Report = silent,
) -> TextDataset:
    """Read, split and encode texts with labels; vocabulary and conditions, unless given, come from the training part.

    Of every combination of values the same share is split off. Texts to validate and to test on with a value that is
    unknown are left out, with a notice. Raises DataError for files that cannot be read, and for texts to train on with
    such a value, where the conditions are given.
    """
    if not as_paths(spec.train):
        raise DataError("no training text", hint="name a file: rnncli train quotes.csv, or data.train in the spec")
    read, spans = LabelledTexts(), dict[str, range]()
    for name in Splits._fields:
        if paths := getattr(spec, name):
            spans[name] = read.read(spec, resolved(paths, base), report, f"reading {name}", by_spec=name == "train")
    numbers, different, places = read.numbers, read.different, read.places
    parts = split(spec.split, spans, numbers[: len(spans["train"])] if spec.conditions else None, random_seed)
    if spec.conditions and conditions is None:
        in_training = [different[k] for k in np.unique(numbers[parts.train]).tolist()]
        conditions = Conditions.of(spec.conditions, in_training, places[0])
    values, notices = None, list[str]()
    if conditions:
        values = conditions.numbers(different)[:, numbers]
        found = [_known(name, part, values, conditions, read) for name, part in parts._asdict().items()]
        parts, notices = Splits(*(part for part, _ in found)), [notice for _, some in found for notice in some]
    encoded = _encoded(spec, read.texts, parts, vocabulary, report)
    splits = Splits(*(_with(*pair, values, conditions) for pair in zip(encoded.splits, parts, strict=True)))
    for name, part, unknown in zip(Splits._fields, splits, encoded.unknown, strict=True):
        if not part:
            notices.append(f"no {name} split: there are too few texts, or its share is 0")
        notices += unknown_notice(name, unknown, tokens_of(part, encoded.vocabulary))
    fingerprint = _fingerprint(encoded.fingerprint, splits)
    return TextDataset(encoded.vocabulary, splits, tuple(notices), fingerprint, conditions)


def read_other(
    spec: TextDataSpec, paths: Paths, vocabulary: Vocabulary, conditions: Conditions | None, report: Report
) -> tuple[Sequences, list[str]]:
    """Read and encode files that are no part of the spec; return their texts with notices.

    Raises DataError where the labels of no text are known, and as `read_dataset` does.
    """
    read, by_name = LabelledTexts(), all(Path(path).suffix.lower() in SUFFIXES for path in as_paths(paths))
    read.read(spec, resolved(paths, Path()), report, "reading", by_name=by_name)
    part, values, notices = np.arange(len(read)), None, list[str]()
    if conditions:
        values = conditions.numbers(read.different)[:, read.numbers]
        part, notices = _known("given", part, values, conditions, read)
    nothing = part[:0]
    encoded = _encoded(spec, read.texts, Splits(nothing, nothing, part), vocabulary, report)
    texts = _with(encoded.splits.test, part, values, conditions)
    return texts, notices + unknown_notice("given", encoded.unknown.test, tokens_of(texts, vocabulary))


def _texts(
    spec: TextDataSpec, name: str, sources: Sequence[Source], report: Callable[[int], object]
) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Yield each text with its values (n,), and where it stands, in the format of that name.

    Files are read once for every condition.
    """
    labels = spec.conditions
    if len(labels) > 1 and name in ONE_LABEL:
        hint = f"{len(labels)} conditions need a csv, tsv or jsonl"
        raise SpecError(f"{name} has one label for each text", hint=hint)

    def examples(label: str, report: Callable[[int], object]) -> Iterator[Example]:
        columns, labelled = Columns(spec.text, label), bool(labels)
        return read_examples(sources, name, columns, encoding=spec.encoding, labelled=labelled, report=report)

    first, *others = labels or ("",)
    readings = [examples(first, report), *(examples(label, bool) for label in others)]
    try:
        for found in zip(*readings, strict=True):
            text, _, where = found[0]
            if isinstance(text, str) and not (text.isspace() or not text):
                yield text, tuple(label for example in found for label in example.labels), where
    except LabelCountError as error:
        raise DataError(error.message, hint="give each text one", where=error.where) from None


def _known(
    name: str, part: Array, values: Array, conditions: Conditions, read: LabelledTexts
) -> tuple[Array, list[str]]:
    """Return the numbers of a part's texts whose values (n, S) are known, and a notice of those that are left out.

    DataError for one to train on, and where nothing is left to validate on, or of what was given.
    """
    lost = part[np.any(values[:, part] < 0, axis=0)]
    if not len(lost):
        return part, []
    names, where = " or ".join(conditions.values), read.places[lost[0]]
    unknown = conditions.unknown(read.different[read.numbers[lost[0]]])
    if name == "train":
        message, hint = f"a text whose {names} the model does not know: {unknown}", "leave it out, or train a new model"
        raise DataError(message, hint=hint, where=where)
    if len(lost) == len(part) and name != "test":
        hint = "give texts of the same to train on, too" if name == "validation" else ""
        message = f"no {name} text whose {names} is known from training: {unknown}"
        raise DataError(message, hint=hint, where=where)
    notice = f"{name} texts whose {names} is not known from training, left out: {len(lost):,}, first {where}"
    return np.setdiff1d(part, lost), [notice]


def _encoded(
    spec: TextDataSpec, texts: Texts, parts: Splits[Array], vocabulary: Vocabulary | None, report: Report
) -> Encoded:
    """Return the parts as ids of a vocabulary, else of that of the training part, in a file without a name."""

    def encode(file: BinaryIO, scratch: Scratch) -> None:
        numbering = Numbering(spec.tokenizer, scratch, items=True)
        for part in parts:
            chosen = texts.part(part)
            blocks = (range(k, min(k + TOGETHER, len(part))) for k in range(0, len(part), TOGETHER))
            numbering.add_items([chosen[i] for i in block] for block in blocks)
        total = sum(numbering.sizes)
        known = vocabulary or numbering.vocabulary()
        write_encoded(file, numbering, known, [], lambda done: report("writing ids", done, total))

    return NO_CACHE.make("", encode)


def _with(part: Sequences, numbers: Array, values: Array | None, conditions: Conditions | None) -> Sequences:
    """Return a part of the texts with their values of the conditions, if there are such."""
    if values is None or conditions is None:
        return part
    return ConditionedSequences(part.ids, part.starts, values[:, numbers], conditions.size)


def _fingerprint(ids: str, splits: Splits[Sequences]) -> str:
    """Return a hash of ids, by their own, and of what they are conditioned on."""
    digest = hashlib.sha256(json.dumps(ids).encode())
    for part in splits[:2]:
        if isinstance(part, ConditionedSequences):
            digest.update(np.ascontiguousarray(part.values).data)
    return digest.hexdigest()
