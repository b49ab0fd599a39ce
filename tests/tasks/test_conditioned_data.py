"""Texts with labels: files in every format → splits, ids and the values that each text is conditioned on."""

import json
from collections import Counter
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from rnncli.data import TokenizerSpec
from rnncli.data.conditioned import ConditionedSequences
from rnncli.errors import DataError, SettingError, SpecError
from rnncli.tasks.conditioned_data import read_dataset, read_other
from rnncli.tasks.conditions import Conditions
from rnncli.tasks.protocol import silent
from rnncli.tasks.text_data import read_dataset as read_text
from rnncli.tasks.text_spec import SplitSpec, TextDataSpec
from tests.tasks.conditioned_runs import CSV, TEXTS

PIRATE = 'author is "pirate", none of cook, sailor, smith'
NO_SPLIT = SplitSpec(0.0, 0.0)
SPLITS = ("train", "validation", "test")


def write(folder, name, text=CSV):
    (folder / name).write_bytes(text.encode())


def read(folder, train="quotes.csv", seed=1, vocabulary=None, conditions=None, **options):
    options = {"condition": ("author",), "split": NO_SPLIT} | options
    return read_dataset(TextDataSpec(train=train, **options), seed, folder, vocabulary, conditions=conditions)


def contents(dataset, part):
    """The texts of a part, each with its values."""
    part, found = dataset.part(part), []
    rows = [value for values in (dataset.conditions or Conditions({})).values.values() for value in values]
    for i in range(len(part)):
        text = dataset.vocabulary.decode(part.ids[part.start(i) : part.start(i + 1)])
        column = part.condition(np.array([i]))
        found.append((text, *([] if column is None else [rows[row] for row in np.flatnonzero(column[:, 0])])))
    return found


def by_folder(folder):
    for number, (text, author, _) in enumerate(TEXTS):
        (folder / "by" / author).mkdir(parents=True, exist_ok=True)
        (folder / "by" / author / f"{number:03}.txt").write_text(text + "\n")


def fasttext(texts=TEXTS):
    return "".join(f"__label__{author} {text}\n" for text, author, _ in texts)


