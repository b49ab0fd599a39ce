"""Specs: strict YAML with the place of every key, overrides, and checking against frozen dataclasses."""

from rnncli.spec.document import Document
from rnncli.spec.json_schema import json_schema
from rnncli.spec.messages import nearest
from rnncli.spec.overrides import assign, override
from rnncli.spec.reader import parse_spec, read_spec
from rnncli.spec.validation import from_plain, validate
from rnncli.spec.writer import to_plain, to_yaml

__all__ = [
    "Document",
    "assign",
    "from_plain",
    "json_schema",
    "nearest",
    "override",
    "parse_spec",
    "read_spec",
    "to_plain",
    "to_yaml",
    "validate",
]
