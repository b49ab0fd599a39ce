"""A folder for each label, with a file for each text."""

from collections.abc import Iterator
from pathlib import Path

from rnncli.data.examples.example import Example, Reading, Report, example
from rnncli.data.examples.whole_lines import text_pieces
from rnncli.data.files import Source
from rnncli.errors import DataError


def folder_label(source: Source) -> str:
    """Return the name of the folder beside others that the file lies in, at whatever depth; "" for a loose file.

    Of a file that was named itself, by a pattern or one by one, it is the folder right above.
    """
    if source.folder is None:
        return Path(source.path).parent.name
    parts = Path(source.path).relative_to(source.folder).parts
    return parts[0] if len(parts) > 1 else ""


def read_label_folder(source: Source, reading: Reading, report: Report) -> Iterator[Example]:
    """Yield the file as one text, without the newlines at its end.

    Where labels are read, a loose file beside the folders is skipped: a list or a note of whoever made them.
    """
    label = folder_label(source)
    if label or not reading.labelled:
        # An empty file is no text to learn from, but has an answer like any other
        text = _text(source, reading, report) if source.size else ""
        yield example(text.rstrip("\n"), (label,), source.name, reading)


def _text(source: Source, reading: Reading, report: Report) -> str:
    try:
        return "".join(text_pieces(source, reading.encoding, report))
    except DataError as error:
        if "binary file" not in error.message:
            raise
        hint = "in the folder of a label every file is a text: move it out"
        raise DataError(error.message, hint=hint, where=error.where) from None