FORMATS = {
    "quotes.csv": CSV,
    "quotes.tsv": CSV.replace(",", "\t"),
    "quotes.jsonl": "".join(json.dumps({"text": t, "author": a, "mood": m}) + "\n" for t, a, m in TEXTS),
    "quotes.txt": fasttext(),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_the_same(tmp_path, name):
    write(tmp_path, name, FORMATS[name])
    dataset = read(tmp_path, name)
    assert contents(dataset, "train") == [(text, author) for text, author, _ in TEXTS]
    assert dataset.conditions.to_plain() == {"author": ["cook", "sailor", "smith"]}
    assert dataset.notices[2:] == ()
    write(tmp_path, "quotes.csv")
    assert dataset.fingerprint == read(tmp_path).fingerprint


def test_a_folder_for_each_value(tmp_path):
    by_folder(tmp_path)
    found = contents(read(tmp_path, "by"), "train")
    assert Counter(found) == Counter((text, author) for text, author, _ in TEXTS)


def test_several_conditions(tmp_path):
    write(tmp_path, "quotes.csv")
    dataset = read(tmp_path, condition=("mood", "author"))
    assert contents(dataset, "train") == [(text, mood, author) for text, author, mood in TEXTS]
    assert dataset.part("train").condition(np.arange(4)).shape == (5, 4)
    assert dataset.sizes()["conditions"] == 5
    assert dataset.resources["conditions"] == {"mood": ["calm", "glad"], "author": ["cook", "sailor", "smith"]}


def test_ids_are_those_of_lines(tmp_path):
    write(tmp_path, "quotes.csv")
    write(tmp_path, "lines.txt", "".join(f"{text}\n" for text, *_ in TEXTS))
    for tokenizer in (TokenizerSpec(), TokenizerSpec("word", min_count=40), TokenizerSpec("byte")):
        ours = read(tmp_path, tokenizer=tokenizer)
        lines = read_text(
            TextDataSpec(train="lines.txt", format="lines", tokenizer=tokenizer, split=NO_SPLIT), 1, tmp_path
        )
        assert ours.vocabulary == lines.vocabulary
        np.testing.assert_array_equal(ours.part("train").ids[:], lines.part("train").ids[:])
        np.testing.assert_array_equal(ours.part("train").starts[:], lines.part("train").starts[:])
        assert ours.tokens("train") == lines.tokens("train")


def test_texts_of_a_table_without_conditions(tmp_path):
    write(tmp_path, "quotes.csv", CSV + '"  ",cook,calm\n"two\nlines",cook,calm\n')
    dataset = read(tmp_path, condition=(), format="csv")
    assert contents(dataset, "train") == [*((text,) for text, *_ in TEXTS), ("two\nlines",)]
    assert dataset.conditions is None
    assert set(dataset.resources) == {"vocabulary"}
    assert type(dataset.part("train")) is not ConditionedSequences


def test_texts_that_are_all_blank(tmp_path):
    write(tmp_path, "blank.csv", 'text,author\n" ",cook\n')
    with pytest.raises(DataError, match=r"blank\.csv: all texts are blank; name the column of the text in data\.text"):
        read(tmp_path, "blank.csv", condition=(), format="csv")


def test_a_column_of_another_name_holds_the_text(tmp_path):
    write(tmp_path, "quotes.csv", CSV.replace("text,author,mood", "quote,who,how", 1))
    assert contents(read(tmp_path, text="quote", condition="who"), "train") == [(text, who) for text, who, _ in TEXTS]


def test_the_vocabulary_and_the_values_are_of_the_training_part_alone(tmp_path):
    write(tmp_path, "quotes.csv")
    write(tmp_path, "other.csv", "text,author\nZebra,sailor\n")
    dataset = read(tmp_path, validation="other.csv")
    assert "Z" not in dataset.vocabulary.tokens
    assert contents(dataset, "validation") == [("<unk>e<unk>ra", "sailor")]
    assert any("of the validation tokens are not in the vocabulary" in notice for notice in dataset.notices)


class TestSplits:
    def test_every_text_once_and_of_each_value_the_same_share(self, tmp_path):
        write(tmp_path, "quotes.csv")
        dataset = read(tmp_path, split=SplitSpec(0.2, 0.2))
        parts = {name: contents(dataset, name) for name in SPLITS}
        assert Counter(chain(*parts.values())) == Counter((text, author) for text, author, _ in TEXTS)
        whole = Counter(author for _, author, _ in TEXTS)
        for name, share in zip(SPLITS, (0.6, 0.2, 0.2), strict=True):
            counts = Counter(author for _, author in parts[name])
            assert all(abs(counts[author] - share * count) <= 1.01 for author, count in whole.items()), name

    def test_a_value_that_comes_once_is_learned(self, tmp_path):
        write(tmp_path, "quotes.csv", CSV + "words,nobody,calm\n")
        for seed in range(5):
            dataset = read(tmp_path, seed=seed, split=SplitSpec(0.3, 0.3))
            assert ("words", "nobody") in contents(dataset, "train")
            assert not [notice for notice in dataset.notices if "left out" in notice]

    def test_the_seed_deals(self, tmp_path):
        write(tmp_path, "quotes.csv")
        one, same, other = (read(tmp_path, seed=seed, split=SplitSpec(0.2, 0.2)) for seed in (1, 1, 2))
        assert contents(one, "test") == contents(same, "test") != contents(other, "test")
        assert one.fingerprint == same.fingerprint != other.fingerprint

    def test_files_of_their_own(self, tmp_path):
        write(tmp_path, "quotes.csv")
        write(tmp_path, "some.csv", "text,author\npot,cook\n")
        dataset = read(tmp_path, validation="some.csv", split=SplitSpec(0.3, 0.1))
        assert contents(dataset, "validation") == [("pot", "cook")]
        assert (len(dataset.part("train")), len(dataset.part("test"))) == (81, 9)


class TestUnknownValues:
    def test_in_texts_to_validate_and_to_test_on_they_are_left_out_with_a_notice(self, tmp_path):
        write(tmp_path, "quotes.csv")
        write(tmp_path, "some.csv", "text,author\npot,cook\nsea,pirate\nrope,smith\noar,pirate\n")
        dataset = read(tmp_path, validation="some.csv", test="some.csv")
        for name in ("validation", "test"):
            assert contents(dataset, name) == [("pot", "cook"), ("rope", "smith")]
            where = f"{tmp_path / 'some.csv'}:3"
            what = "texts whose author is not known from training, left out: 2, first"
            assert f"{name} {what} {where}" in dataset.notices

    def test_where_nothing_is_left_to_validate_on(self, tmp_path):
        write(tmp_path, "quotes.csv")
        write(tmp_path, "some.csv", "text,author\nsea,pirate\n")
        with pytest.raises(
            DataError,
            match=rf"some\.csv:2: no validation text whose author is known from training: {PIRATE}; give texts of the",
        ):
            read(tmp_path, validation="some.csv")
        assert contents(read(tmp_path, test="some.csv"), "test") == []

    def test_a_given_model_cannot_learn_them(self, tmp_path):
        write(tmp_path, "quotes.csv")
        known = read(tmp_path)
        write(tmp_path, "quotes.csv", CSV + "sea,pirate,calm\n")
        with pytest.raises(
            DataError, match=rf"quotes\.csv:92: a text whose author the model does not know: {PIRATE}; "
        ):
            read(tmp_path, vocabulary=known.vocabulary, conditions=known.conditions)

    def test_given_conditions_stay_as_they_are(self, tmp_path):
        write(tmp_path, "quotes.csv")
        known = read(tmp_path)
        write(tmp_path, "quotes.csv", "text,author\nsea,smith\n")
        dataset = read(tmp_path, vocabulary=known.vocabulary, conditions=known.conditions)
        assert dataset.conditions == known.conditions
        assert contents(dataset, "train") == [("sea", "smith")]


class TestOtherFiles:
    def read(self, folder, *files, **options):
        known = read(folder)
        spec = TextDataSpec(**{"train": "quotes.csv", "condition": "author"} | options)
        paths = tuple(str(folder / file) for file in files)
        part, notices = read_other(spec, paths, known.vocabulary, known.conditions, silent)
        texts = [known.vocabulary.decode(part.ids[part.start(i) : part.start(i + 1)]) for i in range(len(part))]
        values = part.condition(np.arange(len(part))).argmax(axis=0).tolist()
        return list(zip(texts, values, strict=True)), notices

    @pytest.mark.parametrize("told", ["auto", "csv"])
    def test_in_any_format_whose_name_tells(self, tmp_path, told):
        write(tmp_path, "quotes.csv")
        write(tmp_path, "more.jsonl", '{"author": "smith", "text": "sea"}\n')
        assert self.read(tmp_path, "more.jsonl", format=told) == ([("sea", 2)], [])

    def test_unknown_values_are_left_out(self, tmp_path):
        write(tmp_path, "quotes.csv")
        write(tmp_path, "more.csv", "text,author\nsea,pirate\nsea,smith\nQ,cook\n")
        found, notices = self.read(tmp_path, "more.csv")
        assert found == [("sea", 2), ("<unk>", 0)]
        assert notices[0].startswith("given texts whose author is not known from training, left out: 1, first ")
        assert notices[0].endswith("more.csv:2")
        assert notices[1:] == ["25.00% of the given tokens are not in the vocabulary"]

    def test_where_nothing_is_left(self, tmp_path):
        write(tmp_path, "quotes.csv")
        write(tmp_path, "more.csv", "text,author\nsea,pirate\n")
        with pytest.raises(DataError, match=rf"more\.csv:2: no given text whose author is known from .*: {PIRATE}$"):
            self.read(tmp_path, "more.csv")
        write(tmp_path, "more.csv", "text,author,mood\nsea,cook,glad\npot,smith,calm\n")
        known = read(tmp_path, condition=("author", "mood"))
        write(tmp_path, "more.csv", "text,author,mood\nsea,cook,cross\nsea,pirate,calm\n")
        spec = TextDataSpec(condition=("author", "mood"))
        with pytest.raises(
            DataError, match=r'more\.csv:2: no .* author or mood is known .*: mood is "cross", none of calm, glad$'
        ):
            read_other(spec, str(tmp_path / "more.csv"), known.vocabulary, known.conditions, silent)


class TestFingerprint:
    def test_it_depends_on_texts_and_on_values(self, tmp_path):
        write(tmp_path, "quotes.csv")
        before = read(tmp_path).fingerprint
        first, author, mood = TEXTS[0]
        row = f"{first},{author},{mood}\n"
        for changed in (
            CSV.replace(row, f"{first}x,{author},{mood}\n", 1),
            CSV.replace(row, f"{first},pirate,{mood}\n", 1),
        ):
            write(tmp_path, "quotes.csv", changed)
            assert read(tmp_path).fingerprint != before
        other = next(a for a in ("cook", "sailor") if a != author)
        write(tmp_path, "quotes.csv", CSV.replace(row, f"{first},{other},{mood}\n", 1))
        assert read(tmp_path).fingerprint != before

    def test_not_on_what_is_tested_on(self, tmp_path):
        write(tmp_path, "quotes.csv")
        found = []
        for author in ("cook", "sailor"):
            write(tmp_path, "test.csv", f"text,author\nsea,{author}\n")
            found.append(read(tmp_path, test="test.csv").fingerprint)
        assert found[0] == found[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("text,author\npot,\n", r"q\.csv:2: the label is empty; write one, or leave the example out"),
        ("text,author\n,cook\n", r"q\.csv:2: the text is empty; write one, or leave the example out"),
        ("text,mood\npot,calm\n", r'q\.csv:1: no column "author"; the columns are text, mood'),
        ("quote,author\npot,cook\n", r'q\.csv:1: no column "text"; '),
        ("text,author\n", r"q\.csv: it holds no examples"),
        ("text,author\npot\n", r"q\.csv:2: 1 cells where the header has 2"),
        ("text,author\npot,a\x01b\n", r'q\.csv:2: the label "a\\x01b" holds a character that cannot be printed'),
    ],
)
def test_rows_that_cannot_be_used(tmp_path, text, message):
    write(tmp_path, "q.csv", text)
    with pytest.raises(DataError, match=message):
        read(tmp_path, "q.csv")


