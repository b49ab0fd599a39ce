"""Writes arrays and reads their sequences, for tests of `.npz` files."""

import numpy as np
import pytest

from rnncli.data.files import find_sources
from rnncli.errors import DataError
from rnncli.tasks.vector_files import read_vectors

X = np.arange(12.0).reshape(6, 2)
LENGTHS = [1, 2, 3]


def read(path, *, save=np.savez, labelled=True, multi_label=False, values=None, **arrays):
    save(path, **arrays)
    found = list(read_vectors(find_sources([str(path)])[0], labelled=labelled, multi_label=multi_label, values=values))
    assert all(example.input.dtype == np.float32 for example in found)
    return found


def refusal(path, **options):
    with pytest.raises(DataError) as caught:
        read(path, **options)
    line = str(caught.value)
    assert line.isprintable()
    assert caught.value.hint
    return line.removeprefix(f"{path}: ")
