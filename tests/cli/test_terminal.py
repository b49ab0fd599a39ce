"""What reaches a real terminal, and what does not."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

OWN_SEQUENCES = re.compile(r"\x1b\[[\d;]*m|\x1b\[1A|\x1b\[2K|\x1b\[\?25[lh]|\r\n|\r")
"""What the live display may send: colours, cursor up, erase line, hide and show the cursor."""
CURSOR_HIDDEN, CURSOR_SHOWN = "\x1b[?25l", "\x1b[?25h"


HOSTILE_RUN = r"""
import sys
from rnncli.cli.console import Talk, printable, write_data
from rnncli.cli.progress import follow
from rnncli.nn.protocols import Loss
from rnncli.training.events import StepDone, Validated
codes = [*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F]
codes += [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xDC9B]
texts = [chr(code) for code in codes] + ["\x1b]0;t\x07", "\x1b]8;;x\x1b\\", "\x1b]52;c;eA==\x07", "\x1b[2J"]
texts.append("[/b][link=x]")
def events():
    global now
    for n, text in enumerate(texts, 1):
        now += 11
        yield StepDone(n, len(texts), n, Loss(1000.0, 1000), 1.0, 0.1)
        talk.say(f"said{text}said")
        talk.warn(text)
        write_data(f"data{text}data\n")
        yield Validated(n, n, Loss(1.0, 1), best=False)
now = 0
samples = iter(texts)
talk = Talk(quiet=False, color=None)
for _ in follow(events(), talk, unit="character", sample=lambda: f"«{next(samples)}»", clock=lambda: now):
    pass
talk.error("the end\x1b[2J")
"""


def on_a_terminal(code, columns=80, *, stdout_too=False, **environment):
    """Return what a program writes to a terminal on stderr, and what goes through a pipe on stdout."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    plain = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "FORCE_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        stdout=slave if stdout_too else subprocess.PIPE,
        stderr=slave,
        env=plain | {"TERM": "xterm-256color", "PYTHONUTF8": "1"} | environment,
    )
    os.close(slave)
    shown = b""
    with contextlib.suppress(OSError):  # how Linux says that the other side has closed
        while part := os.read(master, 65536):
            shown += part
    os.close(master)
    data = process.stdout.read() if process.stdout else b""
    if process.stdout:
        process.stdout.close()
    assert process.wait() == 0
    return shown.decode(), data


def controls(text):
    return [char for char in text if char not in "\n\t" and (not char.isprintable() or "\u2066" <= char <= "\u2069")]


def test_nothing_hostile_reaches_the_terminal():
    shown, _ = on_a_terminal(HOSTILE_RUN, stdout_too=True)
    assert controls(OWN_SEQUENCES.sub("", shown)) == []
    for text in (r"«\x1b]52;c;eA==\x07»", r"said\x9bsaid", r"data\u202edata", r"«\udc9b»", "«[/b][link=x]»"):
        assert text in shown
    after = shown.split(CURSOR_SHOWN)[-1]
    assert OWN_SEQUENCES.sub("", after).strip() == r"the end\x1b[2J"


def test_data_through_a_pipe_stay_whole_beside_a_live_display():
    shown, data = on_a_terminal(HOSTILE_RUN, columns=20)
    assert CURSOR_HIDDEN in shown
    assert data.startswith(b"data\x00data\ndata\x01data\n")
    assert b"data\x1b]52;c;eA==\x07data\n" in data
    assert "data" not in shown


def test_a_terminal_without_colour_gets_no_escape_at_all():
    shown, _ = on_a_terminal(HOSTILE_RUN, stdout_too=True, NO_COLOR="1")
    assert controls(shown.replace("\r\n", "\n")) == []
    assert "step 3  epoch 3  validation 1.000  1.44 bits/char" in shown
