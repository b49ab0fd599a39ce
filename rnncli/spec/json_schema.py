"""The JSON Schema of a spec, for editors."""

from typing import Any


def json_schema(schema: type) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of what `validate` accepts for a dataclass."""
    from pydantic import TypeAdapter

    root = TypeAdapter(schema).json_schema()
    definitions = root.get("$defs", {})
    for mapping in (root, *definitions.values()):
        mapping["additionalProperties"] = False
    for key, mapping in definitions.items():
        name = mapping.get("properties", {}).get("name", {})
        names = name.get("enum") or ([name["const"]] if "const" in name else [])
        if names:  # a component: its bare name will do
            definitions[key] = {"anyOf": [{"enum": names}, mapping]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **root}
