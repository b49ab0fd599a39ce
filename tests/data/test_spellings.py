"""Words spelled out: the ids of their characters, padded together for a batch."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rnncli.data import TokenizerSpec, Vocabulary
from rnncli.data.spellings import LONGEST, Spellings

LETTERS = Vocabulary.from_counts([(letter, 1) for letter in "abcdefgh"], TokenizerSpec(), items=None)
words = st.text("abcdefgh", min_size=1, max_size=8)


def spelled(spellings, w):
    start, stop = spellings.starts[w : w + 2]
    return "".join(LETTERS.tokens[i] for i in spellings.characters[start:stop].tolist())


@given(st.lists(words, min_size=1, max_size=12, unique=True), st.data())
def test_each_word_of_a_batch_is_spelled_as_it_is(different, data):
    spellings = Spellings.of(different, LETTERS)
    assert [spelled(spellings, w) for w in range(len(different))] == different
    T, B = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 4))
    numbers = data.draw(st.lists(st.integers(0, len(different) - 1), min_size=T * B, max_size=T * B))
    places, together = spellings.together(np.array(numbers).reshape(T, B))
    mask = np.ones(together.characters.shape, bool) if together.mask is None else together.mask
    read = [
        "".join(LETTERS.tokens[i] for i in column[real].tolist())
        for column, real in zip(together.characters.T, mask.T, strict=True)
    ]
    assert [read[place] for place in places.ravel().tolist()] == [different[n] for n in numbers]
    assert len(read) == len(set(numbers))  # each once
    lengths = mask.sum(axis=0)
    assert (lengths[:-1] >= lengths[1:]).all()  # the longest first: padding is the last columns of a step
    assert (together.mask is None) == (len(set(lengths.tolist())) == 1)


def test_what_is_not_in_the_vocabulary_is_unknown():
    spellings = Spellings.of(["aZb", ""], LETTERS)
    assert [spelled(spellings, w) for w in range(2)] == ["a<unk>b", "<unk>"]


def test_of_a_long_word_both_ends_are_read():
    long = "a" * LONGEST + "b" * LONGEST
    assert spelled(Spellings.of([long], LETTERS), 0) == "a" * (LONGEST // 2) + "b" * (LONGEST // 2)


def test_all_characters_of_words_one_after_the_other():
    spellings = Spellings.of(["ab", "c", "def"], LETTERS)
    found = spellings.all_of(np.array([2, 0, 0]))
    assert "".join(LETTERS.tokens[i] for i in found.tolist()) == "defabab"
