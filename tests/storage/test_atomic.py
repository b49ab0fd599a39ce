import errno
import os
import stat

import pytest

from rnncli.errors import RnncliError
from rnncli.storage import atomic_write
from rnncli.storage.messages import shown

OLD, NEW = b"old" * 100, b"new" * 100_000


def write_new(file):
    for start in range(0, len(NEW), 1000):
        file.write(NEW[start : start + 1000])


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "last.npz"
    path.write_bytes(OLD)
    return path


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_replaces_and_leaves_nothing_else(path):
    atomic_write(path, write_new)
    assert path.read_bytes() == NEW
    assert names(path.parent) == ["last.npz"]


def test_takes_over_what_a_killed_process_left(path):
    (path.parent / ".last.npz.tmp").write_bytes(b"stump" * 1_000_000)
    atomic_write(path, write_new)
    assert path.read_bytes() == NEW
    assert names(path.parent) == ["last.npz"]


def test_order_of_calls(path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, os.replace

    def record_fsync(descriptor):
        status = os.fstat(descriptor)
        calls.append("fsync folder" if stat.S_ISDIR(status.st_mode) else f"fsync {status.st_size} bytes")
        fsync(descriptor)

    def record_replace(source, target):
        calls.append(f"replace {target.name} by {source.name}")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "replace", record_replace)
    atomic_write(path, write_new)
    assert calls == [f"fsync {len(NEW)} bytes", "replace last.npz by .last.npz.tmp", "fsync folder"]


def test_old_file_is_whole_until_the_new_one_is(path):
    def look_while_writing(file):
        write_new(file)
        file.flush()
        assert path.read_bytes() == OLD
        assert names(path.parent) == [".last.npz.tmp", "last.npz"]

    atomic_write(path, look_while_writing)


ERRNOS = [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EINTR]
CALLS = ["open", "stat", "fstat", "ftruncate", "fchown", "fchmod", "fsync", "replace"]


@pytest.mark.parametrize("call", CALLS)
def test_fault_at_every_call_leaves_old_or_new_and_no_orphan(path, monkeypatch, call):
    real = getattr(os, call)
    cases = 0
    for number in ERRNOS:
        for fails_at in range(1, 20):
            path.write_bytes(OLD)
            count = 0

            def faulty(*args, fails_at=fails_at, number=number, **options):
                nonlocal count
                count += 1
                if count == fails_at:
                    raise OSError(number, os.strerror(number))
                return real(*args, **options)

            with monkeypatch.context() as patch:
                patch.setattr(os, call, faulty)
                try:
                    atomic_write(path, write_new)
                except RnncliError as error:
                    assert f"cannot write {shown(path)}: {os.strerror(number)}; " in str(error)  # noqa: PT017
                else:
                    assert path.read_bytes() == NEW
                    assert count < fails_at or (call, number) == ("fchown", errno.EACCES)
            assert path.read_bytes() in (OLD, NEW)
            assert names(path.parent) == ["last.npz"]
            if count < fails_at:
                break
            cases += 1
    assert cases >= len(ERRNOS)


@pytest.mark.parametrize("number", ERRNOS)
def test_fault_while_writing(path, number):
    def fail(file):
        write_new(file)
        raise OSError(number, os.strerror(number))

    with pytest.raises(RnncliError, match=rf"cannot write .*last.npz: {os.strerror(number)}; ") as caught:
        atomic_write(path, fail)
    assert caught.value.exit_status == 1
    assert path.read_bytes() == OLD
    assert names(path.parent) == ["last.npz"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, RnncliError])
def test_what_write_raises_passes_through(path, error):
    def fail(file):
        file.write(b"half")
        raise error("stop")

    with pytest.raises(error, match="stop"):
        atomic_write(path, fail)
    assert path.read_bytes() == OLD
    assert names(path.parent) == ["last.npz"]


def test_folder_that_cannot_be_synced_is_no_error(path, monkeypatch):
    fsync = os.fsync

    def no_folders(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", no_folders)
    atomic_write(path, write_new)
    assert path.read_bytes() == NEW


def test_link_is_kept(path, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "best.npz"
    link.symlink_to("../last.npz")
    atomic_write(link, write_new)
    assert str(link.readlink()) == "../last.npz"
    assert path.read_bytes() == NEW
    dangling = tmp_path / "elsewhere" / "dangling.npz"
    dangling.symlink_to("new.npz")
    atomic_write(dangling, write_new)
    assert dangling.is_symlink()
    assert (tmp_path / "elsewhere" / "new.npz").read_bytes() == NEW
    assert names(link.parent) == ["best.npz", "dangling.npz", "new.npz"]


def test_mode_is_kept_from_the_first_byte(path):
    for old in (0o600, 0o640, 0o444, 0o666):
        path.chmod(old)
        seen = []

        def look(file, seen=seen):
            seen.append(stat.S_IMODE(os.fstat(file.fileno()).st_mode))

        atomic_write(path, look)
        assert seen == [old]
        assert mode(path) == old


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_new_file_obeys_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        atomic_write(tmp_path / "new.npz", write_new)
    finally:
        os.umask(before)
    assert mode(tmp_path / "new.npz") == 0o666 & ~umask


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_owner_is_kept(path):
    os.chown(path, 65534, 65534)
    atomic_write(path, write_new)
    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65534)


def test_only_regular_files_are_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to("/dev/null")
    for name in ("folder", "pipe", "null"):
        with pytest.raises(RnncliError, match="not a regular file"):
            atomic_write(tmp_path / name, write_new)
    assert names(tmp_path) == ["folder", "null", "pipe"]
    assert stat.S_ISCHR((tmp_path / "null").stat().st_mode)


def test_temporary_file_that_is_a_link_is_not_followed(path, tmp_path):
    (tmp_path / "victim").write_bytes(b"keep")
    (tmp_path / ".last.npz.tmp").symlink_to("victim")
    with pytest.raises(RnncliError, match="cannot write"):
        atomic_write(path, write_new)
    assert (tmp_path / "victim").read_bytes() == b"keep"


def test_second_writer_of_the_same_file_is_refused(path):
    def write_twice(file):
        file.write(b"first")
        with pytest.raises(RnncliError, match="another process is writing it; try again"):
            atomic_write(path, write_new)
        assert names(path.parent) == [".last.npz.tmp", "last.npz"]

    atomic_write(path, write_twice)
    assert path.read_bytes() == b"first"
