from pathlib import Path

import pytest

from rnncli.errors import SettingError
from rnncli.tasks.paths import check_paths, moved_paths


@pytest.mark.parametrize(
    ("train", "validation", "test", "key"),
    [
        ("", (), (), "train"),
        (("a", ""), (), (), "train"),
        ("a", "", (), "validation"),
        ("a", (), ("",), "test"),
        (("a", "-"), (), (), "train"),
        ("a", "-", (), "validation"),
        ("-", "-", (), "validation"),
        (("-",), "-", (), "validation"),
        ("a", (), ("b", "-"), "test"),
    ],
)
def test_paths_that_name_nothing_or_a_second_standard_input_are_refused(train, validation, test, key):
    with pytest.raises(SettingError, match="name files, folders or globs; train may be - for stdin") as caught:
        check_paths(train, validation, test)
    assert caught.value.key == key


@pytest.mark.parametrize(("train", "validation"), [((), ()), ("a", ()), (("a", "b"), "c"), ("-", "c"), (("-",), ())])
def test_other_paths_are_not(train, validation):
    check_paths(train, validation, ())


def test_moved_paths_are_the_same_files_and_standard_input_stays(tmp_path):
    (tmp_path / "run").mkdir()
    assert moved_paths("a.txt", tmp_path, tmp_path / "run") == "../a.txt"
    assert moved_paths(("a.txt", "b/*"), Path(tmp_path), tmp_path / "run") == ("../a.txt", "../b/*")
    assert moved_paths("-", tmp_path, tmp_path / "run") == "-"
