"""Writes a file and reads its examples, for tests of every format."""

import pytest

from rnncli.data.examples import Columns, format_of, read_examples
from rnncli.data.files import find_sources
from rnncli.errors import DataError


def write(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read_at(path, columns=None, **options):
    """The examples of what lies at a path, their places without the folder that it lies in."""
    sources = find_sources([str(path)])
    columns = columns or Columns()
    found = read_examples(sources, options.pop("format", None) or format_of(sources), columns, **options)
    return [(text, labels, where.removeprefix(f"{path.parent}/")) for text, labels, where in found]


def read(folder, name, content, columns=None, **options):
    return read_at(write(folder, name, content), columns, **options)


def refusal_at(path, columns=None, error=DataError, **options):
    """The one line that is said of it, without the folder."""
    with pytest.raises(error) as caught:
        read_at(path, columns, **options)
    assert caught.value.exit_status == error.exit_status
    line = str(caught.value)
    assert line.isprintable()
    assert caught.value.hint
    line = line.replace(f"{path.parent}/", "")
    assert len(line) <= 240, line
    return line


def refusal(folder, name, content, columns=None, **options):
    return refusal_at(write(folder, name, content), columns, **options)
