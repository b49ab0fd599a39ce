"""Sequences in memory, of arrays."""

import numpy as np

from rnncli.data import Sequences


def joined(arrays):
    """These sequences, one after the other."""
    flat = np.concatenate([np.zeros(0, np.uint8), *arrays])
    return Sequences(flat, np.cumsum([0, *map(len, arrays)]))


def bracketed(ids, begin=1, end=2):
    """One item between its begin and end symbol."""
    return np.concatenate(([begin], ids, [end])).astype(np.result_type(ids))
