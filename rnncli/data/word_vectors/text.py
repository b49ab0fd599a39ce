"""A word and its numbers in each line: GloVe's format, and with a header word2vec's, which fastText's .vec is, too.

A word may hold the separator, or white space that is none, such as U+00A0: a line is cut from the right.
"""

from rnncli.data.word_vectors.kept import Kept, WordVectors, shown
from rnncli.data.word_vectors.stream import Stream, header_of
from rnncli.errors import DataError

_OFTEN = 1000  # lines between two reports
_LIKE = "its lines must be like: the 0.418 0.24968 …"


def read_text(stream: Stream, kept: Kept) -> WordVectors:
    """Read the vectors of the words that are kept; of all others only the width is looked at.

    Raises DataError for vectors of two widths, other numbers of them than the header says, and what is no number.
    """
    header, size, separator, count, number = None, 0, b"", 0, 0
    for number, raw in stream.lines():
        where = f"{stream.name}:{number}"
        line = (raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw).rstrip()
        if number == 1 and (header := header_of(line, _least, stream)):
            size = header.size
            continue
        if not line:
            continue
        count += 1
        if count == 1:
            separator = b"\t" if b"\t" in line else b" "
            size = size or _size(line, separator, where)
        usual = line.count(separator) == size
        end = line.index(separator) if usual else _end(line, separator, size, where)
        name = line[:end] if usual else line[:end].rstrip(separator) or line[:end]
        if header and count > header.number:
            message = f"more vectors than the {header.number:,} of the header"
            raise DataError(message, hint="mend line 1", where=where)
        word = kept.wants(name, where)
        if word is not None:
            kept.add(word, _numbers(line[end + 1 :], separator, word, where), where)
        if number % _OFTEN == 0:
            stream.report()
    if not count:
        raise DataError("no vectors", hint=_LIKE, where=stream.name)
    if header and count < header.number:
        message = f"{count:,} vectors, where the header says {header.number:,}"
        raise DataError(message, hint="fetch it again, or mend line 1", where=f"{stream.name}:{number}")
    return kept.done(size)


def _least(size: int) -> int:
    """Return the bytes of a line: a character, and twice as many for each number; the last line may lack its end."""
    return 2 * size + 1


def _size(line: bytes, separator: bytes, where: str) -> int:
    """Return how many numbers the first line ends in."""
    _, *cells = line.split(separator)
    size = next((i for i, cell in enumerate(reversed(cells)) if not _is_number(cell)), len(cells))
    if not size:
        raise DataError("no word with numbers after it", hint=_LIKE, where=where)
    return size


def _end(line: bytes, separator: bytes, size: int, where: str) -> int:
    """Return where the word ends in a line with more separators than numbers, or fewer; DataError for another width."""
    word, *cells = line.rsplit(separator, size)
    if len(cells) == size:
        before = word.split(separator)[1:]
        surplus = next((i for i, cell in enumerate(reversed(before)) if not _is_number(cell)), len(before))
        # "route 66" is a word unless its vector is of whole numbers, too, and "to infinity" always is
        apart = before[-1].isdigit() and _is_number(cells[0]) and not cells[0].removeprefix(b"-").isdigit()
        if not surplus or apart or before[-1].isalpha():
            return len(word)
        found = size + surplus
    else:
        found = len(cells)
    message = f"a vector of {found} number{'s' * (found != 1)}, where {size} are expected"
    raise DataError(message, hint="all vectors must be of one width", where=where)


def _numbers(line: bytes, separator: bytes, word: str, where: str) -> list[float]:
    try:
        if b"_" not in line:  # Python's 1_000 is a number nowhere else
            return list(map(float, line.split(separator)))
    except ValueError:
        pass
    cell = next(cell for cell in line.split(separator) if not _is_number(cell))
    message = f"the vector of {shown(word)}: {shown(cell.decode(errors='replace'))} is not a number"
    raise DataError(message, hint="mend it, or leave the word out", where=where)


def _is_number(cell: bytes) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return b"_" not in cell
