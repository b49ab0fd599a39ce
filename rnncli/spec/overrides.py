"""Values from the command line, laid over a document before it is checked."""

from typing import Any

from rnncli.errors import SpecError
from rnncli.spec.document import Document, Keys
from rnncli.spec.messages import dotted, printable, problem, shown
from rnncli.spec.reader import parse_text


def override(document: Document, assignment: str) -> None:
    """Carry out `--set a.b=c`, where c is one YAML value: a word, `[1, 2]` or `{name: adam}`; raises SpecError."""
    name, equals, text = assignment.partition("=")
    path = tuple(key.strip() for key in name.split("."))
    where = f"--set {printable(name.strip(), 60)}"
    if not equals or not all(path):
        raise problem("not of the form key=value", where=where, hint="write --set model.hidden_size=256")
    try:
        value = parse_text(text.encode(errors="surrogateescape"), where, inline=True).value
    except SpecError as error:
        raise SpecError(error.message, hint=error.hint, where=where) from None
    assign(document, path, value, where)


def assign(document: Document, path: Keys, value: Any, where: str) -> None:
    """Set the value at `path`, as said by the flag `where`; raises SpecError if a parent is no mapping.

    Missing parents are created, and `cell: lstm` becomes `cell: {name: lstm}`.
    """
    mapping = document.value
    if not isinstance(mapping, dict):
        raise problem(f"the spec is {shown(mapping)}, not a mapping", where=where)
    for depth, key in enumerate(path[:-1], start=1):
        parent, child = path[:depth], mapping.get(key)
        if child is None:
            mapping[key] = {}
            document.move(parent, where)
        elif isinstance(child, str):
            mapping[key] = {"name": child}
            name_places = document.place(parent), document.place(parent, of_value=True)
            document.move(parent, where)
            document.places[*parent, "name"] = name_places
        elif not isinstance(child, dict):
            raise problem(f"{dotted(parent)} is {shown(child)}, not a mapping", where=where)
        mapping = mapping[key]
    mapping[path[-1]] = value
    document.move(path, where)
