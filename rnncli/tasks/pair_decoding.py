"""Finding targets for sources: batches of similar length through a beam search, or samples, and what they looked at.

B sources of a batch, S steps of one, T tokens of a target and its end, D numbers of a vector, V tokens there are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnncli.data import padded
from rnncli.data.example_batches import side_by_side
from rnncli.data.paired import PairBatch
from rnncli.decoding import Hypothesis, Sampling, beam_search, sample
from rnncli.errors import RnncliError
from rnncli.nn.parameter import Array
from rnncli.tasks.pair_spec import LARGEST_BEAM, LONGEST_ANSWER, DecodingSpec
from rnncli.training.randomness import generator

SOURCES = 64
"""Sources that are answered together at most."""
STEPS = 1 << 15
"""Their steps, times the beam: bounds what attention keeps in memory, but for a longer source."""
LOGITS = 1 << 24
"""Logits of one step, likewise."""


@dataclass(frozen=True)
class Decoding(DecodingSpec):
    """How targets are found; raises ValueError for what does not fit together."""

    n_best: int = 1
    """So many targets of each source, best first, or as many as a search finds; of samples, as they were drawn."""
    sampling: Sampling | None = None
    """In place of a search."""
    random_seed: int = 0
    replace_unknown: bool = False
    """Whether <unk> may come up, to be replaced by the token of the source that was looked at most."""

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if min(self.beam_size, self.n_best, 1 if self.max_length is None else self.max_length) < 1:
            raise ValueError("beam_size, n_best and max_length must be at least 1")
        if self.beam_size > LARGEST_BEAM or (self.max_length or 0) > LONGEST_ANSWER:
            raise ValueError(f"beam_size may be {LARGEST_BEAM}, and max_length {LONGEST_ANSWER:,}, at the most")
        if self.sampling is None and self.n_best > self.beam_size:
            raise ValueError(f"n_best must not be more than beam_size, {self.beam_size}, not {self.n_best}")
        if not 0 <= self.length_penalty <= 10:
            raise ValueError(f"length_penalty must be from 0 to 10, not {self.length_penalty}")


@dataclass(frozen=True)
class TargetSearch:
    """A model of targets, with what it begins and ends them with."""

    model: Any
    """With a `decoding_step()`, and `attention_weights`."""
    size: int
    """V."""
    begin_id: int
    end_id: int
    unknown_id: int | None
    single: bool
    """Whether a source is one vector."""

    def decode(
        self, sources: Sequence[Array], limits: Array, decoding: Decoding, first: int = 0
    ) -> list[list[Hypothesis]]:
        """Return the targets of sources, ids (S,) or vectors (S, D) or (D,), in up to `limits` (N,) tokens.

        The `first` source's number counts in the random numbers of samples: each source has its own. There are none
        where the model's numbers are not finite. Sources of similar length are answered together, and what is found
        does not depend on their neighbours.
        """
        found: list[list[Hypothesis]] = [[]] * len(sources)
        step = self.model.decoding_step()
        for numbers in self._together(sources, decoding):
            with np.errstate(all="ignore"):  # whoever asked sees what is not finite
                for number, hypotheses in zip(
                    numbers.tolist(), self._search(step, sources, numbers, limits, decoding, first), strict=True
                ):
                    found[number] = hypotheses
        return found

    def attention(self, sources: Sequence[Array], targets: Sequence[Array]) -> list[Array]:
        """Return what each target's tokens (T,), of which the last may be the end, looked at: weights (T, S)."""
        found: list[Array] = [np.empty(0)] * len(sources)
        of_sources = [1 if self.single else len(source) for source in sources]
        lengths = np.array([steps + len(ids) for steps, ids in zip(of_sources, targets, strict=True)], np.int64)
        for numbers in _groups(lengths, SOURCES, STEPS):
            chosen = numbers.tolist()
            with np.errstate(all="ignore"):
                weights = self.model.attention_weights(self._batch(sources, numbers, [targets[i] for i in chosen]))
            for column, number in enumerate(chosen):
                found[number] = weights[: len(targets[number]), : len(sources[number]), column].copy()
        return found

    def _search(
        self, step: Any, sources: Sequence[Array], numbers: Array, limits: Array, decoding: Decoding, first: int
    ) -> list[list[Hypothesis]]:
        """Return the targets of those sources that have these numbers (B,)."""
        try:
            logits, state = step.begin(self._batch(sources, numbers))
            if decoding.sampling:
                return self._sampled(step, logits, state, limits[numbers], numbers + first, decoding)
            return beam_search(
                step,
                step.select,
                logits,
                state,
                beam_size=decoding.beam_size,
                length=limits[numbers],
                end_id=self.end_id,
                forbidden=self._forbidden(decoding),
                length_penalty=decoding.length_penalty,
                results=decoding.n_best,
            )
        except RnncliError:  # of one of them there is no next token
            if len(numbers) == 1:
                return [[]]
            parts = np.array_split(numbers, 2)
            return [each for part in parts for each in self._search(step, sources, part, limits, decoding, first)]

    def _sampled(
        self, step: Any, logits: Array, state: Any, limits: Array, numbers: Array, decoding: Decoding
    ) -> list[list[Hypothesis]]:
        assert decoding.sampling
        each = decoding.n_best
        columns = np.repeat(np.arange(len(numbers)), each)
        ids, own = [], []
        for drawn in sample(
            step,
            logits[:, columns],
            step.select(state, columns),
            rngs=[generator(decoding.random_seed, "sampling", i, k) for i in numbers.tolist() for k in range(each)],
            length=int(limits.max()),
            sampling=decoding.sampling,
            forbidden=self._forbidden(decoding),
            end_id=self.end_id,
        ):
            ids.append(drawn.ids)
            own.append(_log_probabilities(drawn.logits, drawn.ids))
        found = [
            self._sample(of, scores, limit, decoding.length_penalty)
            for of, scores, limit in zip(np.stack(ids, 1), np.stack(own, 1), limits[columns].tolist(), strict=True)
        ]
        return [found[start : start + each] for start in range(0, len(found), each)]

    def _sample(self, ids: Array, log_probabilities: Array, limit: int, length_penalty: float) -> Hypothesis:
        """Return one sample, cut behind its end or where its limit is."""
        ends = np.flatnonzero(ids == self.end_id)
        n = min(limit, int(ends[0]) + 1 if len(ends) else len(ids))
        total = float(log_probabilities[:n].sum())
        return Hypothesis(ids[:n], log_probabilities[:n], total, total / ((5 + n) / 6) ** length_penalty)

    def _forbidden(self, decoding: Decoding) -> list[int]:
        unknown = [] if self.unknown_id is None or decoding.replace_unknown else [self.unknown_id]
        return [self.begin_id, *unknown]

    def _together(self, sources: Sequence[Array], decoding: Decoding) -> Iterator[Array]:
        """Yield the numbers of sources to answer together."""
        columns = decoding.n_best if decoding.sampling else decoding.beam_size
        count = max(1, min(SOURCES, LOGITS // (self.size * columns)))
        lengths = np.array([1 if self.single else len(source) for source in sources], np.int64)
        return _groups(lengths, count, STEPS // columns)

    def _batch(self, sources: Sequence[Array], numbers: Array, targets: Sequence[Array] | None = None) -> PairBatch:
        """Return sources with `<bos>` behind which to go on, or with targets, each with its end or without."""
        chosen = [sources[i] for i in numbers.tolist()]
        if targets is None:
            targets = [np.array([self.end_id])] * len(chosen)
        found, mask = padded(targets)
        inputs = side_by_side([np.append(self.begin_id, ids[:-1]) for ids in targets])
        if self.single:
            return PairBatch(np.stack(chosen, axis=-1), None, inputs, found, mask)
        source, source_mask = padded(chosen)
        return PairBatch(source, source_mask, inputs, found, mask)


def _log_probabilities(logits: Array, ids: Array) -> Array:
    """Return those of ids (B,), by logits (V, B)."""
    best = logits.max(axis=0)
    log_sums = np.log(np.exp(logits - best).sum(axis=0, dtype=np.float64))
    chosen: Array = logits[ids, np.arange(len(ids))].astype(np.float64) - best - log_sums
    return chosen


def _groups(lengths: Array, count: int, steps: int) -> Iterator[Array]:
    """Yield numbers of sequences of similar length, the longest first, at most `count` and so many `steps` at once."""
    order = np.argsort(-lengths, kind="stable")
    while len(order):
        together = max(1, min(count, steps // max(1, int(lengths[order[0]]))))
        yield order[:together]
        order = order[together:]
