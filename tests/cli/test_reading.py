"""What is seen of a text that takes long to encode, and what is left when that is interrupted."""

import signal
import time
from pathlib import Path
from typing import ClassVar

import pytest

from rnncli.cli.console import Talk
from rnncli.cli.status import reading, working
from rnncli.storage import remade
from tests.cli.conftest import SMALL, content


class Recorded(Talk):
    def __init__(self, *, live=False, quiet=False):
        super().__init__(quiet=quiet, color=False)
        self.is_live, self.said, self.shown = live, [], []

    def say(self, text):
        self.said.append(text)

    def progress(self, text):
        self.shown.append(text)


def watch(talk, reports, **settings):
    times = iter([0.0, 0.0, *(second for second, *_ in reports)])
    with reading(talk, lambda: next(times), **settings) as report:
        for _, *what in reports:
            report(*what)


def test_plain_lines_now_and_then():
    talk = Recorded()
    watch(talk, [(0.5, "reading", 1, 9), (2, "encoding", 2, 8), (6, "encoding", 4, 8), (12.5, "encoding", 8, 8)])
    assert talk.said == ["encoding: 25%, 0:00:00 left", "encoding: 100%"]


def test_a_line_that_is_drawn_again_and_again_and_then_removed():
    talk = Recorded(live=True)
    watch(
        talk, [(0.5, "encoding", 1, 100), (1.5, "encoding", 20, 100), (1.51, "encoding", 21, 100), (3, "writing", 0, 0)]
    )
    assert talk.shown == ["encoding: 20%, 0:00:04 left", ""]
    assert talk.said == []


class Waiting:
    """A timer whose time is up when a test says so."""

    running: ClassVar = []

    def __init__(self, _seconds, act):
        self.act = act

    def start(self):
        self.running.append(self)

    def cancel(self):
        self.running.remove(self)

    def join(self):
        assert self not in self.running


@pytest.mark.parametrize("live", [True, False])
def test_what_follows_is_said_when_all_is_done_and_no_other_report_comes(live, monkeypatch):
    monkeypatch.setattr("rnncli.cli.status.Timer", Waiting)
    talk, times = Recorded(live=live), iter([0.0, 0.0, 0.1, 0.2, 1.2, 1.5, 1.6])
    with reading(talk, lambda: next(times), then="scoring") as report:
        assert not Waiting.running
        report("reading train", 9, 9)
        assert len(Waiting.running) == 1
        for done in (1, 50, 96):  # of more that is read
            report("reading test", done, 100)
            assert not Waiting.running
        report("reading test", 100, 100)  # too soon after the one before to be shown
        (timer,) = Waiting.running
        timer.act()
        assert (talk.shown if live else talk.said)[-1] == "scoring"
    assert not Waiting.running
    assert (talk.said, talk.shown[-1]) == ([] if live else ["reading test: 50%, 0:00:01 left", "scoring"], "")
    assert [*filter(None, talk.shown)] == (
        ["reading test: 50%, 0:00:01 left", "reading test: 96%, 0:00:00 left", "scoring"] if live else []
    )


def test_nothing_follows_where_nothing_is_said_to_or_it_is_quiet(monkeypatch):
    monkeypatch.setattr("rnncli.cli.status.Timer", None)
    watch(Recorded(), [(2, "reading", 9, 9)])
    with reading(Recorded(quiet=True), then="scoring") as report:
        report("reading", 9, 9)


@pytest.mark.parametrize("live", [True, False])
def test_what_takes_long_is_said_once_and_what_does_not_is_not(live):
    talk = Recorded(live=live)
    with working(talk, "scoring", 30):
        pass
    assert (talk.said, talk.shown) == ([], [""])
    with working(talk, "scoring", 0.001):
        end = time.monotonic() + 20
        while "scoring" not in (*talk.said, *talk.shown[1:]):
            assert time.monotonic() < end
            time.sleep(0.001)
    assert (talk.said, talk.shown) == (([], ["", "scoring", ""]) if live else (["scoring"], ["", ""]))


