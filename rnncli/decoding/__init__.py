"""Decoding: choosing token after token from a model known only as a step function."""

from rnncli.decoding.beam_search import Hypothesis, Select, beam_search
from rnncli.decoding.feedback import fed_back, followed
from rnncli.decoding.sampling import Chosen, Sampling, Step, distribution, log_softmax, pick, sample
from rnncli.decoding.stop_text import StopText

__all__ = [
    "Chosen",
    "Hypothesis",
    "Sampling",
    "Select",
    "Step",
    "StopText",
    "beam_search",
    "distribution",
    "fed_back",
    "followed",
    "log_softmax",
    "pick",
    "sample",
]
