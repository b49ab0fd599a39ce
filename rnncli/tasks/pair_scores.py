"""What translations and captions are worth, beside baselines that learn from training pairs alone."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np

from rnncli.data import PairBatch, Pairs, Side, for_answers, pair_batch
from rnncli.metrics import TranslationReport, nearest_reference, translation_report
from rnncli.models.nearest_source import most_frequent, nearest_texts, nearest_vectors
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import Loss
from rnncli.tasks.labelled_scores import Mistake
from rnncli.tasks.pair_decoding import Decoding
from rnncli.tasks.pair_model import PairModel, SourceSequence

TOGETHER = 1 << 12
"""Sources whose answers are kept with all that belongs to them."""


@dataclass(frozen=True, eq=False)
class PairScore:
    """What a model is worth on a split, beside baselines on the same split."""

    split: str
    loss: Loss  # of each token of the targets, and of their ends
    report: TranslationReport
    baselines: dict[str, TranslationReport]
    mistakes: Callable[[], Iterator[Mistake]]
    """The answers that are not exact: that of the highest character error rate first, of like ones the surest."""


class Answer(NamedTuple):
    """What a model writes for a source."""

    text: str
    probability: float | None  # of the whole text; None where there is none, the model's numbers not being finite


def evaluated(model: Any, part: Pairs, *, single: bool) -> Loss:
    """Return the loss, for which nothing need be decoded; `single` is for sources of one vector."""
    total = Loss(0.0, 0)
    with np.errstate(all="ignore"):  # an overflow shows as a loss that is not finite
        for batch in in_batches(part, single=single):
            loss, *_ = model.loss(batch, gradient=False)
            total = total.plus(loss)
    return total


def in_batches(part: Pairs, *, single: bool) -> Iterator[PairBatch]:
    """Yield every pair once, together with those of similar length."""
    return (
        pair_batch(part, numbers, single=single) for numbers in for_answers(part.source.lengths + part.target.lengths)
    )


def score(
    translator: PairModel, train: Pairs | None, parts: Mapping[str, Pairs], decoding: Decoding
) -> list[PairScore]:
    """Return what the model is worth on each part that is not empty, beside what learnt from `train` alone.

    Each pair of texts is an example; a vector, or a sequence of vectors, that occurs several times is one that has
    several references. Of a model whose targets are lower-cased, all is compared in lower case.
    """
    baselines = _baselines(train) if train and len(train) else None
    found = []
    for name, part in parts.items():
        if len(part):
            asked = _Asked.of(part, translator)
            written = [*answers(translator, asked.sources, decoding)]
            others = baselines(asked.sources) if baselines else {}
            loss = evaluated(translator.model, part, single=translator.single)
            report = asked.report([answer.text for answer in written])
            reports = {title: asked.report(texts) for title, texts in others.items()}
            found.append(PairScore(name, loss, report, reports, partial(asked.mistakes, written)))
    return found


def answers(translator: PairModel, pairs: Pairs, decoding: Decoding) -> Iterator[Answer]:
    """Yield what the model writes for the source of each pair."""
    for first in range(0, len(pairs), TOGETHER):
        sources = []
        for number in range(first, min(first + TOGETHER, len(pairs))):
            values = pairs.source.of(number)
            text = "" if pairs.source_text is None else pairs.source_text[number]
            sources.append(SourceSequence(values[0] if translator.single else values, text))
        for best in translator.translate(sources, decoding, first=first):
            probability = math.exp(sum(best[0].log_probabilities)) if best else None
            yield Answer(best[0].text if best else "", probability)


@dataclass(frozen=True, eq=False)
class _Asked:
    """The sources of some pairs, each once, with all that they may be answered by."""

    part: Pairs
    sources: Pairs  # the first pair of each source
    groups: list[list[int]]  # all pairs of each source
    references: list[list[str]]
    lengths: Array | None  # of the sources
    comparable: Callable[[str], str]

    @classmethod
    def of(cls, part: Pairs, translator: PairModel) -> "_Asked":
        groups = _by_source(part)
        sources = part.part(np.array([first for first, *_ in groups]))
        comparable = _lowered if translator.vocabulary.spec.lowercase else str.strip
        references = [[comparable(part.target_text[pair]) for pair in group] for group in groups]
        return cls(part, sources, groups, references, None if translator.single else sources.source.lengths, comparable)

    def report(self, texts: Sequence[str]) -> TranslationReport:
        return translation_report([*map(self.comparable, texts)], self.references, self.lengths)

    def mistakes(self, written: Sequence[Answer]) -> Iterator[Mistake]:
        """Yield each wrong answer beside that of its references which it comes nearest to."""
        texts = [self.comparable(answer.text) for answer in written]
        nearest = [nearest_reference(text, known) for text, known in zip(texts, self.references, strict=True)]
        wrong = [number for number, found in enumerate(nearest) if found.edits]
        for number in sorted(wrong, key=lambda number: (-nearest[number].rate, -(written[number].probability or 0))):
            pair = self.groups[number][nearest[number].number]
            source = "" if self.part.source_text is None else self.part.source_text[pair]
            yield Mistake(self.part.place(pair), source, self.part.target_text[pair], *written[number])


def _lowered(text: str) -> str:
    return text.strip().lower()


def _by_source(pairs: Pairs) -> list[list[int]]:
    """Return the numbers of the pairs that have one vector, or sequence of vectors; of texts each by itself."""
    if pairs.source_text is not None:
        return [[number] for number in range(len(pairs))]
    groups: dict[bytes, list[int]] = {}
    for number in range(len(pairs)):
        values = np.ascontiguousarray(pairs.source.of(number))
        groups.setdefault(blake2b(values.data, digest_size=16).digest(), []).append(number)
    return [*groups.values()]


def _baselines(train: Pairs) -> Callable[[Pairs], dict[str, list[str]]]:
    """Return what answers each of some pairs' sources, by the names of the baselines."""
    usual = most_frequent(train.target_text)
    nearest = _nearest(train)

    def answered(asked: Pairs) -> dict[str, list[str]]:
        chosen = nearest(asked)
        chosen[chosen < 0] = usual
        return {
            **({} if asked.source_text is None else {"copied source": [*asked.source_text]}),
            "most frequent": [train.target_text[usual]] * len(asked),
            "nearest source": [train.target_text[number] for number in chosen.tolist()],
        }

    return answered


def _nearest(train: Pairs) -> Callable[[Pairs], Array]:
    """Return what finds the number of the nearest training source for each of some pairs' sources."""
    if texts := train.source_text:
        return lambda asked: nearest_texts(texts, asked.source_text or ())
    firsts = np.array([first for first, *_ in _by_source(train)])
    vectors = _means(train.source.part(firsts))
    return lambda asked: firsts[nearest_vectors(vectors, _means(asked.source))]


def _means(side: Side) -> Array:
    """Return the mean (P, D) of each pair's vectors."""
    values, lengths = side.values, side.lengths
    if len(values) == len(lengths):
        return values
    with np.errstate(over="ignore"):  # what is too far away is not near
        means: Array = np.add.reduceat(values, side.starts[:-1], axis=0) / lengths[:, None].astype(values.dtype)
    return means
