from collections import Counter

from rnncli.data.synthetic.addition import Addition
from tests.data.synthetic.tables import pairs

SET = Addition(train=5000, test=2000)


def test_sums():
    for length, split in ((3, "train"), (3, "test"), (1, "train"), (1, "test"), (18, "test")):
        for source, target in pairs(Addition(train=500, test=500, length=length), split):
            a, b = source.split("+")
            assert str(int(a) + int(b)) == target
            assert (str(int(a)), str(int(b))) == (a, b)
            assert max(len(a), len(b)) <= length


def test_numbers_are_uniform():
    numbers = [int(number) for source, _ in pairs(SET, "train") for number in source.split("+")]
    assert (min(numbers), max(numbers)) == (0, 999)
    tenths = Counter(number // 100 for number in numbers)
    assert all(abs(tenths[tenth] - 1000) < 120 for tenth in range(10))
    assert all(abs(count - 1000) < 120 for count in Counter(number % 10 for number in numbers).values())


def test_no_sum_of_the_test_is_in_the_training_in_either_order():
    trained = {frozenset(source.split("+")) for source, _ in pairs(Addition(train=15_000, length=2), "train")}
    tested = {frozenset(source.split("+")) for source, _ in pairs(Addition(test=1000, length=2), "test")}
    assert not trained & tested
    assert len(trained) > 3300  # of 5050 pairs the four fifths that are for training
    assert len(tested) > 300


def test_the_shortest_has_all_splits():
    few = Addition(train=500, validation=200, test=200, length=1)
    counts = [
        len({frozenset(source.split("+")) for source, _ in pairs(few, split)})
        for split in ("train", "validation", "test")
    ]
    assert sum(counts) == 55
    assert min(counts) >= 3
