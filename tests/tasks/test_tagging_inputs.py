"""What a trained tagger reads: lines, tokens, characters, vectors; files by their names."""

from dataclasses import replace

import numpy as np
import pytest

from rnncli import experiments
from rnncli.data import TokenizerSpec
from rnncli.errors import DataError
from rnncli.models.character_encoder import CharacterEncoderSpec
from rnncli.tasks import tagging_model
from tests.tasks.tagged_runs import OF_FRAMES, tagged_task, trained

LETTERS = CharacterEncoderSpec(embedding_size=4, hidden_size=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two runs, to be read only."""
    folder = tmp_path_factory.mktemp("runs")
    trained(tagged_task(steps=2), folder, "words")
    trained(tagged_task({"train": "several.csv", "multi_label": True, **OF_FRAMES}, steps=2), folder, "several")
    return folder


@pytest.fixture
def words(folder):
    return experiments.load(folder / "words").tagger


@pytest.fixture
def frames(folder):
    return experiments.load(folder / "several").tagger


def with_data(reader, **changes):
    """The same model, as if its training data had been others."""
    return replace(reader, task=replace(reader.task, data=replace(reader.task.data, **changes)))


class TestReading:
    def test_of_texts(self, words):
        assert words.read_line("  Ann\tsaw:  the Dog. ", "") == ("Ann", "saw", ":", "the", "Dog", ".")
        assert words.read_line(" \t ", "") == ()

    def test_of_tokens_only_a_space_ends_one(self, words):
        reader = replace(words, tokenized=True)
        assert reader.read_line(" Ann's  10\u00a0000\u2003x\ty .", "") == ("Ann's", "10\u00a0000\u2003x\ty", ".")
        assert reader.read_line("   ", "") == ()

    def test_of_characters_every_one_is_a_step(self, tmp_path):
        text = '{"tokens": "Ab c", "labels": ["x", "y", "x", "y"]}\n' * 3
        task = tagged_task({"train": "a.jsonl", "tokenizer": TokenizerSpec("character", lowercase=True)}, steps=1)
        reader = experiments.load(trained(task, tmp_path, **{"a.jsonl": text})[0].folder).tagger
        assert reader.read_line(" Ab\u00a0z", "") == (" ", "A", "b", "\u00a0", "z")
        assert [len(each.labels) for each in reader.tag([reader.read_line("cAb", "")])] == [3]

    def test_letters_keep_their_case_where_words_are_read_in_lower_case(self, tmp_path):
        data = {"tokenizer": TokenizerSpec("word", lowercase=True)}
        run, _ = trained(tagged_task(data, {"characters": LETTERS}, steps=2), tmp_path)
        reader = experiments.load(run.folder).tagger
        assert reader.read_line("Ann SAW", "") == ("Ann", "SAW")
        plain, others = (reader.tag([(word,)], sure=True)[0].probabilities for word in ("ann", "Ann"))
        assert plain != others
        assert reader.inputs.ids(["Ann", "SAW"]).tolist() == reader.inputs.ids(["ann", "saw"]).tolist()

    def test_of_vectors(self, frames):
        assert frames.read_line("1.5,2", "").tolist() == [[1.5, 2]]
        assert frames.read_line("[[1.5, 2], [3, 4]]", "").tolist() == [[1.5, 2], [3, 4]]
        for line, message in {
            "": "not a vector of finite numbers",
            "a text": "not a vector of finite numbers",
            "1": "vectors of 1 numbers, where the model reads vectors of 2",
            "3.3e38,1": "is too far from a mean of",
        }.items():
            with pytest.raises(DataError, match=message) as caught:
                frames.read_line(line, "stdin:3")
            assert caught.value.where == "stdin:3"

    @pytest.mark.parametrize("tokenized", [False, True])
    def test_of_sequences_that_are_too_long(self, words, frames, monkeypatch, tokenized):
        monkeypatch.setattr(tagging_model, "LONGEST", 5)
        reader = replace(words, tokenized=tokenized)
        assert len(reader.read_line("a " * 5, "")) == 5
        with pytest.raises(DataError, match="where: a sequence of 6 steps, where at most 5 are answered; cut it"):
            reader.read_line("a " * 6, "where")
        with pytest.raises(DataError, match="a sequence of 6 steps"):
            frames.read_line(str([[1, 2]] * 6), "where")

    def test_what_is_of_the_other_kind(self, words, frames):
        assert words.checked(("a",), "") == ("a",)
        with pytest.raises(DataError, match="here: vectors, where the model reads texts"):
            words.checked(np.ones((1, 2), np.float32), "here")
        with pytest.raises(DataError, match="here: a text, where the model reads vectors of 2 numbers"):
            frames.checked(("a",), "here")

    @pytest.mark.parametrize(
        ("format", "train", "path", "name"),
        [
            ("auto", "a.conll", "b.bio", "conll"),
            ("auto", "a.conll", "b.CONLLU", "conllu"),
            ("auto", "a.csv", "b.tsv", "tsv"),
            ("auto", "a.csv", "b.ndjson", "jsonl"),
            ("auto", "a.csv", "b.npz", "npz"),
            ("auto", "a.txt", "b.txt", "text"),
            ("auto", "a.conll", "-", "text"),
            ("auto", "a.conll", None, "text"),
            ("conll", "a.tsv", "b.tsv", "conll"),
            ("conll", "a.tsv", "b.TSV", "conll"),
            ("conll", "a.tsv", "b.csv", "csv"),
            ("conll", "a.tsv", "b.txt", "text"),
            ("conllu", ("x.ud", "a.txt"), "b.txt", "conllu"),
            ("conll", "a", "b", "text"),
        ],
    )
    def test_files_are_read_as_their_names_say_or_like_the_training_data(self, words, format, train, path, name):  # noqa: A002
        assert with_data(words, format=format, train=train).file_format(path) == name
