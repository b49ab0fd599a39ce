"""Pairs of texts: splits, vocabularies, what is left out and what is said of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.data import Splits, TokenizerSpec, Vocabulary
from rnncli.errors import DataError
from rnncli.tasks.gathered import split
from rnncli.tasks.pair_data import read_sources
from rnncli.tasks.pair_resources import longest_of
from rnncli.tasks.pair_spec import TranslationDataSpec
from rnncli.tasks.text_spec import SplitSpec
from tests.tasks.written_pairs import (
    WORDS,
    captions,
    others,
    refusal,
    spelled,
    translations,
    vocabularies,
    with_split,
    written,
)

TSV = "I am.\tSoy.\nDo you?\t¿Tú?\nI do.\t¡Sí!\n"
PAIRS = [("I am.", "Soy."), ("Do you?", "¿Tú?"), ("I do.", "¡Sí!")]
NINE_TIMES = "no word occurs 9 times in the training text"
NO_COLUMNS = "parallel files have no columns: a line is a source, or a target"
MANY = "".join(f"s{number}\tt{number} x\n" for number in range(200))


@pytest.mark.parametrize(
    "files",
    [
        {"p.tsv": TSV},
        {"p.txt": TSV},
        {"p.csv": "source,target\n" + TSV.replace("\t", ",")},
        {"p.jsonl": "".join(f'{{"source": "{a}", "target": "{b}"}}\n' for a, b in PAIRS)},
        {"p.en": "".join(f"{a}\n" for a, _ in PAIRS), "p.es": "".join(f"{b}\n" for _, b in PAIRS)},
    ],
)
def test_pairs_of_every_format_in_ids_and_as_they_were_written(tmp_path, files):
    dataset = translations(tmp_path, files)
    train = dataset.splits.train
    assert spelled(train, dataset.resources) == PAIRS
    assert [*zip(train.source_text, train.target_text, strict=True)] == PAIRS
    first = next(iter(files))
    line = 2 if first == "p.csv" else 1
    assert train.place(2) == f"{tmp_path}/{first}:{line + 2}"
    assert dataset.sizes()["train_pairs"] == 3
    assert dataset.notices == tuple(
        f"no {name} split: there are too few pairs, or its share is 0" for name in Splits._fields[1:]
    )


def test_vocabularies_count_the_training_part_alone(tmp_path):
    files = {"p.tsv": "a b\tx\na\ty x\n", "v.tsv": "a c\tz x\nq a\ty\n"}
    dataset = translations(tmp_path, files, train="p.tsv", validation="v.tsv")
    source, target = (Vocabulary.from_plain(plain) for plain in vocabularies(dataset))
    assert dict(zip(source.tokens, source.counts, strict=True)) == {"<unk>": 0, " a": 2, " b": 1}
    assert dict(zip(target.tokens, target.counts, strict=True)) == {
        "<unk>": 0, "<bos>": 2, "<eos>": 2, " x": 2, " y": 1,
    }  # fmt: skip
    assert spelled(dataset.splits.validation, dataset.resources) == [("a<unk>", "<unk> x"), ("<unk> a", "y")]
    shares = "50.00% of the validation source and 33.33% of the validation target"
    assert f"{shares} tokens are not in the vocabulary" in dataset.notices
    assert not any("train" in notice for notice in dataset.notices)
    assert (dataset.splits.train.begin_id, dataset.splits.train.end_id) == (target.begin_id, target.end_id) == (1, 2)


def test_words_that_are_rare_are_unknown_on_either_side(tmp_path):
    dataset = translations(tmp_path, {"p.tsv": "a b\tx\na\ty x\n"}, tokenizer=TokenizerSpec("word", min_count=2))
    assert spelled(dataset.splits.train, dataset.resources) == [("a<unk>", "x"), ("a", "<unk> x")]
    assert vocabularies(dataset)[0]["counts"] == [1, 2]
    shares = "33.33% of the train source and 33.33% of the train target"
    assert f"{shares} tokens are not in the vocabulary" in dataset.notices


def test_a_first_word_is_the_word_that_it_is_elsewhere(tmp_path):
    dataset = translations(tmp_path, {"p.tsv": "a\t x y\nb a\ty x\n"})
    train = dataset.splits.train
    assert train.source.of(0).tolist() == train.source.of(1)[1:].tolist()
    assert train.target.of(0).tolist() == train.target.of(1)[::-1].tolist()
    assert train.target_text[0] == " x y"


def test_each_side_has_its_tokenizer(tmp_path):
    settings = {"tokenizer": TokenizerSpec("character"), "source_tokenizer": TokenizerSpec("word", lowercase=True)}
    dataset = translations(tmp_path, {"p.tsv": "Ab ab\tXy\n"}, **settings)
    assert vocabularies(dataset)[0]["tokens"] == ["<unk>", " ab"]
    assert dataset.resources["target"]["tokens"] == ["<unk>", "<bos>", "<eos>", "X", "y"]
    assert dataset.resources["longest"] == [2, 2]
    assert dataset.splits.train.source_text[0] == "Ab ab"
    settings = {"tokenizer": TokenizerSpec("byte"), "source_tokenizer": TokenizerSpec("character")}
    dataset = translations(tmp_path, {"p.tsv": "é\té\n"}, **settings)
    assert dataset.resources["longest"] == [1, 2]
    assert (len(vocabularies(dataset)[0]["tokens"]), len(dataset.resources["target"]["tokens"])) == (2, 258)


def test_a_shared_vocabulary_is_of_both_sides(tmp_path):
    dataset = translations(tmp_path, {"p.tsv": "a b\ta\nc\tc d a\n"}, shared_vocabulary=True)
    source, target = vocabularies(dataset)
    assert source == target
    target = dataset.target
    assert dict(zip(target.tokens, target.counts, strict=True)) == {
        "<unk>": 0, "<bos>": 2, "<eos>": 2, " a": 3, " c": 2, " b": 1, " d": 1,
    }  # fmt: skip
    assert spelled(dataset.splits.train, dataset.resources) == [("a b", "a"), ("c", "c d a")]
    assert dataset.splits.train.source.of(1).tolist() == dataset.splits.train.target.of(1)[:1].tolist()


def test_pairs_with_a_longer_side_are_left_out_and_counted(tmp_path):
    lines = "a b c\tx\na\tx\na\tx y z\na b\tx y\n" * 2000
    files = {"p.tsv": lines, "v.tsv": "a b c\tx\nb\ty\n"}
    dataset = translations(tmp_path, files, train="p.tsv", validation="v.tsv", max_length=2)
    train = dataset.splits.train
    assert spelled(train, dataset.resources) == [("a", "x"), ("a b", "x y")] * 2000
    assert [train.place(i).rpartition(":")[2] for i in (0, 1, -1)] == ["2", "4", "8000"]
    assert train.source_text[3999] == "a b"
    limit = "of more than 2 tokens (data.max_length), left out"
    assert dataset.notices[:2] == (
        f"train pairs {limit}: 4,000, first {tmp_path}/p.tsv:1",
        f"validation pairs {limit}: 1, first {tmp_path}/v.tsv:1",
    )
    assert dataset.resources["longest"] == [2, 2]
    assert " c" not in vocabularies(dataset)[0]["tokens"]
    assert refusal(tmp_path, translations, {"p.tsv": "a b\tx\n"}, max_length=1) == (
        "p.tsv:1: there are only train pairs of more than 1 tokens (data.max_length); set it higher"
    )


def test_the_longest_are_those_of_the_training_part(tmp_path):
    files = {"p.tsv": "a b c\tx\na\tx y\n", "v.tsv": "a a a a a\tx x x x x\n"}
    dataset = translations(tmp_path, files, train="p.tsv", validation="v.tsv")
    assert dataset.longest == (3, 2)
    assert dataset.resources["longest"] == [3, 2]


def numbers_of(part):
    return [int(part.place(i).rpartition(":")[2]) - 1 for i in range(len(part))]


def test_parts_are_drawn_as_of_other_sequences(tmp_path):
    shares = SplitSpec(validation=0.2, test=0.1)
    dataset = translations(tmp_path, {"p.tsv": MANY}, split=shares, seed=3)
    wanted = split(shares, {"train": range(200)}, None, 3)
    assert [numbers_of(part) for part in dataset.splits] == [numbers.tolist() for numbers in wanted]
    assert [len(part) for part in dataset.splits] == [140, 40, 20]
    again = translations(tmp_path, {"p.tsv": MANY}, split=shares, seed=3)
    other = translations(tmp_path, {"p.tsv": MANY}, split=shares, seed=4)
    assert again.fingerprint == dataset.fingerprint != other.fingerprint


def test_pairs_of_one_source_are_in_one_part(tmp_path):
    lines = "".join(f"s{number % 40}\tt{number}\n" for number in range(400))
    dataset = translations(tmp_path, {"p.tsv": lines}, **with_split(0.25, 0.25))
    sources = [set(part.source_text) for part in dataset.splits]
    assert [len(each) for each in sources] == [20, 10, 10]
    assert [len(part) for part in dataset.splits] == [200, 100, 100]
    assert sorted(number for part in dataset.splits for number in numbers_of(part)) == [*range(400)]


def test_parts_of_their_own_files_are_whole_and_in_order(tmp_path):
    files = {"p.tsv": MANY, "v.tsv": "s3\tt\ns3\tu\n", "t.tsv": "b\tc\n"}
    dataset = translations(tmp_path, files, train="p.tsv", validation="v.tsv", **with_split(0.5, 0.5 - 1e-9))
    assert [len(part) for part in dataset.splits] == [100, 2, 100]
    assert spelled(dataset.splits.validation, dataset.resources)[0][0] in ("s3", "<unk>")
    assert numbers_of(dataset.splits.validation) == [0, 1]
    dataset = translations(tmp_path, files, train="p.tsv", validation="v.tsv", test="t.tsv", **with_split(0.5, 0.4))
    assert [len(part) for part in dataset.splits] == [200, 2, 1]
    assert numbers_of(dataset.splits.train) == [*range(200)]


def test_validation_may_be_in_another_format(tmp_path):
    files = {"p.csv": "en,es\na,x\n", "v.en": "a\n", "v.es": "x\n", "t.tsv": "en\tes\na\tx\n"}
    paths = {"train": "p.csv", "validation": ("v.en", "v.es"), "test": "t.tsv"}
    dataset = translations(tmp_path, files, **paths, source="en", target="es")
    assert [spelled(part, dataset.resources) for part in dataset.splits] == [[("a", "x")]] * 3


def test_what_is_known_is_kept(tmp_path):
    known = translations(tmp_path, {"p.tsv": TSV}).resources
    again = translations(tmp_path, {"p.tsv": "I ran.\tSoy yo.\nI do it all now.\t¡Sí!\n"}, resources=known)
    assert again.resources == known | {"longest": [6, 3]}  # answers may be as long as those of both trainings
    assert spelled(again.splits.train, known) == [("I<unk>.", "Soy<unk>."), ("I do<unk><unk><unk>.", "¡Sí!")]
    shares = "44.44% of the train source and 16.67% of the train target"
    assert f"{shares} tokens are not in the vocabulary" in again.notices


def test_targets_of_which_nothing_is_known_are_refused(tmp_path):
    known = translations(tmp_path, {"p.tsv": TSV}).resources
    assert refusal(tmp_path, translations, {"p.tsv": "I am.\tJe suis\n"}, resources=known) == (
        "the model that is to go on knows none of the tokens of the targets; train a new one: leave --init-from out"
    )


def test_the_fingerprint_is_of_what_is_learnt_and_validated(tmp_path):
    files = {"p.tsv": TSV, "v.tsv": "I\tSoy\n", "t.tsv": "I am\tSí\n"}
    paths = {"train": "p.tsv", "validation": "v.tsv", "test": "t.tsv"}
    known = translations(tmp_path, files, **paths)
    resources = known.resources

    def fingerprint(**changed):
        return translations(tmp_path, files | changed, resources=resources, **paths).fingerprint

    assert fingerprint() == known.fingerprint
    assert fingerprint(**{"t.tsv": "x\ty\n"}) == known.fingerprint
    changes = [{"p.tsv": TSV.replace("I am", "I do")}, {"p.tsv": TSV.replace("Soy.", "Sí.")}, {"v.tsv": "I\tSoy.\n"}]
    assert len({known.fingerprint, *(fingerprint(**change) for change in changes)}) == 4


def test_sizes_and_summary(tmp_path):
    dataset = translations(tmp_path, {"p.tsv": TSV})
    assert dataset.sizes() == {
        "source_vocabulary": 8,
        "target_vocabulary": 11,
        "train_pairs": 3,
        "validation_pairs": 0,
        "test_pairs": 0,
    }
    assert dataset.summary() == "8 → 11 tokens, 3 pairs to train on"


def test_other_files_for_a_model(tmp_path):
    known = translations(tmp_path, {"p.tsv": TSV}).resources
    part, notices = others(tmp_path, {"a.en": "I am.\nI ran.\n", "a.es": "Soy.\nSoy.\n"}, known, source="q")
    assert spelled(part, known) == [("I am.", "Soy."), ("I<unk>.", "Soy.")]
    assert part.place(1) == f"{tmp_path}/a.en:2"
    assert notices == ["16.67% of the given source tokens are not in the vocabulary"]
    part, _ = others(tmp_path, {"a.jsonl": '{"source": "I", "target": "Soy"}'}, known, format="parallel", source=2)
    assert spelled(part, known) == [("I", "Soy")]
    part, _ = others(tmp_path, {"a.csv": "source,target\nI,Soy\n"}, known, format="tsv")
    assert spelled(part, known) == [("I", "Soy")]
    part, _ = others(tmp_path, {"a.txt": "Soy\tI\n"}, known, format="tsv", source=2, target=1)
    assert spelled(part, known) == [("I", "Soy")]
    part, notices = others(tmp_path, {"a.tsv": "I am\tSoy\nI\tSoy\n"}, known, max_length=1)
    assert len(part) == 1
    assert notices == [f"given pairs of more than 1 tokens (data.max_length), left out: 1, first {tmp_path}/a.tsv:1"]


def test_columns_can_be_set_for_a_training_alone(tmp_path):
    known = translations(tmp_path, {"p.tsv": TSV}).resources
    table = {"a.csv": "en,es\na,x\n"}
    message = 'a.csv:1: no column "target"; the columns are en, es'
    assert refusal(tmp_path, translations, table) == f"{message}; or set data.source and data.target"
    assert refusal(tmp_path, others, table, known) == message

    def sources(folder):
        return [*read_sources(TranslationDataSpec(), [f"{folder}/a.csv"])]

    assert refusal(tmp_path, sources) == 'a.csv:1: no column "source"; the columns are en, es'
    rows = {"x.npy": np.ones((1, 3)), "a.csv": "en,es\na,x\n"}
    seen = captions(tmp_path, {"y.npy": np.eye(3), "c.txt": "a\nb\nc\n"}).resources
    assert refusal(tmp_path, captions, rows) == f"{message}; or set data.source and data.target"
    assert refusal(tmp_path, others, rows, seen, single=True) == message


def test_files_in_another_encoding(tmp_path):
    latin = {"encoding": "latin-1"}
    files = {"p.tsv": "é\tà\n".encode("latin-1")}
    known = translations(tmp_path, files, **latin).resources
    assert spelled(others(tmp_path, files, known, **latin)[0], known) == [("é", "à")]
    (pair,) = read_sources(TranslationDataSpec(**latin), [f"{tmp_path}/p.tsv"])
    assert pair.source == "é"
    rows = {"x.npy": np.ones((1, 3)), "c.tsv": "0\tà\n".encode("latin-1")}
    seen = captions(tmp_path, rows, **latin)
    assert seen.splits.train.target_text[0] == "à"


def test_sources_without_targets(tmp_path):
    written(tmp_path, {"a.csv": "en,es\na,x\n", "b.npy": np.ones((2, 3)), "c.tsv": "a\n"})
    spec = TranslationDataSpec(source="en", target="es")
    found = [*read_sources(spec, [f"{tmp_path}/a.csv"])]
    assert [pair[:3] for pair in found] == [("a", None, f"{tmp_path}/a.csv:2")]
    found = [*read_sources(spec, [f"{tmp_path}/b.npy"])]
    assert [(pair.source.tolist(), pair.where) for pair in found] == [
        ([[1, 1, 1]], f"{tmp_path}/b.npy: row {row}") for row in range(2)
    ]


@pytest.mark.parametrize(
    ("files", "settings", "message"),
    [
        ({}, {}, "no training data; name a file: rnncli train --task translation pairs.tsv, or data.train in the spec"),
        ({"p.en": "a\nb\n", "p.es": "x\n"}, {},
         "p.en: 2 lines, but p.es has 1; give each line its own in the other file"),
        ({"p.tsv": "a\t\n"}, {}, "p.tsv:1: an empty target; write one, or leave the pair out"),
        ({"p.tsv": TSV}, {"tokenizer": TokenizerSpec("word", min_count=9)},
         f"sources: {NINE_TIMES}; set data.tokenizer.min_count=1"),
        ({"p.tsv": TSV}, {"source_tokenizer": TokenizerSpec("word", min_count=9)},
         f"sources: {NINE_TIMES}; set data.source_tokenizer.min_count=1"),
        ({"p.tsv": TSV}, {"tokenizer": TokenizerSpec("word", min_count=9), "source_tokenizer": WORDS},
         f"targets: {NINE_TIMES}; set data.tokenizer.min_count=1"),
        ({"p.tsv": TSV}, {"tokenizer": TokenizerSpec("word", min_count=9), "shared_vocabulary": True},
         f"sources and targets: {NINE_TIMES}; set data.tokenizer.min_count=1"),
        ({"p.jsonl": '{"source": [1], "target": "a"}\n{"source": "b", "target": "a"}\n'}, {},
         "p.jsonl:2: a text, where the sources before are vectors"),
        ({"p.jsonl": '{"source": "b", "target": "a"}\n{"source": [1], "target": "a"}\n'}, {},
         "p.jsonl:2: vectors, where the sources before are texts"),
        ({"p.tsv": TSV}, {"source": "en"},
         'p.tsv:1: no column "target"; the columns are I am., Soy.; or set data.source and data.target'),
        ({"p.en": "a\n", "p.es": "x\n"}, {"source": 1},
         f"{NO_COLUMNS}; leave data.source, data.target and data.columns out"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path, files, settings, message):
    assert refusal(tmp_path, translations, files, **settings) == message


def test_texts_for_a_model_of_vectors_and_vectors_for_one_of_texts(tmp_path):
    of_texts = translations(tmp_path, {"p.tsv": TSV}).resources
    rows = {"x.npy": np.eye(3), "c.txt": "a\nb\nc\n"}
    of_vectors = captions(tmp_path, rows).resources
    message = "vectors, where the model reads texts; give texts, or name a model of vectors"
    assert refusal(tmp_path, translations, rows, resources=of_texts) == f"x.npy: {message}"
    assert refusal(tmp_path, others, rows, of_texts) == f"x.npy: {message}"
    assert refusal(tmp_path, others, {"x.npy": rows["x.npy"]}, of_texts) == f"x.npy: {message}"
    lines = {"p.jsonl": '{"source": [1, 2, 3], "target": "a"}'}
    assert refusal(tmp_path, others, lines, of_texts) == f"p.jsonl:1: {message}"
    message = "a text, where the model reads vectors of 3 numbers; give vectors, or name a model of texts"
    assert refusal(tmp_path, translations, {"p.tsv": TSV}, resources=of_vectors) == f"p.tsv: {message}"
    for files in ({"p.tsv": TSV}, {"p.csv": "f1,target\n1,a\n"}, {"p.en": "a\n", "p.es": "b\n"}):
        assert refusal(tmp_path, others, files, of_vectors, single=True) == f"{next(iter(files))}: {message}"
    lines = {"p.jsonl": '{"source": "a", "target": "a"}'}
    assert refusal(tmp_path, others, lines, of_vectors, single=True) == f"p.jsonl:1: {message}"


@pytest.mark.parametrize("files", [{"p.tsv": TSV}, {"p.csv": "f1,target\n1,a\n"}, {"p.en": "a\n", "p.es": "b\n"}])
def test_texts_are_not_captioned(tmp_path, files):
    assert refusal(tmp_path, captions, files) == (
        f"{next(iter(files))}: texts, where vectors are captioned; "
        "give features.npz and captions.tsv, or name the columns of numbers in data.columns"
    )


@pytest.mark.parametrize(("key", "value"), [("shared_vocabulary", True), ("source_tokenizer", WORDS)])
def test_settings_for_texts_where_lines_have_vectors(tmp_path, key, value):
    lines = {"p.jsonl": '{"source": [1], "target": "a"}\n'}
    assert refusal(tmp_path, translations, lines, **{key: value}) == (
        f"p.jsonl:1: sources are vectors, which have no data.{key}; leave data.{key} out"
    )


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n\t\ufeff")).filter(str.strip)
LEVELS = st.sampled_from(["character", "byte", "word"])


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8), LEVELS, LEVELS, st.booleans())
@settings(deadline=None, max_examples=60)
def test_no_text_is_lost(tmp_path_factory, pairs, source, target, shared):
    kinds = {"tokenizer": TokenizerSpec(target)}
    kinds |= {"shared_vocabulary": True} if shared else {"source_tokenizer": TokenizerSpec(source)}
    files = {"p.en": "".join(f"{a}\n" for a, _ in pairs), "p.es": "".join(f"{b}\n" for _, b in pairs)}
    dataset = translations(tmp_path_factory.getbasetemp(), files, format="parallel", **kinds)
    train = dataset.splits.train
    assert [*zip(train.source_text, train.target_text, strict=True)] == pairs
    for i, texts in enumerate(pairs):
        for side, vocabulary, text in zip(
            (train.source, train.target), (dataset.source.vocabulary, dataset.target), texts, strict=True
        ):
            found = vocabulary.decode(side.of(i))
            spaced = vocabulary.spec.level == "word" and not text[0].isspace()
            assert found == f" {text}" if spaced else found == text
            assert side.of(i).tolist() == vocabulary.encode(found).tolist()


def test_progress_is_that_of_the_bytes(tmp_path):
    seen = []
    files = {"p.en": "ab\n" * 90_000, "p.es": "abc\n" * 90_000}
    translations(tmp_path, files, report=lambda *told: seen.append(told))
    assert {(activity, total) for activity, _, total in seen} == {("reading train", 630_000)}
    done = [done for _, done, _ in seen]
    assert done == sorted(done)
    assert done[-1] == 630_000


@pytest.mark.parametrize("longest", [[0, 3], [3, 10**30], [True, True], [3], None, [3.0, 3]])
def test_lengths_of_a_checkpoint_that_are_none(longest):
    with pytest.raises(DataError, match="no lengths of what it was trained on"):
        longest_of({"longest": longest})
