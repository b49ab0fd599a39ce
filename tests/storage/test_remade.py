import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from rnncli.errors import RnncliError
from rnncli.storage import remade


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_it_takes_its_place_when_it_is_whole(tmp_path):
    path = tmp_path / "made"
    path.write_text("old")
    with remade(path) as (file, scratch):
        file.write(b"new")
        scratch().write(b"nobody sees this")
        assert path.read_text() == "old"
        assert names(tmp_path) == [".made.tmp", "made"]
        first, second = scratch(), scratch()
    assert path.read_text() == "new"
    assert names(tmp_path) == ["made"]
    assert file.closed
    assert first.closed
    assert second.closed


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_stops_it_leaves_nothing(tmp_path, error):
    def fail():
        with remade(tmp_path / "made") as (file, scratch):
            file.write(b"half")
            scratch()
            raise error

    with pytest.raises(error):
        fail()
    assert names(tmp_path) == []


def test_a_killed_process_leaves_what_the_next_one_takes_over(tmp_path):
    program = f"""
import os, pathlib
from rnncli.storage import remade
with remade(pathlib.Path({str(tmp_path / "made")!r})) as (file, scratch):
    file.write(b"half of much")
    file.flush()
    scratch().write(b"x")
    os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=False)
    assert names(tmp_path) == [".made.tmp"]
    with remade(tmp_path / "made") as (file, _):
        file.write(b"whole")
    assert (tmp_path / "made").read_bytes() == b"whole"
    assert names(tmp_path) == ["made"]


def test_two_at_once_do_not_hurt_each_other(tmp_path):
    path = tmp_path / "made"
    with remade(path) as (first, _):
        first.write(b"first")
        with remade(path) as (second, _):
            second.write(b"second")
            second.seek(0)
            assert second.read() == b"second"
        assert not path.exists()
    assert path.read_bytes() == b"first"


@pytest.mark.parametrize("path", [None, Path("/proc/made"), Path("/nothing/at/all")])
def test_without_a_place_it_has_no_name(path, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with remade(path) as (file, scratch):
        for each in (file, scratch()):
            each.write(b"data")
            each.seek(0)
            assert each.read() == b"data"
            assert os.fstat(each.fileno()).st_nlink == 0
        assert names(tmp_path) == []


def test_a_link_in_its_place_is_not_followed(tmp_path):
    (tmp_path / "precious").write_text("precious")
    (tmp_path / ".made.tmp").symlink_to("precious")
    with remade(tmp_path / "made") as (file, _):
        file.write(b"data")
    assert (tmp_path / "precious").read_text() == "precious"


def test_only_the_owner_may_open_it(tmp_path):
    before = os.umask(0)
    try:
        with remade(tmp_path / "made") as (file, _):
            file.write(b"private")
    finally:
        os.umask(before)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o600


def test_a_folder_in_its_place_stays(tmp_path):
    (tmp_path / "made").mkdir()
    with remade(tmp_path / "made") as (file, _):
        file.write(b"data")
    assert names(tmp_path) == ["made"]
    assert (tmp_path / "made").is_dir()


@pytest.mark.parametrize("of_scratch", [False, True])
def test_a_full_disk_is_one_line(tmp_path, of_scratch):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))  # no file may be larger
    try:
        with (
            pytest.raises(RnncliError, match=r"cannot write .*File too large") as caught,
            remade(tmp_path / "made") as (
                file,
                scratch,
            ),
        ):
            (scratch() if of_scratch else file).write(bytes(1 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(list(caught.value.lines())) == 1
    assert names(tmp_path) == []
