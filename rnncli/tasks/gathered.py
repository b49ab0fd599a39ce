"""Sequences as they are read from files, compactly: tokens are numbered as they come up.

S sequences, N steps, D features.
"""

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from rnncli.data import Examples, Splits, TokenizerSpec, Vocabulary, split_items, split_stratified
from rnncli.data.numbering import InOrder
from rnncli.data.spellings import Spellings
from rnncli.errors import DataError
from rnncli.nn.parameter import Array
from rnncli.tasks.pretrained import Found, VectorsFile
from rnncli.tasks.protocol import Resources, TokenVectors
from rnncli.tasks.sequence_inputs import Inputs, Standardization
from rnncli.tasks.text_spec import SplitSpec
from rnncli.training.randomness import generator


@dataclass(frozen=True)
class SequenceDataset:
    """Labelled sequences in splits, as a model reads them."""

    inputs: Inputs
    outputs: Resources
    """What a model must know beside its inputs: `outputs`, the names of its outputs, among it."""
    splits: Splits[Examples]
    notices: tuple[str, ...]
    vectors: TokenVectors | None = None

    @property
    def resources(self) -> Resources:
        """What a model of these data needs beside its weights."""
        return self.inputs.resources() | self.outputs

    @property
    def names(self) -> list[str]:
        """The labels, or the names of the values."""
        names: list[str] = self.outputs["outputs"]
        return names

    @cached_property
    def fingerprint(self) -> str:
        """A hash of what there is to train and to validate on."""
        digest = hashlib.sha256()
        for part in self.splits[:2]:
            for values in (part.starts, part.values, part.targets):
                digest.update(np.ascontiguousarray(values).data)
            if part.spellings and part.words is not None:
                digest.update(part.spellings.all_of(part.words).data)
        return digest.hexdigest()

    def sizes(self) -> dict[str, int]:
        """Return the numbers of inputs, of outputs and of sequences."""
        inputs = self.inputs
        width = {"vocabulary": len(inputs.vocabulary)} if inputs.vocabulary else {"features": inputs.width}
        sequences = {f"{name}_sequences": len(part) for name, part in self.splits._asdict().items()}
        return width | {"outputs": len(self.names)} | sequences


