"""Sequences in memory, of arrays."""

import numpy as np

from rnncli.data import Examples, Sequences


def joined(arrays):
    """These sequences, one after the other."""
    flat = np.concatenate([np.zeros(0, np.uint8), *arrays])
    return Sequences(flat, np.cumsum([0, *map(len, arrays)]))


def bracketed(ids, begin=1, end=2):
    """One item between its begin and end symbol."""
    return np.concatenate(([begin], ids, [end])).astype(np.result_type(ids))


def examples_of(sizes, width=None, outputs=None):
    """Labelled sequences of these sizes: the numbers from 1 on as ids, or as vectors of a width."""
    starts = np.cumsum([0, *sizes])
    shape = (starts[-1], width) if width else (starts[-1],)
    values = np.arange(1, np.prod(shape, dtype=int) + 1).reshape(shape).astype(np.float32 if width else np.uint16)
    targets = np.arange(100, 100 + len(sizes) * (outputs or 1))
    targets = targets.reshape(outputs, -1) / 2 if outputs else targets
    return Examples(values, starts, targets, [f"file:{i}" for i in range(len(sizes))])