def test_a_text_of_two_labels(tmp_path):
    write(tmp_path, "q.jsonl", '{"text": "pot", "author": ["cook", "smith"]}\n')
    with pytest.raises(
        DataError, match=r"q\.jsonl:1: 2 labels where one is expected: cook, smith; give each text one$"
    ):
        read(tmp_path, "q.jsonl")
    write(tmp_path, "q.txt", "__label__a __label__b pot\n")
    with pytest.raises(DataError, match=r"give each text one$"):
        read(tmp_path, "q.txt")


def test_what_holds_no_texts_with_labels(tmp_path):
    np.savez(tmp_path / "q.npz", x=np.zeros((3, 2)))
    with pytest.raises(DataError, match=r"q\.npz: vectors, where texts are read; give csv, tsv or jsonl$"):
        read(tmp_path, "q.npz")
    write(tmp_path, "c.tsv", "0\ta\n")
    for others in (("q.npz", "c.tsv"), ("c.tsv", "q.npz")):
        with pytest.raises(DataError, match=r"q\.npz: vectors, where texts are read"):
            read(tmp_path, others)
    write(tmp_path, "q.txt", "plain text\n")
    with pytest.raises(DataError, match=r"q\.txt: it is in no format of labelled examples"):
        read(tmp_path, "q.txt")
    write(tmp_path, "q.txt", fasttext())
    with pytest.raises(SpecError, match="fasttext has one label for each text; 2 conditions need a csv, tsv or jsonl"):
        read(tmp_path, "q.txt", condition=("author", "mood"))
    with pytest.raises(DataError, match=r"no training text; name a file: rnncli train quotes\.csv"):
        read(tmp_path, ())


