"""What all sets of pairs of texts have in common: no split holds anything of another."""

from collections import Counter

import pytest

from rnncli.data.synthetic import SETS
from rnncli.data.synthetic.pair_set import PairSet, split_of
from tests.data.synthetic.tables import pairs

PAIR_SETS = [name for name, chosen in SETS.items() if issubclass(chosen, PairSet)]
SPLITS = ("train", "validation", "test")
every_set = pytest.mark.parametrize("name", PAIR_SETS)


def test_names():
    assert PAIR_SETS == ["dates", "addition", "reversal", "spelling"]


def test_keys_belong_to_one_split_for_good():
    assert [split_of(key) for key in ("1979-05-03", "45+123", "the cat")] == ["train", "train", "train"]
    counts = Counter(split_of(str(number)) for number in range(10_000))
    assert counts.keys() == set(SPLITS)
    assert all(abs(counts[split] - 1000) < 120 for split in ("validation", "test"))


@every_set
def test_pairs(name):
    chosen = SETS[name](train=300, validation=50, test=60)
    for split in SPLITS:
        found = pairs(chosen, split)
        assert len(found) == getattr(chosen, split)
        for source, target in found:
            assert source == source.strip() != ""
            assert target == target.strip() != ""
            assert len(source) <= chosen.longest(split)
        assert len(set(found)) > 0.9 * len(found)


@every_set
def test_nothing_of_the_test_is_in_the_training(name):
    chosen = SETS[name](train=2000, validation=300, test=300)
    keys = {split: {chosen.key(*pair) for pair in pairs(chosen, split, seed)} for seed, split in enumerate(SPLITS)}
    assert not keys["train"] & (keys["validation"] | keys["test"])
    assert not keys["validation"] & keys["test"]
    assert min(map(len, keys.values())) > 200


@pytest.mark.parametrize("name", ["dates", "reversal", "spelling"])
def test_no_answer_of_the_test_is_in_the_training(name):
    chosen = SETS[name](train=2000, test=300)
    trained, tested = ({target for _, target in pairs(chosen, split)} for split in ("train", "test"))
    assert not trained & tested
