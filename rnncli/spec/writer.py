"""Dataclasses → plain values and YAML that reads back to an equal instance."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from rnncli.spec.scalars import resolve

PLAIN = re.compile(r"[^\W\d][\w./-]*( [\w./-]+)*")


def to_plain(instance: Any) -> Any:
    """Return a spec as values that JSON can hold: dataclasses as dicts in field order, tuples as lists."""
    if is_dataclass(instance):
        return {field.name: to_plain(getattr(instance, field.name)) for field in fields(instance) if field.init}
    if isinstance(instance, dict):
        return {key: to_plain(value) for key, value in instance.items()}
    if isinstance(instance, tuple | list):
        return [to_plain(item) for item in instance]
    return instance


def to_yaml(instance: Any) -> str:
    """Return a spec as YAML, a line for each key; `parse_spec` and `validate` make it an equal instance."""
    return "".join(block(to_plain(instance), "")) or "{}\n"


def block(mapping: dict[str, Any], indent: str) -> Iterator[str]:
    """Yield the lines of a mapping."""
    for key, value in mapping.items():
        if value and isinstance(value, dict):
            yield f"{indent}{inline(key)}:\n"
            yield from block(value, indent + "  ")
        else:
            yield f"{indent}{inline(key)}: {inline(value)}\n"


def inline(value: Any) -> str:
    """Return a value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{inline(key)}: {inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    if not isinstance(value, str):
        return json.dumps(value, allow_nan=False)
    if PLAIN.fullmatch(value) and is_text(value):
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in quoted)


def is_text(word: str) -> bool:
    """Say whether an unquoted word reads back as itself."""
    try:
        return resolve(word) == word
    except ValueError:
        return False
