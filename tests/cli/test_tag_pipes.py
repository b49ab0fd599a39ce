"""`rnncli tag` between pipes: answered as lines and sentences come, ended as pipes end."""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.cli.tagged_models import labels_of, slashed, trained_taggers
from tests.cli.test_pipes import readable


@pytest.fixture
def taggers(rnncli, tmp_path_factory, tmp_path):
    """`rnncli` in a folder with tagged data and models."""
    shutil.copytree(trained_taggers(tmp_path_factory), tmp_path, dirs_exist_ok=True)
    return rnncli


class TestPipes:
    def test_a_slow_one_of_texts_is_answered_line_by_line(self, taggers, start_process):
        process = start_process("tag", stdin=-1)
        for text in ("Ann saw", "the dog"):
            process.stdin.write(text[:4].encode())
            process.stdin.flush()
            assert not readable(process.stdout, 0.1)
            process.stdin.write(f"{text[4:]}\n".encode())
            process.stdin.flush()
            assert readable(process.stdout, 30)
            assert os.read(process.stdout.fileno(), 1000).decode() == f"{slashed(tuple(text.split()))}\n"
        process.stdin.close()
        assert (process.stdout.read(), process.stderr.read(), process.wait(30)) == (b"", b"", 0)

    @pytest.mark.parametrize("form", ["conllu", "jsonl"])
    def test_a_slow_one_is_answered_sentence_by_sentence(self, taggers, start_process, form):
        model = "parts" if form == "conllu" else "spans"
        process = start_process("tag", "--format", form, "-m", f"runs/{model}", stdin=-1)
        for tokens in (("Ann", "saw"), ("Bo",)):
            given, expected = one_sentence(form, tokens, labels_of([tokens], model)[0])
            half = len(given) // 2
            process.stdin.write(given[:half].encode())
            process.stdin.flush()
            assert not readable(process.stdout, 0.1)
            process.stdin.write(given[half:].encode())
            process.stdin.flush()
            assert readable(process.stdout, 30)
            assert os.read(process.stdout.fileno(), 1000).decode() == expected
        process.stdin.close()
        assert (process.stdout.read(), process.stderr.read(), process.wait(30)) == (b"", b"", 0)

    @pytest.mark.parametrize(("form", "what"), [("text", "a line for each"), ("conll", "sentence by sentence")])
    def test_at_a_terminal_it_says_what_it_waits_for(self, taggers, form, what):
        given = ["tag", "--format", form]
        assert taggers(*given, stdin=b"Ann O\n\n", typed=True).lines == [
            f"reading what is typed here, {what}; Ctrl-D ends it"
        ]
        assert taggers(*given, stdin=b"Ann O\n\n").err == ""

    @pytest.mark.parametrize("form", ["text", "conll"])
    def test_a_reader_that_has_seen_enough(self, taggers, start_process, form):
        Path("long").write_text("Ann saw\n" * 15_000 if form == "text" else "Ann O\nsaw O\n\n" * 15_000)
        process = start_process("tag", "--file", "long", "--format", form)
        assert process.stdout.readline()
        process.stdout.close()
        assert (process.wait(30), process.stderr.read()) == (141, b"")

    def test_interrupted(self, taggers, start_process):
        process = start_process("tag", "--format", "conll", stdin=-1)
        process.stdin.write(b"Ann O\n\nBo O\n")
        process.stdin.flush()
        assert readable(process.stdout, 30)
        process.send_signal(signal.SIGINT)
        assert (process.wait(30), process.stderr.read()) == (-signal.SIGINT, b"")

    @pytest.mark.parametrize("options", [[], ["--format", "conll"]], ids=["text", "conll"])
    def test_a_closed_one(self, taggers, rnncli_process, options):
        before = "sh", "-c", 'exec "$@" <&-', "sh"
        expected = "standard input: it is closed; give a text, or --file FILE\n"
        status, out, err = rnncli_process("tag", *options, before=before)
        assert (status, out) == (3, "")
        assert err in (expected, expected.replace("a text, or ", ""))


def one_sentence(form, tokens, labels):
    """A sentence in a format, without labels and with them."""
    if form == "jsonl":
        given = json.dumps({"tokens": tokens})
        return f"{given}\n", json.dumps({"tokens": tokens, "labels": labels}) + "\n"
    rows = [[str(i), token, *["_"] * 8] for i, token in enumerate(tokens, 1)]
    labelled = [[*row[:3], label, *row[4:]] for row, label in zip(rows, labels, strict=True)]
    return tuple("".join("\t".join(row) + "\n" for row in each) + "\n" for each in (rows, labelled))
