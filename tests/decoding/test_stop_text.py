"""Stop texts: cut and held back by hand, and the same however the text is cut into pieces."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.decoding import StopText


def fed(stops, pieces):
    stop = StopText(stops)
    out = [stop.feed(piece) for piece in pieces]
    return [*out, stop.rest()], stop.stopped


@pytest.mark.parametrize(
    ("stops", "pieces", "expected", "stopped"),
    [
        (["END"], ["one ", "EN", "D two"], ["one ", "", "", ""], True),
        (["END"], ["one EN", "E", "ND"], ["one ", "EN", "", ""], True),
        (["END"], ["E", "N"], ["", "", "EN"], False),
        (["aab"], ["a", "a", "a", "b"], ["", "", "a", "", ""], True),
        (["\n\n", "."], ["a\n", "b.", "c"], ["a", "\nb", "", ""], True),
        (["bcd", "c"], ["abcd"], ["ab", ""], True),  # "c" is complete first
        (["bcd", "d"], ["ab", "cd"], ["a", "", ""], True),  # both at once: the longer
        ([], ["a", "b"], ["a", "b", ""], False),
        (["x"], ["", "", "ab"], ["", "", "ab", ""], False),
    ],
)
def test_stop_text_by_hand(stops, pieces, expected, stopped):
    assert fed(stops, pieces) == (expected, stopped)


@settings(max_examples=150, deadline=None)
@given(
    text=st.text("ab", max_size=20),
    stops=st.lists(st.text("ab", min_size=1, max_size=4), max_size=3),
    cuts=st.lists(st.integers(0, 20), max_size=6),
)
def test_stop_text_does_not_depend_on_the_pieces(text, stops, cuts):
    expected, stopped = text, False
    for end in range(1, len(text) + 1):
        complete = [stop for stop in stops if text[:end].endswith(stop)]
        if complete:
            expected, stopped = text[: end - max(map(len, complete))], True
            break
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[a:b] for a, b in itertools.pairwise(places)]
    out, has_stopped = fed(stops, pieces)
    assert ("".join(out), has_stopped) == (expected, stopped)


def test_refuses_an_empty_stop_text():
    with pytest.raises(ValueError, match="a stop text must not be empty"):
        StopText(["a", ""])
