"""A trained model of pairs at work: sources in, translations of them out; or captions of vectors.

S steps of a source, T tokens of a target, D numbers of a vector.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rnncli.data import TOKENIZERS, Vocabulary, find_sources
from rnncli.data.pairs import SUFFIXES, Pair, by_content
from rnncli.decoding import Hypothesis
from rnncli.errors import DataError
from rnncli.nn.parameter import Array
from rnncli.tasks.pair_data import read_sources
from rnncli.tasks.pair_decoding import Decoding, TargetSearch
from rnncli.tasks.pair_resources import longest_of, source_of, target_of
from rnncli.tasks.pair_sides import spaced
from rnncli.tasks.pair_spec import LONGEST_ANSWER
from rnncli.tasks.paths import as_paths
from rnncli.tasks.protocol import Resources
from rnncli.tasks.sequence_inputs import Inputs, vectors_of_line

LONGEST = 1 << 14
"""Steps of a source, each of which every token of its target may look at."""


class SourceSequence(NamedTuple):
    """What is to be translated, as the model reads it."""

    values: Array
    """Ids (S,), vectors (S, D), or of what has captions one vector (D,)."""
    text: str
    """As it was given; of vectors nothing."""


class Translation(NamedTuple):
    """A target that was found."""

    text: str
    tokens: list[str]
    """Without `<bos>` and `<eos>`; words without the space before them."""
    log_probabilities: list[float]
    """Of each token in nats, and of `<eos>` where it ended."""
    score: float
    """The log-probability, less the longer it is where there is a length penalty."""
    attention: Array | None
    """(T, S): what each token looked at, and `<eos>` where it ended; None where that was not asked for."""
    ended: bool
    """Whether `<eos>` did, and not its length."""


@dataclass(frozen=True)
class PairModel:
    """A model of pairs with all that it needs to read sources and to spell out targets."""

    model: Any
    task: Any
    resources: Resources

    @cached_property
    def inputs(self) -> Inputs:
        """How it reads sources."""
        return source_of(self.resources)

    @property
    def source_vocabulary(self) -> Vocabulary | None:
        """Of sources that are texts."""
        return self.inputs.vocabulary

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Of targets."""
        return target_of(self.resources)

    @property
    def single(self) -> bool:
        """Whether a source is one vector, and a target its caption."""
        return bool(self.task.single)

    @property
    def has_attention(self) -> bool:
        """Whether a target's tokens look at those of its source."""
        return getattr(self.model.spec, "attention", "none") != "none"

    @cached_property
    def longest(self) -> tuple[int, int]:
        """Steps of the longest source of training, and tokens of a long target."""
        return longest_of(self.resources)

    def fits(self, given: str | Array) -> bool:
        """Tell whether this is of the kind that the model reads: a text, or vectors (S, D) of its width, or one."""
        if isinstance(given, str):
            return self.source_vocabulary is not None
        return bool(self.inputs.width == given.shape[1]) and not (self.single and len(given) != 1)

    def read_line(self, line: str, where: str) -> SourceSequence:
        """Return a text to translate; or vectors, of a line as `1.5,2` or `[[1.5, 2], [3, 4]]`.

        DataError for an empty one, and for what the model cannot read.
        """
        if self.source_vocabulary is None:
            return self.read(vectors_of_line(line, where, single=self.single), where)
        return self.read(line, where)

    def read(self, given: str | Array, where: str) -> SourceSequence:
        """Return a text, or vectors (S, D), as the model reads it; DataError for what it cannot read."""
        if isinstance(given, str):
            source = self._read_text(given, self.inputs.expect_text(where), where)
        else:
            vectors = self.inputs.standardized(given, where, single=self.single)
            source = SourceSequence(vectors[0] if self.single else vectors, "")
        if not self.single and len(source.values) > LONGEST:
            message = f"a source of {len(source.values):,} steps, where at most {LONGEST:,} are answered"
            raise DataError(message, hint="cut it in parts", where=where)
        return source

    def _read_text(self, given: str, vocabulary: Vocabulary, where: str) -> SourceSequence:
        """Return a text; white space around it that only makes tokens unknown is no part of it."""
        bare = given.strip()
        if not bare:
            raise DataError("an empty source", where=where)
        source = SourceSequence(_ids(given, vocabulary), given)
        if bare != given:
            other = SourceSequence(_ids(bare, vocabulary), bare)
            return min(source, other, key=self.unknown)
        return source

    def file_format(self, path: str) -> str:
        """Return the `data.format` that a file of sources, or of pairs, is in; "" for lines that are a source each.

        Rows of numbers without names are such lines, where the model was not trained on columns.
        """
        name = SUFFIXES.get(Path(path).suffix.lower(), "")
        if self.source_vocabulary is None:
            return "" if name in ("csv", "tsv") and not self.task.data.columns else name
        return name or (by_content(*find_sources([path])) if Path(path).is_file() and self._trained_in_one else "")

    @property
    def _trained_in_one(self) -> bool:
        """Whether both sides of the training data stand in one file, which then may have any name."""
        return self.task.data.format in ("tsv", "jsonl") or len(as_paths(self.task.data.train)) % 2 == 1

    def read_file(self, path: str, encoding: str | None = None) -> Iterator[Pair]:
        """Yield the sources of a file that is in one of the formats of the training data, with targets or without."""
        changes: Any = {"encoding": encoding or self.task.data.encoding}
        return read_sources(replace(self.task.data, **changes), [path])

    def unknown(self, source: SourceSequence) -> int:
        """Return how many tokens of a source the vocabulary does not have."""
        unknown = self.source_vocabulary and self.source_vocabulary.unknown_id
        return 0 if unknown is None else int((source.values == unknown).sum())

    def source_tokens(self, source: SourceSequence) -> list[str]:
        """Return the tokens of a source as they stand in it, words without the space before them; of vectors numbers.

        Vectors count from 1.
        """
        if self.source_vocabulary is None:
            return [str(number) for number in range(1, 2 if self.single else len(source.values) + 1)]
        return [_bare(token, self.source_vocabulary) for token in self._source_tokens(source)]

    def translate(
        self, sources: Sequence[SourceSequence], decoding: Decoding, *, attention: bool = False, first: int = 0
    ) -> list[list[Translation]]:
        """Return `n_best` translations of each source, best first; none where the model's answer is not finite.

        They do not depend on what else is translated, but those that are sampled on the place of their source among
        all there are, of which `first` is the one of the first of these. Raises ValueError for attention, or unknown
        tokens to replace, where a model has no attention, or reads no texts.
        """
        if not self.has_attention and (attention or decoding.replace_unknown):
            raise ValueError("the model has no attention")
        if self.source_vocabulary is None and decoding.replace_unknown:
            raise ValueError("vectors have no tokens that could replace unknown ones")
        values = [source.values for source in sources]
        longest = [10 + 2 * max(self.longest[1], 0 if self.single else len(each)) for each in values]
        limits = np.array([decoding.max_length or min(each, LONGEST_ANSWER) for each in longest], np.intp)
        found = self._search.decode(values, limits, decoding, first)
        flat = [(number, hypothesis) for number, each in enumerate(found) for hypothesis in each]
        unknown = self.vocabulary.unknown_id
        looked: dict[int, Array] = {}
        asked = [i for i, (_, hypothesis) in enumerate(flat) if attention or (hypothesis.ids == unknown).any()]
        if asked:
            of = [flat[i] for i in asked]
            weights = self._search.attention([values[number] for number, _ in of], [each.ids for _, each in of])
            looked = dict(zip(asked, weights, strict=True))
        translations: list[list[Translation]] = [[] for _ in sources]
        for i, (number, hypothesis) in enumerate(flat):
            answer = self._translation(sources[number], hypothesis, looked.get(i))
            translations[number].append(answer if attention else answer._replace(attention=None))
        return translations

    @cached_property
    def _search(self) -> TargetSearch:
        vocabulary = self.vocabulary
        begin, end = vocabulary.begin_id, vocabulary.end_id
        assert begin is not None
        assert end is not None
        return TargetSearch(self.model, len(vocabulary), begin, end, vocabulary.unknown_id, self.single)

    def _translation(self, source: SourceSequence, found: Hypothesis, weights: Array | None) -> Translation:
        """Return what was found spelled out, `<unk>` as the token of the source that the weights (T, S) are of."""
        vocabulary = self.vocabulary
        ids = found.ids.tolist()
        ended = ids[-1] == vocabulary.end_id
        tokens = [vocabulary.tokens[i] for i in ids[: len(ids) - ended]]
        if weights is not None:
            for place in np.flatnonzero(found.ids == vocabulary.unknown_id).tolist():
                tokens[place] = self._copied(source, int(weights[place].argmax()))
        text = vocabulary.tokenizer.join(tokens)
        bare = [_bare(token, vocabulary) for token in tokens]
        return Translation(
            _bare(text, vocabulary), bare, found.log_probabilities.tolist(), found.score, weights, bool(ended)
        )

    def _copied(self, source: SourceSequence, place: int) -> str:
        """Return a token of the source as one of the target."""
        token = self._source_tokens(source)[place]
        assert self.source_vocabulary
        levels = self.source_vocabulary.spec.level, self.vocabulary.spec.level
        if levels[0] == levels[1]:
            return token
        return f" {token.strip()}" if levels[1] == "word" else token.strip()

    def _source_tokens(self, source: SourceSequence) -> Sequence[str]:
        """Return the tokens of a text, which make it up, but for a space before a first word."""
        vocabulary = self.source_vocabulary
        assert vocabulary
        text = spaced(source.text, vocabulary.spec)
        tokens = TOKENIZERS[vocabulary.spec.level].split(text)
        return tokens if len(tokens) == len(source.values) else vocabulary.split(text)  # lower case may be longer


def _ids(text: str, vocabulary: Vocabulary) -> Array:
    return vocabulary.encode(spaced(text, vocabulary.spec)).astype(np.intp)


def _bare(text: str, vocabulary: Vocabulary) -> str:
    """Return a text, or a token, without the space before a first word."""
    return text.removeprefix(" ") if vocabulary.spec.level == "word" else text
