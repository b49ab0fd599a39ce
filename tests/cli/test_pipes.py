"""`rnncli classify` between pipes: answered as lines come, in constant memory, ended as pipes end."""

import os
import select
import signal
from pathlib import Path

import pytest

from tests.tasks.labelled_runs import EXAMPLES

TEXTS = [text for text, _ in EXAMPLES]


def readable(stream, seconds):
    """Whether something can be read within this time."""
    return bool(select.select([stream], [], [], seconds)[0])


class TestPipes:
    def test_a_slow_one_is_answered_line_by_line(self, classifiers, start_process):
        labels = classifiers("classify", *TEXTS[:3]).out.splitlines()
        process = start_process("classify", stdin=-1)
        for text, label in zip(TEXTS[:3], labels, strict=True):
            half = len(text) // 2
            process.stdin.write(text[:half].encode())
            process.stdin.flush()
            assert not readable(process.stdout, 0.1)
            process.stdin.write(f"{text[half:]}\n".encode())
            process.stdin.flush()
            assert readable(process.stdout, 30)
            assert os.read(process.stdout.fileno(), 1000) == f"{label}\n".encode()
        process.stdin.close()
        assert (process.stdout.read(), process.stderr.read(), process.wait(30)) == (b"", b"", 0)

    def test_interrupted(self, classifiers, start_process):
        process = start_process("classify", stdin=-1)
        process.stdin.write(b"good\n")
        process.stdin.flush()
        assert readable(process.stdout, 30)
        process.send_signal(signal.SIGINT)
        assert (process.wait(30), process.stderr.read()) == (-signal.SIGINT, b"")

    def test_reader_that_has_seen_enough(self, classifiers, start_process, tmp_path):
        (tmp_path / "long.txt").write_text("good film\n" * 30_000)
        with Path("long.txt").open("rb") as file:
            process = start_process("classify", stdin=file)
            assert process.stdout.readline() in (b"pos\n", b"neg\n")
            process.stdout.close()
            assert (process.wait(30), process.stderr.read()) == (141, b"")

    def test_closed_streams_and_a_full_disk(self, classifiers, rnncli_process):
        def closed(which):
            return "sh", "-c", f'exec "$@" {which}', "sh"

        assert rnncli_process("classify", before=closed("<&-")) == (
            *(3, ""),
            "standard input: it is closed; give a text, or --file FILE\n",
        )
        assert rnncli_process("classify", "good", before=closed(">&-")).err == (
            "cannot write output: standard output is closed\n"
        )
        assert rnncli_process("classify") == (0, "", "")  # /dev/null
        with Path("/dev/full").open("wb") as full:
            status, _, err = rnncli_process("classify", "good", stdout=full)
        assert (status, err) == (1, "cannot write output: No space left on device\n")

    def peak(self, start_process, lines):
        """Return the peak memory in MB of a process that classifies so many lines."""
        Path("lines.txt").write_text("good film\n" * lines)
        with Path("lines.txt").open("rb") as file, Path("out.txt").open("wb") as out:
            process = start_process("classify", stdin=file, stdout=out)
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        assert Path("out.txt").read_bytes().count(b"\n") == lines
        return usage.ru_maxrss / 1024

    def test_memory_does_not_grow_with_the_lines(self, classifiers, start_process):
        assert self.peak(start_process, 60_000) < self.peak(start_process, 12_000) + 6

    @pytest.mark.slow
    def test_a_million_lines(self, classifiers, start_process):
        assert self.peak(start_process, 1_000_000) < self.peak(start_process, 12_000) + 6
