"""Dates: the many ways to write a day, to the one of ISO 8601."""

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnncli.data.synthetic.pair_set import PairSet
from rnncli.data.synthetic.synthetic_set import Split

FIRST, LAST = dt.date(1969, 1, 1), dt.date(2068, 12, 31)
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
UNITS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
TEENS = (
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
)
ORDINALS = [*UNITS, *TEENS, "twentieth", *(f"twenty-{unit}" for unit in UNITS), "thirtieth", "thirty-first"]
FORMS = (
    "{day} {month} {year}",
    "{day:02} {month} {year}",
    "{day}{th} {month} {year}",
    "{day}{th} of {month} {year}",
    "the {day}{th} of {month}, {year}",
    "the {ordinal} of {month} {year}",
    "the {ordinal} of {month}, {year}",
    "{month} {day}, {year}",
    "{month} {day} {year}",
    "{month} {day}{th}, {year}",
    "{month} the {ordinal}, {year}",
    "{weekday}, {day} {month} {year}",
    "{weekday} {day}{th} {month} {year}",
    "{weekday}, {month} {day}, {year}",
    "{weekday}, the {day}{th} of {month} {year}",
    "{weekday:.3}, {day:02} {month:.3} {year}",
    "{weekday:.3} {month:.3} {day} {year}",
    "{day} {month:.3} {year}",
    "{day} {month:.3}. {year}",
    "{month:.3} {day}, {year}",
    "{month:.3} {day}{th} {year}",
    "{day:02}-{month:.3}-{year}",
    "{day}-{month:.3}-{short:02}",
    "{day} {month} '{short:02}",
    "{month} {day}, '{short:02}",
    "{year} {month} {day}",
    "{year}, {month} {day}{th}",
    "{day}.{number}.{year}",
    "{day:02}.{number:02}.{year}",
    "{day}. {number}. {year}",
    "{day}.{number}.{short:02}",
    "{year}/{number}/{day}",
    "{year}/{number:02}/{day:02}",
    "{year}.{number:02}.{day:02}",
    "{year}-{number}-{day}",
    "{year}{number:02}{day:02}",
    "{year}-{number:02}-{day:02}",
)
"""Those that leave no doubt: numbers with a year in front go on to the month, numbers with dots begin with the day."""

CASES = (str, str, str.lower, str.upper)


@dataclass(frozen=True)
class Dates(PairSet):
    """A day from 1969 to 2068 in one of many English ways, to its form in ISO 8601: May 3rd, 1979 → 1979-05-03.

    These are the hundred years that two digits stand for, as POSIX reads them. Half are in lower or upper case alone.
    No day of the test is in the training, in any form. Source: ISO 8601, POSIX (strptime); the forms are our own.
    """

    name: ClassVar[str] = "dates"
    title: ClassVar[str] = "days as people write them, to ISO 8601"
    chance: ClassVar[str] = "exact match 0 %"
    source: ClassVar[str] = "ISO 8601; POSIX for years of two digits"

    def longest(self, split: Split) -> int:  # noqa: ARG002
        """Return the characters of "Wednesday, the 10th of September 1969": no form of any day has more."""
        return 37

    def pair(self, rng: np.random.Generator) -> tuple[str, str]:
        """Draw a day, a form and its case."""
        day = FIRST + dt.timedelta(int(rng.integers((LAST - FIRST).days + 1)))
        form, case = FORMS[int(rng.integers(len(FORMS)))], CASES[int(rng.integers(len(CASES)))]
        return case(written(day, form)), day.isoformat()


def written(day: dt.date, form: str) -> str:
    """Return a day in one of the forms."""
    return form.format(
        day=day.day,
        th=ending(day.day),
        ordinal=ORDINALS[day.day - 1],
        weekday=WEEKDAYS[day.weekday()],
        month=MONTHS[day.month - 1],
        number=day.month,
        year=day.year,
        short=day.year % 100,
    )


def ending(number: int) -> str:
    """Return what makes a number of a month's days an ordinal: 1st, 2nd, 3rd, 4th, 11th, 21st."""
    return "th" if number // 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
