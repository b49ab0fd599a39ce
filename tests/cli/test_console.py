import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rnncli.cli.console import Talk, broken, columns_of, printable, table, write_data

HOSTILE = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F)]
HOSTILE += [chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))]
SHOWN_AS_THEY_ARE = {"\n", "\t"}


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def __init__(self, encoding="utf-8"):
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)

    def isatty(self):
        return True

    def written(self) -> bytes:
        return self.buffer.getvalue()


@pytest.fixture
def terminals(monkeypatch):
    """Return a function that makes stdout and stderr terminals; pytest would undo it before the test begins."""

    def start():
        for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("TERM", "xterm-256color")
        out, err = Terminal(), Terminal()
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        return out, err

    return start


def run(code, **options):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, **options)


def test_every_control_and_bidirectional_character_is_escaped():
    text = "".join(f"a{char}" for char in HOSTILE)
    shown = printable(text)
    assert not [char for char in HOSTILE if char in shown and char not in SHOWN_AS_THEY_ARE]
    assert printable("\x1b[31m\x00\x7f\x9b\u202e\u061c") == r"\x1b[31m\x00\x7f\x9b\u202e\u061c"
    assert printable("a\tb\nc\rd") == "a\tb\nc\\x0dd"
    assert printable("a\tb\nc", keep="") == r"a\x09b\x0ac"
    assert printable("\udc9b\ud800") == r"\udc9b\ud800"  # \udc9b would be written as the byte 9b, a CSI
    assert printable("Ærøskøbing 漢字 👩‍👩‍👧 é") == "Ærøskøbing 漢字 👩‍👩‍👧 é"


def test_data_is_escaped_on_a_terminal_only(terminals, monkeypatch):
    out, _ = terminals()
    write_data("\x1b]52;c;eA==\x07é\n")
    write_data(b"\x9b\xc3\xa9\n")
    write_data("\x1b[1mours\x1b[0m\n", escape=False)
    assert out.written() == b"\\x1b]52;c;eA==\\x07\xc3\xa9\n\\udc9b\xc3\xa9\n\x1b[1mours\x1b[0m\n"
    pipe = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", pipe)
    write_data("".join(HOSTILE) + "é\udcff\n")
    write_data("half \ud800 ")
    write_data(b"\x00\x9b\xff")
    expected = "".join(HOSTILE).encode() + b"\xc3\xa9\xff\n" + b"half \xed\xa0\x80 " + b"\x00\x9b\xff"
    assert pipe.buffer.getvalue() == expected


@pytest.mark.parametrize("setting", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "latin-1"}, {"PYTHONIOENCODING": "ascii"}])
def test_the_locale_changes_no_data_and_breaks_no_message(setting):
    code = (
        "from rnncli.cli.console import Talk, write_data;"
        r"write_data('\u6f22\u00e9\udc80'); Talk(quiet=False, color=None).say('\u6f22\udc80')"
    )
    done = run(code, env=os.environ | {"PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"} | setting)
    assert (done.returncode, done.stdout) == (0, "漢é".encode() + b"\x80")
    assert done.stderr in ("漢\\udc80\n".encode(), b"\\u6f22\\udc80\n")


def test_failures_of_stdout_are_raised(monkeypatch):
    code = "import os; from rnncli.cli.console import write_data\ntry: write_data('x' * 99999)\n"
    code += "except BrokenPipeError: os._exit(41)\nexcept OSError: os._exit(42)"
    reading, writing = os.pipe()
    os.close(reading)
    assert subprocess.run([sys.executable, "-c", code], stdout=writing, check=False).returncode == 41
    os.close(writing)
    if Path("/dev/full").exists():
        with Path("/dev/full").open("wb") as full:
            assert subprocess.run([sys.executable, "-c", code], stdout=full, check=False).returncode == 42
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OSError, match="closed"):
        write_data("x")


def test_messages_are_lines_of_literal_text(terminals):
    _, err = terminals()
    talk = Talk(quiet=False, color=None)
    talk.say("[/b] :smile: \x1b[2J")
    talk.warn("small\u202e")
    talk.error("no file: a\nb")
    assert err.written().decode() == (
        "[/b] :smile: \\x1b[2J\n\x1b[33mnote:\x1b[0m small\\u202e\n\x1b[31mno file: a\\x0ab\x1b[0m\n"
    )


def test_quiet_leaves_errors_only(terminals):
    _, err = terminals()
    talk = Talk(quiet=True, color=False)
    talk.say("a")
    talk.warn("b")
    talk.progress("c")
    talk.error("d")
    assert err.written() == b"d\n"


def test_a_status_line_is_replaced_and_removed(terminals):
    _, err = terminals()
    talk = Talk(quiet=False, color=None)
    talk.progress("first")
    talk.progress("second\n")
    talk.say("said")
    talk.progress("third")
    talk.progress("")
    assert err.written() == b"first\r\x1b[Ksecond\\x0a\r\x1b[Ksaid\nthird\r\x1b[K"


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {}])
def test_no_colour_means_no_escape_sequence(terminals, monkeypatch, setting):
    _, err = terminals()
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    talk = Talk(quiet=False, color=None if setting else False)
    talk.warn("x")
    talk.error("y")
    talk.progress("z")
    talk.rich_console().print("[bold]w", style="bold red")
    assert err.written() == b"note: x\ny\n[bold]w\n"
    assert (talk.is_terminal, talk.color, talk.is_live, talk.colors_stdout) == (True, False, False, False)


