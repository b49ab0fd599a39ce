"""Scores by position: means by hand, and readable bins that hold each token once."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.metrics import ClosedLoopReport, FedScore, FedSums, PositionBin

TOKENS = np.array([4, 4, 2])
REPORT = ClosedLoopReport(
    TOKENS,
    FedSums(np.array([2.0, 4.0, 1.0]), np.array([4, 2, 1])),
    FedSums(np.array([2.0, 9.0, 6.0]), np.array([4, 1, 0])),
)


def report_of(tokens):
    tokens = np.array(tokens, np.int64)
    return ClosedLoopReport(tokens, FedSums(tokens * 1.0, tokens), FedSums(tokens * 3.0, np.zeros(len(tokens))))


def edges(tokens):
    return [(each.low, each.high) for each in report_of(tokens).bins()]


def test_means_and_gap_by_hand():
    assert REPORT.forced.score(TOKENS) == FedScore(0.7, 0.7)
    assert REPORT.free.score(TOKENS) == FedScore(1.7, 0.5)
    assert REPORT.gap == pytest.approx(1.0, rel=1e-12)
    assert REPORT.free.score(TOKENS, slice(1, 3)) == FedScore(2.5, 1 / 6)
    assert [*REPORT.bins()] == [
        PositionBin(1, 1, 4, FedScore(0.5, 1.0), FedScore(0.5, 1.0)),
        PositionBin(2, 2, 4, FedScore(1.0, 0.5), FedScore(2.25, 0.25)),
        PositionBin(3, 3, 2, FedScore(0.5, 0.5), FedScore(3.0, 0.0)),
    ]


@pytest.mark.parametrize("tokens", [[], [0, 0]])
def test_of_nothing_there_is_nothing(tokens):
    assert edges(tokens) == []
    assert math.isnan(report_of(tokens).gap)


def test_bins_are_readable():
    assert edges([9] * 20) == [(n, n) for n in range(1, 21)]
    assert edges([9] * 37) == [*((n, n + 1) for n in range(1, 37, 2)), (37, 37)]
    assert edges([9] * 50) == [(n, n + 4) for n in range(1, 50, 5)]
    assert edges([9] * 1000) == [(n, n + 49) for n in range(1, 1000, 50)]
    assert edges([1000, *[1] * 3000]) == [*((n, n + 199) for n in range(1, 2800, 200)), (2801, 3000), (3001, 3001)]


def test_the_few_furthest_behind_share_a_bin():
    assert edges([100] * 9 + [1] * 40) == [*((n, n) for n in range(1, 10)), (10, 49)]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=300).map(lambda each: sorted(each, reverse=True)))
def test_every_token_is_in_one_bin_and_they_are_few(tokens):
    bins = [*report_of(tokens).bins()]
    assert len(bins) <= 21
    assert sum(each.tokens for each in bins) == sum(tokens)
    assert [each.low for each in bins] == [1, *(each.high + 1 for each in bins[:-1])]
    assert bins[-1].high == len(tokens)
    assert {each.forced for each in bins} == {FedScore(1.0, 1.0)}
