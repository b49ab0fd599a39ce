import pytest

from rnncli.data.tagged import TagColumns
from rnncli.errors import SpecError
from tests.data.tagged.tagged_files import read, refusal, rewritten, tokens

EXAMPLE = 'write one object a line: {"tokens": ["..."], "labels": ["..."]}'
LINES = (
    "\n"
    '{"tokens": ["I", "\\u00a0", "a\\nb"], "labels" :\t["x", " y ", 3], "id": 1.50}\r\n'
    " \n"
    '  {"labels":["p","q"],"tokens":"h\\ud83d\\ude00"} '
)


def test_an_object_is_a_sequence(tmp_path):
    assert read(tmp_path, "a.jsonl", LINES) == [
        (["I", "\u00a0", "a\nb"], [("x",), ("y",), ("3",)], "a.jsonl:2", []),
        (["h", "😀"], [("p",), ("q",)], "a.jsonl:4", []),
    ]
    assert tokens(tmp_path, "a.ndjson", '{"words": ["a"], "pos": ["N"]}', TagColumns("words", "pos")) == [
        (["a"], ["N"])
    ]


def test_without_labels(tmp_path):
    assert tokens(tmp_path, "a.jsonl", '{"tokens": "a"}\n{"tokens": "b", "labels": 0}', labelled=False) == [
        (["a"], []),
        (["b"], []),
    ]


def test_several_labels(tmp_path):
    lines = '{"tokens": "abcd", "labels": [["x", "y"], [], ["a|b"], "z"]}\n'
    expected = [("x", "y"), (), ("a|b",), ("z",)]
    assert read(tmp_path, "a.jsonl", lines, multi_label=True)[0][1] == expected
    assert rewritten(tmp_path, "a.jsonl", lines, {"x": "y", "y": "x"}, multi_label=True) == lines
    assert rewritten(tmp_path, "a.jsonl", lines, {"x": "w"}, multi_label=True) == (
        '{"tokens": "abcd", "labels": [["w", "y"], [], ["a|b"], ["z"]]}\n'
    )
    assert refusal(tmp_path, "a.jsonl", lines) == (
        "a.jsonl:1, step 0: 2 labels where one is expected: x, y; "
        "for examples with several labels, or none, set data.multi_label"
    )


def test_vectors(tmp_path):
    lines = '{"vectors": [[1, 2.5], [-3e2, 4]], "labels": ["a", "b"]}\n'
    assert read(tmp_path, "a.jsonl", lines) == [([[1, 2.5], [-300, 4]], [("a",), ("b",)], "a.jsonl:1", [])]
    lines = lines.replace("vectors", "frames")
    assert read(tmp_path, "a.jsonl", lines, TagColumns("frames"))[0][0] == [[1, 2.5], [-300, 4]]
    both = '{"vectors": [[1]], "tokens": ["a"], "labels": ["x"]}'
    assert read(tmp_path, "a.jsonl", both)[0][0] == ["a"]
    assert read(tmp_path, "a.jsonl", both, TagColumns("vectors"))[0][0] == [[1]]


def test_predictions_replace_labels_and_nothing_else(tmp_path):
    assert rewritten(tmp_path, "a.jsonl", LINES, {}) == LINES
    assert rewritten(tmp_path, "a.jsonl", LINES, {"3": "4"}) == LINES.replace('["x", " y ", 3]', '["x", "y", "4"]')
    assert rewritten(tmp_path, "a.jsonl", LINES, ("é",), labelled=False) == (
        LINES.replace('["x", " y ", 3]', '["é", "é", "é"]').replace('["p","q"]', '["é","é"]')
    )
    assert rewritten(tmp_path, "a.jsonl", LINES + "\n\r\n \n", {}) == LINES + "\n\r\n \n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"tokens": "ab"}\r\n', '{"tokens": "ab", "labels": ["N", "N"]}\r\n'),
        (' {"tokens":"ab" , "x" :{"labels": 1} } ', ' {"tokens":"ab" , "x" :{"labels": 1},"labels":["N","N"] } '),
        ('{"labels": null, "tokens": "ab"}', '{"labels": ["N", "N"], "tokens": "ab"}'),
        ('{"labels":[1],"tokens":"ab"}', '{"labels":["N","N"],"tokens":"ab"}'),
        ('{"labels":{"labels":[2]},"tokens":"ab"}', '{"labels":["N","N"],"tokens":"ab"}'),
        ('{"l\\u0061bels": [1, 2], "tokens": "ab"}', '{"l\\u0061bels": ["N", "N"], "tokens": "ab"}'),
    ],
)
def test_predictions_where_there_were_no_labels(tmp_path, line, expected):
    assert rewritten(tmp_path, "a.jsonl", line, ("N",), labelled=False) == expected


@pytest.mark.parametrize(
    ("before", "new", "after"),
    [
        ("[1, 0]", {"1": "0"}, "[0, 0]"),
        ("[1, 2.0]", {"1": "0.5"}, "[0.5, 2.0]"),
        ("[1, true]", {"1": "false"}, "[false, true]"),
        ("[1, 0]", {"1": "07"}, '["07", 0]'),
        ("[1, 0]", {"1": "[0]"}, '["[0]", 0]'),
        ("[1, 0]", {"1": "NaN"}, '["NaN", 0]'),
        ("[1, 0]", {"1": "9" * 5000}, None),
        ('[1, "0"]', {"1": "0"}, '["0", "0"]'),
        ("[1, 1e0]", {"1": "1"}, "[1, 1e0]"),
    ],
)
def test_numbers_stay_numbers(tmp_path, before, new, after):
    line = '{"tokens": "ab", "labels": %s}'
    if after is None:
        after = f'["{new["1"]}", 0]'
    assert rewritten(tmp_path, "a.jsonl", line % before, new) == line % after


