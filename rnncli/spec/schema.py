"""What a field's type hint says about the values it takes."""

from dataclasses import MISSING, Field, fields, is_dataclass
from types import UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints


def bare(hint: Any) -> Any:
    """Return a hint without its annotations."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def members(hint: Any) -> list[Any]:
    """Return the alternatives of a hint: one, or those of a union, flattened."""
    inner = bare(hint)
    if get_origin(inner) in (Union, UnionType):
        return [member for part in get_args(inner) for member in members(part)]
    return [hint]


def choices(alternatives: list[Any]) -> list[Any]:
    """Return the values that the literals among `alternatives` allow."""
    literals = [bare(member) for member in alternatives if get_origin(bare(member)) is Literal]
    return [value for literal in literals for value in get_args(literal)]


def keys(schema: type) -> dict[str, tuple["Field[Any]", Any]]:
    """Return the fields that a mapping may give, by key, each with its hint."""
    hints = get_type_hints(schema, include_extras=True)
    return {field.name: (field, hints[field.name]) for field in fields(schema) if field.init}


def default_of(field: "Field[Any]") -> Any:
    """Return the default of a field; MISSING if it must be given."""
    return field.default if field.default_factory is MISSING else field.default_factory()


def names(schema: type) -> list[Any]:
    """Return the names a component goes by: the choices of its field `name`; none for other dataclasses."""
    own = keys(schema)
    return choices(members(own["name"][1])) if "name" in own else []


def path_to(schema: type, key: str) -> str:
    """Return where below a dataclass a key belongs, such as `optimizer.learning_rate`; nothing if nowhere."""
    for name, (_, hint) in keys(schema).items():
        if name == key:
            return key
        for member in map(bare, members(hint)):
            if is_dataclass(member) and (inner := path_to(cast("type", member), key)):
                return f"{name}.{inner}"
    return ""
