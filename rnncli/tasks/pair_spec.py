"""Which pairs are read and learnt from, and how: the `data` sections of specs of translation and captioning."""

from dataclasses import asdict, dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le

from rnncli.data import TokenizerSpec, Vocabulary
from rnncli.errors import DataError, SettingError
from rnncli.tasks.labelled_spec import Column
from rnncli.tasks.paths import Paths, as_paths, check_paths
from rnncli.tasks.text_spec import SplitSpec
from rnncli.training.trainer import Size


@dataclass(frozen=True, kw_only=True)
class PairDataSpec:
    """Which pairs of a source and a target, and how they are read. Paths are relative to the spec's folder."""

    train: Paths = ()
    validation: Paths = ()
    test: Paths = ()
    encoding: str = "utf-8"
    format: Literal["auto", "parallel", "tsv", "csv", "jsonl", "arrays"] = "auto"
    source: Column | None = None  # the column, or the key, of the sources; None: as the format has it
    target: Column | None = None  # of the targets
    columns: tuple[str, ...] = ()  # the columns of numbers that make up a vector, in place of a source text
    standardize: bool = True  # vectors, to mean 0 and deviation 1 over the training part
    tokenizer: TokenizerSpec = TokenizerSpec(level="word", min_count=2)  # of targets
    max_length: Size | None = None  # tokens, or steps: pairs with a longer side are left out; None: all are read
    split: SplitSpec = SplitSpec(validation=0.1, test=0.1)

    def __post_init__(self) -> None:
        """Refuse paths that name nothing, or standard input among others; and two names for the sources."""
        check_paths(self.train, self.validation, self.test)
        if self.columns and self.source is not None:
            message = "source is the column of a text, columns are those of a vector: give one of the two"
            raise SettingError(message, key="source")
        if self.reads_vectors:
            self.expect_none_for_texts()

    def expect_none_for_texts(self) -> None:
        """Raise SettingError for settings that are for texts alone, where sources are vectors."""
        if keys := self.for_texts:
            names = [f"data.{key}" for key in keys]
            message = f"sources are vectors, which have no {' and no '.join(names)}"
            raise SettingError(message, key=keys[0], hint=f"leave {' and '.join(names)} out")

    @property
    def of_sources(self) -> TokenizerSpec:
        """The tokenizer of sources that are texts."""
        return self.tokenizer

    @property
    def key_of_sources(self) -> str:
        """The key under which that tokenizer is given."""
        return "tokenizer"

    @property
    def is_shared(self) -> bool:
        """Whether sources and targets have one vocabulary."""
        return False

    @property
    def for_texts(self) -> tuple[str, ...]:
        """The settings, of those that were made, that are for sources that are texts alone."""
        return ()

    def expect(self, source: Vocabulary | None, target: Vocabulary) -> None:
        """Raise DataError for vocabularies, as a checkpoint has them, that are not of these tokenizers."""
        if target.spec != self.tokenizer:
            raise DataError("a vocabulary of another tokenizer")
        if source is not None and source.spec != self.of_sources:
            raise DataError("a source vocabulary of another tokenizer")
        if source is not None and self.is_shared and source != target:
            raise DataError("two vocabularies, where the spec has a shared one")

    @property
    def reads_vectors(self) -> bool:
        """Whether it is plain, before a file is opened, that sources are vectors."""
        of_arrays = any(path.lower().endswith((".npz", ".npy")) for path in as_paths(self.train)[:1])
        return bool(self.columns) or self.format == "arrays" or (self.format == "auto" and of_arrays)


LARGEST_BEAM = 1000
LONGEST_ANSWER = 1 << 20
"""Tokens."""


@dataclass(frozen=True)
class DecodingSpec:
    """How answers are found, where a command is not told otherwise: the `decoding` section of a spec.

    The score of n tokens is their log-probability over ((5 + n) / 6) ** length_penalty (Wu et al. 2016).
    """

    beam_size: Annotated[int, Ge(1), Le(LARGEST_BEAM)] = 1  # hypotheses that are kept at each step; 1: greedy
    length_penalty: Annotated[float, Ge(0), Le(10)] = 1.0
    max_length: Annotated[int, Ge(1), Le(LONGEST_ANSWER)] | None = (
        None  # tokens; None: 10 more than twice the source, or than twice what 95 % of the targets of training have
    )


@dataclass(frozen=True, kw_only=True)
class TranslationDataSpec(PairDataSpec):
    """The `data` section of a spec of `task: translation`."""

    source_tokenizer: TokenizerSpec | None = None  # None: the same as of targets
    shared_vocabulary: bool = False  # one vocabulary, and one embedding, for both sides

    def __post_init__(self) -> None:
        """Refuse two tokenizers for one vocabulary, and what is for texts where sources are vectors."""
        super().__post_init__()
        own, others = asdict(self.of_sources), asdict(self.tokenizer)
        if self.shared_vocabulary and (keys := [key for key in own if own[key] != others[key]]):
            message = f"source_tokenizer differs from tokenizer ({', '.join(keys)})"
            message += ", and shared_vocabulary needs one for both: leave source_tokenizer out"
            raise SettingError(message, key="source_tokenizer")

    @property
    def of_sources(self) -> TokenizerSpec:
        """The tokenizer of sources that are texts."""
        return self.source_tokenizer or self.tokenizer

    @property
    def key_of_sources(self) -> str:
        """The key under which that tokenizer is given."""
        return "source_tokenizer" if self.source_tokenizer else "tokenizer"

    @property
    def for_texts(self) -> tuple[str, ...]:
        """The settings, of those that were made, that are for sources that are texts alone."""
        made = {"shared_vocabulary": self.shared_vocabulary, "source_tokenizer": self.source_tokenizer is not None}
        return tuple(key for key, is_made in made.items() if is_made)

    @property
    def is_shared(self) -> bool:
        """Whether sources and targets have one vocabulary."""
        return self.shared_vocabulary


@dataclass(frozen=True, kw_only=True)
class CaptioningDataSpec(PairDataSpec):
    """The `data` section of a spec of `task: captioning`: a source is one vector."""

    tokenizer: TokenizerSpec = TokenizerSpec(level="word")
