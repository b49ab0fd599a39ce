import io
import re
import sys
from collections import deque
from itertools import islice, pairwise
from timeit import repeat
from unittest.mock import Mock

import pytest
from rich.cells import cell_len

from rnncli.cli.console import Talk
from rnncli.cli.progress import follow
from rnncli.nn.protocols import Loss
from rnncli.training.events import Finished, StepDone, Validated

OWN_SEQUENCES = re.compile(r"\x1b\[[\d;]*m|\x1b\[1A|\x1b\[2K|\x1b\[\?25[lh]|\r\n|\r")
"""What the live display may send: colours, cursor up, erase line, hide and show the cursor."""
CURSOR_HIDDEN, CURSOR_SHOWN = "\x1b[?25l", "\x1b[?25h"


class Clock:
    """Seconds that pass between events only."""

    now = 1000.0

    def __call__(self):
        return self.now


def script(clock, steps=200, seconds=5.0, validate=40, tokens=1000, metrics=(), sequences=None):
    """Yield the events of a run whose loss falls from 3 to 1 nats, and whose validations take two seconds."""
    best = 9.0
    for step in range(1, steps + 1):
        clock.now += seconds
        loss = Loss((3 - 2 * step / steps) * tokens, tokens)
        yield StepDone(step, steps, step / validate, loss, 0.84, 0.002, sequences)
        if step % validate == 0:
            clock.now += 2
            mean = 1.6 if step == validate else 1.7
            yield Validated(step, step / validate, Loss(mean * 500, 500), best=mean < best, metrics=dict(metrics))
            best = min(best, mean)
    yield Finished(steps, f"all {steps} steps done")


class FakeTerminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True

    def last_frame(self):
        """Return the lines that the last drawing left."""
        text = re.split(r"\x1b\[\?25l|\r\x1b\[2K(?:\x1b\[1A\x1b\[2K)*", self.getvalue().split(CURSOR_SHOWN)[0])[-1]
        return OWN_SEQUENCES.sub("", text).split("\n")


@pytest.fixture
def terminal(monkeypatch):
    """Return a function that makes stderr a terminal; pytest would undo it before the test begins."""

    def start(columns=80, **environment):
        monkeypatch.delenv("NO_COLOR", raising=False)
        for name, value in ({"TERM": "xterm-256color", "COLUMNS": str(columns)} | environment).items():
            monkeypatch.setenv(name, value)
        stream = FakeTerminal()
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return start


def watch(clock, unit="byte", sample=None, **options):
    """Return the script's events as they pass by the display."""
    return follow(script(clock, **options), Talk(quiet=False, color=None), unit=unit, sample=sample, clock=clock)


def frame(terminal, events, sample, unit="character", **options):
    """Return the lines on the terminal after so many events, and the last of these."""
    run = watch(Clock(), unit, sample, **options)
    last = list(islice(run, events))[-1]
    lines = terminal.last_frame()
    run.close()
    return last, lines


def test_plain_lines_in_a_pipe(capsys):
    events = list(watch(Clock(), "character", steps=800, seconds=0.5, validate=400))
    assert len(events) == 803
    assert events[0].step == 1
    assert isinstance(events[-1], Finished)
    out, err = capsys.readouterr()
    lines = err.split("\n")
    assert (out, "\x1b" in err) == ("", False)
    # due one second after the start, then every ten: 800 steps of 0.5 s and a validation of 2 s
    assert lines[0] == (
        "step 2/800  epoch 0  loss 2.996  4.32 bits/char  lr 0.002  norm 0.840  2,000 tokens/s  ETA 0:06:39"
    )
    assert lines[1].startswith("step 22/800  epoch 0.1  loss 2.9")
    assert lines[1].endswith("2,000 tokens/s  ETA 0:06:29")
    assert [line for line in lines if "validation" in line] == [
        "step 400  epoch 1  validation 1.600  2.31 bits/char  best",
        "step 800  epoch 2  validation 1.700  2.45 bits/char",
    ]
    assert sum("ETA" in line for line in lines) == 1 + 399 // 10


def test_words_have_perplexity_and_no_overflow(capsys):
    events = [StepDone(1, 2, 0.5, Loss(800, 1), 1, 1), Validated(1, 0.5, Loss(800, 1), True)]
    events.append(Validated(2, 1, Loss(float("nan"), 1), False))
    list(follow(iter(events), Talk(quiet=False, color=None), unit="word"))
    assert capsys.readouterr().err.split("\n") == [
        "step 1  epoch 0.5  validation 800.000  perplexity inf  best",
        "step 2  epoch 1  validation nan  perplexity nan",
        "",
    ]


