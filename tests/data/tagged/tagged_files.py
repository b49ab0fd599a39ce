"""Writes a file, reads its tagged sequences and writes them back, for tests of every format."""

import numpy as np
import pytest

from rnncli.data.files import find_sources
from rnncli.data.tagged import TagColumns, format_of, read_tagged, written
from rnncli.errors import DataError
from tests.data.examples.written_files import write

NO_COLUMNS = TagColumns()


def sequences_at(path, columns=NO_COLUMNS, **options):
    sources = find_sources([str(path)])
    return read_tagged(sources, options.pop("format", None) or format_of(sources), columns, **options)


def read(folder, name, content, columns=NO_COLUMNS, **options):
    """The sequences of a file: steps, labels, where without the folder, lines."""
    path = write(folder, name, content)
    found = []
    for steps, labels, where, lines, _ in sequences_at(path, columns, **options):
        if isinstance(steps, np.ndarray):
            assert steps.dtype == np.float32
        values = steps.tolist() if isinstance(steps, np.ndarray) else list(steps)
        found.append((values, list(labels), where.removeprefix(f"{path.parent}/"), list(lines)))
    return found


def tokens(folder, name, content, columns=NO_COLUMNS, **options):
    """The tokens of each sequence, and their labels, each as a word."""
    return [
        (steps, ["|".join(names) for names in labels])
        for steps, labels, *_ in read(folder, name, content, columns, **options)
    ]


def rewritten(folder, name, content, new=None, columns=NO_COLUMNS, **options):
    """The text of the file with a new label for each old one, or for each step where none were read."""
    sequences = sequences_at(write(folder, name, content), columns, **options)
    parts = []
    for example in sequences:
        labels = example.labels
        if new is not None:
            labels = [tuple(map(new.get, names, names)) for names in labels] if labels else [new] * len(example.steps)
        parts.append(written(example, labels))
    return "".join((*parts, sequences.rest))


def refusal(folder, name, content, columns=NO_COLUMNS, error=DataError, **options):
    """The one line that is said of it, without the folder."""
    path = write(folder, name, content)
    with pytest.raises(error) as caught:
        list(sequences_at(path, columns, **options))
    assert caught.value.exit_status == error.exit_status
    assert caught.value.hint
    line = str(caught.value)
    assert line.isprintable()
    line = line.replace(f"{path.parent}/", "")
    assert len(line) <= 240, line
    return line
