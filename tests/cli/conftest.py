"""The command line run in this process, in one of its own or on a terminal; and small runs to use it on."""

import contextlib
import io
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from rnncli.cli.main import THREAD_VARIABLES, run
from tests.tasks.labelled_runs import CSV, EXAMPLES, VALUES

ROOT = Path(__file__).parents[2]
OF_THE_USER = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "RNNCLI_MODEL", "RNNCLI_RUNS", "RNNCLI_DEBUG", "RNNCLI_COMPLETE")
SMALL = ["--hidden-size", "8", "--num-layers", "1", "--learning-rate", "0.02", "--set", "model.embedding.size=4"]
POEM = "Café № 42 — 日本\n\x1b]0;title\x07\n" * 2 + (ROOT / "sample_data" / "poems.txt").read_text("utf-8")[:1100]
NAMES = "".join(f"{line}\n" for line in (ROOT / "sample_data" / "names.txt").read_text("utf-8").split("\n")[:60])
FILES = {"best.npz", "last.npz", "spec.yaml", "metrics.jsonl"}


class Result(NamedTuple):
    """What a command left behind; a byte that is no UTF-8 is a lone surrogate in `out`."""

    status: int
    out: str
    err: str

    @property
    def lines(self):
        """What it said, line by line."""
        return self.err.splitlines()


def strict_json(text):
    """Parse JSON, which has no NaN and no infinity."""

    def refuse(constant):
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


def content(folder):
    """Return what the files of a run hold."""
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.name in FILES}


class Typed(io.TextIOWrapper):
    """Standard input that is typed at a terminal."""

    def isatty(self):
        return True


