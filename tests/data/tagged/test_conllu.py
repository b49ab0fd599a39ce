import pytest

from rnncli.data.tagged import TagColumns
from rnncli.errors import DataError, SpecError
from tests.data.tagged.tagged_files import read, refusal, rewritten, tokens


def word(number, form, upos="X", *, lemma="_", xpos="_", feats="_", misc="_"):
    return "\t".join([str(number), form, lemma, upos, xpos, feats, "0", "root", "_", misc])


FRENCH = "\n".join(
    [
        "# sent_id = 1",
        "# text = Du pain",
        word("1-2", "Du", "_"),
        word(1, "de", "ADP", lemma="de"),
        word(2, "le", "DET", feats="Gender=Masc|Number=Sing", misc="a = b\r"),
        word("2.1", "e", "_"),
        "# in between",
        word(3, "pain 1", "NOUN", xpos="n"),
        "",
        "",
        word(1, "#", "SYM"),
    ]
)


def test_a_line_is_a_word(tmp_path):
    assert read(tmp_path, "a.conllu", FRENCH) == [
        (["de", "le", "pain 1"], [("ADP",), ("DET",), ("NOUN",)], "a.conllu:4", [4, 5, 8]),
        (["#"], [("SYM",)], "a.conllu:11", [11]),
    ]


@pytest.mark.parametrize(
    ("token", "label", "found"),
    [
        ("lemma", "deprel", (["l"], ["root"])),
        (3, -3, (["l"], ["root"])),
        ("form", "XPOS", (["f"], ["x"])),
        ("2", "misc", (["f"], ["m"])),
        (None, 10, (["f"], ["m"])),
        (-9, 1, (["f"], ["1"])),
        ("misc", 3, (["m"], ["l"])),
    ],
)
def test_columns_by_name_and_number(tmp_path, token, label, found):
    line = word(1, "f", lemma="l", xpos="x", misc="m") + "\r\n\r\n"
    assert tokens(tmp_path, "a.conllu", line, TagColumns(token, label)) == [found]


@pytest.mark.parametrize("column", ["word", 11, 0, -11, "", "1.5"])
def test_columns_that_are_not_there(tmp_path, column):
    message = f"data.label is {column!r}, which conllu does not have; the columns are id, form, lemma, upos, xpos, "
    assert refusal(tmp_path, "a.conllu", FRENCH, TagColumns(None, column), error=SpecError).startswith(message)
    assert refusal(tmp_path, "a.conllu", FRENCH, TagColumns(column), error=SpecError).startswith("data.token is ")


def test_no_label(tmp_path):
    lines = f"{word(1, 'a', 'X')}\n{word(2, 'b', '_')}\n"
    assert refusal(tmp_path, "a.conllu", lines) == (
        "a.conllu:2: upos is _: no label; "
        "name another column in data.label, leave the sentence out, or set data.multi_label"
    )
    assert read(tmp_path, "a.conllu", lines, multi_label=True)[0][1] == [("X",), ()]
    assert tokens(tmp_path, "a.conllu", lines, labelled=False) == [(["a", "b"], [])]


def test_several_labels(tmp_path):
    feats = TagColumns(None, "feats")
    expected = [(), ("Gender=Masc", "Number=Sing"), ()]
    assert read(tmp_path, "a.conllu", FRENCH, feats, multi_label=True)[0][1] == expected
    assert rewritten(tmp_path, "a.conllu", FRENCH, {}, feats, multi_label=True) == FRENCH
    new = {"Gender=Masc": "Gender=Fem", "Number=Sing": "Case=Nom"}
    assert rewritten(tmp_path, "a.conllu", FRENCH, new, feats, multi_label=True) == (
        FRENCH.replace("Gender=Masc|Number=Sing", "Gender=Fem|Case=Nom")
    )
    swapped = {"Gender=Masc": "Number=Sing", "Number=Sing": "Gender=Masc"}
    assert rewritten(tmp_path, "a.conllu", FRENCH, swapped, feats, multi_label=True) == FRENCH  # the same set


