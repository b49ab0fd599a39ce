import pytest

from rnncli.data.tagged import TagColumns
from rnncli.errors import DataError
from tests.data.tagged.tagged_files import read, refusal, rewritten, tokens

NO_LABEL = "holds the token, and no other the label; separate columns with a tab or a space, or set data.label"
NBSP = "\u00a0"
SPACES = f"-DOCSTART- -X- O\n\nI PRON B\n like  VERB   O \nred\u2028x{NBSP} ADJ O\n\n \t \n"
MIXED = f"{SPACES}New York\tPROPN\t B-LOC \n{NBSP}\t_\tO"


def test_a_line_is_a_token_between_tabs_or_spaces(tmp_path):
    assert read(tmp_path, "a.conll", MIXED) == [
        (["I", "like", f"red\u2028x{NBSP}"], [("B",), ("O",), ("O",)], "a.conll:3", [3, 4, 5]),
        (["New York", NBSP], [("B-LOC",), ("O",)], "a.conll:8", [8, 9]),
    ]


def test_columns_by_number(tmp_path):
    def found(token, label):
        return tokens(tmp_path, "a.iob2", "a b c d\n\n", TagColumns(token, label))

    assert found(2, 4) == [(["b"], ["d"])]
    assert found(-4, -2) == [(["a"], ["c"])]
    assert found("3", "-3") == [(["c"], ["b"])]
    assert found(None, 1 + 1) == [(["a"], ["b"])]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (TagColumns(5), "no column 5; the columns are 1 to 4, or from the end -1 to -4"),
        (TagColumns(None, -5), "no column -5; the columns are 1 to 4, or from the end -1 to -4"),
        (
            TagColumns(4),
            f"column 4 {NO_LABEL}",
        ),
    ],
)
def test_columns_that_are_not_there(tmp_path, columns, message):
    assert refusal(tmp_path, "a.conll", "\na b c d\n", columns) == f"a.conll:2: {message}"


def test_without_labels(tmp_path):
    assert read(tmp_path, "a.conll", "a\nb\n\nc\n", labelled=False) == [
        (["a", "b"], [], "a.conll:1", [1, 2]),
        (["c"], [], "a.conll:4", [4]),
    ]
    assert tokens(tmp_path, "a.conll", f"a\n{NBSP}\n\x0b\n", labelled=False) == [(["a", NBSP, "\x0b"], [])]
    assert tokens(tmp_path, "a.conll", "x a \x1b\n", TagColumns(2, 9), labelled=False) == [(["a"], [])]
    assert refusal(tmp_path, "a.conll", "a\nb\n") == (f"a.conll:1: column 1 {NO_LABEL}")


def test_several_labels(tmp_path):
    lines = "a\tx|y\nb\t_\nc\tz\n"
    assert read(tmp_path, "a.conll", lines, multi_label=True)[0][1] == [("x", "y"), (), ("z",)]
    assert read(tmp_path, "a.conll", lines)[0][1] == [("x|y",), ("_",), ("z",)]
    assert refusal(tmp_path, "a.conll", "a\tx||y\n", multi_label=True) == (
        "a.conll:1: the label is empty; write one, or leave the example out"
    )


def test_lines_that_are_comments_and_tokens_that_look_so(tmp_path):
    comments = "# sent_id = 1\n# x\n# y\n#\tO\n#x\tO\na\tO\n# O\tO\n\n# z\nb\tO\n"
    assert tokens(tmp_path, "a.conll", comments) == [(["#", "#x", "a", "# O"], ["O"] * 4), (["b"], ["O"])]
    spaces = "# license of this\n\n# 1 2\n# O\n#a O\n\n# O\n"
    assert tokens(tmp_path, "a.conll", spaces) == [(["#", "#a"], ["O", "O"]), (["#"], ["O"])]
    assert refusal(tmp_path, "a.conll", "a O\n# 1 2\n") == (
        "a.conll:2: 3 columns where line 1 has 2; "
        "a token seems to hold a space: separate the columns of all lines with tabs"
    )
    assert (
        refusal(tmp_path, "a.conll", "# 1\n\n# 2\n") == "a.conll: it holds no sequences; give one that holds sequences"
    )


def test_documents_part_sentences(tmp_path):
    lines = "-DOCSTART-\na O\n-DOCSTART- (2) x y\nb O\n-DOCSTART-x O\n\n-DOCSTART- 3\n"
    assert tokens(tmp_path, "a.conll", lines) == [(["a"], ["O"]), (["b", "-DOCSTART-x"], ["O", "O"])]
    assert rewritten(tmp_path, "a.conll", lines, {"O": "X"}) == (
        "-DOCSTART-\na O X\n-DOCSTART- (2) x y\nb O X\n-DOCSTART-x O X\n\n-DOCSTART- 3\n"
    )


