import re
from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np

from tests.data.make_sample_melodies import BAND, KEYS, SAMPLE_DATA, melodies

OF_ONE_TAG = {
    "DET": "the a every some any",
    "PRON": "i you he she it we they me him us them my your his its our their her who",
    "CCONJ": "and or but &",
    "AUX": "am would could should must can shall ca wo ought 'll 'm 're 'd 've",
    "PART": "not n't",
    "SCONJ": "if because although whether",
    "ADP": "of at with from into for behind between through without",
    "ADV": "very too never always again already when where why how",
}
OTHER_TAGS = {"ADJ", "INTJ", "NOUN", "NUM", "PROPN", "PUNCT", "SYM", "VERB", "X"}


def sentences():
    """The words, the tags and the names of each sentence."""
    for block in (SAMPLE_DATA / "sentences.conll").read_bytes().decode().removesuffix("\n").split("\n\n"):
        yield [*zip(*(line.split("\t") for line in block.split("\n")), strict=True)]


def test_sentences_are_three_columns_with_an_empty_line_between_two():
    text = (SAMPLE_DATA / "sentences.conll").read_bytes().decode()
    assert re.fullmatch(r"(\S+\t[A-Z]+\t(O|[BI]-(PER|ORG|LOC))\n|(?<=[^\n]\n)\n(?=.))+", text)
    assert text.replace("\n", "").replace("\t", "").isprintable()


def test_sentences_are_some_hundred_of_which_half_hold_a_name():
    found = list(sentences())
    assert len(found) >= 600
    assert {len(columns) for columns in found} == {3}
    assert {len(words) for words, _, _ in found} == {*range(4, 20)}
    assert 0.4 <= np.mean([set(names) != {"O"} for *_, names in found]) <= 0.6
    assert {tag for _, tags, _ in found for tag in tags} == OTHER_TAGS | OF_ONE_TAG.keys()


def test_no_sentence_stands_there_twice():
    found = [" ".join(words).lower().rstrip(" .!?") for words, _, _ in sentences()]
    assert [text for text, times in Counter(found).items() if times > 1] == []


def test_sentences_that_are_shown_are_none_to_learn_from():
    texts = {" ".join(words) for words, _, _ in sentences()}
    assert not texts & {"I like red apples", "Somesh worked at Cisco in Bangalore", "Meera studied in Pune ."}


def test_a_name_goes_on_only_where_one_of_its_type_began():
    for words, _, names in sentences():
        for before, name in pairwise(["O", *names]):
            assert not name.startswith("I-") or before[1:] == name[1:], words


def test_names_are_of_proper_nouns_which_begin_with_a_capital():
    for words, tags, names in sentences():
        for word, tag, name in zip(words, tags, names, strict=True):
            if name != "O":
                assert tag in {"PROPN", "ADJ", "DET", "CCONJ"}, words
                assert word[0].isupper() or word in {"de", "da", "van", "&"}, words
        assert all("PROPN" in run for run in named_tags(tags, names)), words


def named_tags(tags, names):
    """The tags of each name."""
    runs = []
    for tag, name in zip(tags, names, strict=True):
        if name != "O":
            runs = [*runs, [tag]] if name.startswith("B-") else [*runs[:-1], [*runs[-1], tag]]
    return runs


def test_tags_follow_from_the_word_where_it_has_but_one():
    for words, tags, names in sentences():
        for word, tag, name in zip(words, tags, names, strict=True):
            assert (tag == "PUNCT") == (not word.isalnum() and word in set('.,;:?!"')), words
            assert not word.isdigit() or tag == "NUM", words
            for only, of_it in OF_ONE_TAG.items():
                assert name != "O" or word.lower() not in of_it.split() or tag == only, (word, words)


def test_some_names_are_of_a_person_here_and_of_a_place_or_company_there():
    types = defaultdict(set)
    for words, _, names in sentences():
        for word, name in zip(words, names, strict=True):
            types[word].add(name)
    assert types["Jordan"] == types["Paris"] == {"B-PER", "B-LOC"}
    assert types["Washington"] == {"B-PER", "I-PER", "B-LOC"}
    assert types["Amazon"] == {"B-ORG", "B-LOC"}
    assert types["Chelsea"] == {"B-PER", "B-ORG"}


def test_melodies_are_what_their_script_draws():
    with np.load(SAMPLE_DATA / "melodies.npz", allow_pickle=False) as file:
        stored = dict(file)
    drawn = melodies()
    assert stored.keys() == drawn.keys() == {"x", "lengths", "y", "labels"}
    for name, array in drawn.items():
        assert stored[name].dtype == array.dtype
        np.testing.assert_array_equal(stored[name], array)
    assert (SAMPLE_DATA / "melodies.npz").stat().st_size <= 200_000


def test_melodies_are_recordings_in_which_all_keys_are_held_and_up_to_four_at_once():
    drawn = melodies()
    assert len(drawn["x"]) == len(drawn["y"]) == drawn["lengths"].sum()
    assert (drawn["lengths"].min(), drawn["lengths"].max()) == (40, 120)
    assert drawn["labels"].tolist() == KEYS
    assert set(np.unique(drawn["y"])) == {0, 1}
    assert set(drawn["y"].sum(axis=1)) == {*range(5)}
    assert drawn["y"].mean(axis=0).min() >= 0.05


def test_keys_are_heard_when_they_are_struck_and_knock_when_they_come_up():
    drawn = melodies()
    cuts = drawn["lengths"].cumsum()[:-1]
    for levels, held in zip(np.split(drawn["x"], cuts), np.split(drawn["y"], cuts), strict=True):
        moves = np.diff(held.astype(int), axis=0, prepend=0)
        heard = levels[:, BAND]
        assert (heard[moves > 0] >= 28).all()
        assert (heard[moves < 0] >= 14).all()


def test_keys_are_held_down_in_silence_too():
    drawn = melodies()
    heard = drawn["x"][:, BAND]
    assert (heard[drawn["y"] == 1] <= 5).mean() > 0.1
