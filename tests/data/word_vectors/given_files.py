"""Files of word vectors, written and read back."""

import struct

import pytest

from rnncli.data import find_sources
from rnncli.data.word_vectors import Kept, read_word_vectors
from rnncli.errors import DataError


class Everything:
    """Wants every word."""

    def __contains__(self, word):
        return True


EVERYTHING = Everything()


def read(folder, name, content, wanted=EVERYTHING, **options):
    """The words that are kept of a file, each with its vector; and the names of dimensions and the notices."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    kept = Kept(wanted, **options)
    (source,) = find_sources([str(path)])
    rows, vectors, dimensions, notices = read_word_vectors(source, kept)
    assert [*rows.values()] == [*range(len(vectors))]
    assert vectors.dtype == "float32"
    found = {word: vectors[row].tolist() for word, row in rows.items()}
    return found, dimensions, [notice.replace(f"{folder}/", "") for notice in notices]


def words(*arguments, **options):
    """Those words with their vectors alone, of a file that gives rise to no notice."""
    found, _, notices = read(*arguments, **options)
    assert notices == []
    return found


def refusal(folder, name, content, **options):
    """The one line that says why a file cannot be read."""
    with pytest.raises(DataError) as caught:
        read(folder, name, content, **options)
    (line,) = caught.value.lines()
    assert line.isprintable()
    assert caught.value.hint
    assert len(line.replace(f"{folder}/", "")) <= 240
    return line.replace(f"{folder}/", "")


def binary(vectors, header=None, newline=b""):
    """The bytes of word2vec's format; `vectors` is a list of (bytes of the word, numbers)."""
    count, size = header or (len(vectors), len(vectors[0][1]))
    lines = (word + b" " + struct.pack(f"<{len(row)}f", *row) + newline for word, row in vectors)
    return f"{count} {size}\n".encode() + b"".join(lines)
