"""Reading a file of word vectors, in whatever format it is."""

from pathlib import Path

from rnncli.data.files import Source
from rnncli.data.word_vectors.binary import read_binary
from rnncli.data.word_vectors.kept import Kept, WordVectors
from rnncli.data.word_vectors.stream import Report, Stream, begins_with_header
from rnncli.data.word_vectors.table import read_table
from rnncli.data.word_vectors.text import read_text
from rnncli.errors import DataError

_TABLES = {".csv": ",", ".tsv": "\t"}


def read_word_vectors(source: Source, kept: Kept, report: Report = bool) -> WordVectors:
    """Read the vectors of the words that are `kept`: the only ones that are in memory.

    Files called .bin are in word2vec's binary format, .csv and .tsv are tables, and all others text, unless they look
    binary; each may be gzipped as .gz. `report` is called with the bytes that are read. Raises DataError for what
    cannot be read, naming the line, or of binary files the vector.
    """
    suffix = Path(source.path.lower().removesuffix(".gz")).suffix
    with source.open() as raw:
        stream = Stream(source, raw, report)
        head = stream.peek()
        if not head:
            raise DataError("the file is empty", hint="fetch it again", where=source.name)
        if suffix in _TABLES:
            vectors = read_table(stream, kept, _TABLES[suffix])
        elif suffix == ".bin" or (b"\0" in head and begins_with_header(head)):
            vectors = read_binary(stream, kept)
        elif b"\0" in head:
            offset, hint = head.index(b"\0"), "give text as GloVe's or word2vec's, word2vec's .bin, or a table"
            raise DataError(f"looks like a binary file (NUL byte at offset {offset})", hint=hint, where=source.name)
        else:
            vectors = read_text(stream, kept)
        stream.report()
    source.check_unchanged()
    return vectors
