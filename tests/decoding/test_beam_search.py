"""Beam search against the enumeration of every sequence, greedy sampling, a naive twin, and itself one by one."""

import importlib
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.decoding import Sampling, beam_search, log_softmax, sample
from rnncli.errors import RnncliError

module = importlib.import_module("rnncli.decoding.beam_search")


def select(state, columns):
    return state[:, columns]


class Sentences:
    """As many models as sentences; the state is the sentence of each column above its last two ids (3, M)."""

    def __init__(self, N, V, seed, dtype=np.float64):
        rng = np.random.default_rng(seed)
        self.N, self.V, self.widths = N, V, []
        self.tables = (rng.normal(size=(N, V + 1, V + 1, V)) * 2).astype(dtype)

    def logits(self, state):
        return np.ascontiguousarray(self.tables[state[0], state[1], state[2]].T)

    def step(self, ids, state):
        self.widths.append(len(ids))
        state = np.stack([state[0], state[2], ids])
        return self.logits(state), state

    def search(self, numbers=None, **options):
        numbers = np.arange(self.N) if numbers is None else np.array(numbers)
        state = np.stack([numbers, *[np.full_like(numbers, self.V)] * 2])
        before = state.copy()
        found = beam_search(self.step, select, self.logits(state), state, **options)
        np.testing.assert_array_equal(state, before)
        return found

    def naive(self, number, *, beam_size, length, end_id, forbidden, length_penalty, results):
        """One sentence, a hypothesis at a time, as the words of `beam_search` have it."""
        live, ended = [((), 0.0)], []
        for n in range(1, length + 1):
            longer = []
            for ids, total in live:
                one, two = ([self.V] * 2 + list(ids))[-2:]
                own = log_softmax(self.tables[number, one, two][:, None])[:, 0]
                longer += [((*ids, i), total + own[i]) for i in range(self.V) if i not in forbidden]
            kept = sorted(longer, key=lambda pair: -pair[1])[:beam_size]
            over = [ids[-1] == end_id or n == length for ids, _ in kept]
            penalty = ((5 + n) / 6) ** length_penalty
            ended += [
                (total / penalty, ids, total) for (ids, total), is_over in zip(kept, over, strict=True) if is_over
            ]
            ended = sorted(ended, key=lambda triple: -triple[0])[:results]
            live = [pair for pair, is_over in zip(kept, over, strict=True) if not is_over]
            reach = live[0][1] / ((5 + length) / 6) ** length_penalty if live else -np.inf
            if len(ended) == results and ended[-1][0] >= reach:
                break
        return ended


def bits(found):
    return [
        [(h.ids.tobytes(), h.log_probabilities.tobytes(), h.log_probability, h.score) for h in one] for one in found
    ]


def test_a_wider_beam_leaves_the_garden_path():
    # 0 looks better at first (0.6 to 0.4), but what follows it is uncertain: 0.6 · 0.5 < 0.4 · 0.9
    table = np.log([[0.5, 0.1], [0.5, 0.9]])
    first = np.log([[0.6], [0.4]])
    run = {"step": lambda ids, state: (table[:, ids], state), "select": lambda state, columns: state}
    narrow, wide = (beam_search(logits=first, state=None, beam_size=size, length=2, **run)[0][0] for size in (1, 2))
    assert (narrow.ids.tolist(), wide.ids.tolist()) == ([0, 0], [1, 1])
    assert np.exp([narrow.log_probability, wide.score]).tolist() == pytest.approx([0.3, 0.36], rel=1e-12)


