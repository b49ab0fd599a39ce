"""`train --workers`, and what happens to the workers when processes die."""

import contextlib
import os
import re
import shlex
import signal
from pathlib import Path

import pytest

from rnncli.storage import read_checkpoint_file
from tests.cli.conftest import ROOT, SMALL, content
from tests.cli.test_signals import wait_until

TEXT = (ROOT / "sample_data" / "poems.txt").read_text("utf-8")[:8000]
TWO = [*SMALL, "--workers", "2", "--set", "training.bptt_length=20", "--set", "training.validate_every=4"]
SHORT = ["train", "text.txt", *TWO, "--steps", "9"]
ONE_THREAD = "each of several workers has one BLAS thread; leave out --threads or --workers"
LONG = ["train", "text.txt", *TWO, "--steps", "1000000", "--set", "training.patience=null"]


@pytest.fixture
def text(tmp_path):
    """text.txt in an empty folder: 16 streams."""
    (tmp_path / "text.txt").write_text(TEXT, "utf-8")


@pytest.fixture
def training(start_process, text):
    """A process that trains in runs/text with two workers, in a process group of its own, and its worker's number."""
    process = start_process(*LONG, start_new_session=True)
    wait_until(lambda: Path("runs/text/best.npz").exists())
    (worker,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return process, int(worker)


def has_ended(process):
    """Tell whether there is no such process, or only what its parent has not asked for."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    return True


def test_the_same_bytes_and_a_record_by_which_a_run_goes_on(rnncli, text):
    for name in ("first", "again"):
        assert rnncli(*SHORT, "-q", "-o", name).status == 0
    assert content("first") == content("again")
    assert "workers: 2" in Path("first/spec.yaml").read_text()
    assert rnncli(*SHORT, "-q", "-o", "broken", "--max-time", "0.0001").status == 0
    assert content("broken")["last.npz"] != content("first")["last.npz"]
    assert rnncli("train", "--resume", "broken").status == 0
    assert content("broken") == content("first")
    assert rnncli(*SHORT, "-q", "-o", "alone", "--workers", "1").status == 0
    assert content("alone")["last.npz"] != content("first")["last.npz"]


def test_a_small_batch_takes_fewer_and_says_so(rnncli, text):
    status, _, err = rnncli(*SHORT, "--workers", "5")
    assert status == 0
    assert "note: workers 5 → 4: each needs 4 of a batch's 16 sequences to be of use\n" in err
    status, _, err = rnncli("train", "text.txt", *SMALL, "--workers", "2", "--dry-run")
    assert "note: workers 2 → 1: each needs 4 of a batch's 7 sequences to be of use\n" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--workers 0", "--workers: training.workers must be greater than 0"),
        ("--workers 2 --threads 2", ONE_THREAD),
        ("--set training.workers=2 --threads 2", ONE_THREAD),
        ("--set training.workers=2 --threads 2 --dry-run", ONE_THREAD),
    ],
)
def test_refused(rnncli, text, arguments, words):
    status, out, err = rnncli("train", "text.txt", *arguments.split())
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err
    assert not Path("runs").exists()


def test_threads_are_refused_to_a_run_that_has_workers_and_it_stays_as_it_was(rnncli, text):
    assert rnncli(*SHORT, "-q", "-o", "run").status == 0
    before = content("run")
    assert rnncli("train", "--resume", "run", "--steps", "12", "--threads", "2") == (2, "", ONE_THREAD + "\n")
    assert content("run") == before
    assert rnncli("train", "--resume", "run", "--steps", "12", "--threads", "2", "--workers", "1", "-q").status == 0


def test_a_killed_worker_ends_the_run_with_a_line(training, rnncli):
    process, worker = training
    os.kill(worker, signal.SIGKILL)
    _, err = process.communicate(timeout=5)
    assert process.returncode == 1
    *_, died, resume = err.decode().splitlines()[-1].split("; ")
    assert died == "worker 1 was ended by signal 9 (Killed)"
    step, command = re.fullmatch(
        r"step (\d+) is saved: (--resume runs/text), with fewer --workers if memory ran out", resume
    ).groups()
    _, saved = read_checkpoint_file(Path("runs/text/last.npz"))
    assert saved["metrics"]["step"] == int(step)
    assert b"Traceback" not in err
    assert rnncli("train", *shlex.split(command), "--steps", str(int(step) + 1), "-q").status == 0


def test_no_orphan_is_left_where_the_run_is_killed(training):
    process, worker = training
    process.kill()
    process.wait()
    wait_until(lambda: has_ended(worker))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_all_of_them_is_answered_by_one(training, number):
    """As a terminal's Ctrl-C, `timeout` or a service's end sends it."""
    process, worker = training
    os.killpg(process.pid, number)
    _, err = process.communicate(timeout=5)
    assert process.returncode == -number
    assert has_ended(worker)
    (step,) = re.findall(r"stopped at step ([\d,]+) of 1,000,000; go on with: rnncli train --resume", err.decode())
    assert read_checkpoint_file(Path("runs/text/last.npz"))[1]["metrics"]["step"] == int(step.replace(",", ""))
    assert err.decode().count("stopped") == 1
    assert b"worker" not in err


def test_shared_memory_has_no_name_that_could_stay(training):
    for process in (training[0].pid, training[1]):
        lines = Path(f"/proc/{process}/maps").read_text().splitlines()
        shared = [line for line in lines if line.split()[1] == "rw-s"]
        assert len(shared) >= 3  # the values, and the gradients of each
        assert all(line.endswith("/dev/zero (deleted)") for line in shared)
