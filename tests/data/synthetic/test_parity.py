from collections import Counter

from rnncli.data.synthetic.parity import Parity, answer
from tests.data.synthetic.tables import rows

SET = Parity(train=4000, test=4000)


def test_the_examples_of_the_notes():
    assert (answer("1000010101".count("1")), answer("100011".count("1"))) == ("YES", "NO")


def test_labels():
    for split in ("train", "test"):
        found = rows(SET, split)
        assert len(found) == 4000
        assert all(set(text) <= {"0", "1"} and (label == "YES") == (text.count("1") % 2 == 0) for text, label in found)
        assert Counter(label for _, label in found) == {"YES": 2000, "NO": 2000}


def test_lengths_are_uniform():
    lengths = Counter(len(text) for text, _ in rows(SET, "train"))
    assert lengths.keys() == set(range(1, 21))
    assert all(140 < count < 260 for count in lengths.values())
    lengths = sorted(len(text) for text, _ in rows(SET, "test"))
    assert (lengths[0], lengths[-1]) == (1, 200)
    assert 95 < lengths[2000] < 106


def test_every_bit_counts():
    """Each place is 1 half of the time, in both classes: no part of a string tells anything."""
    of_length = [(text, label) for text, label in rows(SET, "train") if len(text) == 6]
    for label in ("YES", "NO"):
        texts = [text for text, own in of_length if own == label]
        assert all(0.3 < sum(text[place] == "1" for text in texts) / len(texts) < 0.7 for place in range(6))