def test_stops_once_nothing_live_can_win():
    logits = np.log([[0.9], [0.05], [0.05]])
    calls = []

    def run(**options):
        calls.clear()
        step = lambda ids, state: (calls.append(len(ids)), (np.repeat(logits, len(ids), axis=1), state))[1]  # noqa: E731
        return beam_search(
            step, lambda state, columns: state, logits, None, beam_size=3, length=50, end_id=0, **options
        )[0]

    assert [hypothesis.ids.tolist() for hypothesis in run()] == [[0]]
    assert calls == []  # 0.9 has ended; what lives has 0.05
    assert [hypothesis.ids.tolist() for hypothesis in run(results=3)] == [[0], [1, 0], [2, 0]]
    assert calls == [2]
    run(length_penalty=2.0)
    assert 0 < len(calls) < 5  # a longer one could have caught up, for a while
    logits = np.log([[0.5], [0.5], [1e-9]])
    assert [hypothesis.ids.tolist() for hypothesis in run()] == [[0]]
    assert calls == []  # what could at best be as probable came later


def test_ties_go_to_the_lower_id():
    even = np.zeros((3, 1))
    (found,) = beam_search(
        lambda ids, state: (np.zeros((3, len(ids))), state),
        lambda state, columns: state,
        even,
        None,
        beam_size=2,
        length=1,
        results=5,
    )
    assert [hypothesis.ids.tolist() for hypothesis in found] == [[0], [1]]
    assert found[0].score == -np.log(3)


def test_select_gets_only_the_columns_that_go_on():
    seen = []

    def select(state, columns):
        seen.append(columns.tolist())
        return state[:, columns]

    logits = np.log([[0.5], [0.3], [0.2]])
    beam_search(
        lambda ids, state: (np.repeat(logits, len(ids), axis=1), np.vstack([state, ids])),
        select,
        logits,
        np.zeros((0, 1), np.int64),
        beam_size=3,
        length=3,
        end_id=2,
        results=3,
    )
    assert seen[0] == [0, 0]  # ids 0 and 1; 2 has ended
    assert all(len(columns) <= 3 for columns in seen)


def test_refuses_what_it_cannot_use():
    model = Sentences(1, 3, 0)
    for options in ({"beam_size": 0, "length": 1}, {"beam_size": 1, "length": 0}):
        with pytest.raises(ValueError, match="must all be at least 1"):
            model.search(**options)
    for alpha in (-1, 11, float("nan")):
        with pytest.raises(ValueError, match=rf"length_penalty must be in \[0, 10\], not {alpha}"):
            model.search(beam_size=1, length=1, length_penalty=alpha)
    with pytest.raises(RnncliError, match="no sequence has a probability"):
        model.search(beam_size=2, length=2, forbidden=[0, 1, 2])
    two = np.zeros((3, 2))
    with pytest.raises(ValueError, match="beam_size 1, length 0 and results 1 must all be at least 1"):
        beam_search(model.step, select, two, two, beam_size=1, length=[3, 0])
    two[1, 1] = np.nan
    with pytest.raises(RnncliError, match="no token has a probability"):
        beam_search(model.step, select, two, two, beam_size=1, length=1)


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_equals_the_naive_twin_and_itself_one_by_one(data):
    N, V = data.draw(st.integers(1, 5)), data.draw(st.integers(2, 7))
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    model = Sentences(N, V, data.draw(st.integers(0, 10**6)), dtype)
    limits = data.draw(st.lists(st.integers(1, 6), min_size=N, max_size=N))
    options = {
        "beam_size": data.draw(st.integers(1, 9)),
        "end_id": data.draw(st.none() | st.integers(0, V - 1)),
        "forbidden": data.draw(st.lists(st.integers(0, V - 1), max_size=V - 1)),
        "length_penalty": data.draw(st.sampled_from([0.0, 0.7, 1.0, 4.0])),
        "results": data.draw(st.integers(1, 5)),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", data.draw(st.sampled_from([1, 2, 4, 64])))
        found = model.search(length=limits, **options)
        alone = [model.search([i], length=limits[i], **options)[0] for i in range(N)]
    assert bits(found) == bits(alone)
    for i in range(N):
        expected = model.naive(i, length=limits[i], **options)
        assert [tuple(hypothesis.ids.tolist()) for hypothesis in found[i]] == [ids for _, ids, _ in expected]
        accuracy = {"rtol": 1e-12 if dtype is np.float64 else 1e-6, "atol": 1e-12 if dtype is np.float64 else 1e-6}
        np.testing.assert_allclose([h.score for h in found[i]], [e[0] for e in expected], **accuracy)
        np.testing.assert_allclose([h.log_probability for h in found[i]], [e[2] for e in expected], **accuracy)
        for hypothesis in found[i]:
            assert hypothesis.log_probabilities.shape == hypothesis.ids.shape
            assert hypothesis.log_probability == pytest.approx(hypothesis.log_probabilities.sum(), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 12), size=st.sampled_from([1, 2, 8, 64]))
