"""Sampling: every filter by hand and against a naive twin, and the promises about seeds and ends."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.decoding import Sampling, distribution, log_softmax, pick, sample
from rnncli.decoding import sampling as sampling_module
from rnncli.errors import RnncliError

HALVES = np.log(np.array([[0.5], [0.25], [0.125], [0.125]]))  # logits (4, 1) with these probabilities


def generators(*seeds):
    return [np.random.default_rng(seed) for seed in seeds]


def markov(V=5, seed=0):
    """A step function whose state is the number of calls, and its logits (V, V): column j follows token j."""
    table = np.random.default_rng(seed).normal(size=(V, V)).astype(np.float32) * 2
    return (lambda ids, calls: (table[:, ids], calls + 1)), table


def draw(seeds, sampling, length=40, V=5, **options):
    step, table = markov(V)
    first = table[:, [0] * len(seeds)]
    chosen = sample(step, first, 0, rngs=generators(*seeds), length=length, sampling=sampling, **options)
    return [np.array(field) for field in zip(*chosen, strict=True)]


def naive(logits, sampling, recent, forbidden):
    """One column of `distribution`, a token at a time."""
    logits = [float(x) for x in logits]
    for i in set(recent):
        factor = sampling.repetition_penalty
        logits[i] = logits[i] / factor if logits[i] > 0 else logits[i] * factor
    alive = [i for i in range(len(logits)) if i not in forbidden]
    best = max(logits[i] for i in alive)
    if sampling.greedy or sampling.temperature == 0:
        first = next(i for i in alive if logits[i] == best)
        return [float(i == first) for i in range(len(logits))]
    weight = {i: math.exp((logits[i] - best) / sampling.temperature) for i in alive}
    ranked = sorted(alive, key=lambda i: -weight[i])[: sampling.top_k]
    if sampling.top_p is not None:
        total, reached, kept = sum(weight[i] for i in ranked), 0.0, []
        for i in ranked:
            kept.append(i)
            reached += weight[i]
            if reached >= sampling.top_p * total:
                break
        ranked = kept
    ranked = [i for i in ranked if weight[i] >= (sampling.min_p or 0)]
    total = sum(weight[i] for i in ranked)
    return [weight[i] / total if i in ranked else 0.0 for i in range(len(logits))]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"temperature": -1.0}, "temperature must be 0 (greedy) or a number above, not -1.0"),
        ({"temperature": math.nan}, "temperature must be 0 (greedy) or a number above, not nan"),
        ({"top_k": 0}, "top_k must be at least 1, not 0"),
        ({"top_p": 1.5}, "top_p must be in (0, 1], not 1.5"),
        ({"top_p": 0.0}, "top_p must be in (0, 1], not 0.0"),
        ({"min_p": -0.1}, "min_p must be in [0, 1], not -0.1"),
        ({"repetition_penalty": 0.0}, "repetition_penalty must be a number above 0, not 0.0"),
        ({"repetition_window": 0}, "repetition_window must be at least 1, not 0"),
    ],
)
def test_refuses_values_out_of_range(wrong, message):
    with pytest.raises(ValueError) as raised:
        Sampling(**wrong)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [0.5, 0.25, 0.125, 0.125]),
        ({"temperature": 0.5}, [16 / 22, 4 / 22, 1 / 22, 1 / 22]),
        ({"greedy": True}, [1, 0, 0, 0]),
        ({"temperature": 1e-300}, [1, 0, 0, 0]),
        ({"top_k": 1}, [1, 0, 0, 0]),
        ({"top_k": 2}, [2 / 3, 1 / 3, 0, 0]),
        ({"top_k": 3}, [0.5, 0.25, 0.125, 0.125]),  # the last two are equally probable
        ({"top_p": 0.51}, [2 / 3, 1 / 3, 0, 0]),
        ({"top_p": 1.0}, [0.5, 0.25, 0.125, 0.125]),
        ({"min_p": 0.3}, [2 / 3, 1 / 3, 0, 0]),
        ({"top_k": 2, "top_p": 0.65}, [1, 0, 0, 0]),  # 0.5 is 2/3 of what top_k left
        ({"temperature": 0.5, "top_p": 0.7}, [1, 0, 0, 0]),  # the share is taken after the temperature
        ({"temperature": 2.0, "min_p": 0.6}, [2**0.5 / (1 + 2**0.5), 1 / (1 + 2**0.5), 0, 0]),
    ],
)
def test_distribution_by_hand(options, expected):
    np.testing.assert_allclose(distribution(HALVES, Sampling(**options))[:, 0], expected, rtol=1e-12)


def test_repetition_penalty_by_hand():
    logits = np.array([[2.0], [-1.0], [0.0], [1.0]])
    p = distribution(logits, Sampling(repetition_penalty=2.0), recent=np.array([[0], [1], [0], [2]]))
    expected = np.exp([1.0, -2.0, 0.0, 1.0])
    np.testing.assert_allclose(p[:, 0], expected / expected.sum(), rtol=1e-14)
    np.testing.assert_array_equal(logits[:, 0], [2, -1, 0, 1])


def test_forbidden_tokens_leave_their_mass_to_the_rest():
    p = distribution(HALVES, Sampling(), forbidden=[0, 3])
    np.testing.assert_allclose(p[:, 0], [0, 2 / 3, 1 / 3, 0], rtol=1e-14)


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_distribution_equals_the_naive_twin(data):
    V, B = data.draw(st.integers(2, 9)), data.draw(st.integers(1, 3))
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    logits = (rng.normal(size=(V, B)) * 3).astype(np.float32)
    recent = rng.integers(0, V, (data.draw(st.integers(0, 4)), B))
    forbidden = data.draw(st.lists(st.integers(0, V - 2), max_size=V - 1))
    sampling = Sampling(
        temperature=data.draw(st.sampled_from([0.0, 0.3, 1.0, 2.5])),
        greedy=data.draw(st.sampled_from([False, False, False, True])),
        top_k=data.draw(st.none() | st.integers(1, 10)),
        top_p=data.draw(st.none() | st.floats(0.05, 0.999)),
        min_p=data.draw(st.none() | st.floats(0, 0.9)),
        repetition_penalty=data.draw(st.sampled_from([1.0, 1.3, 0.7])),
    )
    p = distribution(logits, sampling, recent, forbidden)
    expected = [naive(logits[:, b], sampling, recent[:, b].tolist(), forbidden) for b in range(B)]
    np.testing.assert_allclose(p, np.transpose(expected), atol=1e-12)


def test_extreme_logits_stay_finite():
    with np.errstate(all="raise", under="ignore"):
        p = distribution(np.array([[3e38], [-3e38], [3e38], [-np.inf]], np.float32), Sampling(temperature=1e-5))
        np.testing.assert_array_equal(p[:, 0], [0.5, 0, 0.5, 0])
        logs = log_softmax(np.array([[1e4], [1e4], [-1e4]], np.float32))
    np.testing.assert_allclose(logs[:, 0], [-math.log(2), -math.log(2), -2e4 - math.log(2)], rtol=1e-15)


def test_pick_inverts_the_cumulative_distribution():
    p = np.repeat([[0.0], [0.25], [0.0], [0.75], [0.0]], 5, axis=1)
    uniforms = np.array([0.0, np.nextafter(0.25, 0), 0.25, 0.9, np.nextafter(1, 0)])
    np.testing.assert_array_equal(pick(p, uniforms), [1, 1, 3, 3, 3])
    np.testing.assert_array_equal(pick(p * (1 / 3), uniforms[[0, 3, 4, 4, 4]]), [1, 3, 3, 3, 3])


def test_numbers_drawn_ahead_are_those_drawn_one_by_one(monkeypatch):
    whole, _, _ = draw([1, 2], Sampling(), length=30)
    monkeypatch.setattr(sampling_module, "AHEAD", 7)
    np.testing.assert_array_equal(draw([1, 2], Sampling(), length=30)[0], whole)


def test_frequencies_are_the_probabilities():
    uniforms = np.random.default_rng(0).random(40_000)
    counts = np.bincount(pick(np.repeat(np.exp(HALVES), 40_000, axis=1), uniforms), minlength=4)
    np.testing.assert_allclose(counts / 40_000, [0.5, 0.25, 0.125, 0.125], atol=0.01)  # four standard errors


@pytest.mark.parametrize(
    "sampling", [Sampling(), Sampling(temperature=0.7, top_k=3, top_p=0.9, repetition_penalty=1.2)]
)
def test_a_sample_is_the_same_alone_and_among_others(sampling):
    seeds = np.random.SeedSequence(3).spawn(7)
    together, logits, _ = draw(seeds, sampling, V=12, prime=[1, 2], end_id=8)
    assert len({tuple(column) for column in together.T}) == 7
    for b, seed in enumerate(seeds):
        alone, its_logits, _ = draw([seed], sampling, V=12, prime=[1, 2], end_id=8)
        np.testing.assert_array_equal(alone[:, 0], together[: len(alone), b])
        np.testing.assert_array_equal(its_logits[:, :, 0], logits[: len(alone), :, b])
        assert (together[len(alone) :, b] == 8).all()


@pytest.mark.parametrize("seeds", [[5], [0, 1, 2]])
@pytest.mark.parametrize("temperature", [0.3, 1.0])
@pytest.mark.parametrize("forbidden", [[], [3], [0, 4]])
def test_without_filters_a_draw_is_that_of_the_distribution(seeds, temperature, forbidden):
    """The short way, which works in place, against the long one, token by token."""
    _, table = markov(V=9)
    sampling = Sampling(temperature)
    ids, logits, _ = draw(seeds, sampling, V=9, length=300, forbidden=forbidden)
    rngs = generators(*seeds)
    before = [0] * len(seeds)
    for found, seen in zip(ids, logits, strict=True):
        np.testing.assert_array_equal(seen, table[:, before])
        uniforms = np.array([rng.random() for rng in rngs])
        expected = pick(distribution(table[:, before], sampling, forbidden=forbidden), uniforms)
        np.testing.assert_array_equal(found, expected)
        before = found
    assert len(np.unique(ids)) > 4


def test_logits_are_those_of_the_model_before_any_filter():
    _, table = markov()
    ids, logits, active = draw([0, 1], Sampling(temperature=0.3, top_k=2, repetition_penalty=2.0), forbidden=[3])
    before = np.vstack([[0, 0], ids[:-1]])
    np.testing.assert_array_equal(logits, table[:, before].swapaxes(0, 1))
    assert not (ids == 3).any()
    assert active.all()


def test_greedy_ignores_the_seed_and_follows_the_largest_logit():
    _, table = markov()
    ids, _, _ = draw([1, 2], Sampling(temperature=0), length=6)
    expected = table.argmax(axis=0)[np.vstack([[0, 0], ids[:-1]])]
    np.testing.assert_array_equal(ids, expected)


def test_a_column_that_ended_repeats_its_end_at_no_cost():
    ids, _, active = draw(range(6), Sampling(), length=200, end_id=2)
    assert len(ids) < 200
    ends = (ids == 2).argmax(axis=0)
    assert len(ids) == ends.max() + 1  # stops when all have ended
    assert len(set(ends.tolist())) > 1
    after = np.arange(len(ids))[:, None] > ends
    np.testing.assert_array_equal(active, ~after)
    assert (ids[after] == 2).all()


def test_streams_each_token_before_asking_for_the_next():
    calls = []

    def step(ids, state):
        calls.append((ids.tolist(), state))
        return HALVES, state + 1

    tokens = sample(step, HALVES, 0, rngs=generators(0), length=3, sampling=Sampling(greedy=True))
    for number, chosen in enumerate(tokens):
        assert chosen.ids.tolist() == [0]
        assert calls == [([0], state) for state in range(number)]
    assert number == 2
    assert len(calls) == 2  # nothing is asked for after the last token


def test_length_0_asks_for_nothing():
    assert list(sample(None, HALVES, 0, rngs=generators(0), length=0, sampling=Sampling())) == []


def test_repetition_penalty_looks_at_prime_and_output_within_the_window():
    logits = np.array([[3.0], [2.9], [2.8], [2.7]])

    def ids(window=64, prime=()):
        run = {"rngs": generators(0), "length": 6, "prime": prime}
        sampling = Sampling(greedy=True, repetition_penalty=100.0, repetition_window=window)
        return [int(c.ids[0]) for c in sample(lambda _, state: (logits, state), logits, None, sampling=sampling, **run)]

    assert ids() == [0, 1, 2, 3, 0, 0]
    assert ids(prime=[0]) == [1, 2, 3, 0, 0, 0]
    assert ids(window=2) == [0, 1, 2, 0, 1, 2]
    assert ids(window=2, prime=[0, 1, 2]) == [0, 1, 2, 0, 1, 2]
    assert ids(window=1, prime=np.array([1, 0])) == [1, 0, 1, 0, 1, 0]


anyhow = pytest.mark.parametrize("sampling", [Sampling(), Sampling(greedy=True), Sampling(top_k=3)], ids=str)
columns = pytest.mark.parametrize("B", [1, 2])


@columns
@anyhow
@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_an_output_that_is_not_finite_is_an_error(sampling, B, broken):
    logits = np.repeat(HALVES, B, axis=1)
    logits[2, -1] = broken
    with pytest.raises(RnncliError, match="no token has a probability"):
        next(sample(None, logits, 0, rngs=generators(*range(B)), length=1, sampling=sampling))


@columns
@anyhow
def test_everything_forbidden_is_an_error(sampling, B):
    logits = np.repeat(HALVES, B, axis=1)
    with pytest.raises(RnncliError, match="no token has a probability; all are forbidden"):
        next(sample(None, logits, 0, rngs=generators(*range(B)), length=1, sampling=sampling, forbidden=range(4)))


def test_one_generator_for_each_column():
    with pytest.raises(ValueError, match="1 columns of logits need as many generators, not 2"):
        next(sample(None, HALVES, 0, rngs=generators(0, 1), length=1, sampling=Sampling()))
