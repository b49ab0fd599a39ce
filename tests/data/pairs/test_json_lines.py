import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.pairs.written_pairs import read, refusal

NO_VECTOR = '1: "source" is no list of numbers; write [0.5, 2]'
NO_VECTORS = '1: "source" is no list of lists of as many numbers each; write [[0.5, 2], [1, 3]]'
TOO_LARGE = "1: a number is beyond 3.4e38, the largest float32; use another unit"
HALF = '1: "target" holds half a character; write a pair of surrogates for one character, or leave the line out'
TWICE = '1: the key "source" comes twice; mend it, or leave the line out'
EXAMPLE = 'write one object a line: {"source": "...", "target": "..."}'


def test_an_object_a_line(tmp_path):
    lines = '{"source": "a\\n\u2028", "target": "b", "id": 1}\r\n \n\t{"target": "c", "source": " d"}'
    assert read(tmp_path, {"x.jsonl": lines}) == [("a\n\u2028", "b", "x.jsonl:1"), (" d", "c", "x.jsonl:3")]


def test_other_keys_and_those_of_a_translation_within(tmp_path):
    assert read(tmp_path, {"x.ndjson": '{"en": "a", "es": "b"}'}, source="en", target="es") == [
        ("a", "b", "x.ndjson:1")
    ]
    nested = '{"id": 3, "translation": {"en": "a", "es": "b"}}'
    assert read(tmp_path, {"x.jsonl": nested}, source="es", target="en") == [("b", "a", "x.jsonl:1")]
    assert read(tmp_path, {"x.jsonl": '{"source": "a", "translation": "b"}'}, target="translation")[0][1] == "b"
    both = '{"en": "own", "translation": {"en": "a", "es": "b"}}'
    assert read(tmp_path, {"x.jsonl": both}, source="en", target="es") == [("own", "b", "x.jsonl:1")]


def test_vectors(tmp_path):
    lines = '{"source": [1, -2.5], "target": "a"}\n{"source": [[1, 2], [3, 4], [5, 6]], "target": "b"}\n'
    (one, *_), (three, *_) = read(tmp_path, {"x.jsonl": lines})
    assert one.tolist() == [[1, -2.5]]
    assert three.tolist() == [[1, 2], [3, 4], [5, 6]]
    lines = '{"red": 1, "size": 0.25, "target": "a"}'
    assert read(tmp_path, {"x.jsonl": lines}, vector=("size", "red"))[0][0].tolist() == [[0.25, 1]]


def test_sources_alone(tmp_path):
    assert read(tmp_path, {"x.jsonl": '{"source": "a", "target": 3}'}, targets=False) == [("a", None, "x.jsonl:1")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"source": "a"}', '1: no key "target"; the keys are source; or set data.target'),
        ('{"target": "a"}', '1: no key "source"; the keys are target; or set data.source'),
        ('{"translation": {"en": "a"}}', '1: no key "target"; the keys are en; or set data.source and data.target'),
        ("{}", '1: no key "target"; there are none'),
        ('{"translation": {}}', '1: no key "target"; there are none'),
        (
            '{"source": "a", "targte": "b"}',
            '1: no key "target"; did you mean "targte"? the keys are source, targte; or set data.target',
        ),
        ('{"source": "", "target": "b"}', "1: an empty source; write one, or leave the pair out"),
        ('{"source": "a", "target": " \\n"}', "1: an empty target; write one, or leave the pair out"),
        ('{"source": [1], "target": ""}', "1: an empty target; write one, or leave the pair out"),
        ('{"source": 1, "target": "b"}', '1: "source" is a number, not a text; quote it'),
        ('{"source": "a", "target": null}', '1: "target" is null, not a text; quote it'),
        ('{"source": "a", "target": "\\ud800"}', HALF),
        ('{"source": "a", "source": "b", "target": "c"}', TWICE),
        ('{"source": [NaN], "target": "c"}', "1: NaN is no number in JSON; mend it, or leave the line out"),
        ('{"source": "a", "target": "b"} x', f"1:32: more follows the JSON; {EXAMPLE}"),
        ('["a", "b"]', f"1: a list where an object is expected; {EXAMPLE}"),
        ('{"source": "a" "target"', f"1:16: no JSON: Expecting ',' delimiter; {EXAMPLE}"),
        ('{"source": [], "target": "c"}', NO_VECTOR),
        ('{"source": [[]], "target": "c"}', NO_VECTOR),
        ('{"source": [[1, 2], [3]], "target": "c"}', NO_VECTORS),
        ('{"source": [1, [2]], "target": "c"}', NO_VECTORS),
        ('{"source": [[1], ["a"]], "target": "c"}', NO_VECTORS),
        ('{"source": [true], "target": "c"}', NO_VECTOR),
        ('{"source": [1, "2"], "target": "c"}', NO_VECTOR),
        ('{"source": [1e39], "target": "c"}', TOO_LARGE),
        ('{"source": [1' + "0" * 400 + '], "target": "c"}', TOO_LARGE),
    ],
)
def test_what_is_refused(tmp_path, line, message):
    assert refusal(tmp_path, {"x.jsonl": line}) == f"x.jsonl:{message}"


def test_keys_that_cannot_be_set_are_not_asked_for(tmp_path):
    message = 'x.jsonl:2: no key "source"; the keys are en'
    lines = '{"source": "a"}\n{"en": "b"}'
    assert refusal(tmp_path, {"x.jsonl": lines}, targets=False, can_name_columns=False) == message
    assert refusal(tmp_path, {"x.jsonl": lines}, targets=False) == f"{message}; or set data.source"


def test_what_is_no_number_in_its_column(tmp_path):
    message = 'x.jsonl:1: "p" is a text, not a number; write one'
    assert refusal(tmp_path, {"x.jsonl": '{"p": "1", "target": "a"}'}, vector=("p",)) == message


SIDES = st.text(st.characters(exclude_categories=["Cs"])).filter(str.strip)


@given(st.lists(st.tuples(SIDES, SIDES), min_size=1), st.booleans())
@settings(deadline=None, max_examples=40)
def test_what_was_written_is_read(tmp_path_factory, pairs, ascii_only):
    lines = "\n".join(json.dumps({"source": a, "target": b}, ensure_ascii=ascii_only) for a, b in pairs)
    found = read(tmp_path_factory.mktemp("pairs"), {"x.jsonl": lines})
    assert [pair[:2] for pair in found] == pairs