def invoke(*arguments, stdin=b"", typed=False):
    """Run the command line here, its streams no terminals, but for stdin where that is `typed`."""
    with contextlib.ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        files = [stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", newline="")) for _ in range(2)]
        patch.setattr(sys, "stdout", files[0])
        patch.setattr(sys, "stderr", files[1])
        patch.setattr(sys, "stdin", (Typed if typed else io.TextIOWrapper)(io.BytesIO(stdin)))
        for name in THREAD_VARIABLES:
            patch.setenv(name, "1")
        status = run([str(argument) for argument in arguments])
        texts = []
        for file in files:
            file.seek(0)
            texts.append(file.buffer.read().decode("utf-8", "surrogateescape"))
    return Result(status, *texts)


@pytest.fixture
def rnncli(tmp_path, monkeypatch):
    """`rnncli(*arguments, stdin=b"")` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in OF_THE_USER:
        monkeypatch.delenv(name, raising=False)
    return invoke


@pytest.fixture
def poem(tmp_path):
    """poem.txt in an empty folder."""
    (tmp_path / "poem.txt").write_text(POEM, "utf-8")


@pytest.fixture(scope="session")
def tiny_runs(tmp_path_factory):
    """A folder with texts, and under runs/ a model of each kind; poem, of characters, is the newest."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "poem.txt").write_text(POEM, "utf-8")
    (folder / "names.txt").write_text(NAMES, "utf-8")
    (folder / "raw.bin").write_bytes(POEM.encode()[:600] + bytes(range(256)))
    kinds = {
        "words": "poem.txt --steps 20 --set data.tokenizer.level=word",
        "raw": "raw.bin --steps 20 --set data.tokenizer.level=byte",
        "names": "names.txt --steps 20 --cell gru --set data.format=lines --batch-size 8",
        "poem": "poem.txt --steps 60",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for kind, arguments in kinds.items():
            trained = invoke("train", *arguments.split(), *SMALL, "--output", f"runs/{kind}", "--quiet")
            assert trained == (0, f"runs/{kind}\n", "")
    return folder


@pytest.fixture
def trained(rnncli, tiny_runs, tmp_path):
    """`rnncli` in a copy of that folder."""
    shutil.copytree(tiny_runs, tmp_path, dirs_exist_ok=True)
    return rnncli


@pytest.fixture(scope="session")
def tiny_classifiers(tmp_path_factory):
    """A folder with labelled data, and under runs/ a model of each kind; reviews, of texts, is the newest."""
    folder = tmp_path_factory.mktemp("labelled")
    (folder / "reviews.csv").write_text(CSV)
    (folder / "reviews.txt").write_text("".join(f"__label__{label} {text}\n" for text, label in EXAMPLES))
    several = ("__label__a x", "__label__b y", "__label__a __label__b x y", "__label__c z")
    (folder / "several.txt").write_text("".join(f"{line}\n" for line in several * 15))
    (folder / "values.csv").write_text(VALUES)
    rng, lengths = np.random.default_rng(1), [1, 2, 3, 4, 5] * 12
    steps = rng.normal(size=(sum(lengths), 2)).astype(np.float32)
    signs = [part[:, 0].sum() > 0 for part in np.split(steps, np.cumsum(lengths)[:-1])]
    np.savez(folder / "steps.npz", x=steps, lengths=lengths, y=np.where(signs, "up", "down"))
    kinds = {
        "fasttext": (True, "last", "reviews.txt --epochs 3"),
        "several": (False, "last", "several.txt --epochs 25 --set data.multi_label=true"),
        "values": (False, "last", "values.csv --task regression --set data.columns=[hours,sleep] --epochs 6"),
        "steps": (False, "mean", "steps.npz --epochs 12"),
        "reviews": (True, "last", "reviews.csv --epochs 4"),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for kind, (bidirectional, readout, arguments) in kinds.items():
            model = [f"model.bidirectional={str(bidirectional).lower()}", f"model.readout={readout}"]
            settings = ["--task", "classification", *SMALL, "--batch-size", "4", "--cell", "gru"]
            settings += ["--set", model[0], "--set", model[1]]
            trained = invoke("train", *settings, *arguments.split(), "-o", f"runs/{kind}", "--quiet")
            assert trained == (0, f"runs/{kind}\n", "")
    return folder


@pytest.fixture
def classifiers(rnncli, tiny_classifiers, tmp_path):
    """`rnncli` in a copy of that folder."""
    shutil.copytree(tiny_classifiers, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("last.npz"))
    return rnncli


def environment(**changes):
    """The environment of a process, without what its user may have set."""
    kept = {name: value for name, value in os.environ.items() if name not in OF_THE_USER}
    return kept | {"PYTHONPATH": str(ROOT)} | changes


def heed_signals():
    """Undo what nohup, or a shell's &, has done to the test run itself."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def start_process(rnncli, tmp_path):
    """`start_process(*arguments, **of Popen)` runs the command in a process of its own, which does not outlive us."""
    with contextlib.ExitStack() as stack:

        def start(*arguments, env=(), **settings):
            command = [*settings.pop("before", ()), sys.executable, "-m", "rnncli", *map(str, arguments)]
            pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | settings
            settings = {"cwd": tmp_path, "env": environment(**dict(env)), "preexec_fn": heed_signals, **pipes}
            process = subprocess.Popen(command, **settings)
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


@pytest.fixture
def rnncli_process(start_process):
    """The same, to its end."""

    def complete(*arguments, **settings):
        process = start_process(*arguments, **settings)
        out, err = ((text or b"").decode("utf-8", "surrogateescape") for text in process.communicate(timeout=60))
        return Result(process.returncode, out, err)

    return complete


@pytest.fixture
def on_terminal(start_process):
    """The same, with both streams on one terminal, whose text is returned beside the exit status."""

    def complete(*arguments, **env):
        master, slave = pty.openpty()
        env = {"TERM": "xterm-256color", "PYTHONUTF8": "1"} | env
        process = start_process(*arguments, env=env, stdout=slave, stderr=slave)
        os.close(slave)
        shown = b""
        with contextlib.suppress(OSError):  # how Linux says that the other side has closed
            while part := os.read(master, 65536):
                shown += part
        os.close(master)
        return process.wait(), shown.decode().replace("\r\n", "\n")

    return complete
