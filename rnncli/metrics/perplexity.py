"""Perplexity: among how many tokens, all as probable, a choice would surprise as much."""

import math


def perplexity(cross_entropy: float) -> float:
    """e^H of a cross-entropy H in nats a token; infinity where that is too large for a number."""
    try:
        return math.exp(cross_entropy)
    except OverflowError:
        return math.inf
