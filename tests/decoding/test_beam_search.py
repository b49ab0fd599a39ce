"""Beam search against the enumeration of every sequence."""

import itertools

import numpy as np
import pytest

from rnncli.decoding import beam_search, log_softmax
from rnncli.errors import RnncliError


class History:
    """A model whose logits depend on everything so far: its state is the ids of each column (n, K)."""

    def __init__(self, V, seed):
        self.V, self.seed, self.calls = V, seed, 0

    def column(self, ids):
        return np.random.default_rng([self.seed, *(i + 1 for i in ids)]).normal(size=self.V) * 1.5

    def logits(self, state):
        return np.stack([self.column(ids) for ids in state.T.tolist()], axis=1)

    def step(self, ids, state):
        self.calls += 1
        state = np.vstack([state, ids])
        return self.logits(state), state

    def search(self, **options):
        state = np.zeros((0, 1), np.int64)
        return beam_search(self.step, lambda state, columns: state[:, columns], self.logits(state), state, **options)

    def every(self, length, end_id, forbidden, alpha):
        """Every sequence that ended, or is `length` long: (score, ids, log-probability), best first."""
        found = []
        for n in range(1, length + 1):
            for ids in itertools.product([i for i in range(self.V) if i not in forbidden], repeat=n):
                if end_id in ids[:-1] or (n < length and ids[-1] != end_id):
                    continue
                logs = [log_softmax(self.column(ids[:t])[:, None])[i, 0] for t, i in enumerate(ids)]
                found.append((sum(logs) / ((5 + n) / 6) ** alpha, ids, sum(logs)))
        return sorted(found, reverse=True)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
@pytest.mark.parametrize(("end_id", "forbidden"), [(None, ()), (1, ()), (2, (0,))])
def test_a_wide_beam_is_exact(seed, alpha, end_id, forbidden):
    model = History(3, seed)
    found = model.search(beam_size=3**4, length=4, end_id=end_id, forbidden=forbidden, length_penalty=alpha, results=10)
    expected = model.every(4, end_id, forbidden, alpha)[:10]
    assert [tuple(hypothesis.ids.tolist()) for hypothesis in found] == [ids for _, ids, _ in expected]
    np.testing.assert_allclose([hypothesis.score for hypothesis in found], [e[0] for e in expected], rtol=1e-12)
    np.testing.assert_allclose(
        [hypothesis.log_probability for hypothesis in found], [e[2] for e in expected], rtol=1e-12
    )


@pytest.mark.parametrize("alpha", [0.0, 5.0])
def test_a_beam_of_one_is_greedy(alpha):
    ends = set()
    for seed in range(8):
        model = History(4, seed)
        ids = []
        while len(ids) < 6 and (not ids or ids[-1] != 0):
            ids.append(int(model.column(ids).argmax()))
        (found,) = model.search(beam_size=1, length=6, end_id=0, length_penalty=alpha)
        assert found.ids.tolist() == ids
        ends.add(len(ids))
    assert len(ends) > 2


def test_a_wider_beam_leaves_the_garden_path():
    # 0 looks better at first (0.6 to 0.4), but what follows it is uncertain: 0.6 · 0.5 < 0.4 · 0.9
    table = np.log([[0.5, 0.1], [0.5, 0.9]])
    first = np.log([[0.6], [0.4]])
    run = {"step": lambda ids, state: (table[:, ids], state), "select": lambda state, columns: state}
    narrow, wide = (beam_search(logits=first, state=None, beam_size=size, length=2, **run)[0] for size in (1, 2))
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
        )

    assert [hypothesis.ids.tolist() for hypothesis in run()] == [[0]]
    assert calls == []  # 0.9 has ended; what lives has 0.05
    assert [hypothesis.ids.tolist() for hypothesis in run(results=3)] == [[0], [1, 0], [2, 0]]
    assert calls == [2]
    run(length_penalty=2.0)
    assert 0 < len(calls) < 5  # a longer one could have caught up, for a while


def test_ties_go_to_the_lower_id():
    even = np.zeros((3, 1))
    found = beam_search(
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
    model = History(3, 0)
    for options in ({"beam_size": 0, "length": 1}, {"beam_size": 1, "length": 0}):
        with pytest.raises(ValueError, match="must all be at least 1"):
            model.search(**options)
    for alpha in (-1, 11, float("nan")):
        with pytest.raises(ValueError, match=rf"length_penalty must be in \[0, 10\], not {alpha}"):
            model.search(beam_size=1, length=1, length_penalty=alpha)
    with pytest.raises(RnncliError, match="no sequence has a probability"):
        model.search(beam_size=2, length=2, forbidden=[0, 1, 2])
