import numpy as np

from rnncli.training.randomness import generator


def first(*key):
    return generator(*key).integers(2**62, size=4).tolist()


def test_a_key_gives_the_same_numbers_and_another_key_others():
    keys = [
        (1, "dropout", 3),
        (1, "dropout", 4),
        (1, "dropout"),
        (1, "dropout", 3, 0),
        (1, "shuffling", 3),
        (2, "dropout", 3),
        (0, "dropout", 3),
        (2**70, "dropout", 3),
    ]
    drawn = {key: first(*key) for key in keys}
    assert len({tuple(numbers) for numbers in drawn.values()}) == len(keys)
    assert all(first(*key) == numbers for key, numbers in drawn.items())


def test_it_is_numpys_own_spawning():
    """So that the numbers are those of any NumPy, whose stream is guaranteed; "sampling" has CRC-32 0x39DAF8C6."""
    sequence = np.random.SeedSequence(5, spawn_key=(0x39DAF8C6, 2))
    assert first(5, "sampling", 2) == np.random.default_rng(sequence).integers(2**62, size=4).tolist()
