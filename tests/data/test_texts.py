import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.data import GrowingTexts, Texts

ANY = st.lists(st.text(st.characters()))  # lone surrogates, too


@given(ANY, st.data())
def test_texts_come_back_as_they_were_also_some_of_them(texts, data):
    stored = Texts.of(iter(texts))
    assert len(stored) == len(texts)
    assert [*stored] == texts
    numbers = data.draw(st.lists(st.integers(0, len(texts) - 1))) if texts else []
    part = stored.part(np.array(numbers, np.intp))
    assert [part[i] for i in range(len(part))] == [texts[i] for i in numbers]
    assert [*part.part(np.arange(len(part))[::-1])] == [texts[i] for i in numbers[::-1]]
    assert [raw.decode("utf-8", "surrogatepass") for raw in part.encoded()] == [texts[i] for i in numbers]


@given(st.lists(ANY))
def test_texts_grow(blocks):
    growing, so_far = GrowingTexts(), []
    for block in blocks:
        growing.extend(block)
        so_far += block
        assert [*growing.texts] == so_far
        assert len(growing) == len(so_far)


def test_more_than_are_encoded_together():
    texts = [str(number) for number in range(10_000)]
    assert [*Texts.of(texts)] == texts


def test_numbers_count_from_the_end_too_and_end():
    stored = Texts.of(["a", "", "été"])
    assert [stored[-1], stored[-3]] == ["été", "a"]
    for number in (3, -4):
        with pytest.raises(IndexError):
            stored[number]


def test_a_part_shares_the_bytes():
    stored = Texts.of(["abc", "d"])
    assert stored.part(np.array([1])).blob is stored.blob
