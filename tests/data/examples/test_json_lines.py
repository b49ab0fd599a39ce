import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.data.examples import Columns
from tests.data.examples.written_files import read, refusal

EXAMPLE = 'write one object a line: {"text": "...", "label": "..."}'


def test_an_object_a_line(tmp_path):
    lines = (
        '{"text": "a\\n\\"b\\"\u2028\\u0000", "label": " pos ", "id": [1, {"x": null}]}\r\n'
        " \n"
        '\t{"label": 3, "text": " "}  \n'
        '{"label": true, "text": "\\ud83d\\ude00"}'
    )
    assert read(tmp_path, "a.jsonl", lines, labelled=False)[1] == (" ", (), "a.jsonl:3")
    assert read(tmp_path, "a.ndjson", lines.replace('" "', '"c"')) == [
        ('a\n"b"\u2028\0', ("pos",), "a.ndjson:1"),
        ("c", ("3",), "a.ndjson:3"),
        ("😀", ("true",), "a.ndjson:4"),
    ]


@pytest.mark.parametrize(
    ("written", "label"),
    [("false", "false"), ("-0.10", "-0.1"), ("1e3", "1000.0"), ("12345678901234567890", "12345678901234567890")],
)
def test_labels_that_are_no_text(tmp_path, written, label):
    assert read(tmp_path, "a.jsonl", f'{{"text": "x", "label": {written}}}')[0][1] == (label,)


def test_several_labels(tmp_path):
    lines = '{"text": "x", "label": ["b", 1, false]}\n{"text": "x", "label": []}\n{"text": "x", "label": "a|b"}\n'
    found = read(tmp_path, "a.jsonl", lines, multi_label=True)
    assert [labels for _, labels, _ in found] == [("b", "1", "false"), (), ("a|b",)]
    assert refusal(tmp_path, "a.jsonl", lines) == (
        "a.jsonl:1: 3 labels where one is expected: b, 1, false; "
        "for examples with several labels, or none, set data.multi_label"
    )
    assert refusal(tmp_path, "a.jsonl", lines.split("\n")[1]) == (
        "a.jsonl:1: no label; for examples with several labels, or none, set data.multi_label"
    )


def test_without_labels(tmp_path):
    assert read(tmp_path, "a.jsonl", '{"text": "x"}\n{"text": "", "label": null}\n', labelled=False) == [
        ("x", (), "a.jsonl:1"),
        ("", (), "a.jsonl:2"),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": "x", "label": }', f":24: no JSON: Expecting value; {EXAMPLE}"),
        ('  {"text": "x" "label": "y"}', f":16: no JSON: Expecting ',' delimiter; {EXAMPLE}"),
        ('{"text": "x\ty"}', f":12: no JSON: Invalid control character at; {EXAMPLE}"),
        ("{", f":2: no JSON: Expecting property name enclosed in double quotes; {EXAMPLE}"),
        ("[", f":2: no JSON: Expecting value; {EXAMPLE}"),
        ('{"text": "x"} {"text": "y"}', f":14: more follows the JSON; {EXAMPLE}"),
        ('{"text": "NaN \\" NaN", "label": NaN}', ":33: NaN is no number in JSON; leave the line out"),
        ('{"x": [-Infinity], "y": NaN}', ":8: -Infinity is no number in JSON; leave the line out"),
        ('{"x": Infinity', ":7: Infinity is no number in JSON; leave the line out"),
        ('{"text": "x", "label": 1, "text": "y"}', ': the key "text" comes twice; keep one of them'),
        ('{"x": [{"\\u001b": 1, "\\u001b": 1}]}', ': the key "\\x1b" comes twice; keep one of them'),
        ('["x", "y"]', f": a list where an object is expected; {EXAMPLE}"),
        ('"x"', f": a text where an object is expected; {EXAMPLE}"),
        ("1", f": a number where an object is expected; {EXAMPLE}"),
        ("[" * 100_000, ": a number too long, or lists too deep; leave the line out"),
        ("1" * 5000, ": a number too long, or lists too deep; leave the line out"),
        ('{"Text": "x"}', ': no key "text"; did you mean "Text"? the keys are Text'),
        ('{"text": "x"}', ': no key "label"; the keys are text'),
        ('{"text": 1, "label": 1}', ': "text" is a number, not a text; quote it'),
        ('{"text": null, "label": 1}', ': "text" is null, not a text; quote it'),
        ('{"text": "x", "label": null}', ': "label" is null; write a text or a number'),
        ('{"text": "x", "label": {}}', ': "label" is an object; write a text or a number'),
        ('{"text": "x", "label": 1e999}', ': "label" is not a finite number; write a text or a number'),
        ('{"text": "x", "label": " "}', ": the label is empty; write one, or leave the example out"),
        ('{"text": " \\n", "label": 1}', ": the text is empty; write one, or leave the example out"),
        (
            '{"text": "x", "label": "\\ud800"}',
            ': the label "\\ud800" holds a character that cannot be printed; rename it',
        ),
    ],
)
def test_refusals(tmp_path, line, message):
    assert refusal(tmp_path, "a.jsonl", f'{{"text": "a", "label": "b"}}\n\n{line}\n') == f"a.jsonl:3{message}"


