import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.data.splitting import Splits, shuffled, split_items, split_text
from rnncli.data.tokenizers import TOKENIZERS

fractions = st.tuples(st.floats(0, 0.6), st.floats(0, 0.39))


HUNDRED = "".join(map(chr, range(100)))


class Pieces:
    """A text that is read in pieces of two characters."""

    def __init__(self, text):
        self.text, self.size = text, len(text)

    def read(self, start=0, stop=None):
        stop = self.size if stop is None else stop
        return (self.text[k : min(k + 2, stop)] for k in range(start, stop, 2))


def cut(text, *arguments):
    return Splits(*(text[start:stop] for start, stop in split_text(Pieces(text), *arguments)))


def dealt(n, *arguments):
    parts = split_items(n, *arguments)
    assert parts.dtype == np.uint8
    return [np.flatnonzero(parts == part) for part in range(3)]


def test_parts_in_order():
    assert cut(HUNDRED, 0.05, 0.1) == (HUNDRED[:85], HUNDRED[85:90], HUNDRED[90:])


@pytest.mark.parametrize(
    ("n", "validation", "test", "sizes"),
    [
        (100, 0, 0, (100, 0, 0)),
        (100, 0.29, 0, (71, 29, 0)),
        (20, 0.05, 0.05, (20, 0, 0)),  # one token each: nothing to predict
        (40, 0.05, 0.05, (36, 2, 2)),
        (5, 0.49, 0.49, (3, 2, 0)),
        (3, 0.3, 0.69, (3, 0, 0)),
        (1, 0.4, 0.4, (1, 0, 0)),
        (0, 0.4, 0.4, (0, 0, 0)),
    ],
)
def test_sizes(n, validation, test, sizes):
    assert tuple(map(len, cut("x" * n, validation, test))) == sizes


@given(n=st.integers(0, 60), shares=fractions)
def test_no_part_is_too_short(n, shares):
    parts = cut(HUNDRED[:n], *shares)
    assert "".join(parts) == HUNDRED[:n]
    assert n < 2 or len(parts.train) >= 2
    assert all(len(part) != 1 for part in parts[1:])
    assert all(len(part) == 0 for part, share in zip(parts[1:], shares, strict=True) if share == 0)


def test_text():
    assert cut("abcdefghij", 0.2, 0.3) == ("abcde", "fg", "hij")
    text = "the cat sat on the mat, and so did I today"
    parts = cut(text, 0.25, 0.25, TOKENIZERS["word"])
    assert parts == ("the cat sat on the mat, and", " so did", " I today")  # cuts at 32 and 24 go on to 34 and 27
    assert cut("word " * 3 + "x" * 50, 0.1, 0.1, TOKENIZERS["word"]).test == ""


@pytest.mark.parametrize("level", list(TOKENIZERS))
@given(text=st.text(" \nab.é", max_size=60), shares=fractions)
def test_texts_are_cut_between_tokens(level, text, shares):
    split = TOKENIZERS[level].split
    parts = cut(text, *shares, TOKENIZERS[level])
    assert "".join(parts) == text
    assert [token for part in parts for token in split(part)] == list(split(text))
    assert all(len(split(part)) != 1 for part in parts[1:])
    assert len(split(text)) < 2 or len(split(parts.train)) >= 2


@given(n=st.integers(0, 60), shares=fractions, seed=st.integers(0, 9))
def test_items_are_dealt_once(n, shares, seed):
    parts = dealt(n, *shares, np.random.default_rng(seed))
    assert sorted(np.concatenate(parts).tolist()) == list(range(n))
    assert len(parts[0]) > 0 or n == 0
    if n * (1 - sum(shares)) > 1:  # else train may need what was meant for the others
        assert all(abs(len(part) - n * share) <= 0.5 for part, share in zip(parts[1:], shares, strict=True))


def test_items_are_dealt_by_the_generator_alone():
    deals = [dealt(1000, 0.1, 0.2, np.random.default_rng(seed))[2] for seed in (1, 1, 2)]
    assert len(deals[0]) == 200
    assert np.array_equal(deals[0], deals[1])
    assert not np.array_equal(deals[0], deals[2])


@pytest.mark.parametrize(("validation", "test"), [(-0.1, 0), (0, -0.1), (0.5, 0.5), (1, 0), (float("nan"), 0)])
def test_fractions_out_of_range(validation, test):
    with pytest.raises(ValueError, match="below 1 together"):
        cut("123456789", validation, test)


@pytest.mark.parametrize("n", [0, 1, 2, 1000, 70_000])
def test_an_order_in_half_the_memory_is_numpys_own(n):
    ours, theirs = np.random.default_rng(3), np.random.default_rng(3)
    order = shuffled(n, ours)
    assert order.dtype == np.uint32
    assert np.array_equal(order, theirs.permutation(n))
    assert ours.bit_generator.state == theirs.bit_generator.state