def test_of_equals_the_better_hypothesis_then_the_lower_id(seed, count, size):
    rng = np.random.default_rng(seed)
    V, sentences = 30, np.repeat(np.arange(4), rng.integers(1, 4, 4))
    M, live = len(sentences), -np.arange(len(sentences)) % 2 * 1.0
    steps = rng.integers(0, 3, (V, M)).astype(float)
    steps[rng.random((V, M)) < 0.1] = -np.inf
    steps[0] = 2
    order = np.array([rng.permutation(V) for _ in range(M)]).T
    steps = np.take_along_axis(steps, order, axis=0)
    steps[:] = steps[:, :1]  # so that columns are equally probable too
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", size)
        tokens, parents, own = module._Continuations(V, [3, 29], count)(steps, sentences, live)
    logs = log_softmax(steps)
    expected = []
    for sentence in range(4):
        pairs = [(m, v) for m in np.flatnonzero(sentences == sentence) for v in range(V) if v not in (3, 29)]
        pairs = [pair for pair in pairs if steps[pair[1], pair[0]] > -np.inf]
        pairs.sort(key=lambda pair: -round(logs[pair[1], pair[0]] + live[pair[0]], 9))
        expected += pairs[:count]
    assert list(zip(parents, tokens, strict=True)) == expected
    np.testing.assert_allclose(own, logs[tokens, parents], rtol=1e-12)


@pytest.mark.parametrize(("V", "dtype"), [(100, np.float32), (3000, np.float32), (1000, np.float64)])
def test_many_sentences_are_bit_for_bit_those_alone(V, dtype):
    table = np.random.default_rng(V).normal(size=(V, 97)).astype(dtype) * 2

    def step(ids, state):
        state = np.vstack([state, ids])
        return table[:, state.sum(axis=0) % 97], state

    def search(numbers, limits):
        state = np.array(numbers)[None]
        return beam_search(
            step, select, table[:, numbers], state, beam_size=4, length=limits, end_id=2, forbidden=[0, 1], results=3
        )

    limits = np.arange(23) % 5 + 2
    together = search(np.arange(23), limits)
    assert bits(together) == bits([search([i], limits[i])[0] for i in range(23)])
    assert bits(together[5:7]) == bits(search([5, 6], limits[5:7]))
    for i, found in enumerate(together):
        for hypothesis in found:
            so_far, logs = i, []
            for token in hypothesis.ids:
                logs.append(log_softmax(table[:, [so_far % 97]])[token, 0])
                so_far += token
            np.testing.assert_allclose(hypothesis.log_probabilities, logs, rtol=2e-6 if dtype is np.float32 else 1e-12)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