@dataclass
class Gathered:
    """Sequences of tokens, or of vectors, one after the other."""

    tokenizer: TokenizerSpec
    standardize: bool
    places: list[str] = field(default_factory=list)
    _ends: Any = field(default_factory=lambda: array("q", [0]))
    _ids: Any = field(default_factory=lambda: array("I"))
    _numbers: InOrder[str] = field(default_factory=InOrder)
    _vectors: list[Array] = field(default_factory=list)

    def add(self, steps: Sequence[str] | Array, where: str) -> None:
        """Take a sequence in; DataError for one that does not go with those before, or has no step."""
        if isinstance(steps, np.ndarray):
            if self._vectors and steps.shape[1] != self._vectors[0].shape[1]:
                wanted, found = self._vectors[0].shape[1], steps.shape[1]
                raise DataError(f"vectors of {found} numbers, where those before have {wanted}", where=where)
            self._vectors.append(steps)
        else:
            self._ids.extend(map(self._numbers.__getitem__, steps))
        if not len(steps):
            raise DataError("a sequence without a step", hint="leave it out", where=where)
        if bool(self._vectors) == bool(self._ids):
            raise DataError("vectors among texts, or a text among vectors", where=where)
        self._ends.append(self._ends[-1] + len(steps))
        self.places.append(where)

    @property
    def starts(self) -> Array:
        """Where each sequence begins, (S + 1,)."""
        return np.frombuffer(self._ends, np.int64)

    @property
    def numbers(self) -> Array:
        """The number of each token among the `different` ones, (N,)."""
        return np.frombuffer(self._ids, np.uint32)

    @property
    def different(self) -> list[str]:
        """The different tokens, by their numbers."""
        return [*self._numbers]

    def inputs(self, train: Array) -> Inputs:
        """Derive from the training part how sequences are read: its vocabulary, or its mean and deviation."""
        if self._vectors:
            vectors = np.concatenate([self._vectors[i] for i in train.tolist()])
            return Inputs(None, Standardization.of(vectors, on=self.standardize))
        counts = self._word_counts(train)
        return Inputs(Vocabulary.from_counts(counts.items(), self.tokenizer, items=None), None)

    def pretrained(self, inputs: Inputs, train: Array, file: VectorsFile, *, cut: bool = True) -> tuple[Inputs, Found]:
        """Return the inputs with what a file of vectors brings to the vocabulary of the training part, and that itself.

        Without `cut` a token is a word as it was given. Raises DataError for vectors in place of words, and as
        `VectorsFile.read` does.
        """
        if inputs.vocabulary is None:
            hint = "set model.embedding.kind=learned"
            raise DataError("pretrained vectors are for words, and these are vectors", hint=hint, where=self.places[0])
        found = file.read(inputs.vocabulary, self._word_counts(train), cut=cut)
        return replace(inputs, vocabulary=found.vocabulary, pretrained=found.pretrained), found

    def _word_counts(self, train: Array) -> Counter[str]:
        counts: Counter[str] = Counter()
        for token, count in self._counts(train):
            counts[token.lower() if self.tokenizer.lowercase else token] += count
        return counts

    def characters(self, train: Array) -> Vocabulary:
        """Return the characters of the tokens of the training part; DataError for vectors in place of tokens."""
        if self._vectors:
            message, hint = "characters are of words, and these are vectors", "leave model.characters out"
            raise DataError(message, hint=hint, where=self.places[0])
        counts: Counter[str] = Counter()
        for token, count in self._counts(train):
            for character in token:
                counts[character] += count
        return Vocabulary.from_counts(counts.items(), TokenizerSpec(level="character"), items=None)

    def _counts(self, train: Array) -> Iterable[tuple[str, int]]:
        """Return the tokens of these sequences, each with how often it occurs."""
        chosen = np.zeros(len(self.places), bool)
        chosen[train] = True
        ids = self.numbers[np.repeat(chosen, np.diff(self.starts))]
        counts = np.bincount(ids, minlength=len(self._numbers))
        return [(token, count) for token, count in zip(self._numbers, counts.tolist(), strict=True) if count]

    def values(self, inputs: Inputs) -> tuple[Array, Array | None]:
        """Return the ids (N,) or vectors (N, D) of all sequences as a model reads them, and which tokens are unknown.

        Raises DataError for texts where the model reads vectors, and the other way round.
        """
        if self._vectors:
            return inputs.standardized(np.concatenate(self._vectors), self._place_of), None
        vocabulary = inputs.expect_text(self.places[0])
        table = inputs.ids(self._numbers).astype(vocabulary.dtype)
        values, unknown = table[self.numbers], vocabulary.unknown_id
        return values, None if unknown is None else values == unknown

    def _place_of(self, row: int) -> str:
        """Return where the sequence is that this row of all vectors is a step of."""
        return self.places[int(np.searchsorted(self.starts, row, "right")) - 1]

    def examples(
        self, inputs: Inputs, targets: Array, unknown: Array | None = None, lines: Array | None = None
    ) -> tuple[Examples, Array | None]:
        """Return the sequences with targets of their steps, as a model reads them, and the unknown tokens (N,)."""
        values, unknown_tokens = self.values(inputs)
        different, numbers, starts = self.different, self.numbers, self.starts

        def tokens(i: int) -> list[str]:
            return [different[number] for number in numbers[starts[i] : starts[i + 1]].tolist()]

        every = Examples(
            values,
            starts,
            targets,
            self.places,
            unknown,
            of_steps=True,
            tokens=tokens if inputs.vocabulary else None,
            words=numbers if inputs.characters else None,
            spellings=Spellings.of(different, inputs.characters) if inputs.characters else None,
            lines=lines,
        )
        return every, unknown_tokens

    def texts(self, values: Array, inputs: Inputs, unknown: Array | None) -> Callable[[int], str] | None:
        """Return what spells the i-th text in its tokens, given what `values` returned; None for vectors.

        Beside the ids only the tokens that the vocabulary does not have are kept.
        """
        vocabulary, starts, every = inputs.vocabulary, self.starts, self.different
        if vocabulary is None:
            return None
        places = np.flatnonzero(unknown) if unknown is not None else np.zeros(0, np.int64)
        strange = self.numbers[places]

        def text(i: int) -> str:
            tokens = [vocabulary.tokens[token] for token in values[starts[i] : starts[i + 1]].tolist()]
            first, last = np.searchsorted(places, starts[i : i + 2])
            for place, number in zip(
                (places[first:last] - starts[i]).tolist(), strange[first:last].tolist(), strict=True
            ):
                tokens[place] = every[number]
            return " ".join(tokens) if vocabulary.spec.level == "word" else vocabulary.tokenizer.join(tokens)

        return text


def split(shares: SplitSpec, spans: dict[str, range], classes: Array | None, random_seed: int) -> Splits[Array]:
    """Return the numbers of the sequences of each part: of its own files, else drawn from those to train on.

    `spans` are those of the parts that have files. Of each of the `classes` (S,) to train on the same share is drawn.
    """
    share = {name: 0.0 if name in spans else getattr(shares, name) for name in Splits._fields[1:]}
    train, rng = spans["train"], generator(random_seed, "splitting")
    if classes is None:
        parts = split_items(len(train), share["validation"], share["test"], rng)
    else:
        parts = split_stratified(classes, share["validation"], share["test"], rng)
    drawn = [np.flatnonzero(parts == part) for part in range(3)]
    own = {name: np.arange(span.start, span.stop) for name, span in spans.items() if name != "train"}
    return Splits(*(own.get(name, numbers) for name, numbers in zip(Splits._fields, drawn, strict=True)))


def split_notices(splits: Splits[Examples], numbers: Splits[Array], starts: Array, unknown: Array | None) -> list[str]:
    """Name the parts that there are not, and say how many `unknown` tokens (N,) the others have."""
    notices = [
        f"no {name} split: there are too few examples, or its share is 0"
        for name, part in zip(Splits._fields[1:], splits[1:], strict=True)
        if not part
    ]
    for name, part, chosen in zip(Splits._fields, splits, numbers, strict=True):
        if unknown is not None and part and (count := _within(unknown, starts, chosen)):
            notices.append(f"{count / len(part.values):.2%} of the {name} tokens are not in the vocabulary")
    return notices


def _within(flags: Array, starts: Array, numbers: Iterable[int]) -> int:
    """Count the True among the steps of sequences."""
    counts = np.concatenate(([0], np.cumsum(flags)))
    chosen = np.asarray(numbers)
    return int((counts[starts[chosen + 1]] - counts[starts[chosen]]).sum())
