"""What texts are conditioned on: labels by name, each with the values that it had in the training part.

S texts, n conditions, C values of them all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from rnncli.data.conditioned import one_hot
from rnncli.data.examples import is_label, shown
from rnncli.data.examples.example import listed
from rnncli.errors import DataError, UsageError
from rnncli.nn.parameter import Array
from rnncli.spec import nearest

MOST_VALUES = 100_000


@dataclass(frozen=True)
class Conditions:
    """The values of each condition, in the order in which they stand in a vector: one condition under the other."""

    values: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, names: Sequence[str], given: Sequence[tuple[str, ...]], where: str) -> Self:
        """Take the values (n,) of texts in; DataError for more than there may be, at the place of the first text."""
        values = {
            name: tuple(sorted(set(column))) for name, column in zip(names, zip(*given, strict=True), strict=True)
        }
        if (size := sum(map(len, values.values()))) > MOST_VALUES:
            message = f"{size:,} values of {listed(names)}, where at most {MOST_VALUES:,} are possible"
            raise DataError(message, hint="condition on what many texts have in common", where=where)
        return cls(values)

    @classmethod
    def from_plain(cls, plain: Any, names: Sequence[str]) -> Self | None:
        """Return what a checkpoint holds for conditions of these names, None for no name; DataError when it is none."""
        if not names and plain is None:
            return None
        if isinstance(plain, dict) and plain.keys() == set(names) and all(map(_are_values, plain.values())):
            return cls({name: tuple(plain[name]) for name in names})  # JSON keeps no order
        raise DataError("no values of its conditions")

    def to_plain(self) -> dict[str, list[str]]:
        """Return it JSON-able."""
        return {name: list(values) for name, values in self.values.items()}

    @property
    def size(self) -> int:
        """C."""
        return len(self._rows)

    @cached_property
    def _rows(self) -> dict[tuple[str, str], int]:
        pairs = [(name, value) for name, values in self.values.items() for value in values]
        return {pair: row for row, pair in enumerate(pairs)}

    def numbers(self, given: Sequence[tuple[str, ...]]) -> Array:
        """Return the number of each value of texts among all values, (n, S); -1 for one that is unknown."""
        rows, names = self._rows, [*self.values]
        found = [[rows.get(pair, -1) for pair in zip(names, values, strict=True)] for values in given]
        return np.array(found, np.int32).reshape(len(given), len(names)).T

    def unknown(self, values: Sequence[str]) -> str:
        """Say which of a text's values (n,) is none of its condition's, and what those are."""
        name, value = next(pair for pair in zip(self.values, values, strict=True) if pair not in self._rows)
        return f"{listed([name])} is {shown(value)}, none of {listed(self.values[name])}"

    def vector(self, chosen: Mapping[str, str]) -> Array:
        """Return the vector (C,) of one value of each condition."""
        return one_hot(self.numbers([tuple(chosen[name] for name in self.values)]), self.size)[:, 0]

    def some(self, count: int) -> list[dict[str, str]]:
        """Return up to so many choices of a value of each condition, as different as there are."""
        longest = max(map(len, self.values.values()))
        numbers = range(0, longest, -(-longest // count))
        return [{name: values[number % len(values)] for name, values in self.values.items()} for number in numbers]

    def chosen(self, given: Sequence[str]) -> dict[str, str]:
        """Return the value of each condition that users write as NAME=VALUE, or as VALUE where there is one condition.

        Raises UsageError for a name or a value that is unknown, and for a condition that is given twice or not at all.
        """
        chosen: dict[str, str] = {}
        for text in given:
            name, value = self._parsed(text)
            if name in chosen:
                raise UsageError(f"the condition {listed([name])} is given twice", hint="leave one out")
            if value not in self.values[name]:
                hint = f"{nearest(value, self.values[name])} known: {listed(self.values[name])}".lstrip()
                raise UsageError(f"there is no {listed([name])} {shown(value)}", hint=hint)
            chosen[name] = value
        for name, values in self.values.items():
            if name not in chosen:
                hint = f"--condition {listed([name])}=VALUE, one of {listed(values)}"
                raise UsageError(f"no {listed([name])} is given, and the model needs one", hint=hint)
        return {name: chosen[name] for name in self.values}

    def _parsed(self, text: str) -> tuple[str, str]:
        """Return a name and a value, which may hold an equals sign."""
        for name in self.values:
            if text.startswith(f"{name}="):
                return name, text[len(name) + 1 :].strip()
        (only, values), *others = self.values.items()
        if not others and ("=" not in text or text.strip() in values):
            return only, text.strip()
        name, names = text.partition("=")[0], [*self.values]
        hint = f"{nearest(name, names)} write NAME=VALUE, with one of {listed(names)}".lstrip()
        raise UsageError(f"there is no condition {shown(name)}", hint=hint)


def _are_values(values: Any) -> bool:
    """Whether they are different labels, in order."""
    are_labels = isinstance(values, list) and all(type(value) is str and value and is_label(value) for value in values)
    return bool(are_labels and values) and sorted(set(values)) == values
