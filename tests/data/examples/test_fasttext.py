import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.data.examples import without_labels
from tests.data.examples.written_files import read, refusal

ODD = "\u2028\x85\x0b\x1c|e\u0301|\U0001f469\u200d\U0001f467"


def test_labels_are_no_part_of_the_text(tmp_path):
    lines = (
        "__label__pos Neat plot.\r\n"
        "\n"
        " \t__label__neg\t cold  food \n"
        "   \n"
        "he said __label__a-b_c. my__label__x it\n"
        "good \t__label__pos\r\n"
        f"__label__été a{ODD}b"
    )
    assert read(tmp_path, "a.txt", lines) == [
        ("Neat plot.", ("pos",), "a.txt:1"),
        ("cold  food", ("neg",), "a.txt:3"),
        ("he said my__label__x it", ("a-b_c.",), "a.txt:5"),
        ("good", ("pos",), "a.txt:6"),
        (f"a{ODD}b", ("été",), "a.txt:7"),
    ]


def test_several_labels(tmp_path):
    line = "__label__food __label__price  Good, cheap food!\n"
    assert read(tmp_path, "a.ft", line, multi_label=True) == [("Good, cheap food!", ("food", "price"), "a.ft:1")]
    assert refusal(tmp_path, "a.ft", line) == (
        "a.ft:1: 2 labels where one is expected: food, price; "
        "for examples with several labels, or none, set data.multi_label"
    )


def test_several_labels_may_be_none(tmp_path):
    lines = "__label__a x\ny\n"
    assert [labels for _, labels, _ in read(tmp_path, "a.ft", lines, multi_label=True)] == [("a",), ()]


def test_a_line_to_predict():
    assert without_labels(" \t__label__a it is __label__b so") == "it is so"
    assert without_labels(" my__label__x ") == " my__label__x "


def test_without_labels(tmp_path):
    lines = "__label__pos good __label__x\nbad\n__label__neg\n"
    assert read(tmp_path, "a.txt", lines, labelled=False) == [
        ("good", (), "a.txt:1"),
        ("bad", (), "a.txt:2"),
        ("", (), "a.txt:3"),
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("__label__a x\n\nno label\n", "a.ft:3: no label before the text; begin the line with __label__NAME"),
        ("__label__a x\n__label__b \t\n", "a.ft:2: the text is empty; write one, or leave the example out"),
        ("__label__a\n", "a.ft:1: the text is empty; write one, or leave the example out"),
        ("__label__ x\n", "a.ft:1: the label is empty; write one, or leave the example out"),
        (
            "__label__\x1b[31m x\n",
            'a.ft:1: the label "\\x1b[31m" holds a character that cannot be printed; rename it',
        ),
        (
            "__label__a\xa0b x\n",
            'a.ft:1: the label "a\\xa0b" holds a character that cannot be printed; rename it',
        ),
    ],
)
def test_refusals(tmp_path, lines, message):
    assert refusal(tmp_path, "a.ft", lines, format="fasttext") == message


words = st.text(st.characters(exclude_characters="\n\r\0", exclude_categories=["Cs"])).map(str.strip)


@settings(max_examples=60, deadline=None)
@given(st.lists(words.filter(lambda text: text and "__label__" not in text), min_size=1))
def test_round_trip(tmp_path_factory, texts):
    lines = "".join(f"__label__{i % 3} {text}\n" for i, text in enumerate(texts))
    found = read(tmp_path_factory.getbasetemp(), "a.ft", lines)
    assert found == [(text, (str(i % 3),), f"a.ft:{i + 1}") for i, text in enumerate(texts)]
