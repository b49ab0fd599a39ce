"""fastText: a line an example, `__label__NAME` before the text (Joulin et al. 2016)."""

import re
from collections.abc import Iterator

from rnncli.data.examples.example import Example, Reading, Report, example
from rnncli.data.examples.whole_lines import numbered_lines
from rnncli.data.files import Source
from rnncli.errors import DataError

MARK = "__label__"

_LABEL = re.compile(rf"(?<![^ \t]){MARK}([^ \t]*)[ \t]*")  # with any other white space, which is refused


def read_fasttext(source: Source, reading: Reading, report: Report) -> Iterator[Example]:
    """Yield an example a line that is not blank; white space around the text is dropped.

    Labels are the words that begin with `__label__`, wherever they stand, and no part of the text. Raises DataError for
    a line without one where labels are read, unless it may have none.
    """
    for number, line in numbered_lines(source, reading.encoding, report):
        if not line or line.isspace():
            continue
        where = f"{source.name}:{number}"
        labels = _LABEL.findall(line) if MARK in line else []
        if reading.labelled and not labels and not reading.multi_label:
            raise DataError("no label before the text", hint=f"begin the line with {MARK}NAME", where=where)
        yield example((_LABEL.sub("", line) if labels else line).strip(), labels, where, reading)


def without_labels(line: str) -> str:
    """Return the text of a line that holds labels, and any other line as it is."""
    text, labels = _LABEL.subn("", line) if MARK in line else (line, 0)
    return text.strip() if labels else line