@pytest.mark.parametrize(("end_id", "forbidden"), [(None, ()), (0, ()), (1, ()), (2, (0,))])
def test_wide_beams_are_exact(seed, alpha, end_id, forbidden):
    model, limits = Sentences(5, 3, seed), [1, 2, 3, 4, 4]
    options = {"end_id": end_id, "forbidden": forbidden, "length_penalty": alpha}
    found = model.search(beam_size=3**4, length=limits, results=200, **options)
    few = model.search(beam_size=3**4, length=limits, results=4, **options)
    assert bits(few) == bits([one[:4] for one in found])
    allowed = [v for v in range(3) if v not in forbidden]
    for i, limit in enumerate(limits):
        every = []
        for ids in itertools.chain.from_iterable(itertools.product(allowed, repeat=n + 1) for n in range(limit)):
            if end_id not in ids[:-1] and (len(ids) == limit or ids[-1] == end_id):
                before = (3, 3, *ids)
                logs = [
                    log_softmax(model.tables[i, before[t], before[t + 1]][:, None])[v, 0] for t, v in enumerate(ids)
                ]
                every.append((sum(logs) / ((5 + len(ids)) / 6) ** alpha, ids))
        every.sort(reverse=True)
        assert [tuple(hypothesis.ids.tolist()) for hypothesis in found[i]] == [ids for _, ids in every]
        np.testing.assert_allclose([hypothesis.score for hypothesis in found[i]], [e[0] for e in every], rtol=1e-12)
        if not forbidden:
            assert np.exp([hypothesis.log_probability for hypothesis in found[i]]).sum() == pytest.approx(1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_beams_of_one_are_greedy_sampling(dtype):
    model = Sentences(12, 6, 3, dtype)
    options = {"length": 15, "end_id": 1, "forbidden": [4]}
    found = model.search(beam_size=1, **options)
    assert model.widths == sorted(model.widths, reverse=True)
    assert len(set(model.widths)) > 3  # sentences left when they ended
    assert sum(model.widths) == sum(len(one.ids) - 1 for (one,) in found)
    state = np.stack([np.arange(12), *[np.full(12, 6)] * 2])
    rngs = [np.random.default_rng(0)] * 12
    drawn = sample(model.step, model.logits(state), state, rngs=rngs, sampling=Sampling(greedy=True), **options)
    chosen = [(ids.copy(), log_softmax(logits), active.copy()) for ids, logits, active in drawn]
    for i, (one,) in enumerate(found):
        steps = [(ids[i], logs[ids[i], i]) for ids, logs, active in chosen if active[i]]
        assert one.ids.tolist() == [token for token, _ in steps]
        np.testing.assert_allclose(
            one.log_probabilities, [log for _, log in steps], rtol=1e-12 if dtype is np.float64 else 1e-5, atol=1e-6
        )


def test_limits_are_those_of_each_sentence():
    model = Sentences(4, 5, 1)
    found = model.search(beam_size=3, length=np.array([4, 1, 3, 1]), results=3)
    assert [[len(hypothesis.ids) for hypothesis in one] for one in found] == [[4] * 3, [1] * 3, [3] * 3, [1] * 3]
    assert model.widths == [6, 6, 3]  # three of each sentence that goes on


def test_columns_stand_by_sentence_and_what_is_unchanged_is_not_copied():
    seen, model = [], Sentences(3, 4, 5)

    def watched(state, columns):
        seen.append(columns.tolist())
        return state[:, columns]

    state = np.stack([np.arange(3), *[np.full(3, 4)] * 2])
    beam_search(model.step, watched, model.logits(state), state, beam_size=1, length=9)
    assert seen == [[0, 1, 2]]  # the caller's own state alone
    seen.clear()
    beam_search(model.step, watched, model.logits(state), state, beam_size=2, length=2)
    assert seen == [[0, 0, 1, 1, 2, 2]]


def test_the_precision_is_that_of_each_steps_logits():
    after = np.log([[0.7], [0.3]])
    step = lambda ids, state: (np.repeat(after, len(ids), axis=1), state)  # noqa: E731
    ((one,),) = beam_search(step, lambda s, c: s, np.zeros((2, 1), np.float32), None, beam_size=1, length=3)
    np.testing.assert_allclose(one.log_probabilities, np.log([0.5, 0.7, 0.7]), rtol=1e-14)


def test_no_sentences():
    assert beam_search(None, None, np.zeros((4, 0)), None, beam_size=2, length=3) == []


def test_one_sentence_without_a_probability():
    logits = np.zeros((2, 2))
    step = lambda ids, state: (np.where(state == 1, [[-np.inf], [0]], 0.0), state)  # noqa: E731
    with pytest.raises(RnncliError, match="no sequence has a probability"):
        beam_search(step, lambda s, c: s[c], logits, np.arange(2), beam_size=1, length=2, forbidden=[1])