def test_plain_lines_have_the_metrics_of_a_validation(capsys):
    list(watch(Clock(), "sequence", metrics={"accuracy": 0.875, "macro f1": 0.5}, steps=80, sequences=500))
    lines = capsys.readouterr().err.split("\n")
    assert [line for line in lines if "validation" in line] == [
        "step 40  epoch 1  validation 1.600  accuracy 0.875  macro f1 0.500  best",
        "step 80  epoch 2  validation 1.700  accuracy 0.875  macro f1 0.500",
    ]
    assert lines[0] == "step 1/80  epoch 0  loss 2.975  lr 0.002  norm 0.840  100 sequences/s  ETA 0:06:35"
    list(watch(Clock(), "byte", metrics={"accuracy": 0.875}, steps=40))
    line = capsys.readouterr().err.split("\n")[-2]
    assert line == "step 40  epoch 1  validation 1.600  2.31 bits/byte  accuracy 0.875  best"


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {}])
def test_without_colour_a_terminal_gets_plain_lines_too(terminal, setting):
    stream, clock = terminal(**setting), Clock()
    talk = Talk(quiet=False, color=None if setting else False)
    list(follow(script(clock, steps=40), talk, unit="byte", sample=lambda: "never", clock=clock))
    assert stream.getvalue().split("\n")[-2] == "step 40  epoch 1  validation 1.600  2.31 bits/byte  best"
    assert not {"\x1b", "\r"} & set(stream.getvalue())


def test_quiet_says_nothing_and_passes_everything_on(terminal):
    stream, clock = terminal(), Clock()
    events = list(follow(script(clock), Talk(quiet=True, color=None), unit="byte", sample=lambda: "x", clock=clock))
    assert (len(events), stream.getvalue()) == (206, "")


def test_the_live_display(terminal):
    last, lines = frame(terminal(), 82, lambda: "ROMEO:\n\n\tWhat [b]light[/b] :smile:\n2\n3\n4")
    assert isinstance(last, Validated)
    assert [line.rstrip() for line in lines] == [
        "━" * 59 + "   40%  0:10:06 left",
        "step 80/200  epoch 2.0/5  lr 0.002  norm 0.840  200 tokens/s",
        "training    2.542 nats  3.67 bits/char  ███▇▇▇▇▇▇▆▆▆▆▆▅▅▅▅▅▅▄▄▄▄▄▃▃▃▃▃▂▂▂▂▂▂▁▁▁",
        "validation  1.700 nats  2.45 bits/char  best 1.600  at step 40",
        "sample      ROMEO:",
        "                What [b]light[/b] :smile:",
        "            2",
    ]


def test_the_live_display_has_the_metrics_of_a_validation(terminal):
    metrics = {"accuracy": 0.875, "macro f1": 0.5}
    _, lines = frame(terminal(), 82, lambda: None, "sequence", metrics=metrics, sequences=500)
    assert [line.rstrip() for line in lines] == [
        "━" * 59 + "   40%  0:10:06 left",
        "step 80/200  epoch 2.0/5  lr 0.002  norm 0.840  100 sequences/s",
        "training    2.542 nats  ███▇▇▇▇▇▇▆▆▆▆▆▅▅▅▅▅▅▄▄▄▄▄▄▃▃▃▃▃▂▂▂▂▂▂▁▁▁",
        "validation  1.700 nats  accuracy 0.875  macro f1 0.500  best 1.600  at step 40",
    ]


def test_the_live_display_of_real_values_has_no_nats(terminal):
    _, lines = frame(terminal(), 42, None, "value", metrics={"mae": 12.5})
    assert lines[2].startswith("training    2.")
    assert lines[3].rstrip() == "validation  1.600  mae 12.500  best"
    assert not any("nats" in line for line in lines)


def test_the_last_drawing_stays_without_the_sample(terminal):
    stream = terminal()
    list(watch(Clock(), "word", lambda: "sample!", validate=200))
    lines = [line.rstrip() for line in stream.last_frame()]
    assert lines[0] == "━" * 58 + "  100%  after 0:16:42"
    assert lines[3] == "validation  1.600 nats  perplexity 5.0  best"
    assert lines[4:] == [""]
    assert stream.getvalue().rstrip("\n").endswith(CURSOR_SHOWN)


