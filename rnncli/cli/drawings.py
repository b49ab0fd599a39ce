"""Drawings of a classifier's scores in characters: confusions, and accuracy by length; none wider than its style."""

import math
import os
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnncli.cli.console import columns_of, cut, is_terminal, printable, table

if TYPE_CHECKING:
    from rnncli.cli.console import Talk
    from rnncli.metrics import ClassificationReport, LengthBin
    from rnncli.nn.parameter import Array

MATRIX = 12
"""Labels that a matrix of confusions has at most."""
SHARES = 30
"""Labels that a matrix of percentages has at most, which stands for it where it is too large."""
CELL = 12
"""Columns that a number of it has at most."""
PAIRS = 10
"""Confusions that are listed where there is no matrix."""
BAR = 20
RIGHT = (194, 157, 120, 77)  # grounds of 256 colours, for shares of up to a quarter, a half, three quarters, and all
WRONG = (224, 217, 210, 203)


@dataclass(frozen=True)
class Style:
    """What stdout can show."""

    width: int = 80
    color: bool = False
    blocks: bool = True
    """Whether its encoding has block characters; ASCII stands for them otherwise."""

    @classmethod
    def of_stdout(cls, talk: "Talk", piped: int = 80) -> "Style":
        """Look at stdout; where it is no terminal it is `piped` columns wide, unless $COLUMNS says otherwise."""
        blocks = True
        try:
            "░▒▓█·…".encode(getattr(sys.stdout, "encoding", None) or "utf-8")
        except UnicodeEncodeError:
            blocks = False
        wide = is_terminal(sys.stdout) or "COLUMNS" in os.environ
        return cls(talk.width if wide else piped, talk.colors_stdout, blocks)

    def shortened(self, text: str, width: int) -> str:
        """Return the text printable on one line, cut to so many columns."""
        text = printable(text, keep="")
        if columns_of(text) <= width:
            return text
        dots = ("…" if self.blocks else "...")[: max(0, width)]
        return cut(text, width - len(dots)) + dots


def confusions(report: "ClassificationReport", style: Style) -> list[str]:
    """Return the confusions of few labels as a matrix; of many, or where it is too wide, a list of the largest.

    Before that list there is a matrix of percentages where that is not too wide. Labels that do not occur are left out;
    nothing is returned for label sets.
    """
    if report.confusion is None:
        return []
    occurs = [k for k, each in enumerate(report.labels) if each.support or report.confusion[:, k].any()]
    labels = [report.labels[k].label for k in occurs]
    counts = report.confusion[occurs][:, occurs]
    predictable = len(occurs) - bool(report.unknown)  # the last row may be that of unknown labels
    predicted = counts[:, :predictable]
    if 0 < predictable <= MATRIX and (matrix := _matrix(predicted, labels, style)):
        return matrix
    largest = _largest(counts, labels, style)
    if 0 < predictable <= SHARES and (matrix := _matrix(predicted, labels, style, percent=True)):
        return [*matrix, "", *largest]
    return largest


def _matrix(counts: "Array", labels: Sequence[str], style: Style, *, percent: bool = False) -> list[str]:
    """Lines with the counts (rows, columns), each shaded by its share of the row, or with the shares in percent.

    There are none where they are too wide.
    """
    columns = counts.shape[1]
    digits = 2 if percent else len(str(counts.max()))  # only 100 has three, and goes without its shade
    for named in (True, False):  # where the labels cannot head the columns, their numbers do
        names = list(labels) if named else [f"{k:>{len(str(columns))}} {label}" for k, label in enumerate(labels, 1)]
        wide = [columns_of(printable(name, keep="")) for name in names]
        room = min(max(wide), max(8, min(style.width // 4, style.width - (digits + 2) * columns)))
        cell = min(max(digits + 1, min(max(wide[:columns]), CELL)), (style.width - room) // columns - 1)
        heads = [style.shortened(name, cell) if named else str(k) for k, name in enumerate(names[:columns], 1)]
        if cell > digits and len(set(heads)) == columns:
            break
    else:
        return []
    what = "percent" if percent else f"{'colour' if style.color else 'shade'} by share"
    lines = textwrap.wrap(f"confusions: labels down, predictions across, {what} of the row", style.width)
    lines.append(" " * room + "".join(" " * (cell + 1 - columns_of(head)) + head for head in heads))
    for row, (name, numbers) in enumerate(zip(names, counts.tolist(), strict=True)):
        label = style.shortened(name, room)
        shares = [number / max(1, sum(numbers)) for number in numbers]
        cells = [
            _cell(
                round(100 * share) if percent else number,
                math.ceil(4 * share),
                digits,
                cell,
                RIGHT if row == column else WRONG,
                style,
            )
            for column, (number, share) in enumerate(zip(numbers, shares, strict=True))
        ]
        lines.append(" ".join((label + " " * (room - columns_of(label)), *cells)))
    return lines


def _cell(number: int, share: int, digits: int, width: int, grounds: Sequence[int], style: Style) -> str:
    """A count or a percentage, its share of the row in quarters shown as the ground or before it."""
    if not number:
        return ("·" if style.blocks else "-").rjust(width)
    if style.color:
        return f"\x1b[38;5;16;48;5;{grounds[share - 1]}m{number:>{width}}\x1b[0m"
    text = f"{number:>{min(width - 1, digits + 1)}}"
    return ("░▒▓█" if style.blocks else ".:+#")[share - 1] * (width - len(text)) + text


def _largest(counts: "Array", labels: Sequence[str], style: Style) -> list[str]:
    wrong = sorted(
        (-counts[row, column], row, column)
        for row, column in zip(*(places.tolist() for places in counts.nonzero()), strict=True)
        if row != column
    )
    if not wrong:
        return ["confusions: none"]
    lines = ["largest confusions:"]
    for negative, row, column in wrong[:PAIRS]:
        lines += taken_for("", labels[row], labels[column], f": {-negative} of {counts[row].sum()}", style)
    if rest := wrong[PAIRS:]:
        lines.append(f"{len(rest)} other pairs of labels: {-sum(negative for negative, _, _ in rest)}")
    return lines


def taken_for(before: str, target: str, predicted: str, after: str, style: Style) -> list[str]:
    """Return what was taken for what on one line, or on two where it is too long."""
    whole = printable(f"{before}{target} taken for {predicted}{after}", keep="")
    if columns_of(whole) <= style.width:
        return [whole]
    label = style.shortened(predicted, style.width - len("  taken for ") - len(after))
    return [style.shortened(before + target, style.width), f"  taken for {label}{after}"]


def length_bars(bins: "Sequence[LengthBin]", style: Style, counted: str = "examples") -> list[str]:
    """Return a bar of the accuracy of each range of lengths, full for 1; nothing where there is none."""
    if not bins:
        return []
    ranges = [f"{each.low}-{each.high}" if each.low < each.high else f"{each.low}" for each in bins]
    width = max(4, min(BAR, style.width - max(6, *map(len, ranges)) - len(f"    accuracy  {counted}")))
    full, empty = "█░" if style.blocks else "#."
    rows = (
        (steps, (full * int(width * each.accuracy)).ljust(width, empty), f"{each.accuracy:.3f}", each.count)
        for steps, each in zip(ranges, bins, strict=True)
    )
    return table(["length", "", "accuracy", counted], rows)
