"""What a model reads of its own tokens, on a step function that can be followed by hand."""

import numpy as np
import pytest

from rnncli.decoding import fed_back, followed
from rnncli.decoding.feedback import drawn, each_drawn, each_probable, most_probable

V, T, B = 5, 6, 4
SURE = 50.0
INPUTS = np.array([[0, 1, 2, 3], [4, 4, 4, 4], [0, 0, 1, 1], [2, 2, 2, 2], [3, 0, 3, 0], [1, 2, 3, 4]])


def counting(ids, state):
    """After each token comes the next number; what was read is kept."""
    state.append(ids.copy())
    logits = np.zeros((V, len(ids)))
    logits[(ids + 1) % V, np.arange(len(ids))] = SURE
    return logits, state


BEST = most_probable()
both = pytest.mark.parametrize("choose", [BEST, drawn(np.random.default_rng(1))], ids=["greedy", "drawn"])


def fed(forced, choose=BEST, inputs=INPUTS):
    state = []
    logits, state = counting(inputs[0], state)
    return fed_back(counting, logits, state, inputs, forced, choose), state


@both
def test_what_is_not_forced_follows_from_what_was_fed(choose):
    forced = np.ones((T, B), bool)
    forced[2:, 1], forced[1:, 2], forced[3, 3] = False, False, False
    found, state = fed(forced, choose)
    expected = INPUTS.copy()
    expected[:, 1] = [1, 4, 0, 1, 2, 3]
    expected[:, 2] = [2, 3, 4, 0, 1, 2]
    expected[3, 3] = 2
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(state, expected[:-1])  # the last one nobody asks what follows


def test_nothing_is_done_where_all_is_forced_and_nothing_is_written_over():
    inputs = INPUTS.copy()
    found, state = fed(np.ones((T, B), bool), BEST, inputs)
    np.testing.assert_array_equal(found, INPUTS)
    assert len(state) == 1
    found[:] = 0
    forced = np.zeros((T, B), bool)
    fed(forced, BEST, inputs)
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
    nothing = np.zeros(inputs.shape, bool)
    found = fed_back(counting, logits, [], inputs, nothing, drawn(np.random.default_rng(5)))
    np.testing.assert_allclose(np.bincount(found[1], minlength=V) / 20000, p, atol=0.01)
    barred = fed_back(counting, logits, [], inputs, nothing, drawn(np.random.default_rng(5), (0, 3)))
    np.testing.assert_allclose(np.bincount(barred[1], minlength=V) / 20000, [0, 2 / 3, 1 / 3, 0, 0], atol=0.012)


def test_the_most_probable_that_is_not_forbidden():
    logits = np.array([[3.0], [9.0], [8.0], [1.0], [8.5]])
    inputs, forced = np.zeros((2, 1), int), np.zeros((2, 1), bool)
    for forbidden, expected in (((), 1), ((1,), 4), ((1, 4), 2)):
        assert fed_back(counting, logits, [], inputs, forced, most_probable(forbidden))[1, 0] == expected
    np.testing.assert_array_equal(logits[:, 0], [3, 9, 8, 1, 8.5])


@both
def test_numbers_that_are_not_finite_raise_nothing(choose):
    with np.errstate(all="ignore"):
        found = fed_back(
            lambda ids, state: (np.full((V, len(ids)), np.nan), state),
            np.full((V, B), np.nan),
            None,
            INPUTS,
            np.zeros((T, B), bool),
            choose,
        )
    assert found.min() >= 0
    assert found.max() < V


def test_following_has_the_logits_behind_each_input():
    logits, state = counting(INPUTS[0], [])
    found = [each.argmax(axis=0) for each in followed(counting, logits, state, INPUTS)]
    np.testing.assert_array_equal(found, (INPUTS + 1) % V)
    np.testing.assert_array_equal(state, INPUTS)


def test_of_several_labels_each_is_said_for_itself():
    def half(fed, state):
        state.append(fed.copy())
        return np.where(fed > 0, -SURE, SURE), state  # what was yes is no

    inputs = np.zeros((V, T, B), np.int8)
    inputs[:2] = 1
    forced = np.zeros((T, B), bool)
    forced[:, 0] = True
    for choose in (each_probable, each_drawn(np.random.default_rng(1))):
        logits, state = half(inputs[:, 0], [])
        found = fed_back(half, logits, state, inputs, forced, choose)
        np.testing.assert_array_equal(found[..., 0], inputs[..., 0])
        for t in range(T):
            np.testing.assert_array_equal(found[:, t, 1:] > 0, (inputs[:, 0, 1:] > 0) ^ bool(t % 2))
        logits, state = half(inputs[:, 0], [])
        kept = [each.copy() for each in followed(half, logits, state, inputs)]
        assert [each[0, 0] for each in kept] == [-SURE] * T


def test_each_label_is_drawn_with_its_probability():
    logits = np.repeat(np.array([[0.0], [np.log(3)], [-np.log(9)]]), 20000, axis=1)
    found = each_drawn(np.random.default_rng(5))(logits)
    np.testing.assert_allclose(found.mean(axis=1), [0.5, 0.75, 0.1], atol=0.01)
    np.testing.assert_array_equal(each_probable(logits)[:, 0], [True, True, False])
