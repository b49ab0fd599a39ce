"""Translating with a model that is known in advance: texts, attention, unknown words, limits, samples, order."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from rnncli.decoding import Sampling
from rnncli.errors import DataError
from rnncli.tasks import pair_decoding
from rnncli.tasks.pair_decoding import Decoding
from rnncli.tasks.pair_model import LONGEST
from tests.tasks.echo import DATA, LIKELY, SURE, captioning, echoing

WORDS = {"the": "le", "dog": "chien", "sees": "voit", "Bo": "Bo", "?": "?"}
GREEDY = Decoding()
DRAWN = Decoding(sampling=Sampling())
TEXTS = [" ".join(("the", "dog", "sees", "Bo", "?")[: 1 + i * 7 % 5] * (1 + i % 4)) for i in range(150)]


def nats(logit, size):
    """The log-probability of a token with this logit, among so many."""
    return logit - math.log(math.exp(SURE) + math.exp(LIKELY) + size - 2)


def translated(reader, texts, decoding=GREEDY, **options):
    return reader.translate([reader.read_line(text, "") for text in texts], decoding, **options)


def texts_of(found):
    return [[answer.text for answer in each] for each in found]


class TestAnswers:
    def test_text_tokens_and_scores(self):
        reader = echoing(WORDS)
        ((found,),) = translated(reader, ["the dog sees ?"])
        assert (found.text, found.tokens, found.ended) == ("le chien voit ?", ["le", "chien", "voit", "?"], True)
        each = nats(SURE, len(reader.vocabulary))
        assert found.log_probabilities == pytest.approx([each] * 5)
        assert found.score == pytest.approx(5 * each / (10 / 6))
        assert found.attention is None
        ((found,),) = translated(reader, ["dog"], Decoding(length_penalty=0))
        assert found.score == pytest.approx(2 * each)

    def test_what_is_looked_at(self):
        reader = echoing(WORDS)
        (found,), (other,) = translated(reader, ["the dog", "the dog sees Bo"], attention=True)
        np.testing.assert_array_equal(found.attention, [[1, 0], [0, 1], [0, 1]])
        np.testing.assert_array_equal(other.attention, np.vstack([np.eye(4), np.eye(4)[3:]]))
        ((cut,),) = translated(reader, ["the dog sees"], Decoding(max_length=2), attention=True)
        assert (cut.text, cut.ended, len(cut.log_probabilities)) == ("le chien", False, 2)
        np.testing.assert_array_equal(cut.attention, np.eye(2, 3))
        assert cut.score == pytest.approx(sum(cut.log_probabilities) / (7 / 6))

    def test_several_best_first(self):
        reader = echoing(WORDS)
        (found,) = translated(reader, ["the dog"], Decoding(beam_size=4, n_best=3), attention=True)
        scores = [answer.score for answer in found]
        assert scores == sorted(scores, reverse=True)
        assert found[0].text == "le chien"
        assert len({answer.text for answer in found}) == 3
        assert all(answer.attention.shape == (len(answer.log_probabilities), 2) for answer in found)

    @pytest.mark.parametrize(
        ("levels", "text", "expected", "tokens"),
        [
            (("character", "character"), "ab b", "xy?y", ["x", "y", "?", "y"]),
            (("character", "word"), "ab b", "x y ? y", ["x", "y", "?", "y"]),
            (("word", "character"), "a b b", "xyy", ["x", "y", "y"]),
        ],
    )
    def test_levels(self, levels, text, expected, tokens):
        reader = echoing({"a": "x", "b": "y", " ": "?"}, levels=levels)
        ((found,),) = translated(reader, [text])
        assert (found.text, found.tokens) == (expected, tokens)

    def test_a_model_that_never_ends_is_cut(self):
        reader = echoing(WORDS, endless=True, longest=(3, 7))
        for text, length in (
            ("the", 24),
            ("the dog Bo", 24),
            ("the dog Bo dog Bo the dog Bo", 26),
            ("Bo" + " Bo" * 19, 50),
        ):
            ((found,),) = translated(reader, [text])
            assert (len(found.tokens), len(found.log_probabilities), found.ended) == (length, length, False)
        found = translated(reader, ["the", "the dog Bo dog Bo the dog Bo"])
        assert [len(answer.tokens) for (answer,) in found] == [24, 26]
        found = translated(reader, ["the", "the dog Bo dog"], Decoding(max_length=3, beam_size=2))
        assert texts_of(found) == [["le le le"], ["le chien Bo"]]

    def test_numbers_that_are_not_finite_cost_no_other_source_its_answer(self):
        reader = echoing(WORDS, nan=["Bo"])
        texts = ["the dog", "the Bo", "dog", "Bo", "sees the dog"]
        for decoding in (GREEDY, Decoding(beam_size=3), Decoding(sampling=Sampling(greedy=True))):
            found = translated(reader, texts, decoding, attention=True)
            assert texts_of(found) == [["le chien"], [], ["chien"], [], ["voit le chien"]]


class TestUnknownWords:
    @pytest.mark.parametrize("attention", ["general", "none"])
    def test_never_come_up(self, attention):
        reader = echoing(WORDS, attention=attention)
        for decoding in (GREEDY, Decoding(beam_size=4, n_best=4), replace(DRAWN, n_best=20)):
            (found,) = translated(reader, ["the cat sees Sue"], decoding)
            assert {token for answer in found for token in answer.tokens} <= {*WORDS.values()}

    def test_are_copied_as_they_stand(self):
        reader, decoding = echoing(WORDS, lowercase=True), Decoding(replace_unknown=True)
        (found,), (other,) = translated(reader, ["The dog sees SUE ?", "the dog"], decoding)
        assert (found.text, found.tokens[3]) == ("le chien voit SUE ?", "SUE")
        assert (other.text, other.attention, found.attention) == ("le chien", None, None)
        assert [batch.inputs.shape[1] for batch in reader.model.looked] == [1]  # only where there is one
        ((found,),) = translated(reader, ["İZ sees"], decoding)  # whose lower case has one character more
        assert found.text == "İZ voit"
        reader = echoing({"a": "x"}, levels=("character", "character"), lowercase=True)
        assert texts_of(translated(reader, ["AİE"], decoding)) == [["xi̇e"]]  # one more
        assert texts_of(translated(reader, ["AIE"], decoding)) == [["xIE"]]

    def test_that_begin_a_text_stand_behind_a_mark_or_are_many(self):
        reader, decoding = echoing(WORDS | {"¿": "¿"}), Decoding(replace_unknown=True)
        found = translated(reader, ["Sue sees", "the (Sue)", "x y z"], decoding)
        assert texts_of(found) == [["Sue voit"], ["le (Sue)"], ["x y z"]]

    @pytest.mark.parametrize(
        ("levels", "text", "expected"),
        [
            (("character", "character"), "a€b", "x€y"),
            (("character", "word"), "a€b", "x € y"),
            (("word", "character"), "a € b", "x€y"),
        ],
    )
    def test_between_levels(self, levels, text, expected):
        reader = echoing({"a": "x", "b": "y"}, levels=levels)
        assert texts_of(translated(reader, [text], Decoding(replace_unknown=True))) == [[expected]]

    def test_are_counted(self):
        reader = echoing(WORDS)
        assert [reader.unknown(reader.read_line(text, "")) for text in ("the dog", "a dog a")] == [0, 2]

    def test_need_attention_to_be_replaced(self):
        reader = echoing(WORDS, attention="none")
        assert not reader.has_attention
        for decoding, attention in ((Decoding(replace_unknown=True), False), (GREEDY, True)):
            with pytest.raises(ValueError, match="no attention"):
                translated(reader, ["the"], decoding, attention=attention)
        assert texts_of(translated(reader, ["the"])) == [["le"]]


class TestBatches:
    @pytest.mark.parametrize("decoding", [GREEDY, Decoding(beam_size=3, n_best=2), replace(DRAWN, n_best=2)])
    def test_answers_stand_in_order_and_do_not_depend_on_the_others(self, decoding):
        reader = echoing(WORDS)
        found = translated(reader, TEXTS, decoding, attention=True)
        assert max(batch.inputs.shape[1] for batch in reader.model.begun) == 64
        for number, (text, answers) in enumerate(zip(TEXTS, found, strict=True)):
            (alone,) = translated(reader, [text], decoding, attention=True, first=number)
            assert len(alone) == len(answers) == decoding.n_best
            for one, other in zip(alone, answers, strict=True):
                assert (one.text, one.ended) == (other.text, other.ended)
                assert one.log_probabilities == pytest.approx(other.log_probabilities, abs=1e-12)
                np.testing.assert_array_equal(one.attention, other.attention)

    def test_are_of_similar_length_and_bounded(self, monkeypatch):
        monkeypatch.setattr(pair_decoding, "STEPS", 40)
        reader = echoing(WORDS)
        translated(reader, TEXTS, Decoding(beam_size=2), attention=True)
        shapes = [batch.source.shape for batch in reader.model.begun]
        assert sum(B for _, B in shapes) == len(TEXTS)
        assert all(S * B <= 20 for S, B in shapes)
        assert [S for S, _ in shapes] == sorted((S for S, _ in shapes), reverse=True)
        monkeypatch.setattr(pair_decoding, "LOGITS", 3 * 2 * len(reader.vocabulary))
        reader.model.begun.clear()
        translated(reader, ["the"] * 10, Decoding(beam_size=2))
        assert [batch.source.shape[1] for batch in reader.model.begun] == [3, 3, 3, 1]

    def test_of_nothing(self):
        assert translated(echoing(WORDS), []) == []


class TestSamples:
    def test_follow_the_distribution_of_the_model(self):
        reader = echoing(WORDS)
        (found,) = translated(reader, ["the"], replace(DRAWN, n_best=3000, max_length=1))
        counts = {word: sum(answer.tokens == [word] for answer in found) / 3000 for word in ("le", "chien", "voit")}
        size = len(reader.vocabulary)
        expected = [math.exp(logit) for logit in (SURE, LIKELY, 0)]
        total = sum(expected) + size - 3 - 2  # of those that may come up
        for share, weight in zip(counts.values(), expected, strict=True):
            assert share == pytest.approx(weight / total, abs=0.03)
        drawn = next(answer for answer in found if answer.tokens == ["chien"])
        assert drawn.log_probabilities == pytest.approx([nats(LIKELY, size)])
        assert drawn.score == pytest.approx(nats(LIKELY, size))

    def test_depend_on_the_seed_and_the_number_alone(self):
        reader = echoing(WORDS)

        def drawn(texts, seed=1, first=0):
            return texts_of(translated(reader, texts, replace(DRAWN, random_seed=seed, n_best=2), first=first))

        many = drawn(["the dog sees Bo"] * 6)
        assert len({text for pair in many for text in pair}) > 4
        assert drawn(["the dog sees Bo"] * 6) == many
        assert drawn(["the dog sees Bo"] * 2, first=3) == many[3:5]
        assert drawn(["the dog sees Bo ? the dog", "the dog sees Bo"])[1] == many[1]
        assert drawn(["the dog sees Bo"] * 6, seed=2) != many

    def test_are_shaped(self):
        reader = echoing(WORDS)
        for sampling in (Sampling(0.0), Sampling(top_k=1), Sampling(top_p=0.1), Sampling(greedy=True)):
            found = translated(reader, ["the dog", "sees"], Decoding(sampling=sampling, n_best=2))
            assert texts_of(found) == [["le chien"] * 2, ["voit"] * 2]

    def test_end_or_are_cut_each_where_it_must(self):
        reader = echoing(WORDS, endless=True, longest=(1, 1))
        found = translated(reader, ["the", "the dog sees Bo"], Decoding(sampling=Sampling(greedy=True)))
        assert [(len(answer.tokens), answer.ended) for (answer,) in found] == [(12, False), (18, False)]
        assert [answer.score for (answer,) in found] == pytest.approx(
            [sum(answer.log_probabilities) / ((5 + n) / 6) for n, (answer,) in zip((12, 18), found, strict=True)]
        )


class TestReading:
    def test_texts(self):
        reader = echoing(WORDS)
        source = reader.read_line("the dog, Bo?", "x")
        assert source.text == "the dog, Bo?"
        assert reader.source_tokens(source) == ["the", "dog", ",", "Bo", "?"]
        known = [reader.source_vocabulary.ids.get(token, 0) for token in (" the", " dog", ",", " Bo", "?")]
        assert source.values.tolist() == known
        assert reader.longest == (3, 4)
        characters = echoing({"a": "x", " ": "y"}, levels=("character", "word"))
        assert characters.source_tokens(characters.read_line("a b", "")) == ["a", " ", "b"]

    def test_white_space_around_a_text_counts_where_it_is_known(self):
        known = echoing({"a": "x", " ": "y"}, levels=("character", "character"))
        assert texts_of(translated(known, [" a", "a  ", "\ta"])) == [["yx"], ["xyy"], ["x"]]
        words = echoing(WORDS)
        assert texts_of(translated(words, [" the", "the dog  ", "\t Bo"])) == [["le"], ["le chien"], ["Bo"]]

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("", "an empty source"),
            (" \t", "an empty source"),
            ("the" + " the" * LONGEST, f"a source of {LONGEST + 1:,} steps, where at most {LONGEST:,} are answered"),
        ],
    )
    def test_what_is_no_source(self, line, message):
        with pytest.raises(DataError) as caught:
            echoing(WORDS).read_line(line, "a.txt:3")
        assert (caught.value.message, caught.value.where) == (message, "a.txt:3")
        with pytest.raises(DataError, match="vectors, where the model reads texts"):
            echoing(WORDS).read(np.zeros((2, 2)), "x")

    def test_vectors(self):
        reader = captioning(["red", "blue", "green"], mean=[1.0, 0.0, -1.0], deviation=[1.0, 0.5, 2.0])
        source = reader.read_line("2,0.25,1", "")
        np.testing.assert_array_equal(source.values, [1, 0.5, 1])
        assert (reader.source_tokens(source), reader.unknown(source), source.text) == (["1"], 0, "")
        found = reader.translate([source, reader.read_line("[0, 1, 0]", "")], GREEDY)
        assert texts_of(found) == [["red"], ["blue"]]
        (batch,) = reader.model.begun
        np.testing.assert_array_equal(batch.condition, [[1, -1], [0.5, 2], [1, 0.5]])

    def test_a_caption_that_never_ends_is_cut(self):
        reader = captioning([*"abcdefgh"], mean=[0.0] * 8, deviation=[1.0] * 8, longest=4, endless=True)
        ((found,),) = reader.translate([reader.read(np.eye(8, dtype=np.float32)[:1], "")], GREEDY)
        assert (len(found.tokens), found.ended) == (18, False)

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("1,2", "vectors of 2 numbers, where the model reads vectors of 3"),
            ("[[1, 2, 3], [1, 2, 3]]", "a sequence of 2 vectors, where the model reads one"),
            ("a,b,c", "not a vector of finite numbers"),
            ("1,2,nan", "not a vector of finite numbers"),
            ("[[1], [2, 3]]", "not a vector of finite numbers"),
        ],
    )
    def test_what_is_no_vector(self, line, message):
        with pytest.raises(DataError) as caught:
            captioning(["a", "b", "c"], mean=[0.0] * 3, deviation=[1.0] * 3).read_line(line, "x:1")
        assert "[[" not in caught.value.hint
        assert (caught.value.message, caught.value.where) == (message, "x:1")

    def test_a_text_where_vectors_are_read(self):
        with pytest.raises(DataError, match="a text, where the model reads vectors of 2 numbers"):
            captioning(["a", "b"], mean=[0.0] * 2, deviation=[1.0] * 2).read("x", "")

    def test_what_is_of_the_kind_that_is_read(self):
        vectors = [np.zeros(shape, np.float32) for shape in ((1, 3), (2, 3), (1, 2))]
        describer = captioning(["a", "b", "c"], mean=[0.0] * 3, deviation=[1.0] * 3)
        assert [describer.fits(given) for given in ("the", "", *vectors)] == [False, False, True, False, False]
        for given in ("the", *vectors[1:]):
            with pytest.raises(DataError, match="where the model reads"):
                describer.read(given, "")
        assert [echoing(WORDS).fits(given) for given in ("the", "", *vectors)] == [True, True, False, False, False]


class TestFiles:
    @pytest.mark.parametrize(
        ("changes", "formats"),
        [
            ({}, {"a.tsv": "tsv", "b.csv": "csv", "c.jsonl": "jsonl", "tabs.txt": "tsv", "objects": "jsonl"}),
            ({"train": ("a.en", "a.es")}, {"a.tsv": "tsv", "tabs.txt": "", "objects": "", "plain.txt": ""}),
            ({"train": ("a.txt", "b.txt"), "format": "tsv"}, {"tabs.txt": "tsv", "plain.txt": "", "none.txt": ""}),
        ],
    )
    def test_of_texts_may_be_pairs_that_are_known_by_their_names_or_by_how_they_begin(
        self, tmp_path, monkeypatch, changes, formats
    ):
        monkeypatch.chdir(tmp_path)
        for name, text in (("tabs.txt", "a\tb\n"), ("objects", '{"source": "a"}\n'), ("plain.txt", "a\n")):
            (tmp_path / name).write_text(text)
        reader = echoing(WORDS)
        reader.task.data = SimpleNamespace(**vars(DATA) | changes)
        assert {name: reader.file_format(name) for name in formats} == formats

    def test_of_vectors_are_rows_where_there_are_no_columns(self):
        reader = captioning(["a"], mean=[0.0], deviation=[1.0])
        formats = {"a.npz": "arrays", "a.npy": "arrays", "a.jsonl": "jsonl", "a.csv": "", "a.tsv": "", "a": ""}
        assert {name: reader.file_format(name) for name in formats} == formats
        reader.task.data = SimpleNamespace(**vars(DATA) | {"columns": ("u",)})
        assert {name: reader.file_format(name) for name in formats} == formats | {"a.csv": "csv", "a.tsv": "tsv"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beam_size": 0}, "must be at least 1"),
        ({"n_best": 0}, "must be at least 1"),
        ({"max_length": 0}, "must be at least 1"),
        ({"beam_size": 2, "n_best": 3}, "n_best must not be more than beam_size, 2, not 3"),
        ({"length_penalty": -1}, "length_penalty must be from 0 to 10, not -1"),
        ({"length_penalty": math.nan}, "length_penalty must be from 0 to 10, not nan"),
    ],
)
def test_what_does_not_fit_together_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Decoding(**settings)
