"""Perplexity: of what is known, and beyond the numbers there are."""

import math

import pytest

from rnncli.metrics import perplexity


def test_of_equally_probable_tokens_it_is_their_number():
    assert perplexity(math.log(8)) == pytest.approx(8)
    assert perplexity(0.0) == 1


def test_it_is_finite_as_long_as_a_number_can_be():
    assert perplexity(709.0) == math.exp(709)
    assert perplexity(710.0) == perplexity(math.inf) == math.inf
    assert math.isnan(perplexity(math.nan))
