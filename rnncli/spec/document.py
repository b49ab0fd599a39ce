"""A spec as read: plain values, and the place each came from."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

Keys = tuple[str | int, ...]


class Place(NamedTuple):
    """Where a key or a value was written; places sort in reading order."""

    line: float
    column: int
    text: str


@dataclass
class Document:
    """The `value` of a spec (dict, list, str, int, float, bool, None), and the places of its keys and values."""

    value: Any
    source: str
    places: dict[Keys, tuple[Place, Place]] = field(default_factory=dict)  # of the key, of its value
    overrides: int = 0

    def place(self, keys: Keys, *, of_value: bool = False) -> Place:
        """Return the place of the key at `keys`, or of its value; of the nearest parent if it was not written."""
        while keys and keys not in self.places:
            keys = keys[:-1]
        origin = Place(1, 1, self.source)
        return self.places.get(keys, (origin, origin))[of_value]

    def where(self, path: Keys) -> str:
        """Return `spec.yaml:7:3` for the key at `path`, or what overrode it: `--set model.hidden_size`."""
        return self.place(path).text

    def move(self, path: Keys, where: str) -> None:
        """Note that the value at `path`, with all below it, now comes from `where`."""
        for keys in [keys for keys in self.places if keys[: len(path)] == path]:
            del self.places[keys]
        self.overrides += 1
        place = Place(float("inf"), self.overrides, where)  # After all lines, in the order given
        self.places[path] = place, place
