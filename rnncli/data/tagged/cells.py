"""Labels in a cell of a table or a column of a line, several of them joined by |."""

from dataclasses import dataclass, field

from rnncli.data.examples import Reading, check_labels, shown
from rnncli.data.examples.delimited import SEPARATOR
from rnncli.data.tagged.example import Labels
from rnncli.errors import DataError

_MOST = 10_000  # cells whose labels are kept: labels are few, unless the column is of something else


@dataclass(eq=False)
class LabelCells:
    """Reads and writes cells of labels, each of which may hold several or none, or one."""

    several: bool
    none: str
    """What is written for no label, and where there may be none means that."""
    _known: dict[str, Labels] = field(default_factory=dict)

    def labels(self, cell: str, file: str, line: int) -> Labels:
        """Return the labels of a cell, without white space around them; DataError as `check_labels` has it."""
        found = self._known.get(cell)
        if found is None:
            found = check_labels(self._split(cell), f"{file}:{line}", Reading(multi_label=self.several))
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[cell] = found
        return found

    def cell(self, before: str, labels: Labels, where: str) -> str:
        """Return a cell with these labels: as it was before if it holds just them.

        Raises DataError for several labels that would not be read as the same.
        """
        if {label.strip() for label in self._split(before)} == set(labels):
            return before
        for label in labels if self.several else ():
            if SEPARATOR in label or label == self.none:
                meaning = "separates labels" if SEPARATOR in label else "means no label"
                mark = SEPARATOR if SEPARATOR in label else label
                message = f"the label {shown(label)} cannot be written in a column, where {mark} {meaning}"
                raise DataError(message, hint="rename it, or use JSONL", where=where)
        return SEPARATOR.join(labels) or self.none

    def _split(self, cell: str) -> list[str]:
        if not self.several:
            return [cell]
        cell = cell.strip()
        return cell.split(SEPARATOR) if cell != self.none else []
