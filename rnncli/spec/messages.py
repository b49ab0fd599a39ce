"""One printable line of at most 200 characters for every problem with a spec."""

import json
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from rnncli.errors import SpecError
from rnncli.spec.document import Keys

LONGEST = 200


def printable(text: str, limit: int = 40) -> str:
    """Escape control, bidirectional and other invisible characters, and shorten to `limit` characters."""
    text = escaped(text[: limit + 1])  # A value may be a megabyte
    return text if len(text) <= limit else text[: limit - 1] + "…"


def escaped(text: str) -> str:
    """Escape control, bidirectional and other invisible characters, as Python writes them."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown(value: Any) -> str:
    """Name a value as YAML would write it."""
    if isinstance(value, str):
        return f'"{printable(value)}"'
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return f"a list of length {len(value)}"
    return printable(json.dumps(value))


def dotted(path: Keys) -> str:
    """Return `model.layers[1].size`; the end of it if it is long."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{printable(key)}" for key in path).removeprefix(".")
    return text if len(text) <= 60 else "…" + text[-59:]


def listed(names: Iterable[Any]) -> str:
    """Join names with commas, as many as fit in 100 characters."""
    text = ", ".join(printable(str(name)) for name in names)
    return text if len(text) <= 100 else text[:99].rsplit(",", 1)[0] + ", …"


def nearest(word: Any, names: Iterable[Any]) -> str:
    """Return `did you mean "x"?` for the name most like `word`, or nothing."""
    by_lower = {str(name).lower(): str(name) for name in names}
    found = get_close_matches(str(word)[:60].lower(), by_lower, 1)
    return f'did you mean "{printable(by_lower[found[0]])}"?' if found else ""


def problem(message: str, *, where: str, hint: str = "") -> SpecError:
    """Return the error whose whole line is printable and fits."""
    where = escaped(where)
    where = where if len(where) <= 90 else "…" + where[-89:]
    message = printable(message, LONGEST - len(where) - 2)
    room = LONGEST - len(where) - len(message) - 4
    return SpecError(message, where=where, hint=printable(hint, room) if room > 20 else "")