def test_numbers_are_texts_where_there_were_none(tmp_path):
    for line in ('{"tokens": "a"}', '{"tokens": "a", "labels": []}', '{"tokens": "a", "labels": [1, 2]}'):
        new = rewritten(tmp_path, "a.jsonl", line, ("1",), labelled=False)
        assert new == '{"tokens": "a", "labels": ["1"]}'


def test_none_where_one_is_expected(tmp_path):
    assert rewritten(tmp_path, "a.jsonl", '{"tokens": "a"}', (), labelled=False) == '{"tokens": "a", "labels": [null]}'
    assert rewritten(tmp_path, "a.jsonl", '{"tokens": "a"}', (), labelled=False, multi_label=True) == (
        '{"tokens": "a", "labels": [[]]}'
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"tokens": "a", "labels": }', f":27: no JSON: Expecting value; {EXAMPLE}"),
        ("{", f":2: no JSON: Expecting property name enclosed in double quotes; {EXAMPLE}"),
        ('{"tokens": "a"} {}', f":17: more follows the JSON; {EXAMPLE}"),
        ('["a"]', f": a list where an object is expected; {EXAMPLE}"),
        ('"a"', f": a text where an object is expected; {EXAMPLE}"),
        ("false", f": true or false where an object is expected; {EXAMPLE}"),
        ('{"tokens": "a", "labels": [NaN]}', ": NaN is no number in JSON; mend it, or leave the line out"),
        ('{"a\\u001b": 1, "a\\u001b": 1}', ': the key "a\\x1b" comes twice; mend it, or leave the line out'),
        ("[" * 100_000, ": a number too long, or lists too deep; leave the line out"),
        ("1" * 5000, ": a number too long, or lists too deep; leave the line out"),
        ("{}", ': no key "tokens"; there are none'),
        ('{"token": "a"}', ': no key "tokens"; did you mean "token"? the keys are token'),
        ('{"tokens": "a", "label": 1}', ': no key "labels"; did you mean "label"? the keys are tokens, label'),
        (
            '{"tokens": 1, "labels": 1}',
            (
                ': "tokens" is a number, not a list; '
                "write a list of tokens or vectors, or a text of which each character is a token"
            ),
        ),
        ('{"tokens": [], "labels": []}', ': "tokens" is empty; leave the line out'),
        ('{"tokens": "", "labels": []}', ': "tokens" is empty; leave the line out'),
        ('{"vectors": [], "labels": []}', ': "vectors" is empty; leave the line out'),
        ('{"tokens": ["a", 1], "labels": []}', ", step 1: the token is a number, not a text; quote it"),
        ('{"tokens": ["a", ["b"]], "labels": []}', ", step 1: the token is a list, not a text; quote it"),
        (
            '{"tokens": ["a", ""], "labels": []}',
            ", step 1: the token is empty; write one, or leave it and its label out",
        ),
        (
            '{"tokens": ["a", "b\\ud83d"], "labels": []}',
            (
                ", step 1: the token holds half a character; "
                "write a pair of surrogates for one character, or leave the line out"
            ),
        ),
        ('{"tokens": "ab", "labels": "xy"}', ': "labels" is a text, not a list; write a label for each step'),
        ('{"tokens": "ab", "labels": ["x"]}', ": 1 labels for 2 steps; write one for each"),
        ('{"tokens": "ab", "labels": ["x", "y", "z"]}', ": 3 labels for 2 steps; write one for each"),
        ('{"tokens": "ab", "labels": ["x", ""]}', ", step 1: the label is empty; write one, or leave the example out"),
        (
            '{"tokens": "ab", "labels": ["x", null]}',
            ', step 1: a label of "labels" is null; write a text or a number',
        ),
        (
            '{"tokens": "ab", "labels": ["x", [["y"]]]}',
            ', step 1: a label of "labels" is a list; write a text or a number',
        ),
        ('{"vectors": [[1], 2], "labels": []}', ", step 1: a number among vectors; write a list of numbers"),
        ('{"vectors": [[]], "labels": []}', ", step 0: a vector of 0 numbers; give all as many"),
        (
            '{"vectors": [[1], [1, 2]], "labels": []}',
            ", step 1: a vector of 2 numbers, the first has 1; give all as many",
        ),
        ('{"vectors": [[1], ["2"]], "labels": []}', ", step 1: a text in a vector; write a number"),
        ('{"vectors": [[1], [true]], "labels": []}', ", step 1: true or false in a vector; write a number"),
        (
            '{"vectors": [[1], [1e39]], "labels": []}',
            ", step 1: a number is beyond 3.4e38, the largest float32; use another unit",
        ),
        (
            '{"vectors": [[1], [%s]], "labels": []}' % ("9" * 400),
            ", step 1: a number is beyond 3.4e38, the largest float32; use another unit",
        ),
    ],
)
def test_refusals(tmp_path, line, message):
    lines = f'{{"tokens": "a", "labels": ["x"]}}\n\n{line}\n'
    assert refusal(tmp_path, "a.jsonl", lines) == f"a.jsonl:3{message}"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            TagColumns(vector=("x",)),
            "jsonl has no columns that are named so; leave data.columns, data.sequence and data.time out, or use csv",
        ),
        (TagColumns(None, 2), "data.label is 2, which jsonl does not have; give the name of a key"),
    ],
)
def test_columns_that_are_not_its_own(tmp_path, columns, message):
    assert refusal(tmp_path, "a.jsonl", LINES, columns, error=SpecError) == message
