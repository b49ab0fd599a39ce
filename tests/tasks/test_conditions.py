import numpy as np
import pytest

from rnncli.errors import DataError, UsageError
from rnncli.tasks import conditions as module
from rnncli.tasks.conditions import Conditions

GIVEN = [("cook", "glad"), ("sailor", "calm"), ("cook", "calm"), ("a=b", "glad")]
TWO = Conditions.of(("author", "mood"), GIVEN, "file:1")
ONE = Conditions.of(("author",), [given[:1] for given in GIVEN], "file:1")


def test_values_are_those_that_were_given_in_order():
    assert dict(TWO.values) == {"author": ("a=b", "cook", "sailor"), "mood": ("calm", "glad")}
    assert (TWO.size, ONE.size) == (5, 3)


def test_numbers_go_on_from_condition_to_condition_and_are_negative_for_what_is_unknown():
    found = TWO.numbers([*GIVEN, ("cook", "cook"), ("glad", "glad")])
    np.testing.assert_array_equal(found, [[1, 2, 1, 0, 1, -1], [4, 3, 3, 4, -1, 4]])
    assert TWO.numbers([]).shape == (2, 0)


def test_a_vector_is_one_hot_one_condition_under_the_other():
    np.testing.assert_array_equal(TWO.vector({"mood": "glad", "author": "sailor"}), [0, 0, 1, 0, 1])
    np.testing.assert_array_equal(ONE.vector({"author": "a=b"}), [1, 0, 0])


@pytest.mark.parametrize(
    ("conditions", "given", "chosen"),
    [
        (TWO, ["author=cook", "mood=calm"], {"author": "cook", "mood": "calm"}),
        (TWO, ["mood=calm", "author= cook "], {"author": "cook", "mood": "calm"}),
        (TWO, ["author=a=b", "mood=glad"], {"author": "a=b", "mood": "glad"}),
        (ONE, ["author=cook"], {"author": "cook"}),
        (ONE, ["cook"], {"author": "cook"}),
        (ONE, [" a=b "], {"author": "a=b"}),
        (ONE, ["author=a=b"], {"author": "a=b"}),
    ],
)
def test_what_users_write(conditions, given, chosen):
    assert conditions.chosen(given) == chosen
    assert list(conditions.chosen(given)) == list(conditions.values)


KNOWN = "known: a=b, cook, sailor"


@pytest.mark.parametrize(
    ("conditions", "given", "line"),
    [
        (ONE, [], "no author is given, and the model needs one; --condition author=VALUE, one of a=b, cook, sailor"),
        (TWO, ["author=cook"], "no mood is given, and the model needs one; --condition mood=VALUE, one of calm, glad"),
        (ONE, ["cok"], f'there is no author "cok"; did you mean "cook"? {KNOWN}'),
        (ONE, ["author=zzz"], f'there is no author "zzz"; {KNOWN}'),
        (ONE, ["author="], f'there is no author ""; {KNOWN}'),
        (
            ONE,
            ["autor=cook"],
            'there is no condition "autor"; did you mean "author"? write NAME=VALUE, with one of author',
        ),
        (TWO, ["cook"], 'there is no condition "cook"; write NAME=VALUE, with one of author, mood'),
        (TWO, ["author=cook", "mood=calm", "author=cook"], "the condition author is given twice; leave one out"),
        (ONE, ["a\x1b[2J"], f'there is no author "a\\x1b[2J"; {KNOWN}'),
    ],
)
def test_what_is_no_condition_is_refused_in_a_line_that_says_what_is(conditions, given, line):
    with pytest.raises(UsageError) as caught:
        conditions.chosen(given)
    assert str(caught.value) == line
    assert caught.value.exit_status == 2


def test_the_value_that_is_unknown_is_named():
    assert TWO.unknown(("cook", "cross")) == 'mood is "cross", none of calm, glad'
    assert TWO.unknown(("glad", "cross")) == 'author is "glad", none of a=b, cook, sailor'
    assert ONE.unknown(("\x1b",)) == 'author is "\\x1b", none of a=b, cook, sailor'


def test_long_lists_are_cut():
    many = Conditions({"number": tuple(map(str, range(1000)))})
    with pytest.raises(UsageError) as caught:
        many.chosen([])
    assert len(str(caught.value)) < 200
    assert str(caught.value).endswith(", …")


def test_some_choices_are_spread_over_the_values():
    assert TWO.some(2) == [{"author": "a=b", "mood": "calm"}, {"author": "sailor", "mood": "calm"}]
    assert [one["author"] for one in TWO.some(3)] == ["a=b", "cook", "sailor"]
    assert [one["mood"] for one in TWO.some(3)] == ["calm", "glad", "calm"]
    assert TWO.some(9) == TWO.some(3)
    many = Conditions({"number": tuple(map(str, range(100)))})
    assert [one["number"] for one in many.some(3)] == ["0", "34", "68"]


def test_a_round_trip():
    plain = TWO.to_plain()
    assert plain == {"author": ["a=b", "cook", "sailor"], "mood": ["calm", "glad"]}
    assert Conditions.from_plain(plain, ("author", "mood")) == TWO
    assert Conditions.from_plain(None, ()) is None
    turned = dict(reversed(plain.items()))  # as a checkpoint may have it
    assert list(Conditions.from_plain(turned, ("author", "mood")).values) == ["author", "mood"]


@pytest.mark.parametrize(
    ("plain", "names"),
    [
        (None, ("author",)),
        ({"author": ["a"]}, ()),
        ({}, ("author",)),
        ({"author": ["a"]}, ("mood",)),
        ({"author": []}, ("author",)),
        ({"author": ["a", "a"]}, ("author",)),
        ({"author": ["b", "a"]}, ("author",)),
        ({"author": ["a", 1]}, ("author",)),
        ({"author": ["a", ""]}, ("author",)),
        ({"author": ["a", "\x1b"]}, ("author",)),
        ({"author": "ab"}, ("author",)),
        ([["author", ["a"]]], ("author",)),
    ],
)
def test_what_a_checkpoint_should_not_hold(plain, names):
    with pytest.raises(DataError, match="no values of its conditions"):
        Conditions.from_plain(plain, names)


def test_more_values_than_may_be(monkeypatch):
    monkeypatch.setattr(module, "MOST_VALUES", 4)
    with pytest.raises(DataError, match=r"^file:1: 5 values of author, mood, where at most 4 are possible"):
        Conditions.of(("author", "mood"), GIVEN, "file:1")