def test_an_empty_no_color_asks_for_nothing(terminals, monkeypatch):
    terminals()
    monkeypatch.setenv("NO_COLOR", "")
    talk = Talk(quiet=False, color=None)
    assert (talk.color, talk.is_live, talk.colors_stdout) == (True, True, True)


def test_force_color_does_not_colour_a_pipe(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    talk = Talk(quiet=False, color=None)
    talk.warn("x")
    talk.rich_console().print("y", style="bold red")
    assert capsys.readouterr().err == "note: x\ny\n"
    assert (talk.is_terminal, talk.color, talk.is_live, talk.colors_stdout) == (False, False, False, False)


def test_a_message_that_cannot_be_written_is_lost(monkeypatch):
    if Path("/dev/full").exists():
        with Path("/dev/full").open("w") as full:
            code = "from rnncli.cli.console import Talk; Talk(quiet=False, color=None).say('x'); print('on')"
            done = subprocess.run(
                [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=full, check=False, text=True
            )
        assert (done.returncode, done.stdout) == (0, "on\n")
    monkeypatch.setattr(sys, "stderr", None)
    talk = Talk(quiet=False, color=None)
    talk.error("x")
    assert (talk.is_terminal, talk.width) == (False, 80)


def test_width_is_that_of_the_terminal_or_of_columns(terminals, monkeypatch):
    terminals()
    talk = Talk(quiet=False, color=None)
    assert talk.width == 80  # a stream without a file descriptor
    monkeypatch.setenv("COLUMNS", "33")
    assert talk.width == 33
    assert talk.rich_console().width == 33
    monkeypatch.setenv("COLUMNS", "0")
    assert talk.width == 80


def test_what_the_encoding_cannot_show(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal("latin-1"))
    talk = Talk(quiet=False, color=None)
    assert talk.can_show("é")
    assert not talk.can_show("█")
    assert talk.safe("é█\x07") == r"é\u2588\x07"


def test_table_aligns_numbers_right_and_counts_columns_of_the_terminal():
    rows = [["unigram", 12345, 4.23456, "88 %"], ["漢字", 7, None, "100 %"], ["e\u0301\x1b", -3, float("inf"), ""]]
    assert table(["model", "count", "bits", "share"], rows) == [
        "model    count   bits  share",
        "unigram  12345  4.235   88 %",
        "漢字         7         100 %",
        "e\u0301\\x1b       -3    inf",
    ]
    assert table(["a", "b\x1b"], []) == ["a  b\\x1b"]
    assert table(["a"], [["1,234"], ["x"]]) == ["a", "1,234", "x"]
    with pytest.raises(ValueError, match="zip"):
        table(["a", "b"], [["only one"]])


def test_long_lines_are_broken_between_words():
    line = "the quick  brown fox jumps"
    for width in range(7, 26):
        parts = [*broken(line, width)]
        assert max(map(columns_of, parts)) <= width
        assert " ".join(parts).split() == line.split()
        assert all(part.startswith("  ") and not part.startswith("   ") for part in parts[1:])
    assert [*broken(line, 10)] == ["the quick", "  brown", "  fox", "  jumps"]
    assert [*broken(line, 26)] == [line]
    assert [*broken("    abc  def", 9)] == ["    abc", "  def"]
    path = "folder/" * 20
    assert [*broken(f"see {path} and {path}", 20)] == ["see", f"  {path}", "  and", f"  {path}"]
    assert [*broken(path, 20)] == [path]
    assert [*broken("漢字 漢字 漢字", 9)] == ["漢字 漢字", "  漢字"]
    assert [*broken("", 9)] == [""]
    assert [*broken("abc" + " " * 9, 5)] == ["abc" + " " * 9]


def test_messages_on_a_terminal_are_broken_between_words_and_elsewhere_on_one_line(terminals, monkeypatch):
    text = " ".join(["message"] * 12)
    _, err = terminals()
    monkeypatch.setenv("COLUMNS", "40")
    talk = Talk(quiet=False, color=False)
    talk.say(text)
    talk.warn(text)
    talk.error(text)
    shown = err.written().decode().splitlines()
    assert max(map(len, shown)) <= 40
    assert " ".join(shown).split() == f"{text} note: {text} {text}".split()
    assert [line for line in shown if not line.startswith(" ")] == [
        "message message message message message",
        "note: message message message message",
        "message message message message message",
    ]
    pipe = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stderr", pipe)
    Talk(quiet=False, color=False).error(text)
    assert pipe.buffer.getvalue().decode() == f"{text}\n"


def test_a_note_keeps_its_colour_when_it_is_broken(terminals, monkeypatch):
    _, err = terminals()
    monkeypatch.setenv("COLUMNS", "12")
    Talk(quiet=False, color=True).warn("one two three")
    assert err.written().decode() == "\x1b[33mnote:\x1b[0m one\n  two three\n"


def test_a_status_that_is_too_long_ends_in_dots(terminals, monkeypatch):
    _, err = terminals()
    monkeypatch.setenv("COLUMNS", "12")
    talk = Talk(quiet=False, color=None)
    talk.progress("12345678901")
    talk.progress("123456789012")
    talk.progress("漢字漢字漢字")
    assert err.written().decode() == "12345678901\r\x1b[K1234567890…\r\x1b[K漢字漢字漢…"


def test_the_console_needs_neither_numpy_nor_rich():
    done = run("import sys, rnncli.cli.console; print(sorted({'numpy', 'rich', 'typer'} & set(sys.modules)))")
    assert done.stdout == b"[]\n"
