"""What every reader of tagged sequences yields, what it is told, and how a sequence is written back."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

from rnncli.data.examples import Vectors
from rnncli.data.labelled import step_place

Labels = tuple[str, ...]
"""Of one step."""
Lines = Iterator[tuple[int, str]]
"""The lines of a file, each with its number, from 1 on, and its end: LF, CRLF, or of the last none."""


class TaggedExample(NamedTuple):
    """A sequence and the labels of its steps, and what writing it back takes."""

    steps: tuple[str, ...] | Vectors
    """The tokens as they were written, none of them empty; or the vectors (T, D), finite."""
    labels: tuple[Labels, ...]
    """Of each step, one label unless there may be several or none; () where none were read."""
    where: str
    """The file and line of its first step; of `.npz` the file and the number of the sequence, from 0."""
    lines: tuple[int, ...]
    """The number of the line that each step stands in; () where they have none of their own."""
    layout: "Layout | None"
    """How it was written; None for what is no text."""

    def place(self, step: int) -> str:
        """Return where a step stands, as messages show it."""
        return step_place(self.where, self.lines[step] if self.lines else 0, step)


class Layout(Protocol):
    """How a sequence was written."""

    @property
    def ending(self) -> str:
        """Its last line."""
        ...

    def text(self, example: TaggedExample, labels: Sequence[Labels]) -> str:
        """Return it as it was written, but for the labels of its steps."""
        ...

    def after(self, lead: str) -> Self:
        """Return it with more text before it."""
        ...


def written(example: TaggedExample, labels: Sequence[Labels]) -> str:
    """Return a sequence in the format that it came in, with these labels of its steps, and what stood before it.

    The texts of all sequences of a file, and what its reader calls the `rest`, make up the file: not a byte is changed
    but labels. Raises DataError for a label that the format cannot hold, and ValueError for labels of more or fewer
    steps and for what is no text.
    """
    if example.layout is None or len(labels) != len(example.steps):
        raise ValueError(f"{len(labels)} labels for {len(example.steps)} steps at {example.where}")
    return example.layout.text(example, labels)


@dataclass(frozen=True)
class TagColumns:
    """Which columns hold what: by name, or by number, from 1 on or from the end -1, -2, …; None: the format's own."""

    token: str | int | None = None
    """conll: the first; conllu: form; csv and tsv: "token"; jsonl: "tokens", or "vectors" where there are none."""
    label: str | int | None = None
    """conll: the last; conllu: upos; csv and tsv: "label"; jsonl: "labels"."""
    vector: tuple[str, ...] = ()
    """Of csv and tsv: numbers, in place of a token, in this order; with * for a part of a name."""
    sequence: str | None = None
    """Of csv and tsv: what the rows of a sequence share, and they alone; None: all rows of a file are one."""
    time: str | None = None
    """Of csv and tsv: what the rows of a sequence are sorted by."""


class TagReading(NamedTuple):
    """How tagged sequences are read."""

    columns: TagColumns = TagColumns()
    labelled: bool = True
    """Whether labels are read, and missed; else a file may hold them or not."""
    multi_label: bool = False
    """Whether a step may have several labels, or none; else it has one."""


TagReader = Callable[[Lines, str, TagReading], Generator[TaggedExample, None, str]]
"""Yields the sequences of the lines of a file that has a name, each as soon as it is whole; returns what is left."""


class Sequences(Iterator[TaggedExample]):
    """Tagged sequences as they are read; afterwards `rest` is the text behind the last of them."""

    def __init__(self, found: Generator[TaggedExample, None, str]) -> None:
        self.rest = ""
        self._found = self._run(found)

    def __next__(self) -> TaggedExample:
        return next(self._found)

    def _run(self, found: Generator[TaggedExample, None, str]) -> Iterator[TaggedExample]:
        self.rest = yield from found
