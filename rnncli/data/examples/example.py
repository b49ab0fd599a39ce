"""What every reader of examples yields, and the rules that hold whatever the format: of labels, of texts, of names."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rnncli.errors import DataError

Vectors = npt.NDArray[np.float32]
Report = Callable[[int], object]
LONGEST_LABEL = 1000
"""Characters of a label: what has more is a text in the wrong place."""
_JOINERS = re.compile(r"(?<=[^ \u200c\u200d])[\u200c\u200d](?=[^ \u200c\u200d])")
"""Zero-width (non-)joiners within a word, without which Persian, Hindi or an emoji is spelled wrong."""


class Example(NamedTuple):
    """An input, its labels, and where they stand."""

    input: str | Vectors
    """A text, or the vectors of a sequence: (T, D), finite, as they were read."""
    labels: tuple[str, ...]
    """Classes and numbers alike, as they were written; none where they were not asked for."""
    where: str
    """The file and line (of a sequence of rows: its first) as messages name them."""


@dataclass(frozen=True)
class Columns:
    """Which columns of CSV and TSV, or which keys of JSONL, hold what."""

    text: str = "text"
    label: str = "label"
    vector: tuple[str, ...] = ()
    """Numbers, in this order: then the input is vectors and not a text. With * for a part of a name: "pixel*"."""
    sequence: str | None = None
    """What the rows of one sequence share, and they alone; None: each row is a sequence of one step."""
    time: str | None = None
    """What the rows of a sequence are sorted by, numbers or ISO 8601 dates; None: they stand in order."""


@dataclass(frozen=True)
class Reading:
    """How files are read."""

    columns: Columns = Columns()
    encoding: str = "utf-8"
    labelled: bool = True
    """Whether labels are read, and missed; else a file may hold them or not."""
    multi_label: bool = False
    """Whether an example may have several labels, or none; else it has one."""
    values: bool = False
    """Whether the labels are real values, which messages then speak of."""


class LabelCountError(DataError):
    """An example has several labels, or none, where it should have one."""


def example(text: str | Vectors, labels: Sequence[str], where: str, reading: Reading) -> Example:
    """Return the example without its labels where none are read.

    Raises DataError for labels as `check_labels` does, and for a labelled text of nothing but white space.
    """
    if not reading.labelled:
        return Example(text, (), where)
    if isinstance(text, str) and (not text or text.isspace()):
        raise DataError("the text is empty", hint="write one, or leave the example out", where=where)
    return Example(text, check_labels(labels, where, reading), where)


def check_labels(labels: Sequence[str], where: str, reading: Reading) -> tuple[str, ...]:
    """Return the labels without white space around them.

    Raises DataError for one that is empty, longer than LONGEST_LABEL or not `is_label`, and unless there may be several
    for more or fewer than one.
    """
    checked, fault, hint = _checked(tuple(labels), reading.multi_label, reading.values)
    if fault:
        kind = LabelCountError if len(checked) != 1 and not reading.multi_label and all(checked) else DataError
        raise kind(fault, hint=hint, where=where)
    return checked


@lru_cache(1024)  # the labels of millions of examples are few
def _checked(labels: tuple[str, ...], several: bool, values: bool) -> tuple[tuple[str, ...], str, str]:
    """Return the labels, what is wrong with them, and what to do about it."""
    checked = tuple([label.strip() for label in labels])
    fault = hint = ""
    kind = "value" if values else "label"
    if len(checked) != 1 and not several:
        fault = f"{len(checked)} {kind}s where one is expected: {listed(checked)}" if checked else f"no {kind}"
        hint = "for examples with several labels, or none, set data.multi_label"
        hint = "write one, or leave the example out" if values else hint
    for label in checked:
        if not label:
            fault, hint = f"the {kind} is empty", "write one, or leave the example out"
        elif len(label) > LONGEST_LABEL:
            fault = f"the {kind} {shown(label)} has {len(label):,} characters, more than {LONGEST_LABEL:,}"
            hint = f"name a column or key that holds {kind}s"
        elif not is_label(label):
            fault, hint = f"the {kind} {shown(label)} holds a character that cannot be printed", "rename it"
    return checked, fault, hint


def is_label(name: str) -> bool:
    """Return whether a label can be shown: all of it is printable, but for joiners within a word."""
    return name.isprintable() or _JOINERS.sub("", name).isprintable()


def spelled(value: object, what: str, where: str) -> str:
    """Return a label that was no text: as JSON writes it. Raises DataError for what is no single finite value."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return repr(value)
    kind = {dict: "an object", list: "a list", float: "not a finite number", type(None): "null"}[type(value)]
    raise DataError(f"{what} is {kind}", hint="write a text or a number", where=where)


def shown(name: str, width: int = 40) -> str:
    """Return a name from a file in quotes and safe to show: escaped, its middle left out beyond `width` characters."""
    name = name if len(name) <= width else f"{name[: width // 2]}…{name[1 - width // 2 :]}"
    name = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)
    return f'"{name}"'


def listed(names: Sequence[str]) -> str:
    """Join names with commas, as many as 80 characters hold."""
    text = ", ".join(shown(name)[1:-1] for name in names[:80])
    return text if len(text) <= 80 else text[:79].rsplit(",", 1)[0] + ", …"


def missing(kind: str, name: str, names: Sequence[str], where: str) -> DataError:
    """Return the error for a column or key that is not among the names there are."""
    near = get_close_matches(name, names, 1)
    mean = f"did you mean {shown(near[0])}? " if near else ""
    there = f"{mean}the {kind}s are {listed(names)}" if names else "there are none"
    return DataError(f"no {kind} {shown(name)}", hint=there, where=where)