def test_train_and_evaluate_say_that_they_score(rnncli, tmp_path, monkeypatch):
    Path("poem.txt").write_text("abc " * 500)
    monkeypatch.setattr("rnncli.cli.status.Timer", Impatient)
    trained = rnncli("train", "poem.txt", *SMALL, "--steps", "2")
    assert "scoring the best model on validation and test" in trained.err.splitlines()
    assert "scoring" not in rnncli("train", "poem.txt", *SMALL, "--steps", "2", "-q").err
    assert "scoring the model on validation and test" in rnncli("evaluate").err.splitlines()
    assert "scoring the model on test" in rnncli("evaluate", "--split", "test").err.splitlines()
    assert "scoring the model on files" in rnncli("evaluate", "poem.txt").err.splitlines()
    assert len(rnncli("evaluate", "none").lines) == 1  # it was not scored


def test_evaluate_says_that_it_scores_labels_too(classifiers, monkeypatch):
    monkeypatch.setattr("rnncli.cli.status.Timer", Impatient)
    for arguments in ("", "reviews.csv", "-m runs/steps steps.npz"):
        where = "files" if arguments else "validation and test"
        assert classifiers("evaluate", *arguments.split()).lines[-1] == f"scoring the model on {where}"


class Impatient:
    """A timer whose time is up at once."""

    def __init__(self, _seconds, act):
        self.start, self.cancel, self.join = act, bool, bool


def test_what_takes_no_time_is_not_shown(rnncli, tmp_path):
    Path("poem.txt").write_text("abc " * 500)
    assert "encoding" not in rnncli("train", "poem.txt", *SMALL, "--steps", "2").err


def long_text(path):
    path.write_text("The wind is long, the hill is white, and it is warm.\n" * 1_000_000)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_interrupted_while_it_encodes(start_process, tmp_path, number):
    long_text(tmp_path / "long.txt")
    arguments = ["train", "long.txt", *SMALL, "--steps", "2", "--set", "data.tokenizer.level=word"]
    process = start_process(*arguments)
    end = time.monotonic() + 20
    while not list(tmp_path.glob("runs/.rnncli-cache/.*.tmp")) and process.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, b"Traceback" in err) == (-number, b"", False)
    assert not list(tmp_path.glob("runs/.rnncli-cache/*.ids"))
    if number == signal.SIGINT:
        assert list(tmp_path.glob("runs/*")) == []


def test_two_processes_that_encode_the_same_text_at_once(start_process, tmp_path):
    (tmp_path / "text.txt").write_text("The wind is long, the hill is white, and it is warm.\n" * 40_000)
    arguments = ["train", "text.txt", *SMALL, "--steps", "2", "-q", "--set", "data.split={validation: 0.001, test: 0}"]
    processes = [start_process(*arguments, "--output", f"runs/{name}") for name in "ab"]
    assert [process.communicate(timeout=60)[1] for process in processes] == [b"", b""]
    assert content(tmp_path / "runs" / "a") == content(tmp_path / "runs" / "b")
    assert len(list((tmp_path / "runs" / ".rnncli-cache").iterdir())) == 1


def test_one_that_finds_another_at_work_does_without(rnncli, tmp_path, monkeypatch):
    Path("text.txt").write_text("abc " * 500)
    monkeypatch.setattr("rnncli.tasks.corpus_cache.CorpusCache._path", lambda cache, key: cache.folder / "same")
    Path("runs/.rnncli-cache").mkdir(parents=True)
    with remade(Path("runs/.rnncli-cache/same")):
        assert rnncli("train", "text.txt", *SMALL, "--steps", "2", "-q").status == 0
        assert [path.name for path in Path("runs/.rnncli-cache").iterdir()] == [".same.tmp"]
