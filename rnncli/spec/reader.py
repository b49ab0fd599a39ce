"""Bytes → `Document`: the limits and characters of a spec before its YAML is read."""

import re
from pathlib import Path

from rnncli.spec.document import Document
from rnncli.spec.messages import problem

LARGEST = 2**20  # bytes
# C0 (except tab and line ends), DEL, C1, line and paragraph separators (line ends to PyYAML alone), BOM, non-characters
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def read_spec(path: Path) -> Document:
    """Read a spec file: strict YAML in UTF-8, at most 1 MiB; raises SpecError."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise problem(f"cannot read the spec: {reason}", where=str(path), hint="check the path") from None
    return parse_spec(data, str(path))


def parse_spec(data: bytes, source: str) -> Document:
    """Read a spec from bytes; `source` names it in messages; raises SpecError. An empty document is `{}`."""
    document = parse_text(data, source)
    if document.value is None:
        document.value = {}
    return document


def parse_text(data: bytes, source: str, *, inline: bool = False) -> Document:
    """Read YAML from bytes, a document or `inline` one value; raises SpecError."""
    from rnncli.spec.strict_yaml import read_yaml

    if len(data) > LARGEST:
        raise problem(f"larger than {LARGEST} bytes", where=source, hint="is this a spec?")
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line, column = data.count(b"\n", 0, error.start) + 1, error.start - data.rfind(b"\n", 0, error.start)
        message = f"not UTF-8: byte 0x{data[error.start]:02X} at offset {error.start}"
        raise problem(message, where=f"{source}:{line}:{column}", hint="save the file as UTF-8") from None
    if found := FORBIDDEN.search(text):
        at = found.start()
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        message = f"the character U+{ord(found[0]):04X} is not allowed"
        hint = "remove it, or write it as an escape in double quotes"
        raise problem(message, where=f"{source}:{line}:{column}", hint=hint)
    return read_yaml(text, source, inline=inline)