def test_a_column_of_texts_is_not_for_formats_without_columns(tmp_path):
    by_folder(tmp_path)
    write(tmp_path, "q.txt", fasttext())
    for name, in_format in (("q.txt", "fasttext"), ("by", "folder")):
        with pytest.raises(SpecError, match=f"^{in_format} has no columns, and so none for data.text; leave data.text"):
            read(tmp_path, name, text="quote")
    write(tmp_path, "quotes.csv", CSV.replace("text", "quote", 1))
    dataset = read(tmp_path, validation="q.txt", text="quote")
    assert contents(dataset, "validation") == [(text, author) for text, author, _ in TEXTS]
    part, _ = read_other(
        TextDataSpec(text="quote", condition="author"),
        str(tmp_path / "q.txt"),
        dataset.vocabulary,
        dataset.conditions,
        silent,
    )
    assert len(part) == len(TEXTS)


def test_progress_is_reported(tmp_path):
    write(tmp_path, "quotes.csv")
    heard = []
    spec = TextDataSpec(train="quotes.csv", condition=("author", "mood"))
    read_dataset(spec, 1, tmp_path, report=lambda *report: heard.append(report))
    assert list(dict.fromkeys(name for name, *_ in heard)) == ["reading train", "writing ids"]
    assert heard[-1][1] == heard[-1][2] > 0
    assert max(done for name, done, _ in heard if name == "reading train") == len(CSV.encode())


