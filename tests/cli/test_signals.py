"""Signals, closed pipes and closed streams, in processes of their own."""

import contextlib
import fcntl
import re
import shlex
import signal
import termios
import time
from pathlib import Path

import pytest

from rnncli.storage import read_checkpoint_file
from tests.cli.conftest import POEM, SMALL, invoke

LONG = ["train", "poem.txt", *SMALL, "--steps", "700", "--set", "training.validate_every=300"]
PIPE = 4096
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def stuck(start_process, poem):
    """Training that waits in the middle of its work: for a reader of the --json lines beyond the first 4 KB."""

    def start(**settings):
        process = start_process(*LONG, "--json", **settings)
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, PIPE)
        wait_until(lambda: waiting(process) > PIPE - 300)
        time.sleep(0.3)  # for the line that still fits
        return process

    return start


def waiting(process):
    """Return how many bytes of stdout have not been read."""
    return int.from_bytes(fcntl.ioctl(process.stdout, termios.FIONREAD, b"\0" * 4), "little")


def wait_until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def catches(process, number):
    """Tell whether a process has a handler of its own for a signal."""
    mask = re.search(r"^SigCgt:\s*([0-9a-f]+)", Path(f"/proc/{process.pid}/status").read_text(), re.MULTILINE)
    return bool(int(mask[1], 16) >> (number - 1) & 1)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """The files that the same run leaves when nothing happens to it."""
    folder = tmp_path_factory.mktemp("unbroken")
    with contextlib.chdir(folder):
        Path("poem.txt").write_text(POEM, "utf-8")
        assert invoke(*LONG, "-q").status == 0
    return {name: (folder / "runs/poem" / name).read_bytes() for name in ("last.npz", "best.npz", "metrics.jsonl")}


@pytest.mark.parametrize("number", SIGNALS)
def test_saves_dies_by_the_signal_and_goes_on_as_told(rnncli, stuck, unbroken, number):
    process = stuck()
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert process.returncode == -number
    step, command = re.search(r"stopped at step (\d+) of 700; go on with: (.+)\n", err.decode()).groups()
    assert read_checkpoint_file(Path("runs/poem/last.npz"))[1]["metrics"]["step"] == int(step)
    assert command == "rnncli train --resume runs/poem"
    status, out, _ = rnncli(*shlex.split(command)[1:])
    assert (status, out) == (0, "runs/poem\n")
    for name, content in unbroken.items():
        assert Path("runs/poem", name).read_bytes() == content


def test_second_signal_leaves_at_once(stuck):
    process = stuck()
    assert catches(process, signal.SIGINT)
    process.send_signal(signal.SIGINT)
    wait_until(lambda: not catches(process, signal.SIGTERM))
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=0.5) == -signal.SIGTERM
    _, content = read_checkpoint_file(Path("runs/poem/last.npz"))
    assert content["metrics"]["step"] == 0  # saved before the first step, and not since


def test_ignored_signal_stays_ignored(stuck):
    process = stuck(before=("sh", "-c", 'trap "" INT; exec "$@"', "sh"))
    assert not catches(process, signal.SIGINT)
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGTERM
    assert b"go on with: rnncli train --resume runs/poem" in err


def test_closing_stderr_does_not_end_training(start_process, poem):
    process = start_process(*LONG)
    process.stderr.readline()
    process.stderr.close()
    assert process.stdout.read() == b"runs/poem\n"
    assert process.wait() == 0


def test_interrupted_generation_says_nothing(trained, start_process):
    process = start_process("generate", "--length", "1000000")
    process.stdout.read(20)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (-signal.SIGINT, b"")


@pytest.mark.parametrize("arguments", ["generate --length 1000000", "score --file poem.txt --quiet"])
def test_reader_that_has_seen_enough(trained, start_process, arguments):
    process = start_process(*arguments.split())
    fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, PIPE)
    assert process.stdout.readline()
    process.stdout.close()
    began = time.monotonic()
    assert process.wait(timeout=20) == 141
    assert time.monotonic() - began < 2
    assert process.stderr.read() == b""


@pytest.mark.parametrize(
    "arguments", ["generate -l 9", "generate -l 9 --json", "evaluate", "--help", "train names.txt --steps 1"]
)
def test_full_disk(trained, rnncli_process, arguments):
    with Path("/dev/full").open("wb") as full:
        status, _, err = rnncli_process(*arguments.split(), stdout=full)
    assert status == 1
    assert err.splitlines()[-1] == "cannot write output: No space left on device"
    assert "Traceback" not in err


@pytest.mark.parametrize("closing", ["<&-", ">&-", "2>&-"])
def test_closed_streams(trained, rnncli_process, closing):
    before = ("sh", "-c", f'exec "$@" {closing}', "sh")
    status, out, err = rnncli_process("train", "names.txt", *SMALL, "--steps", "3", "-o", "out", before=before)
    assert (status, out) == ((1, "") if closing == ">&-" else (0, "out\n"))
    assert err.endswith({"<&-": "\n", ">&-": "cannot write output: standard output is closed\n", "2>&-": ""}[closing])
    assert Path("out/last.npz").exists()
    if closing == "<&-":
        assert rnncli_process("score", before=before) == (3, "", "standard input: it is closed\n")
    assert rnncli_process("--help", before=before).status == 0
    assert "Traceback" not in err
