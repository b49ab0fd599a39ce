from collections import Counter

import pytest

from rnncli.data.synthetic.temporal_order import TemporalOrder
from tests.data.synthetic.tables import rows

SET = TemporalOrder(train=2000, test=400)


@pytest.mark.parametrize(("split", "T"), [("train", 100), ("test", 200)])
def test_strings(split, T):
    firsts, seconds, lengths = set(), set(), set()
    for text, label in rows(SET, split):
        places = [place for place, symbol in enumerate(text) if symbol in "XY"]
        assert len(places) == 2
        assert {"XX": "Q", "XY": "R", "YX": "S", "YY": "U"}["".join(text[place] for place in places)] == label
        assert (text[0], text[-1]) == ("E", "B")
        assert set(text[1 : places[0]] + text[places[0] + 1 : places[1]] + text[places[1] + 1 : -1]) <= set("abcd")
        firsts.add(places[0])
        seconds.add(places[1])
        lengths.add(len(text))
    assert firsts == set(range(T // 10, T // 5 + 1))
    assert seconds == set(range(T // 2, T * 6 // 10 + 1))
    assert lengths == set(range(T, T * 11 // 10 + 1))


def test_classes_and_distractors_are_as_frequent():
    found = rows(SET, "train")
    assert set(Counter(label for _, label in found).values()) == {500}
    counts = Counter("".join(text for text, _ in found))
    assert all(abs(counts[symbol] / sum(counts[each] for each in "abcd") - 0.25) < 0.01 for symbol in "abcd")


def test_the_shortest():
    for text, _ in rows(TemporalOrder(length=10), "train"):
        assert sum(symbol in "XY" for symbol in text) == 2
