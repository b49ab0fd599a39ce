from collections import Counter

from rnncli.data.synthetic.reversal import Reversal
from tests.data.synthetic.tables import pairs


def test_strings():
    for length, split in ((20, "train"), (20, "test"), (2, "test"), (45, "validation")):
        found = pairs(Reversal(train=200, validation=50, test=200, length=length), split)
        for source, target in found:
            assert len(source) == length
            assert list(target) == list(reversed(source))
    assert found


def test_letters_are_uniform_in_every_place():
    found = pairs(Reversal(train=5200, length=5), "train")
    for place in range(5):
        counts = Counter(source[place] for source, _ in found)
        assert "".join(sorted(counts)) == "abcdefghijklmnopqrstuvwxyz"
        assert all(abs(count - 200) < 70 for count in counts.values())
