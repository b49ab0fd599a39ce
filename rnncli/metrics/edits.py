"""How many characters must be changed to make one text of another.

    d(i, 0) = i      d(0, j) = j
    d(i, j) = min(d(i-1, j) + 1,  d(i, j-1) + 1,  d(i-1, j-1) + [a_i ≠ b_j])        (Levenshtein 1966)

Neighbours in this table differ by -1, 0 or 1, so that a column is two strings of bits, one of the rises and one of the
falls in it, from which those of the next column follow in a dozen operations (Myers 1999, as Hyyrö 2003 writes it);
Python's integers have as many bits as the text has characters.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple


class Nearest(NamedTuple):
    """The reference that an answer comes nearest to."""

    number: int  # among the references of the answer
    edits: int
    characters: int  # of the reference

    @property
    def rate(self) -> float:
        """The edits for each character of the reference; NaN where there is nothing to edit and nothing to read."""
        return error_rate(self.edits, self.characters)


def edits(one: str, other: str) -> int:
    """Return the least number of characters to insert, to delete and to replace that makes one text of the other."""
    if one == other:
        return 0
    short, long = sorted((one, other), key=len)
    if not short:
        return len(long)
    places: defaultdict[str, int] = defaultdict(int)  # of each character in the short text, as bits
    for place, character in enumerate(short):
        places[character] |= 1 << place
    every = (1 << len(short)) - 1
    rises, falls = every, 0  # from d(i-1, j) to d(i, j), in bit i-1; those of column 0 rise all
    for character in long:
        same = places.get(character, 0)
        level = (((same & rises) + rises) ^ rises) | same | falls  # where d(i, j) = d(i-1, j-1)
        up = (falls | ~(level | rises)) << 1 | 1  # from d(i, j-1) to d(i, j), of the row above; row 0 rises always
        down = (level & rises) << 1
        rises, falls = (down | ~(level | up)) & every, level & up & every
    return len(long) + rises.bit_count() - falls.bit_count()


def nearest_reference(answer: str, references: Sequence[str]) -> Nearest:
    """Return the reference that needs the fewest edits; of several such the longest, then the first.

    Raises ValueError where there is none.
    """
    if not references:
        raise ValueError("an answer has one reference at least")
    found = [Nearest(number, edits(answer, text), len(text)) for number, text in enumerate(references)]
    return min(found, key=lambda each: (each.edits, -each.characters))


def character_error_rate(answers: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return the edits of all answers for each character of their references; it may be more than 1.

    An answer that has several references is compared with that which needs the fewest edits. NaN where there is
    nothing to compare. Raises ValueError for another number of references than answers, and for an answer without any.
    """
    found = [nearest_reference(answer, texts) for answer, texts in zip(answers, references, strict=True)]
    return error_rate(sum(each.edits for each in found), sum(each.characters for each in found))


def error_rate(edited: int, characters: int) -> float:
    """Return the quotient; infinity for edits of no character, and NaN for none of none."""
    if characters:
        return edited / characters
    return math.inf if edited else math.nan