def test_predictions_replace_labels_and_nothing_else(tmp_path):
    expected = FRENCH.replace("de\tADP", "de\tP").replace("le\t_\tDET", "le\t_\tP")
    expected = expected.replace("pain 1\t_\tNOUN", "pain 1\t_\tP").replace("#\t_\tSYM", "#\t_\tP")
    assert rewritten(tmp_path, "a.conllu", FRENCH, ("P",), labelled=False) == expected
    assert rewritten(tmp_path, "a.conllu", FRENCH, {"DET": "P"}) == FRENCH.replace("DET", "P")
    assert rewritten(tmp_path, "a.conllu", FRENCH + "\r\n\n \n", {}) == FRENCH + "\r\n\n \n"
    last = f"{word(1, 'a', misc='x')}\r\n\r\n{word(1, 'b')}"
    assert rewritten(tmp_path, "a.conllu", last, ("M",), TagColumns(None, "misc"), labelled=False) == (
        f"{word(1, 'a', misc='M')}\r\n\r\n{word(1, 'b', misc='M')}"
    )
    assert rewritten(tmp_path, "a.conllu", last, (), labelled=False) == last.replace("X", "_")


def test_a_prediction_that_would_be_read_as_others(tmp_path):
    with pytest.raises(DataError, match=r"a\.conllu:4: the label \"a\|b\" cannot be written in a column, where \| sep"):
        rewritten(tmp_path, "a.conllu", FRENCH, ("a|b",), labelled=False, multi_label=True)


NO_WORDS = "a sentence without words; leave it out, comments and all"
COUNTED = "number the words of a sentence from 1 on, and end it with a blank line"
TEN = "separate ten columns with tabs, _ where one has no value; for others set data.format=conll"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", "a.conllu: the file is empty; give one that holds sequences"),
        ("\n\n", "a.conllu: it holds no sequences; give one that holds sequences"),
        ("# only\n# comments\n\n" + word(1, "a"), f"a.conllu:1: {NO_WORDS}"),
        (word(1, "a") + "\n\n\n# text", f"a.conllu:4: {NO_WORDS}"),
        ("\n" + word("1-2", "a") + "\n" + word("1.1", "a") + "\n\n", f"a.conllu:2: {NO_WORDS}"),
        (word(1, "a") + "\n" + word(1, "b"), f'a.conllu:2: the id is "1" where 2 is expected; {COUNTED}'),
        (word(0, "a"), f'a.conllu:1: the id is "0" where 1 is expected; {COUNTED}'),
        (word(1, "a") + "\n" + word(3, "b"), f'a.conllu:2: the id is "3" where 2 is expected; {COUNTED}'),
        (word("01", "a"), f'a.conllu:1: the id is "01" where 1 is expected; {COUNTED}'),
        (word("1-", "a"), f'a.conllu:1: the id is "1-" where 1 is expected; {COUNTED}'),
        (word("1-2a", "a"), f'a.conllu:1: the id is "1-2a" where 1 is expected; {COUNTED}'),
        (word("", "a"), f'a.conllu:1: the id is "" where 1 is expected; {COUNTED}'),
        (word("²", "a"), f'a.conllu:1: the id is "²" where 1 is expected; {COUNTED}'),
        (word("a\x1b", "a"), f'a.conllu:1: the id is "a\\x1b" where 1 is expected; {COUNTED}'),
        ("1 a b\n", f"a.conllu:1: 1 columns where CoNLL-U has 10; {TEN}"),
        (word(1, "a") + "\t_\n", f"a.conllu:1: 11 columns where CoNLL-U has 10; {TEN}"),
        (word(1, "a")[:-2] + "\n", f"a.conllu:1: 9 columns where CoNLL-U has 10; {TEN}"),
        (word("1-2", "a") + "\t_\n", f"a.conllu:1: 11 columns where CoNLL-U has 10; {TEN}"),
        (word(1, ""), "a.conllu:1: form, of the token, is empty; write _ for an unknown word"),
        (word(1, "a", ""), "a.conllu:1: the label is empty; write one, or leave the example out"),
    ],
)
def test_refusals(tmp_path, lines, message):
    assert refusal(tmp_path, "a.conllu", lines) == message