def test_multi_labels_are_texts_or_numbers(tmp_path):
    assert refusal(tmp_path, "a.jsonl", '{"text": "x", "label": [["a"]]}', multi_label=True) == (
        'a.jsonl:1: "label" is a list; write a text or a number'
    )


def test_a_text_longer_than_a_cell_may_be(tmp_path):
    text = "é" * 300_000
    assert read(tmp_path, "a.jsonl", json.dumps({"text": text, "label": "y"}))[0][0] == text


texts = st.text(st.characters(exclude_categories=["Cs"])).filter(str.strip)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(texts, st.integers() | st.booleans()), min_size=1), st.booleans())
def test_round_trip(tmp_path_factory, rows, ascii_only):
    # Python writes U+0000 as an escape, as it does all control characters
    lines = "".join(
        f'{{"label": {json.dumps(label)}, "text": {json.dumps(text, ensure_ascii=ascii_only)}}}\n'
        for text, label in rows
    )
    found = read(tmp_path_factory.getbasetemp(), "a.jsonl", lines)
    places = [f"a.jsonl:{i + 1}" for i in range(len(rows))]
    assert found == [(text, (json.dumps(label),), place) for (text, label), place in zip(rows, places, strict=True)]


def test_numbers_of_keys_are_vectors(tmp_path):
    lines = (
        '{"id": 7, "t": 2, "x": 1, "y": 0.5, "label": "a"}\n'
        '{"id": 7, "t": 1, "x": -1, "y": 1e2, "label": "a"}\n'
        '{"id": "8", "t": 0, "x": 0, "y": 3, "label": "b"}\n'
    )
    (first, labels, where), (second, *_) = read(
        tmp_path, "a.jsonl", lines, Columns(vector=("y", "x"), sequence="id", time="t")
    )
    assert (labels, where) == (("a",), "a.jsonl:1")
    assert first.dtype == np.float32
    assert first.tolist() == [[100, -1], [0.5, 1]]
    assert second.tolist() == [[3, 0]]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ('"1"', '"x" is a text, not a number; write one, or leave the line out'),
        ("true", '"x" is true or false, not a number; write one, or leave the line out'),
        ("[1, 2]", '"x" is a list, not a number; write one, or leave the line out'),
        ("1e39", "a number is beyond 3.4e38, the largest float32; use another unit"),
        ("1e999", "a number is beyond 3.4e38, the largest float32; use another unit"),
        ("9" * 400, "a number is beyond 3.4e38, the largest float32; use another unit"),
    ],
)
def test_values_that_are_no_numbers(tmp_path, value, message):
    assert refusal(tmp_path, "a.jsonl", f'{{"x": {value}, "label": 1}}', Columns(vector=("x",))) == (
        f"a.jsonl:1: {message}"
    )


def test_half_a_character_is_refused_and_a_whole_one_is_not(tmp_path):
    assert refusal(tmp_path, "a.jsonl", '{"text": "x", "label": 1}\n{"text": "a\\ud83d", "label": 1}') == (
        'a.jsonl:2: "text" holds half a character; write a pair of surrogates for one character, or leave the line out'
    )
    line = '{"text": "\\ud83d\\ude00", "label": 1}'
    assert read(tmp_path, "a.jsonl", line) == [("\U0001f600", ("1",), "a.jsonl:1")]


@pytest.mark.parametrize("label", ["\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\U0001f469\u200d\U0001f467"])
def test_joiners_within_a_label(tmp_path, label):
    assert read(tmp_path, "a.jsonl", f'{{"text": "x", "label": "{label}"}}')[0][1] == (label,)


@pytest.mark.parametrize("label", ["a\u200c", "\u200da", "a\u200c\u200db", "a \u200db", "a\u200bb", "a\u202eb"])
def test_joiners_elsewhere(tmp_path, label):
    line = f'{{"text": "x", "label": "{label}"}}'
    assert "holds a character that cannot be printed; rename it" in refusal(tmp_path, "a.jsonl", line)


def test_values_are_called_so(tmp_path):
    assert refusal(tmp_path, "a.jsonl", '{"text": "x", "label": [1, 2]}', values=True) == (
        "a.jsonl:1: 2 values where one is expected: 1, 2; write one, or leave the example out"
    )
    assert refusal(tmp_path, "a.jsonl", '{"text": "x", "label": ""}', values=True) == (
        "a.jsonl:1: the value is empty; write one, or leave the example out"
    )


def test_a_label_of_a_text_s_length(tmp_path):
    line = '{"text": "x", "label": "%s"}'
    assert read(tmp_path, "a.jsonl", line % ("y" * 1000))[0][1] == ("y" * 1000,)
    assert refusal(tmp_path, "a.jsonl", line % ("y" * 1001)) == (
        f'a.jsonl:1: the label "{"y" * 20}…{"y" * 19}" has 1,001 characters, more than 1,000; '
        "name a column or key that holds labels"
    )
