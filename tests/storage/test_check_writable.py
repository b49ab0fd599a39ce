import os
import tempfile
from pathlib import Path

import pytest

from rnncli.errors import RnncliError
from rnncli.storage import check_writable


def test_check_writable(tmp_path):
    folder = tmp_path / "runs" / "first"
    check_writable(folder)
    check_writable(folder)
    assert not list(folder.iterdir())
    (tmp_path / "file").write_bytes(b"")
    for wrong in (tmp_path / "file", tmp_path / "file" / "runs"):
        with pytest.raises(RnncliError, match=r"cannot write .*file") as caught:
            check_writable(wrong)
        assert caught.value.exit_status == 1


def test_check_writable_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)
        for folder in (tmp_path, tmp_path / "runs"):
            with pytest.raises(RnncliError, match="Permission denied; choose a folder"):
                check_writable(folder)
    finally:
        os.seteuid(user)
        tmp_path.chmod(0o700)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_check_writable_on_a_full_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Path("/dev/full").open("wb"))  # noqa: SIM115
    with pytest.raises(RnncliError, match="No space left on device; the disk is full, make room"):
        check_writable(tmp_path)
