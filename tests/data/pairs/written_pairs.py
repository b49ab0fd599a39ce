"""Files of pairs, and what is read from them or refused."""

import pytest

from rnncli.data import find_sources
from rnncli.data.pairs import PairColumns, PairReading, format_of, read_pairs
from rnncli.errors import RnncliError


def written(folder, files):
    """Write files, texts in UTF-8 or bytes, and return the sources of each."""
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return [find_sources([str(folder / name)]) for name in files]


def read(folder, files, name=None, *, targets=True, can_name_columns=True, encoding="utf-8", report=bool, **columns):
    """Return the pairs of files in their order as (source, target, place)."""
    entries = written(folder, files)
    reading = PairReading(PairColumns(**columns), encoding, targets, can_name_columns)
    pairs = read_pairs(entries, name or format_of(entries), reading, report=report)
    return [(*pair[:2], pair.where.replace(f"{folder}/", "")) for pair in pairs]


def refusal(folder, files, *arguments, **options):
    """Return the message with which they are refused."""
    with pytest.raises(RnncliError) as caught:
        read(folder, files, *arguments, **options)
    line = str(caught.value).replace(f"{folder}/", "")
    assert line.isprintable()
    assert len(line) <= 240, line
    return line
