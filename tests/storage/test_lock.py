import errno
import fcntl
import os
import signal
import subprocess
import sys
import time

import pytest

from rnncli.errors import RnncliError
from rnncli.storage import FolderLock, atomic, atomic_write, lock

HOLDER = """
import sys, time
from pathlib import Path
from rnncli.storage import FolderLock
with FolderLock(Path(sys.argv[1])):
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("times", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_held_by_another_process_and_freed_by_kill(tmp_path, times):
    for _ in range(times):
        process = subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"ready\n"
        start = time.perf_counter()
        message = rf"{tmp_path.name} is in use by process {process.pid}; "
        with pytest.raises(RnncliError, match=message) as caught, FolderLock(tmp_path):
            pass
        assert time.perf_counter() - start < 1
        assert caught.value.exit_status == 1
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        with FolderLock(tmp_path):
            assert (tmp_path / ".lock").read_text() == str(os.getpid())


def test_free_again_after_the_block_and_after_an_error(tmp_path):
    with FolderLock(tmp_path), pytest.raises(RnncliError, match=f"in use by process {os.getpid()}; "):
        FolderLock(tmp_path).__enter__()
    with pytest.raises(ZeroDivisionError), FolderLock(tmp_path):
        raise ZeroDivisionError
    (tmp_path / ".lock").write_text("9" * 20)
    with FolderLock(tmp_path):
        assert (tmp_path / ".lock").read_text() == str(os.getpid())


def test_two_folders_are_two_locks(tmp_path):
    (tmp_path / "second").mkdir()
    with FolderLock(tmp_path), FolderLock(tmp_path / "second"):
        assert (tmp_path / "second" / ".lock").exists()


@pytest.mark.parametrize("content", [b"", b"\x1b[31m", b"12 34"])
def test_holder_that_left_no_number(tmp_path, content):
    (tmp_path / ".lock").write_bytes(content)
    with (tmp_path / ".lock").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(RnncliError, match="is in use by another process; "), FolderLock(tmp_path):
            pass
    assert (tmp_path / ".lock").read_bytes() == content


def test_missing_folder_and_link(tmp_path):
    with pytest.raises(RnncliError, match=r"cannot write .*: No such file"), FolderLock(tmp_path / "missing"):
        pass
    (tmp_path / "victim").write_text("keep")
    (tmp_path / ".lock").symlink_to("victim")
    with pytest.raises(RnncliError, match="cannot write"), FolderLock(tmp_path):
        pass
    assert (tmp_path / "victim").read_text() == "keep"


def lowest_free_descriptor():
    descriptor = os.dup(0)
    os.close(descriptor)
    return descriptor


def test_no_descriptor_is_left_open(tmp_path):
    with FolderLock(tmp_path):
        before = lowest_free_descriptor()
        with pytest.raises(RnncliError), FolderLock(tmp_path):
            pass
        with pytest.raises(RnncliError), FolderLock(tmp_path / "missing"):
            pass
        atomic_write(tmp_path / "last.npz", lambda file: file.write(b"whole"))
        assert lowest_free_descriptor() == before
    assert lowest_free_descriptor() < before


def test_systems_and_file_systems_without_locks(tmp_path, monkeypatch):
    def unsupported(*_):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", unsupported)
        with FolderLock(tmp_path), FolderLock(tmp_path):
            pass
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with FolderLock(tmp_path), FolderLock(tmp_path):
        assert (tmp_path / ".lock").read_text() == str(os.getpid())


def test_writer_whose_temporary_file_was_renamed_before_it_locked_it_stops(tmp_path, monkeypatch):
    path = tmp_path / "last.npz"

    def others_finish_first(descriptor):
        (tmp_path / ".last.npz.tmp").rename(path)
        path.write_bytes(b"theirs")
        monkeypatch.setattr(atomic, "try_lock", lock.try_lock)
        return lock.try_lock(descriptor)

    monkeypatch.setattr(atomic, "try_lock", others_finish_first)
    with pytest.raises(RnncliError, match="another process is writing it"):
        atomic_write(path, lambda file: file.write(b"ours"))
    assert path.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [path]
