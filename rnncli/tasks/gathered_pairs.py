"""Pairs as they are read, part after part, and what a model must know of those to train on.

P pairs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import compress, islice

import numpy as np

from rnncli.data import GrowingTexts, Pairs, Splits, TokenizerSpec, Vocabulary
from rnncli.data.numbering import InOrder
from rnncli.data.pairs import Pair
from rnncli.data.ranges import ranges
from rnncli.errors import DataError, SettingError, SpecError
from rnncli.nn.parameter import Array
from rnncli.tasks.gathered import split
from rnncli.tasks.pair_sides import TokenSide, VectorSide
from rnncli.tasks.pair_spec import PairDataSpec
from rnncli.tasks.sequence_inputs import Inputs, Standardization

_TOGETHER = 1 << 12  # pairs taken in at once


@dataclass
class GatheredPairs:
    """Sources, targets and their texts, one after the other."""

    spec: PairDataSpec
    inputs: Inputs | None
    """How a model reads sources, where there is one."""
    single: bool
    notices: list[str] = field(default_factory=list)
    spans: dict[str, range] = field(default_factory=dict)
    """The numbers of the pairs of each part that has files."""
    _source: TokenSide | VectorSide | None = None
    _source_text: GrowingTexts = field(default_factory=GrowingTexts)
    _target_text: GrowingTexts = field(default_factory=GrowingTexts)
    _places: GrowingTexts = field(default_factory=GrowingTexts)

    def __post_init__(self) -> None:
        self._target = TokenSide(self.spec.tokenizer)

    def add(self, name: str, pairs: Iterable[Pair]) -> None:
        """Take in the pairs of a part, but for those longer than `max_length`; raises DataError where none is left."""
        start, coming = len(self._places), iter(pairs)
        long, first_long = 0, ""
        while block := [*islice(coming, _TOGETHER)]:
            left_out = self._take(block)
            long, first_long = long + len(left_out), first_long or next(iter(left_out), "")
        if long:
            limit = f"of more than {self.spec.max_length:,} tokens (data.max_length)"
            if start == len(self._places):
                raise DataError(f"there are only {name} pairs {limit}", hint="set it higher", where=first_long)
            self.notices.append(f"{name} pairs {limit}, left out: {long:,}, first {first_long}")
        self.spans[name] = range(start, len(self._places))

    def _take(self, block: Sequence[Pair]) -> list[str]:
        """Take pairs in, and return the places of those that are left out."""
        side = self._side(block)
        sources, targets = [pair.source for pair in block], [pair.target or "" for pair in block]
        cut, cut_targets = side.cut(sources), self._target.cut(targets)
        places, source_places = [pair.where for pair in block], [pair.place_of_source for pair in block]
        left_out = list[str]()
        if limit := self.spec.max_length:
            short = [len(one) <= limit and len(other) <= limit for one, other in zip(cut, cut_targets, strict=True)]
            left_out = [place for place, is_kept in zip(places, short, strict=True) if not is_kept]
            if left_out:
                sources, targets, cut, cut_targets, places, source_places = (
                    [*compress(each, short)] for each in (sources, targets, cut, cut_targets, places, source_places)
                )
        if not places:
            return left_out
        side.take(cut, source_places)
        self._target.take(cut_targets, places)
        if isinstance(side, TokenSide):
            self._source_text.extend(map(str, sources))
        self._target_text.extend(targets)
        self._places.extend(places)
        return left_out

    def _side(self, block: Sequence[Pair]) -> TokenSide | VectorSide:
        """Return the side of the sources; raises DataError for those that are not as it is, or as the model reads."""
        if self._source is None:
            are_texts = isinstance(block[0].source, str)
            self.expect(block[0].place_of_source, are_texts=are_texts)
            self._source = TokenSide(self.spec.of_sources) if are_texts else VectorSide()
        are_texts = isinstance(self._source, TokenSide)
        for pair in block:
            if isinstance(pair.source, str) != are_texts:
                given, before = ("vectors", "texts") if are_texts else ("a text", "vectors")
                raise DataError(f"{given}, where the sources before are {before}", where=pair.place_of_source)
            if not isinstance(pair.source, str) and self.inputs:
                self.inputs.expect_fitting(pair.source, pair.place_of_source, single=self.single)
            elif self.single and len(pair.source) > 1:
                message = f"a sequence of {len(pair.source):,} vectors, where one is captioned"
                hint = "for a text of a sequence set task: translation"
                raise DataError(message, hint=hint, where=pair.place_of_source)
        return self._source

    def expect(self, where: str, *, are_texts: bool) -> None:
        """Raise DataError for sources, texts or vectors, that are not what the model reads, or what can be learnt from.

        SpecError where the spec has settings for texts, and they are vectors.
        """
        if self.inputs and are_texts:
            self.inputs.expect_text(where)
        elif self.inputs:
            self.inputs.expect_vectors(where)
        elif are_texts and self.single:
            hint = "give features.npz and captions.tsv, or name the columns of numbers in data.columns"
            raise DataError("texts, where vectors are captioned", hint=hint, where=where)
        if not are_texts:
            try:
                self.spec.expect_none_for_texts()
            except SettingError as error:
                raise SpecError(str(error), hint=error.hint, where=where) from None

    def split(self, random_seed: int) -> Splits[Array]:
        """Return the numbers of the pairs of each part: of its own files, else drawn from those to train on.

        It is sources that are drawn, with all their pairs: what a model was trained on says nothing of its worth.
        """
        groups = self._groups()
        drawn = split(self.spec.split, self.spans | {"train": range(len(np.unique(groups)))}, None, random_seed)
        return Splits(
            *(
                numbers if name in self.spans and name != "train" else np.flatnonzero(np.isin(groups, numbers))
                for name, numbers in drawn._asdict().items()
            )
        )

    def _groups(self) -> Array:
        """Return the number of the source, in order, of each pair of the part to train on."""
        count = len(self.spans["train"])
        if self.spans.keys() == set(Splits._fields):
            return np.arange(count)
        sources: Iterable[bytes]
        if isinstance(self._source, VectorSide):
            hashes = [blake2b(vectors.data, digest_size=16).digest() for vectors in self._source.vectors]
            sources = [hashes[number] for number in self._source.order[:count].tolist()]
        else:
            texts = islice(self._source_text.texts.encoded(), count)
            sources = (blake2b(text, digest_size=16).digest() for text in texts)
        numbers: InOrder[bytes] = InOrder()
        return np.fromiter(map(numbers.__getitem__, sources), np.int64, count)

    def derived(self, train: Array) -> tuple[Inputs, Vocabulary]:
        """Return what is known from the part to train on: how sources are read, and the vocabulary of targets."""
        counts, tokenizer, P = self._target.counts(train), self.spec.tokenizer, len(train)
        if isinstance(self._source, VectorSide):
            return Inputs(None, self._scale(self._source, train)), _vocabulary("targets", counts, tokenizer, P)
        assert self._source
        own = self._source.counts(train)
        if self.spec.is_shared:
            both = _vocabulary("sources and targets", counts + own, tokenizer, P)
            return Inputs(both, None), both
        key = f"data.{self.spec.key_of_sources}"
        read = _vocabulary("sources", own, self.spec.of_sources, None, key)
        return Inputs(read, None), _vocabulary("targets", counts, tokenizer, P)

    def _scale(self, source: VectorSide, train: Array) -> Standardization:
        """Return the mean and deviation of the vectors to train on, each counted once."""
        side = source.side()
        chosen = np.unique(source.order[train])
        rows = ranges(side.bounds[chosen], np.diff(side.bounds)[chosen])
        return Standardization.of(side.stored[rows], on=self.spec.standardize)

    def pairs(self, source: Inputs, target: Vocabulary) -> Pairs:
        """Return all pairs as a model reads them; DataError for vectors of another width, or beyond float32."""
        texts = None
        if isinstance(self._source, VectorSide):
            side = self._source.side()
            side = replace(side, stored=source.standardized(side.stored, self._source.place))
        else:
            assert self._source
            assert source.vocabulary
            side, texts = self._source.encoded(source.vocabulary), self._source_text.texts
        assert target.begin_id is not None
        assert target.end_id is not None
        return Pairs(
            side,
            self._target.encoded(target),
            self._places.texts,
            texts,
            self._target_text.texts,
            target.begin_id,
            target.end_id,
        )


def _vocabulary(
    of: str, counts: Mapping[str, int], tokenizer: TokenizerSpec, items: int | None, key: str = "data.tokenizer"
) -> Vocabulary:
    """Return what has been counted as a vocabulary; DataError that says of what for one without tokens."""
    try:
        return Vocabulary.from_counts(counts.items(), tokenizer, items=items, key=key)
    except DataError as error:
        raise DataError(f"{of}: {error.message}", hint=error.hint) from None
