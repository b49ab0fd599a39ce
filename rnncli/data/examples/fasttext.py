"""fastText: a line an example, `__label__NAME` before the text (Joulin et al. 2016)."""

import re
from collections.abc import Iterator

from rnncli.data.examples.example import Example, Reading, Report, example
from rnncli.data.examples.whole_lines import numbered_lines
from rnncli.data.files import Source
from rnncli.errors import DataError

MARK = "__label__"

_LABELS = re.compile(rf"[ \t]*((?:{MARK}[^ \t]*[ \t]*)*)")
_LABEL = re.compile(rf"{MARK}([^ \t]*)")  # with any other white space, which is refused


def read_fasttext(source: Source, reading: Reading, report: Report) -> Iterator[Example]:
    """Yield an example a line that is not blank; white space around the text is dropped.

    Labels are the tokens at the beginning of a line that begin with `__label__`. Raises DataError for a line without
    one where labels are read.
    """
    for number, line in numbered_lines(source, reading.encoding, report):
        if not line or line.isspace():
            continue
        where = f"{source.name}:{number}"
        found = _LABELS.match(line)
        assert found  # it matches nothing, too
        if reading.labelled and not found[1]:
            raise DataError("no label before the text", hint=f"begin the line with {MARK}NAME", where=where)
        yield example(line[found.end() :].strip(), _LABEL.findall(found[1]), where, reading)


def without_labels(line: str) -> str:
    """Return the text of a line that begins with labels, and any other line as it is."""
    found = _LABELS.match(line)
    assert found
    return line[found.end() :].strip() if found[1] else line
