import datetime as dt
import re
from collections import Counter

import pytest

from rnncli.data.synthetic.dates import FIRST, FORMS, LAST, ORDINALS, Dates, ending, written
from tests.data.synthetic.tables import pairs

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
FIRST_TEN = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
MAY_3 = dt.date(1979, 5, 3)


def read(text):
    """Return the day that a text means, by the rules that people and POSIX have."""
    text = text.lower()
    if re.fullmatch(r"\d{8}", text):
        return f"{text[:4]}-{text[4:6]}-{text[6:]}"
    for number, ordinal in sorted(enumerate(ORDINALS, 1), key=lambda each: -len(each[1])):
        text = text.replace(ordinal, str(number))
    text = re.sub("(mon|tues?|wed(nes)?|thu(rs)?|fri|satur|sat|sun)(day)?,? ", "", text)
    month = re.search("|".join(MONTHS), text)
    numbers = [(number, int(number)) for number in re.findall(r"\d+", text)]
    if month:
        (_, year), (_, day) = sorted(numbers, key=lambda each: len(each[0]) < 4)
        if not any(len(digits) == 4 for digits, _ in numbers):
            day, year = numbers[0][1], numbers[1][1]
        number = MONTHS.index(month[0]) + 1
    else:
        year, number, day = (value for _, value in (numbers if len(numbers[0][0]) == 4 else numbers[::-1]))
    return dt.date(year + (0 if year > 99 else 1900 if year > 68 else 2000), number, day).isoformat()


@pytest.mark.parametrize(
    "text",
    [
        *("May 3rd, 1979", "Thursday, the 3rd of May 1979", "THU, 03 MAY 1979", "3-may-79", "3.5.1979", "1979/05/03"),
        *("the third of May, 1979", "Thu May 3 1979", "May 3, '79", "19790503", "1979-5-3", "1979, May 3rd", "3.5.79"),
    ],
)
def test_forms(text):
    assert read(text) == "1979-05-03"
    assert text.lower() in {written(MAY_3, form).lower() for form in FORMS}


def test_days_are_what_is_written():
    for split in ("train", "test"):
        for source, target in pairs(Dates(train=2000, test=500), split):
            assert read(source) == target, source


def test_no_form_means_two_days():
    """Of all days of six years, where day, month and the year's last digits change places as often as they can."""
    days = [dt.date(2001, 1, 1) + dt.timedelta(number) for number in range(6 * 365)]
    meant = {}
    for day in days:
        for form in FORMS:
            text = written(day, form)
            assert meant.setdefault(text, day) == day, text
    assert len(meant) > 25 * len(days)


def test_forms_and_cases_are_as_frequent():
    counts, cases = Counter(), Counter()
    for source, _ in pairs(Dates(train=8000), "train"):
        counts[re.sub(r"[a-z]+", "a", re.sub(r"\d+", "9", source.lower()))] += 1
        letters = re.sub(r"[^A-Za-z]", "", re.sub(r"\d+(st|nd|rd|th)", "", source))
        if letters:
            cases["lower" if letters.islower() else "upper" if letters.isupper() else "mixed"] += 1
    assert counts["9.9.9"] > 800  # four forms of 37, each 216 times
    assert counts["a 9a, 9"] > 100
    total = cases.total()
    assert abs(cases["upper"] / total - 1 / 4) < 0.03
    assert abs(cases["lower"] / total - 1 / 4) < 0.03


def test_days_are_uniform():
    assert (FIRST.isoformat(), LAST.isoformat()) == ("1969-01-01", "2068-12-31")
    targets = [target for _, target in pairs(Dates(train=8000), "train")]
    years = Counter(int(target[:4]) for target in targets)
    assert years.keys() == set(range(1969, 2069))
    assert max(years.values()) < 130
    assert Counter(target[8:] for target in targets).keys() == {f"{day:02}" for day in range(1, 32)}


def test_ordinals():
    assert ORDINALS[:10] == FIRST_TEN
    assert (len(ORDINALS), ORDINALS[11], ORDINALS[20], ORDINALS[30]) == (31, "twelfth", "twenty-first", "thirty-first")
    assert [ending(number) for number in (1, 2, 3, 4, 11, 12, 13, 20, 21, 22, 23, 30, 31)] == [
        *("st", "nd", "rd", "th", "th", "th", "th", "th", "st", "nd", "rd", "th", "st")
    ]


def test_weekdays():
    """3 May 1979 was a Thursday, 29 February 2000 a Tuesday."""
    assert written(MAY_3, "{weekday}") == "Thursday"
    assert written(dt.date(2000, 2, 29), "{weekday:.3}") == "Tue"


def test_the_longest():
    days = [dt.date(2001, 1, 1) + dt.timedelta(number) for number in range(365)]
    longest = max(len(written(day, form)) for day in days for form in FORMS)
    assert longest == Dates().longest("train") == len("the twenty-seventh of September, 2001")
