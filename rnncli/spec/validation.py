"""Documents → frozen dataclasses, reporting every problem at its place in one pass.

A field whose type is a dataclass with a field `name: Literal[…]`, or a union of such, is a component: `cell: lstm` is
short for `cell: {name: lstm}`, and a mapping without `name` keeps the name of the field's default.
"""

import json
from dataclasses import MISSING, is_dataclass
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union, get_args, get_origin

from rnncli.errors import SettingError, SpecError
from rnncli.spec.document import Document, Keys, Place
from rnncli.spec.messages import dotted, listed, nearest, problem, shown
from rnncli.spec.schema import bare, choices, default_of, keys, members, names, path_to

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")
CONTAINERS: dict[type, tuple[type, ...]] = {list: (tuple, list), dict: (dict,)}  # of a document → of a hint
EXPECTED = {  # pydantic's kinds of error → what the value must be
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "greater than {gt}",
    "greater_than_equal": "at least {ge}",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "json_invalid": "valid text",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "list_type": "a list",
    "multiple_of": "a multiple of {multiple_of}",
    "none_required": "null",
    "string_pattern_mismatch": "text like {pattern}",
    "string_too_long": "text of at most {max_length} characters",
    "string_too_short": "text of at least {min_length} characters",
    "string_type": "text",
    "too_long": "of length {max_length} or less",
    "too_short": "of length {min_length} or more",
    "tuple_type": "a list",
}


def validate(document: Document, schema: type[T]) -> T:
    """Return the document as an instance of `schema`, a frozen dataclass; raises one SpecError for all problems.

    Types are strict (a whole number may stand for a float), numbers finite, unknown keys refused, lists fill tuples.
    """
    reading = Reading(document, schema)
    instance: T = reading.read(schema, document.value, ())
    if reading.problems:
        first, *others = (error for _, error in sorted(reading.problems, key=lambda placed: placed[0]))
        raise SpecError(first.message, hint=first.hint, where=first.where, more=others)
    return instance


def from_plain(data: dict[str, Any], schema: type[T], source: str) -> T:
    """Check a spec stored as a plain dict, in a checkpoint say; raises SpecError with `source` as its place."""
    place = Place(1, 1, source)
    return validate(Document(data, source, {(): (place, place)}), schema)


