"""Which settings of pairs go together, and which vocabularies are theirs."""

import pytest

from rnncli.data import TokenizerSpec, Vocabulary
from rnncli.errors import DataError, SpecError
from rnncli.spec import parse_spec, validate
from rnncli.tasks.pair_spec import CaptioningDataSpec, TranslationDataSpec
from rnncli.tasks.text_spec import TextDataSpec, TextTrainingSpec
from tests.tasks.written_pairs import WORDS


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (
            TranslationDataSpec,
            {"columns": ("a",), "source": "b"},
            "source is the column of a text, columns are those of",
        ),
        (
            TranslationDataSpec,
            {"shared_vocabulary": True, "source_tokenizer": WORDS},
            r"^source_tokenizer differs from tokenizer \(min_count\), and shared_vocabulary needs one for both: leave",
        ),
        (
            TranslationDataSpec,
            {"shared_vocabulary": True, "source_tokenizer": TokenizerSpec("byte"), "tokenizer": WORDS},
            r"^source_tokenizer differs from tokenizer \(level\), and",
        ),
        *(
            (TranslationDataSpec, settings | {key: value}, f"^sources are vectors, which have no data.{key}$")
            for settings in ({"train": ("x.npz", "c.tsv")}, {"columns": ("a",)}, {"format": "arrays"})
            for key, value in (("shared_vocabulary", True), ("source_tokenizer", WORDS))
        ),
        (
            TranslationDataSpec,
            {"train": "x.npy", "shared_vocabulary": True, "source_tokenizer": TranslationDataSpec().tokenizer},
            "^sources are vectors, which have no data.shared_vocabulary and no data.source_tokenizer$",
        ),
        (CaptioningDataSpec, {"train": ""}, "train, validation and test name files"),
    ],
)
def test_settings_that_do_not_go_together(kind, settings, message):
    with pytest.raises(ValueError, match=message):
        kind(**settings)


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (TranslationDataSpec, "train: a\ntest: b\nvalidation: '-'", "3:1: train, validation and test name files, "),
        (CaptioningDataSpec, "train: a\nvalidation: b\ntest: ''", "3:1: train, validation and test name files, "),
        (TranslationDataSpec, "columns: [a]\nsource: b", "2:1: source is the column of a text, "),
        (
            TranslationDataSpec,
            "tokenizer: {level: byte}\nsource_tokenizer: {level: word}\nshared_vocabulary: true",
            "2:1: source_tokenizer differs from tokenizer (level",
        ),
        (
            TranslationDataSpec,
            "format: arrays\nshared_vocabulary: true",
            "2:1: sources are vectors, which have no data.shared_vocabulary; leave data.shared_vocabulary out",
        ),
        (TextDataSpec, "train: a\nvalidation: '-'", "2:1: train, validation and test name files, "),
        (TextDataSpec, "format: fasttext\ntext: body\ncondition: [a, b]", "3:1: fasttext has one label for each text"),
        (TextTrainingSpec, "state: carry\nstride: 3", "2:1: stride needs state: reset"),
        (TextTrainingSpec, "state: reset\nbptt: full", "2:1: bptt: full reads a stream as a whole, "),
    ],
)
def test_what_does_not_go_together_is_shown_at_the_key_at_fault(kind, text, message):
    with pytest.raises(SpecError) as caught:
        validate(parse_spec(text.encode(), "spec.yaml"), kind)
    assert str(caught.value).startswith(f"spec.yaml:{message}")


@pytest.mark.parametrize(
    ("shared", "target", "source"),
    [
        (False, WORDS, None),
        (False, WORDS, TokenizerSpec("byte")),
        (True, WORDS, None),
        (True, WORDS, TokenizerSpec("word")),
    ],
)
def test_tokenizers_that_go_together(shared, target, source):
    spec = TranslationDataSpec(shared_vocabulary=shared, tokenizer=target, source_tokenizer=source)
    assert (spec.of_sources, spec.is_shared) == (source or WORDS, shared)
    assert spec.key_of_sources == ("source_tokenizer" if source else "tokenizer")


def test_vocabularies_of_a_checkpoint_are_those_of_the_spec():
    def vocabulary(*tokens, level="word"):
        return Vocabulary.from_counts(((token, 1) for token in tokens), TokenizerSpec(level), items=1)

    a, b, of_bytes = vocabulary("a"), vocabulary("b"), vocabulary("a", level="byte")
    own = TranslationDataSpec(tokenizer=WORDS, source_tokenizer=TokenizerSpec("byte"))
    shared = TranslationDataSpec(tokenizer=WORDS, shared_vocabulary=True)
    own.expect(of_bytes, a)
    own.expect(None, a)
    shared.expect(a, a)
    CaptioningDataSpec().expect(None, a)
    for spec, source, target, message in (
        (own, of_bytes, of_bytes, "^a vocabulary of another tokenizer"),
        (own, a, a, "^a source vocabulary of another tokenizer"),
        (shared, of_bytes, a, "^a source vocabulary of another tokenizer"),
        (shared, b, a, "^two vocabularies, where the spec has a shared one"),
    ):
        with pytest.raises(DataError, match=message):
            spec.expect(source, target)


@pytest.mark.parametrize(
    ("settings", "vectors"),
    [
        ({"train": ("x.NPZ", "c.tsv")}, True),
        ({"train": ("x.csv", "y.npz")}, False),
        ({"train": "x.csv", "columns": ("p*",)}, True),
        ({"train": ("x", "c"), "format": "arrays"}, True),
        ({"train": ("x.npz", "c"), "format": "parallel"}, False),
        ({}, False),
    ],
)
def test_what_is_plain_of_sources_before_a_file_is_opened(settings, vectors):
    assert TranslationDataSpec(**settings).reads_vectors is vectors
