"""What a model reads of its own tokens, on a step function that can be followed by hand."""

import numpy as np
import pytest

from rnncli.decoding import fed_back, followed

V, T, B = 5, 6, 4
SURE = 50.0
INPUTS = np.array([[0, 1, 2, 3], [4, 4, 4, 4], [0, 0, 1, 1], [2, 2, 2, 2], [3, 0, 3, 0], [1, 2, 3, 4]])


def counting(ids, state):
    """After each token comes the next number; what was read is kept."""
    state.append(ids.copy())
    logits = np.zeros((V, len(ids)))
    logits[(ids + 1) % V, np.arange(len(ids))] = SURE
    return logits, state


def fed(forced, rng=None, inputs=INPUTS, **options):
    state = []
    logits, state = counting(inputs[0], state)
    return fed_back(counting, logits, state, inputs, forced, rng, **options), state


@pytest.mark.parametrize("rng", [None, np.random.default_rng(1)], ids=["greedy", "drawn"])
def test_what_is_not_forced_follows_from_what_was_fed(rng):
    forced = np.ones((T, B), bool)
    forced[2:, 1], forced[1:, 2], forced[3, 3] = False, False, False
    found, state = fed(forced, rng)
    expected = INPUTS.copy()
    expected[:, 1] = [1, 4, 0, 1, 2, 3]
    expected[:, 2] = [2, 3, 4, 0, 1, 2]
    expected[3, 3] = 2
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(state, expected[:-1])  # the last one nobody asks what follows


def test_nothing_is_done_where_all_is_forced_and_nothing_is_written_over():
    inputs = INPUTS.copy()
    found, state = fed(np.ones((T, B), bool), np.random.default_rng(1), inputs)
    np.testing.assert_array_equal(found, INPUTS)
    assert len(state) == 1
    found[:] = 0
    forced = np.zeros((T, B), bool)
    fed(forced, None, inputs)
    np.testing.assert_array_equal(inputs, INPUTS)


def test_it_stops_behind_the_last_that_is_not_forced():
    forced = np.ones((T, B), bool)
    forced[3, 0] = False
    assert len(fed(forced)[1]) == 3


def test_the_first_is_always_the_true_one():
    np.testing.assert_array_equal(fed(np.zeros((T, B), bool))[0][0], INPUTS[0])


def test_tokens_are_drawn_with_their_probabilities():
    p = np.array([0.5, 0.25, 0.125, 0.125, 0.0])
    with np.errstate(divide="ignore"):
        logits = np.repeat(np.log(p)[:, None] + 7, 20000, axis=1)
    inputs = np.full((2, 20000), 4)
    found = fed_back(counting, logits, [], inputs, np.zeros(inputs.shape, bool), np.random.default_rng(5))
    np.testing.assert_allclose(np.bincount(found[1], minlength=V) / 20000, p, atol=0.01)
    barred = fed_back(
        counting, logits, [], inputs, np.zeros(inputs.shape, bool), np.random.default_rng(5), forbidden=(0, 3)
    )
    np.testing.assert_allclose(np.bincount(barred[1], minlength=V) / 20000, [0, 2 / 3, 1 / 3, 0, 0], atol=0.012)


def test_the_most_probable_that_is_not_forbidden():
    logits = np.array([[3.0], [9.0], [8.0], [1.0], [8.5]])
    inputs, forced = np.zeros((2, 1), int), np.zeros((2, 1), bool)
    for forbidden, expected in (((), 1), ((1,), 4), ((1, 4), 2)):
        assert fed_back(counting, logits, [], inputs, forced, None, forbidden)[1, 0] == expected
    np.testing.assert_array_equal(logits[:, 0], [3, 9, 8, 1, 8.5])


@pytest.mark.parametrize("rng", [None, np.random.default_rng(1)], ids=["greedy", "drawn"])
def test_numbers_that_are_not_finite_raise_nothing(rng):
    with np.errstate(all="ignore"):
        found = fed_back(
            lambda ids, state: (np.full((V, len(ids)), np.nan), state),
            np.full((V, B), np.nan),
            None,
            INPUTS,
            np.zeros((T, B), bool),
            rng,
        )
    assert found.min() >= 0
    assert found.max() < V


def test_following_has_the_logits_behind_each_input():
    logits, state = counting(INPUTS[0], [])
    found = [each.argmax(axis=0) for each in followed(counting, logits, state, INPUTS)]
    np.testing.assert_array_equal(found, (INPUTS + 1) % V)
    np.testing.assert_array_equal(state, INPUTS)
