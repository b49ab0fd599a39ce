"""Drawings of what a decoder looked at: tokens of the target down, of the source across, weights as shades.

T tokens of the target, S of the source.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from typing import TYPE_CHECKING

from rnncli.cli.console import columns_of, printable

if TYPE_CHECKING:
    from rnncli.cli.drawings import Style
    from rnncli.nn.parameter import Array

SHADES = "·░▒▓█"
LEAST = 0.05
"""The smallest weight that is shaded; the shades above it reach up to a quarter, a half, three quarters, and 1."""
HIGH = 12
"""Lines that a head which is written downwards has at most."""


@dataclass(frozen=True)
class _Heads:
    """The heads of the columns: how wide each is, and its lines."""

    widths: list[int]
    lines: list[list[str]]
    gap: int

    @property
    def width(self) -> int:
        """Columns of the terminal that they take."""
        return sum(self.widths) + self.gap * (len(self.widths) - 1)


def alignment(weights: "Array", targets: Sequence[str], sources: Sequence[str], style: "Style") -> list[str]:
    """Return lines, none wider than the style, with the weights (T, S) as shades; without block characters as tenths.

    The source's tokens stand beside one another where there is room, else downwards, or without a space between them
    where each is a single letter; where there is not even room for that, the rest of them follows below.
    """
    sources, targets = ([visible(token, style) for token in tokens] for tokens in (sources, targets))
    room = min(max(map(columns_of, targets), default=0), max(8, style.width // 4), max(1, style.width - 3))
    labels = [style.shortened(token, room) for token in targets]
    labels = [label + " " * (room - columns_of(label)) for label in labels]
    free = max(2, style.width - room - 1)
    across, apart, close = _across(sources), _downwards(sources, 1, style), _downwards(sources, 0, style)
    last = close if len(close.lines) <= 1 else apart  # nobody reads words downwards without a space between them
    heads = next((heads for heads in (across, apart, last) if heads.width <= free), last)
    lines: list[str] = []
    for start, stop in _parts(heads, free):
        widths, between = heads.widths[start:stop], " " * heads.gap
        if lines:
            lines.append("")
        above = (between.join(line[start:stop]) for line in heads.lines)
        lines += [" " * (room + 1) + line for line in dropwhile(str.isspace, above)]
        for label, row in zip(labels, weights[:, start:stop].tolist(), strict=True):
            cells = (_cell(weight, width, style) for weight, width in zip(row, widths, strict=True))
            lines.append(f"{label} {between.join(cells)}")
    return [line.rstrip() for line in lines]


def visible(token: str, style: "Style") -> str:
    """Return a token that can be seen, on one line: white space as a mark, combining characters below a circle."""
    token = printable(token.replace(" ", "␣" if style.blocks else "_"), keep="")
    return f"◌{token}" if token and not columns_of(token[0]) else token


def _cell(weight: float, width: int, style: "Style") -> str:
    if not weight >= LEAST:  # which NaN is not
        return (SHADES[0] if style.blocks else ".").center(width)
    if style.blocks:
        return SHADES[min(4, 1 + int(4 * weight))] * width
    return str(min(9, int(10 * weight + 0.5))).center(width)


def _across(tokens: Sequence[str]) -> _Heads:
    widths = [max(1, columns_of(token)) for token in tokens]
    return _Heads(widths, [[token or " " for token in tokens]], 1)


def _downwards(tokens: Sequence[str], gap: int, style: "Style") -> _Heads:
    """Return the heads with a letter a line, the last at the bottom."""
    letters = [[*_letters(token)] for token in tokens]
    letters = [each if len(each) <= HIGH else [*each[: HIGH - 1], "…" if style.blocks else "."] for each in letters]
    widths = [max(map(columns_of, each), default=1) for each in letters]
    high = max(map(len, letters), default=0)
    columns = [
        [" " * width] * (high - len(each)) + [letter + " " * (width - columns_of(letter)) for letter in each]
        for each, width in zip(letters, widths, strict=True)
    ]
    return _Heads(widths, [list(line) for line in zip(*columns, strict=True)], gap)


def _letters(token: str) -> Iterator[str]:
    """Yield the characters of a token, each with what combines with it."""
    letter = ""
    for char in token:
        if letter and columns_of(char):
            yield letter
            letter = ""
        letter += char
    if letter:
        yield letter


def _parts(heads: _Heads, free: int) -> Iterator[tuple[int, int]]:
    """Yield from where to where columns stand beside one another, as many as there is room for."""
    start, used = 0, 0
    for number, width in enumerate(heads.widths):
        if number > start and used + width > free:
            yield start, number
            start, used = number, 0
        used += width + heads.gap
    yield start, len(heads.widths)
