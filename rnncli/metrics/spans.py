"""Spans that labels of single steps spell out, as B-PER I-PER O: read, checked, repaired.

A label is O, outside of all spans, or the place in a span and, after the first hyphen, the span's own label: B-PER,
I-ORG-X. The place alone will do; the span is then labelled "_". Any other label lies outside of all spans.

    bio, also called IOB2:  B- begins a span, I- goes on with it.
    bioes, or IOBES:        B- begins and E- ends a span, I- goes on with it, S- is a span of one step.

Labels that keep to no scheme are read all the same: a step goes on with the span before it where it is I- or E-, the
step before is B- or I-, and both have one label; every other step that is not outside begins a span. So IOB1 is read
as well, where B- stands only between spans of one label. This is the rule of seqeval 1.2.2 (Nakayama 2018) in its
default mode, but for labels such as NOUN, of which it warns; and on B-, I- and O that of conlleval (Tjong Kim Sang &
Buchholz 2000), which knows no S-, and lets B- after E- of the same label go on with a span.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from rnncli.metrics.lengths import Array

SCHEMES = ("bio", "bioes")
UNTYPED = "_"
_PLACES = {"bio": "BI", "bioes": "BIES"}
_RULES = {"B": "a span begins with B-", "E": "a span ends with E-", "S": "a span of one step is S-"}


class Span(NamedTuple):
    """The steps from `start` up to, but without, `end`."""

    label: str
    start: int
    end: int


class _Parts(NamedTuple):
    place: str  # B, I, E, S; O outside
    label: str


_OUTSIDE = _Parts("O", "")


def scheme_of(labels: Iterable[str]) -> str | None:
    """Return which of the SCHEMES the labels belong to: "bioes" where E- or S- is among them; None for other labels.

    All must be O or of a span, and one at least of a span. Single letters are labels of spans only beside an O.
    """
    distinct = set(labels)
    parts = {label: _parts(label) for label in distinct - {"O"}}
    places = {part.place for part in parts.values()}
    if not places or "O" in places or ("O" not in distinct and any(len(label) == 1 for label in parts)):
        return None
    return "bioes" if places & {"E", "S"} else "bio"


def spans(labels: Sequence[str]) -> list[Span]:
    """Return the spans of one sequence, in order."""
    parts = [_parts(label) for label in labels]
    places = enumerate(pairwise([_OUTSIDE, *parts]))
    breaks = [step for step, (before, here) in places if not _goes_on(before, here)]
    return [
        Span(parts[start].label, start, end)
        for start, end in pairwise([*breaks, len(parts)])
        if parts[start].place != "O"
    ]


def span_label(label: str) -> str:
    """Return the label of the span that a step with this label belongs to, "" where it lies outside."""
    return _parts(label).label


def span_ends(labels: Sequence[str], ids: Array, starts: Array) -> Array:
    """Return where the span ends, without its last step, that begins at each step, and 0 where none does.

    `ids` (N,) are numbers of the K `labels`; sequences lie one after the other, from starts[i] up to starts[i + 1].
    """
    parts = [_parts(label) for label in labels]
    inside = np.array([part.place != "O" for part in parts], bool)
    table = np.array([_goes_on(before, here) for before in parts for here in parts], bool).reshape(2 * inside.shape)
    goes_on = np.zeros(len(ids), bool)
    goes_on[1:] = table[ids[:-1], ids[1:]]
    goes_on[starts[:-1][np.diff(starts) > 0]] = False
    breaks = np.flatnonzero(~goes_on)
    ends = np.zeros(len(ids), np.int64)
    ends[breaks] = np.append(breaks[1:], len(ids))[: len(breaks)]
    found: Array = np.where(inside[ids], ends, 0)
    return found


def repaired(labels: Sequence[str], scheme: str) -> list[str]:
    """Return the labels of one sequence with the same spans as the scheme writes them.

    A label that belongs to no scheme stays as it is. Raises KeyError for a scheme that is none of the SCHEMES.
    """
    places, mended = _PLACES[scheme], list(labels)
    for _, start, end in spans(labels):
        for step in range(start, end):
            first, last = step == start, step == end - 1
            place = "S" if first and last else "B" if first else "E" if last else "I"
            mended[step] = (place if place in places else "B" if first else "I") + labels[step][1:]
    return mended


def faults(labels: Sequence[str], scheme: str) -> Iterator[tuple[int, str]]:
    """Yield each step of one sequence whose label breaks the scheme's rules, and what is wrong.

    These are the steps that `repaired` changes, and those whose labels belong to no scheme. Raises KeyError for a
    scheme that is none of the SCHEMES.
    """
    places = _PLACES[scheme]
    for step, (label, right) in enumerate(zip(labels, repaired(labels, scheme), strict=True)):
        own = _parts(label).place
        if own == "O" and label != "O":
            yield step, f'"{label}" is neither O nor {", ".join(f"{place}-" for place in places[:-1])} or {places[-1]}-'
        elif own not in places and own != "O":
            yield step, f'"{label}": there is no {own}- in {scheme.upper()}'
        elif label != right:
            yield step, f'"{label}" {_beside(labels, step, after=own != "B" and right[0] != "E")}: {_RULES[right[0]]}'


def _beside(labels: Sequence[str], step: int, *, after: bool) -> str:
    """Name the neighbour that a label does not go with."""
    if after:
        return f'after "{labels[step - 1]}"' if step else "at the beginning"
    return f'before "{labels[step + 1]}"' if step + 1 < len(labels) else "at the end"


def _parts(label: str) -> _Parts:
    place, _, own = label.partition("-")
    return _Parts(place, own or UNTYPED) if place in ("B", "I", "E", "S") else _OUTSIDE


def _goes_on(before: _Parts, here: _Parts) -> bool:
    return here.place in "IE" and before.place in "BI" and before.label == here.label