class TestSpec:
    @pytest.mark.parametrize("given", ["author", ("author",)])
    def test_one_condition_or_several(self, given):
        spec = TextDataSpec(condition=given)
        assert spec == TextDataSpec(condition=("author",))
        assert (spec.conditions, spec.is_items, spec.of_examples) == (("author",), True, True)

    @pytest.mark.parametrize(
        ("options", "items", "examples"),
        [
            ({}, False, False),
            ({"format": "stream"}, False, False),
            ({"format": "lines"}, True, False),
            ({"format": "csv"}, True, True),
            ({"format": "folder"}, True, True),
        ],
    )
    def test_what_is_an_item(self, options, items, examples):
        spec = TextDataSpec(**options)
        assert (spec.is_items, spec.of_examples) == (items, examples)

    @pytest.mark.parametrize(
        ("options", "key", "message"),
        [
            ({"format": "stream"}, "condition", "needs texts with labels: format csv, tsv, jsonl, …, not stream"),
            ({"format": "lines"}, "condition", "not lines"),
            ({"format": "fasttext", "condition": ("a", "b")}, "condition", "fasttext has one label for each text"),
            ({"format": "fasttext", "condition": ("a", "b"), "text": "body"}, "condition", "fasttext has one label"),
            ({"format": "folder", "condition": ("a", "b")}, "condition", "folder has one label for each text"),
            ({"condition": ("a", "a")}, "condition", "condition names different columns"),
            ({"condition": ("a", "text")}, "condition", "different columns, none of them that of the text"),
            ({"condition": ("",)}, "condition", "condition names different columns"),
            ({"condition": (), "text": "quote"}, "text", "text names a column, for format: csv, tsv or jsonl"),
            ({"format": "fasttext", "text": "quote"}, "text", "text names a column, for format: csv, tsv or jsonl"),
            ({"format": "folder", "text": "quote"}, "text", "text names a column, for format: csv, tsv or jsonl"),
        ],
    )
    def test_what_does_not_fit(self, options, key, message):
        with pytest.raises(SettingError, match=message) as caught:
            TextDataSpec(**{"condition": ("author",)} | options)
        assert caught.value.key == key


def test_paths_are_relative_to_the_base(tmp_path, monkeypatch):
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep", "quotes.csv")
    monkeypatch.chdir(tmp_path)
    assert len(read(Path("deep")).part("train")) == len(TEXTS)
