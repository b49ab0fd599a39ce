from pathlib import Path

import numpy as np
import pytest

from rnncli.data import TokenizerSpec, Vocabulary
from rnncli.errors import DataError, SpecError
from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.tasks.pretrained import find_vectors
from rnncli.tasks.protocol import silent

WORDS = TokenizerSpec(level="word", min_count=2)
COUNTS = {"Oslo": 5, "the": 9, "once": 1, "Film": 1, "rare": 1, "film": 3, "xyz": 4}
VECTORS = (
    "the 1 2\noslo 3 4\nfar 5 6\nFilm 7 8\nfilm 9 10\nHamar 11 12\nonce 13 14\nfjord 15 16\nat sea 17 18\nhill 19 20\n"
)


def vocabulary_of(counts, spec=WORDS, items=None):
    return Vocabulary.from_counts(counts.items(), spec, items=items)


def find(folder, text=VECTORS, level="word", name="glove.txt", **embedding):
    (folder / name).write_text(text)
    spec = EmbeddingSpec("pretrained", path=name, **embedding)
    return find_vectors(spec, TokenizerSpec(level=level), folder, silent)


def read(folder, counts=COUNTS, spec=WORDS, *, cut=True, text=VECTORS, **embedding):
    return find(folder, text, **embedding).read(vocabulary_of(counts, spec), counts, cut=cut)


def vectors_of(found):
    ids, vectors = found.vectors
    return {found.vocabulary.tokens[i]: row.tolist() for i, row in zip(ids.tolist(), vectors, strict=True)}


class TestWords:
    def test_a_word_has_its_own_vector_or_that_of_its_lower_case_form(self, tmp_path):
        found = read(tmp_path, extra_words=0)
        assert found.vocabulary.tokens == ("<unk>", "the", "Oslo", "xyz", "film")
        assert vectors_of(found) == {"the": [1, 2], "Oslo": [3, 4], "film": [9, 10]}
        assert found.pretrained.learned == (0, 3)
        assert found.pretrained.size == 2
        assert found.pretrained.deviation == pytest.approx(np.std([1, 2, 3, 4, 9, 10]))
        assert read(tmp_path).pretrained.deviation == found.pretrained.deviation  # words of the file alone have no part

    def test_words_of_the_file_follow_those_to_train_on_first(self, tmp_path):
        found = read(tmp_path, extra_words=3)
        assert found.vocabulary.tokens[5:] == ("oslo", "Film", "once")  # rare ones, and the first other
        assert found.pretrained.learned == (0, 3)
        assert vectors_of(found).items() >= {"oslo": [3, 4], "Film": [7, 8], "once": [13, 14]}.items()
        assert read(tmp_path, extra_words=1).vocabulary.tokens[5:] == ("Film",)

    def test_all_of_them_where_there_is_room(self, tmp_path):
        everything = ("oslo", "far", "Film", "Hamar", "once", "fjord", "hill")
        assert read(tmp_path).vocabulary.tokens[5:] == everything
        assert read(tmp_path, cut=False).vocabulary.tokens[5:] == (*everything[:-1], "at sea", "hill")
        lower = TokenizerSpec(level="word", lowercase=True, min_count=2)
        counts = {"the": 9, "once": 1}
        assert read(tmp_path, counts, lower).vocabulary.tokens[2:] == ("oslo", "far", "film", "once", "fjord", "hill")
        named = read(tmp_path, counts, lower, cut=False).vocabulary.tokens[2:]
        assert named == ("oslo", "far", "film", "once", "fjord", "at sea", "hill")

    def test_what_was_unknown_is_counted_where_it_is_now(self, tmp_path):
        known = vocabulary_of(COUNTS)
        assert known.counts == (3, 9, 5, 4, 3)
        found = read(tmp_path)
        counts = dict(zip(found.vocabulary.tokens, found.vocabulary.counts, strict=True))
        assert counts["<unk>"] == 1  # "rare"
        assert {word: counts[word] for word in ("Film", "once", "far", "Oslo")} == {
            "Film": 1,
            "once": 1,
            "far": 0,
            "Oslo": 5,
        }
        assert sum(counts.values()) == sum(COUNTS.values())
        found = read(tmp_path, COUNTS | {"FILM": 1, "HAMAR": 1}, extra_words=0)
        counts = dict(zip(found.vocabulary.tokens, found.vocabulary.counts, strict=True))
        assert (counts["film"], counts["<unk>"]) == (5, 3)  # Film and FILM stand in for it, too; HAMAR is nowhere

    def test_trainable_vectors_are_those_of_the_vocabulary(self, tmp_path):
        found = read(tmp_path, trainable=True)
        assert found.vocabulary == vocabulary_of(COUNTS)
        assert found.pretrained.learned is None
        assert vectors_of(found) == {"the": [1, 2], "Oslo": [3, 4], "film": [9, 10]}

    def test_a_vocabulary_without_counts_stays_as_it_is(self, tmp_path):
        counts = {" the": 4, "the": 1, "\n": 3, " Oslo": 2, "\t": 1}
        known = vocabulary_of(counts, TokenizerSpec(level="word"), items=2)
        found = find(tmp_path).read(known)
        assert found.vocabulary == known
        assert vectors_of(found) == {" the": [1, 2], " Oslo": [3, 4], "the": [1, 2]}
        assert found.pretrained.learned == tuple(
            i for i, token in enumerate(known.tokens) if not token.strip().isalpha()
        )
        assert found.notices == ("vectors: 3 of 3 words (100.0%), 63.6% of the tokens to train on",)