def test_samples_are_drawn_at_validations_ten_seconds_apart(terminal):
    terminal()
    times, clock = [], Clock()

    def sample():
        times.append(clock.now)
        clock.now += 0.5
        return "x"

    list(watch(clock, sample=sample, steps=400, validate=10, seconds=0.1))
    gaps = [b - a for a, b in pairwise(times)]
    assert times[0] == pytest.approx(1003)
    assert min(gaps) >= 50  # a sample of half a second takes no more than a hundredth of the time
    assert len(times) == 3


@pytest.mark.parametrize("columns", [1, 10, 20, 24, 40, 60, 79, 200])
def test_no_line_is_wider_than_the_terminal(terminal, columns):
    text = "To be, or not to be, that is the question: 漢字漢字漢字漢字漢字漢字"
    _, lines = frame(terminal(columns), 83, lambda: text)
    assert max(cell_len(line) for line in lines) <= min(columns, 99)
    if columns == 20:
        assert lines[:3] == ["━" * 19, " 40%  0:10:01 left", "step 81/200"]
        assert lines[3:7] == ["epoch 2.0/5", "lr 0.002", "norm 0.840", "200 tokens/s"]
        assert lines[7:10] == ["training 2.536", "3.66 bits/char", "██▇▇▇▆▆▅▅▅▄▄▃▃▃▂▂▁▁"]
        assert lines[10:14] == ["validation 1.700", "2.45 bits/char", "best 1.600", "at step 40"]
        assert lines[14:] == ["To be, or not to ", "be, that is the ", "question: "]


def test_ascii_where_the_encoding_has_no_blocks(terminal):
    (stream := terminal()).encoding = "ascii"
    _, lines = frame(stream, 82, lambda: "é")
    assert lines[0].rstrip() == "#" * 24 + "-" * 35 + "   40%  0:10:06 left"
    assert lines[2].rstrip().endswith("bits/char  @@@######*****++++++=====-----......___")
    assert lines[4].rstrip() == r"sample      \xe9"
    assert "".join(lines).isascii()


def test_the_cursor_comes_back_when_the_run_is_closed_or_fails(terminal):
    stream = terminal()
    run = watch(Clock())
    next(run)
    assert CURSOR_HIDDEN in stream.getvalue()
    assert CURSOR_SHOWN not in stream.getvalue()
    assert sys.stderr is not stream
    run.close()
    assert stream.getvalue().endswith("\n" + CURSOR_SHOWN)
    assert sys.stderr is stream

    def failing():
        yield from islice(script(Clock()), 3)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        list(follow(failing(), Talk(quiet=False, color=None), unit="byte"))
    assert stream.getvalue().endswith("\n" + CURSOR_SHOWN)
    assert sys.stderr is stream


def test_a_terminal_that_goes_away_does_not_end_the_run(terminal):
    stream = terminal()
    run = watch(Clock())
    next(run)
    stream.write = Mock(side_effect=OSError(5, "Input/output error"))
    assert sum(1 for _ in run) == 205


def test_it_draws_four_times_a_second(terminal):
    stream = terminal()
    list(watch(Clock(), steps=1000, seconds=1 / 1024, validate=2000))
    assert stream.getvalue().count("tokens/s") == 1000 * 4 // 1024 + 1 + 1  # the first at once, and the last again


def test_slow_drawing_is_done_less_often(terminal):
    stream, clock = terminal(), Clock()
    write = stream.write

    def slow(text):
        clock.now += 0.05
        return write(text)

    stream.write = slow
    list(watch(clock, seconds=0.1))
    assert 3 <= stream.getvalue().count("tokens/s") <= 8  # 20 seconds; one drawing takes a twentieth of one or more


def test_a_step_that_is_not_shown_costs_microseconds(capsys):
    steps = [StepDone(n, 20_000, n / 100, Loss(2500.0, 2500), 0.8, 0.002) for n in range(1, 20_001)]
    talk = Talk(quiet=False, color=None)
    seconds = repeat(lambda: deque(follow(iter(steps), talk, unit="byte"), maxlen=0), number=1, repeat=3)
    assert min(seconds) / len(steps) < 20e-6
