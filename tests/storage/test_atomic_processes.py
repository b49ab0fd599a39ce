"""`atomic_write` in processes of its own: killed, side by side, stopped by the kernel."""

import signal
import subprocess
import sys
import time
from time import monotonic

import numpy as np
import pytest

from rnncli.storage import read_checkpoint_file, write_checkpoint_file

SAVER = """
import itertools, sys, numpy as np
from pathlib import Path
from rnncli.errors import RnncliError
from rnncli.storage import write_checkpoint_file
print("ready", flush=True)
for step in itertools.count(1):
    try: write_checkpoint_file(Path(sys.argv[1]), {"W": np.full(50_000, step), "v": np.full(10, step)}, {"step": step})
    except RnncliError as error: assert "another process" in str(error)
"""


def names(folder):
    return {path.name for path in folder.iterdir()}


def start_saving(path):
    process = subprocess.Popen([sys.executable, "-c", SAVER, path], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    return process


def complete_step(path):
    arrays, content = read_checkpoint_file(path)
    assert (arrays["W"] == content["step"]).all()
    assert (arrays["v"] == content["step"]).all()
    return content["step"]


def kill(process):
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()


@pytest.mark.parametrize("kills", [15, pytest.param(200, marks=pytest.mark.slow)])
def test_killed_while_saving(tmp_path, kills):
    path = tmp_path / "last.npz"
    write_checkpoint_file(path, {"W": np.zeros(1), "v": np.zeros(1)}, {"step": 0})
    rng = np.random.default_rng(kills)
    left = 0
    for _ in range(kills):
        process = start_saving(path)
        time.sleep(rng.uniform(0, 0.03))
        kill(process)
        complete_step(path)
        left += len(names(tmp_path)) > 1
        assert names(tmp_path) <= {"last.npz", ".last.npz.tmp"}
    assert left > 0  # or no kill came while saving
    write_checkpoint_file(path, {"W": np.zeros(1), "v": np.zeros(1)}, {"step": 0})
    assert names(tmp_path) == {"last.npz"}


def test_reader_beside_two_writers(tmp_path):
    path = tmp_path / "last.npz"
    write_checkpoint_file(path, {"W": np.zeros(1), "v": np.zeros(1)}, {"step": 0})
    writers = [start_saving(path), start_saving(path)]
    try:
        steps, until = [], monotonic() + 60  # on a busy machine the writers take long to start
        while len(steps) < 500 or (len(set(steps)) <= 20 and monotonic() < until):
            steps.append(complete_step(path))
        assert len(set(steps)) > 20
        assert all(writer.poll() is None for writer in writers)
    finally:
        for writer in writers:
            kill(writer)


def test_full_disk(tmp_path):
    """A process that may write 1 MB a file: the kernel's own refusal, in the middle of a member."""
    script = (
        "import resource, signal, sys, numpy as np; from pathlib import Path\n"
        "from rnncli.storage import write_checkpoint_file\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6))\n"
        "try: write_checkpoint_file(Path(sys.argv[1]), {'W': np.zeros(10**6)}, {})\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    path = tmp_path / "last.npz"
    path.write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("RnncliError cannot write ")
    assert "last.npz: File too large; " in done.stdout
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == {"last.npz"}
