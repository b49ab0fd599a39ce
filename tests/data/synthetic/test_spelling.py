from collections import Counter
from itertools import chain, pairwise
from string import ascii_lowercase

import numpy as np
import pytest

from rnncli.data.synthetic.sentences import WORDS, sentence
from rnncli.data.synthetic.spelling import Spelling, beside_it, certain_slips, mistyped, slips
from tests.data.synthetic.tables import pairs

SET = Spelling(train=2000, test=80)
BESIDE = {"q": "w", "w": "qe", "p": "o", "a": "s", "g": "fh", "l": "k", "z": "x", "m": "n", "n": "bm"}


PLACED = {
    key: (row, column)
    for row, keys in enumerate(("qwertyuiop", "asdfghjkl", "zxcvbnm"))
    for column, key in enumerate(keys)
}


def kinds(word, typed):
    """Return the kinds of slip that make one of the other."""
    found = set()
    for place in range(len(word)):
        start, letter, end = word[:place], word[place], word[place + 1 :]
        if end and typed == start + end[0] + letter + end[1:]:
            found.add("swapped")
        if typed == start + end:
            found.add("dropped")
        if typed == start + letter + letter + end:
            found.add("doubled")
        if len(typed) == len(word) and typed == start + typed[place] + end and near(letter, typed[place]):
            found.add("beside")
    return found


def near(letter, key):
    """Whether two keys are side by side."""
    (row, column), (other_row, other_column) = PLACED[letter], PLACED[key]
    return row == other_row and abs(column - other_column) == 1


def test_keys():
    assert len(PLACED) == 26
    for letter, keys in BESIDE.items():
        assert "".join(key for key in ascii_lowercase if near(letter, key)) == "".join(sorted(keys))
        assert sorted(beside_it()[letter]) == sorted(keys)


def test_slips_of_a_word():
    assert slips("book") == (
        ["obok", "boko"],
        ["ook", "bok", "boo"],
        ["bbook", "boook", "bookk"],
        ["vook", "nook", "biok", "bpok", "boik", "bopk", "booj", "bool"],
    )


def test_only_the_right_word_could_have_become_what_is_typed():
    seen = 0
    for source, target in pairs(SET, "test"):
        for typed, word in zip(source.split(" "), target.split(" "), strict=True):
            assert word in WORDS
            if typed != word:
                seen += 1
                assert typed not in WORDS
                assert [each for each in WORDS if kinds(each, typed)] == [word], typed
    assert seen > 60


def test_a_quarter_of_the_words_is_mistyped_in_each_way():
    counts, words = Counter(), 0
    for source, target in pairs(SET, "train"):
        for typed, word in zip(source.split(" "), target.split(" "), strict=True):
            words += 1
            if typed != word:
                counts[", ".join(sorted(kinds(word, typed)))] += 1
    assert abs(counts.total() / words - 1 / 4) < 0.02
    for kind in ("swapped", "dropped", "doubled", "beside"):
        assert abs(sum(count for names, count in counts.items() if kind in names) / counts.total() - 1 / 4) < 0.04


def test_what_is_left_unchanged_is_what_chance_says():
    found = pairs(SET, "train")
    share = sum(source == target for source, target in found) / len(found)
    assert abs(share - int(Spelling.chance.split(" ")[2]) / 100) < 0.03


def test_every_word_can_be_mistyped_but_not_as_another():
    assert len(WORDS) > 400
    assert certain_slips().keys() == WORDS
    for word in WORDS:
        assert not WORDS & {*chain(*certain_slips()[word])}
        assert mistyped(word, np.random.default_rng(1)) != word


@pytest.mark.parametrize("longest", [4, 5, 6, 9, 14])
def test_sentences(longest):
    rng = np.random.default_rng(1)
    drawn = [sentence(longest, rng) for _ in range(3000)]
    lengths = {len(words) for words in drawn}
    assert (min(lengths), max(lengths)) == (4, longest)
    for words in drawn:
        assert set(words) <= WORDS
        for word, following in pairwise(words):
            assert word not in ("a", "an") or (word == "an") == (following[0] in "aeiou"), words


def test_every_word_comes_up():
    rng = np.random.default_rng(1)
    counts = Counter(word for _ in range(4000) for word in sentence(8, rng))
    assert counts.keys() == WORDS
    assert all(word.isascii() and word.isalpha() and word.islower() for word in WORDS)