class Reading:
    """One pass over a document; after a problem the values returned stand for nothing."""

    def __init__(self, document: Document, schema: type) -> None:
        self.document, self.schema = document, schema
        self.problems: list[tuple[Place, SpecError]] = []

    def refuse(self, path: Keys, message: str, hint: str = "", *, of_value: bool = False) -> None:
        """Note a problem with the key at `path`, or with its value."""
        place = self.document.place(path, of_value=of_value)
        self.problems.append((place, problem(message, where=place.text, hint=hint)))

    def expect(self, path: Keys, expected: str, value: Any, hint: str = "") -> None:
        """Note that the value at `path` is not what it must be."""
        name = dotted(path) or "the spec"
        self.refuse(path, f"{name} must be {expected}, not {shown(value)}", hint, of_value=True)

    def read(self, hint: Any, value: Any, path: Keys, default: Any = None) -> Any:
        """Return a value as the type that `hint` asks for; `default` is the field's own."""
        alternatives = members(hint)
        components = [bare(member) for member in alternatives if is_dataclass(bare(member))]
        others = [member for member in alternatives if not is_dataclass(bare(member))]
        if value is None and NoneType in others:
            return None
        by_name = {name: component for component in components for name in names(component)}
        named = isinstance(value, str) and value in by_name
        if components and (named or isinstance(value, dict) or set(others) <= {NoneType}):
            return self.component(components, by_name, value, path, default)
        for member in others:
            if get_origin(bare(member)) in CONTAINERS.get(type(value), ()):
                return self.container(member, value, path)
        return self.scalar(Union[tuple(others)] if components else hint, value, path)  # noqa: UP007

    def component(self, types: list[type], by_name: dict[Any, type], value: Any, path: Keys, default: Any) -> Any:
        """Return a mapping, or the name of a component, as the dataclass it means."""
        one_of = f"one of {listed(by_name)}" if len(by_name) > 1 else listed(by_name)
        if isinstance(value, str) and by_name:
            mapping, at_name = {"name": value}, path
        elif isinstance(value, dict):
            mapping, at_name = value, (*path, "name")
        else:
            return self.expect(path, f"{one_of}, or a mapping" if by_name else "a mapping", value)
        if not by_name or (len(types) == 1 and "name" not in mapping):
            (schema,) = types  # A union needs names to choose by
            return self.fields(schema, mapping, path, default=default)
        name = mapping.get("name", getattr(default, "name", None))
        if "name" not in mapping and name is None:
            return self.refuse(path, f'missing key "name" in {dotted(path)}', f"give {one_of}")
        if not isinstance(name, str) or name not in by_name:
            return self.expect(at_name, one_of, name, nearest(name, by_name))
        return self.fields(by_name[name], {"name": name} | mapping, path, f" ({name})", default)

    def fields(self, schema: type, mapping: dict[str, Any], path: Keys, label: str = "", default: Any = None) -> Any:
        """Return a mapping as an instance of a dataclass; what it leaves out is as in `default`, if that is one."""
        known, before = keys(schema), len(self.problems)
        inside = f" in {dotted(path)}{label}" if path else ""
        for key in [key for key in mapping if key not in known]:
            elsewhere = path_to(self.schema, key)
            belongs = f"did you mean {elsewhere}?" if elsewhere not in ("", dotted((*path, key))) else ""
            hint = nearest(key, known) or belongs or f"the keys are {listed(known)}"
            self.refuse((*path, key), f"unknown key {shown(key)}{inside}", hint)
        given = {}
        for key, (field, hint) in known.items():
            own = getattr(default, key) if type(default) is schema else default_of(field)
            if key in mapping:
                given[key] = self.read(hint, mapping[key], (*path, key), own)
            elif own is MISSING:
                self.refuse(path, f"missing key {shown(key)}{inside}")
            else:
                given[key] = own
        if len(self.problems) == before:
            try:
                return schema(**given)
            except ValueError as error:
                at, hint = (error.key.split("."), error.hint) if isinstance(error, SettingError) else ((), "")
                self.refuse((*path, *at), f"{dotted(path)}: {error}" if path else str(error), hint)
        return None

    def container(self, hint: Any, value: Any, path: Keys) -> Any:
        """Return a list or a mapping as the tuple, list or dict that `hint` asks for."""
        inner = bare(hint)
        origin, parts = get_origin(inner), get_args(inner)
        self.scalar(Annotated[origin, *hint.__metadata__] if hint is not inner else origin, value, path)
        if origin is dict:
            return {key: self.read(parts[1], item, (*path, key)) for key, item in value.items()}
        if origin is list or parts[1:] == (...,):
            parts = parts[:1] * len(value)
        if len(parts) != len(value):
            return self.expect(path, f"a list of length {len(parts)}", value)
        return origin(
            self.read(part, item, (*path, i)) for i, (part, item) in enumerate(zip(parts, value, strict=True))
        )

    def scalar(self, hint: Any, value: Any, path: Keys) -> Any:
        """Return a value that holds no others; JSON's strict rules fit a spec: lists for tuples, 2 for 2.0."""
        from pydantic import ValidationError

        try:
            return adapter(hint).validate_json(json.dumps(value))
        except RecursionError:
            return self.refuse(path, f"{dotted(path)} is nested too deep")
        except ValidationError as error:
            found, allowed = error.errors(include_url=False), choices(members(hint))
        words = []
        for one in found:
            if one["type"] == "literal_error":
                words.append(f"one of {listed(allowed)}" if len(allowed) > 1 else listed(allowed))
            elif one["type"] in EXPECTED:
                words.append(EXPECTED[one["type"]].format_map(numbers(one)))
            else:
                message = one["msg"].removeprefix("Value error, ")
                return self.refuse(path, f"{dotted(path)}: {message}", of_value=True)
        advice = "quote it" if words == ["text"] and isinstance(value, int | float) else ""
        if words == ["a list"] and isinstance(value, str) and any(map(is_open, members(hint))):
            advice = f"write [{shown(value)}] for a list of one"
        return self.expect(path, " or ".join(dict.fromkeys(words)), value, nearest(value, allowed) or advice)


def is_open(hint: Any) -> bool:
    """Tell whether a type is that of lists of any length."""
    return get_origin(bare(hint)) is list or get_args(bare(hint))[1:] == (...,)


@cache
def adapter(hint: Any) -> "TypeAdapter[Any]":
    """Return pydantic's check of a type, which takes longer to build than to use."""
    from pydantic import ConfigDict, TypeAdapter

    return TypeAdapter(hint, config=ConfigDict(strict=True, allow_inf_nan=False))


def numbers(error: Any) -> dict[str, Any]:
    """Return what pydantic compared with, whole numbers as such."""
    context = error.get("ctx", {})
    return {key: int(x) if isinstance(x, float) and x.is_integer() else x for key, x in context.items()}
