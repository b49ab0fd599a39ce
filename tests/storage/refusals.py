"""What every refusal must be like."""

import time
import tracemalloc

import pytest

from rnncli.errors import CheckpointError


def assert_clear(error, path):
    """One printable line of at most 200 characters that names the file and the next step."""
    text = str(error)
    assert len(list(error.lines())) == 1
    assert text.isprintable()
    assert len(text) <= 200, text
    assert path.name in text
    assert error.hint
    assert "allow_pickle" not in text
    assert "Traceback" not in text


def assert_refused(read, path, *, memory=2**20):
    """Refused with a clear message, within a second, without allocating `memory` bytes; return the error."""
    tracemalloc.start()
    start = time.perf_counter()
    try:
        with pytest.raises(CheckpointError) as caught:
            read(path)
        assert time.perf_counter() - start < 1
        assert tracemalloc.get_traced_memory()[1] < memory
    finally:
        tracemalloc.stop()
    assert_clear(caught.value, path)
    return caught.value
