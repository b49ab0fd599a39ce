import pytest

from rnncli.data.examples import read_examples
from rnncli.data.files import find_sources
from tests.data.examples.written_files import read_at, refusal_at, write


@pytest.fixture
def reviews(tmp_path):
    for name in ("pos/10.txt", "pos/9.txt", "neg/deep/a", "neg/b.md", "urls_pos.txt", ".hidden/x", "neg/.hidden"):
        write(tmp_path / "train", name, f"{name}\r\nend\n\n")
    return tmp_path / "train"


def test_the_folder_is_the_label(reviews):
    assert read_at(reviews) == [
        ("neg/b.md\nend", ("neg",), "train/neg/b.md"),
        ("neg/deep/a\nend", ("neg",), "train/neg/deep/a"),
        ("pos/10.txt\nend", ("pos",), "train/pos/10.txt"),
        ("pos/9.txt\nend", ("pos",), "train/pos/9.txt"),
    ]


def test_files_named_by_a_pattern(reviews):
    found = read_examples(find_sources([f"{reviews}/*/*.txt"]), "folder")
    assert [(example.labels, example.where) for example in found] == [
        (("pos",), f"{reviews}/pos/10.txt"),
        (("pos",), f"{reviews}/pos/9.txt"),
    ]


def test_without_labels_loose_and_empty_files_count(reviews):
    write(reviews, "pos/none.txt", "")
    found = read_at(reviews, labelled=False, format="folder")
    assert [(labels, where) for _, labels, where in found] == [
        ((), "train/neg/b.md"),
        ((), "train/neg/deep/a"),
        ((), "train/pos/10.txt"),
        ((), "train/pos/9.txt"),
        ((), "train/pos/none.txt"),
        ((), "train/urls_pos.txt"),
    ]
    assert found[4][0] == ""


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("pos/latin", b"\xe9", "byte 0xe9 at offset 0 is not utf-8; try --encoding latin-1"),
        (
            "pos/Thumbs.db",
            b"a\0",
            "looks like a binary file (NUL byte at offset 1); in the folder of a label every file is a text: move it out",  # noqa: E501
        ),
        ("pos/empty", b"", "the text is empty; write one, or leave the example out"),
        ("pos/blank", b" \n", "the text is empty; write one, or leave the example out"),
    ],
)
def test_a_file_that_is_no_text_is_not_skipped(reviews, name, content, message):
    write(reviews, name, content)
    assert refusal_at(reviews) == f"train/{name}: {message}"


def test_a_name_that_cannot_be_printed(reviews):
    write(reviews, "\x1b[31m/a.txt", "x")
    assert refusal_at(reviews) == (
        'train/\\x1b[31m/a.txt: the label "\\x1b[31m" holds a character that cannot be printed; rename it'
    )


def test_folders_of_one_label_are_no_labels(reviews):
    assert refusal_at(reviews / "pos", format="folder") == (
        "pos: no file in a label's folder; give the folder that holds a folder for each label"
    )
