"""YAML without its traps: PyYAML finds the structure, every other decision is ours.

No anchors, aliases, tags, merge keys, duplicate keys or keys that are not text; bounded depth and size.
"""

from typing import Any, NoReturn

import yaml
from yaml.error import Mark

from rnncli.spec.document import Document, Keys, Place
from rnncli.spec.messages import problem, shown
from rnncli.spec.scalars import resolve

DEEPEST = 32
MOST_NODES = 20_000
PLAIN_WORDS = {  # The beginning of what PyYAML says → what to say and what to do
    "found character '\\t'": ("a tab cannot indent or begin a value", "use spaces"),
    "found character": ("text cannot begin with this character", "quote it"),
    "mapping values are not allowed": ('unexpected ":"', "check the indentation, or quote the text"),
    "could not find expected ':'": ('expected "key: value"', "check the indentation"),
    "expected <block end>": ("this does not line up with the lines above", "check the indentation"),
    "expected '<document start>'": ("this does not line up with the lines above", "check the indentation"),
    "found unexpected end of stream": ("the text ends inside quotes or brackets", "close them"),
    "but found another document": ("a second document begins here", 'remove the line "---"'),
}


class Loader(yaml.SafeLoader):
    """PyYAML's composer in pure Python (its C twin overflows the stack), refusing what a spec never needs."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  # every scalar stays text until `resolve`

    def __init__(self, text: str, source: str) -> None:
        super().__init__(text)
        self.source, self.depth, self.nodes = source, 0, 0

    def refuse(self, mark: Mark, message: str, hint: str = "") -> NoReturn:
        """Raise SpecError at a place in the text."""
        raise problem(message, where=self.place(mark).text, hint=hint)

    def place(self, mark: Mark) -> Place:
        """Return the place of a mark, counted from 1."""
        line, column = mark.line + 1, mark.column + 1
        return Place(line, column, f"{self.source}:{line}:{column}")

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose one node after checking it is of the kinds a spec may hold."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self.refuse(event.start_mark, "anchors (&) and aliases (*) are not allowed", "write the value, or quote it")
        if event.tag is not None:
            self.refuse(event.start_mark, "tags (!) are not allowed", "quote the text if it begins with !")
        self.nodes += 1
        if self.nodes > MOST_NODES:
            self.refuse(event.start_mark, f"more than {MOST_NODES} values")
        nests = isinstance(event, yaml.CollectionStartEvent)
        self.depth += nests
        if self.depth > DEEPEST:
            self.refuse(event.start_mark, f"nested more than {DEEPEST} deep")
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= nests
        return node

    def plain(self, node: yaml.Node, path: Keys, document: Document) -> Any:
        """Return the plain value of a node, noting the place of every key below it."""
        if isinstance(node, yaml.SequenceNode):
            items = enumerate(node.value)
            return [self.noted((*path, i), item, item, document) for i, item in items]
        if not isinstance(node, yaml.MappingNode):
            return self.scalar(node)
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.key(key_node)
            if key in mapping:
                first = document.place((*path, key)).line
                self.refuse(key_node.start_mark, f"the key {shown(key)} was already given on line {first}")
            mapping[key] = self.noted((*path, key), key_node, value_node, document)
        return mapping

    def noted(self, path: Keys, key_node: yaml.Node, value_node: yaml.Node, document: Document) -> Any:
        """Note the places of a key and its value, and return the value."""
        document.places[path] = self.place(key_node.start_mark), self.place(value_node.start_mark)
        return self.plain(value_node, path, document)

    def key(self, node: yaml.Node) -> str:
        """Return a key, which must be text."""
        if not isinstance(node, yaml.ScalarNode):
            self.refuse(node.start_mark, "a key must be text, not a list or a mapping")
        if node.style is None and node.value == "<<":
            self.refuse(node.start_mark, "merge keys (<<) are not allowed", "write the keys out")
        key = self.scalar(node)
        if not isinstance(key, str):
            self.refuse(node.start_mark, f"a key must be text, not {shown(key)}", "quote it")
        return key

    def scalar(self, node: yaml.Node) -> str | int | float | bool | None:
        """Return the value of a word or a quoted text."""
        text: str = node.value
        if any("\ud800" <= c <= "\udfff" for c in text):
            self.refuse(node.start_mark, "half of a surrogate pair is not a character", r"write \U0001F600, not a pair")
        if node.style is not None:  # type: ignore[attr-defined]
            return text
        try:
            return resolve(text)
        except ValueError as error:
            self.refuse(node.start_mark, f"{shown(text)} {error}", "quote it if it is text")


def read_yaml(text: str, source: str, *, inline: bool = False) -> Document:
    """Read one YAML document, or `inline` one value as it stands after a colon; raises SpecError."""
    loader = Loader(text, source)
    document = Document(None, source)
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        found = str(error.problem)
        words = next((words for start, words in PLAIN_WORDS.items() if found.startswith(start)), None)
        message, hint = words or (f"not valid YAML: {found}", "")
        loader.refuse(error.problem_mark or loader.get_mark(), message, hint)
    except (ValueError, OverflowError):  # chr() of "\UFFFFFFFF"
        loader.refuse(loader.get_mark(), "no such character", r"the highest is \U0010FFFF")
    if inline:
        block = node is not None and getattr(node, "flow_style", None) is False
        if block or text[node.end_mark.index if node else 0 :].strip():
            loader.refuse(loader.get_mark(), f"{shown(text)} is more than one value", "quote it")
    start = Place(1, 1, f"{source}:1:1")
    document.places[()] = start, loader.place(node.start_mark) if node else start
    document.value = loader.plain(node, (), document) if node else None
    return document
