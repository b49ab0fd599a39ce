"""The rows of the sets that are tables."""

import csv

import numpy as np


def rows(chosen, split, seed=1):
    """Return (text, label) of each row."""
    header, *found = csv.reader(chosen.content(split, np.random.default_rng(seed)).decode().splitlines())
    assert header == ["text", "label"]
    return [tuple(row) for row in found]


def pairs(chosen, split, seed=1):
    """Return (source, target) of each line."""
    *lines, end = chosen.content(split, np.random.default_rng(seed)).decode().split("\n")
    assert end == ""
    return [tuple(line.split("\t")) for line in lines]