def test_predictions_are_appended(tmp_path):
    lines = "\n# x = y\r\nI PRON\r\nlike  VERB \n\r\n\n  \nNew York\tPROPN\nx\t \n\n# z z\n \n"
    assert rewritten(tmp_path, "a.conll", lines, ("N",), labelled=False) == (
        "\n# x = y\r\nI PRON N\r\nlike  VERB N\n\r\n\n  \nNew York\tPROPN\tN\nx\t \tN\n\n# z z\n \n"
    )
    assert rewritten(tmp_path, "a.conll", "a\nb", ("N",), labelled=False) == "a\tN\nb\tN"
    assert rewritten(tmp_path, "a.conll", " a \nb", ("N",), labelled=False) == " a N\nb\tN"


def test_several_predictions_or_none(tmp_path):
    for new, cell in ((("x", "y"), "x|y"), ((), "_"), (("x",), "x")):
        assert rewritten(tmp_path, "a.conll", "a b\n", new, labelled=False, multi_label=True) == f"a b {cell}\n"
    assert rewritten(tmp_path, "a.conll", "a b\n", ("x|y",), labelled=False) == "a b x|y\n"
    assert rewritten(tmp_path, "a.conll", "a b\n", (), labelled=False) == "a b _\n"


@pytest.mark.parametrize(
    ("line", "new", "message"),
    [
        (
            "a b",
            ("x y",),
            (
                'the label "x y" cannot be written in a column, where a space separates columns; '
                "separate the columns with tabs"
            ),
        ),
        (
            "a\tb",
            ("z", "x|y"),
            'the label "x|y" cannot be written in a column, where | separates labels; rename it, or use JSONL',
        ),
        (
            "a\tb",
            ("_",),
            'the label "_" cannot be written in a column, where _ means no label; rename it, or use JSONL',
        ),
    ],
)
def test_predictions_that_cannot_be_written(tmp_path, line, new, message):
    with pytest.raises(DataError) as caught:
        rewritten(tmp_path, "a.conll", f"{line}\n{line}\n", new, labelled=False, multi_label=True)
    assert str(caught.value) == f"{tmp_path}/a.conll:1: {message}"
    assert rewritten(tmp_path, "a.conll", "a\tb\n", ("x y",), labelled=False) == "a\tb\tx y\n"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            "\nNew York PROPN\nI PRON\n",
            (
                "a.conll:3: 2 columns where line 2 has 3; "
                "write _ in a column without a value, and end a sentence with a blank line"
            ),
        ),
        (
            "I PRON\n\nNew York PROPN\n",
            (
                "a.conll:3: 3 columns where line 1 has 2; "
                "a token seems to hold a space: separate the columns of all lines with tabs"
            ),
        ),
        (
            "I PRON\nNew York\tPROPN\tO\n",
            (
                "a.conll:2: 3 columns where line 1 has 2; "
                "separate the columns of all lines with tabs, or of all with spaces"
            ),
        ),
        (
            "I\tPRON\tO\nyou\tPRON\n",
            (
                "a.conll:2: 2 columns where line 1 has 3; "
                "write _ in a column without a value, and end a sentence with a blank line"
            ),
        ),
        (
            "I\tPRON\nyou\tPRON\tO\n",
            (
                "a.conll:2: 3 columns where line 1 has 2; "
                "write _ in a column without a value, and end a sentence with a blank line"
            ),
        ),
        ("\tPRON\n", "a.conll:1: column 1, of the tokens, is empty; write one, or leave the line out"),
        ("a\tO\nb\t\n", "a.conll:2: the label is empty; write one, or leave the example out"),
        ("a\tO\nb\t \n", "a.conll:2: the label is empty; write one, or leave the example out"),
        (
            "a\tO\nb\t\x1b[0m\n",
            'a.conll:2: the label "\\x1b[0m" holds a character that cannot be printed; rename it',
        ),
        ("", "a.conll: the file is empty; give one that holds sequences"),
        ("\n \n-DOCSTART-\n", "a.conll: it holds no sequences; give one that holds sequences"),
    ],
)
def test_refusals(tmp_path, lines, message):
    assert refusal(tmp_path, "a.conll", lines) == message


def test_a_label_of_a_text_s_length(tmp_path):
    assert tokens(tmp_path, "a.conll", f"a {'y' * 1000}\n")[0][1] == ["y" * 1000]
    assert "has 1,001 characters, more than 1,000" in refusal(tmp_path, "a.conll", f"a {'y' * 1001}\n")


def test_more_labels_than_are_remembered(tmp_path):
    lines = "".join(f"a\tlabel{i % 15_000}\n" for i in range(30_000))
    assert tokens(tmp_path, "a.conll", lines)[0][1] == [f"label{i % 15_000}" for i in range(30_000)]