class TestCoverage:
    def test_it_is_told(self, tmp_path):
        (notice,) = read(tmp_path, extra_words=0).notices
        assert notice == "vectors: 3 of 4 words (75.0%), 75.0% of the tokens to train on"  # 18 of 24, Film among them
        (notice,) = read(tmp_path).notices
        assert notice == "vectors: 3 of 4 words (75.0%), 79.2% of the tokens to train on; and 7 words more"
        (notice,) = read(tmp_path, trainable=True).notices
        assert notice == "vectors: 3 of 4 words (75.0%), 70.8% of the tokens to train on"

    def test_what_is_odd_in_the_file_is_told_behind_it(self, tmp_path):
        _, notice = read(tmp_path, text=VECTORS + "the 1 1\n").notices
        assert notice == f"words that come again, whose first vector counts: 1, the first {tmp_path}/glove.txt:11"

    def test_no_word_in_common_is_an_error(self, tmp_path):
        with pytest.raises(DataError) as caught:
            read(tmp_path, text="havet 1 2\nonce 3 4\n")
        assert caught.value.message == "none of the 4 words to train on has a vector"
        assert caught.value.where == f"{tmp_path}/glove.txt"
        assert "language" in caught.value.hint

    def test_a_size_that_is_not_the_files_is_an_error(self, tmp_path):
        assert read(tmp_path, size=2).pretrained.size == 2
        with pytest.raises(DataError) as caught:
            read(tmp_path, size=64)
        assert str(caught.value) == (
            f"{tmp_path}/glove.txt: vectors of 2 numbers, where embedding.size is 64; leave embedding.size out"
        )


class TestFile:
    def test_specs_of_other_kinds_name_none(self, tmp_path):
        for kind in ("learned", "one_hot"):
            assert find_vectors(EmbeddingSpec(kind), TokenizerSpec(level="character"), tmp_path, silent) is None

    @pytest.mark.parametrize("level", ["character", "byte"])
    def test_tokens_that_are_not_words_are_refused(self, tmp_path, level):
        with pytest.raises(
            SpecError, match=f"for words, and data.tokenizer.level is {level}; set data.tokenizer.level"
        ):
            find(tmp_path, level=level)

    def test_the_path_is_relative_to_the_specs_folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        Path("inner").mkdir()
        assert find(Path("inner")).source.path == "inner/glove.txt"

    def test_what_is_no_file_is_refused(self, tmp_path):
        (tmp_path / "folder").mkdir()
        for name in ("a", "b"):
            (tmp_path / "folder" / name).write_text("the 1\n")

        def refused(path):
            spec = EmbeddingSpec("pretrained", path=path)
            with pytest.raises(DataError) as caught:
                find_vectors(spec, WORDS, tmp_path, silent)
            return str(caught.value)

        assert refused("folder") == "folder: a folder, where one file of vectors is needed"
        assert refused("folder/*") == "folder/*: 2 files, where one file of vectors is needed"
        (tmp_path / "folder" / "a").unlink()
        assert refused("folder") == "folder: a folder, where one file of vectors is needed"
        assert refused("none.txt") == f"{tmp_path}/none.txt: no such file or folder"

    def test_progress_is_reported(self, tmp_path):
        seen = []
        (tmp_path / "a.txt").write_text(VECTORS)
        spec = EmbeddingSpec("pretrained", path="a.txt")
        file = find_vectors(spec, WORDS, tmp_path, lambda *arguments: seen.append(arguments))
        assert seen == []
        file.read(vocabulary_of(COUNTS))
        assert seen[-1] == ("reading vectors", len(VECTORS), len(VECTORS))
