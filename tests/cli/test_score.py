"""`rnncli score`: the probability of each token, as numbers and as colours."""

import json
import math
import re
from pathlib import Path

import pytest

from rnncli.cli.scores import metrics
from tests.cli.conftest import strict_json
from tests.cli.pair_models import changed


def rows(out):
    """Return the (log-probability, token) of each line but the last, and the total on that one."""
    *lines, total = (line.split("\t") for line in out.splitlines())
    return [(float(number), json.loads(token)) for number, token in lines], float(total[0])


def test_a_line_a_token(trained):
    text = "Café —\tsunΩ\n"
    status, out, err = trained("score", text)
    scores, total = rows(out)
    assert status == 0
    assert "".join(token for _, token in scores) == text
    assert sum(number for number, _ in scores) == pytest.approx(total, abs=1e-3)
    assert out.endswith(f"\ttotal of {len(text)} tokens\n")
    assert err == "note: tokens that are not in the vocabulary, scored as <unk>: 2\n"


def test_json(trained):
    one, two = strict_json(trained("score", "--json", "The sun", "low").out)
    assert (one["text"], "".join(one["tokens"]), two["text"]) == ("The sun", "The sun", "low")
    assert one["log_probability"] == pytest.approx(sum(one["log_probabilities"]))
    assert one["perplexity"] == pytest.approx(math.exp(-one["log_probability"] / 7))


def test_a_perplexity_that_is_too_large_is_null_in_json(trained):
    def certain(weights):
        weights["output.bias"][0] = 1e5  # of <unk>

    (found,) = strict_json(trained("score", "--json", "The", "-m", changed("certain", certain, "poem")).out)
    assert found["log_probability"] == pytest.approx(-3e5, rel=1e-3)
    assert found["perplexity"] is None
    assert metrics(1e5, "character")["perplexity"] == math.inf


def test_generated_text_has_the_probabilities_it_was_drawn_with(trained):
    (drawn,) = strict_json(trained("generate", "--json", "--random-seed", 1, "-l", 50).out)["samples"]
    (scored,) = strict_json(trained("score", "--json", drawn["text"]).out)
    assert scored["log_probabilities"] == pytest.approx(drawn["log_probabilities"], abs=1e-4)


def test_file_and_stdin_are_like_arguments(trained):
    Path("some.txt").write_text("The sun\n")
    expected = trained("score", "The sun\n")
    assert trained("score", "--file", "some.txt") == expected
    assert trained("score", stdin=b"The sun\n") == trained("score", "--file", "-", stdin=b"The sun\n") == expected
    Path("old.txt").write_bytes(b"Caf\xe9")
    assert trained("score", "--file", "old.txt", "--encoding", "latin-1") == trained("score", "Café")


def test_a_line_ends_with_the_probability_of_its_end(trained):
    scores, _ = rows(trained("score", "Tom", "-m", "runs/names").out)
    assert [token for _, token in scores] == ["T", "o", "m", "<eos>"]


def test_bytes(trained):
    status, out, err = trained("score", "-m", "runs/raw", stdin="é".encode() + b"\xff")
    assert (status, err) == (0, "")
    assert [token for _, token in rows(out)[0]] == ["Ã", "©", "ÿ"]


def test_highlight_without_colour(trained):
    text = "The sun\nΩ is low"
    scores, _ = rows(trained("score", text).out)
    digits = "".join(str(min(9, round(-nats / math.log(2)))) for nats, _ in scores)
    out = trained("score", "--highlight", text).out
    assert out == f"The sun\n{digits[:7]}\nΩ is low\n{digits[8:]}\n"
    assert trained("score", "--highlight", "Tom", "-m", "runs/names").out.splitlines()[0] == "Tom"


def test_highlight_on_a_terminal(trained, on_terminal):
    text = "The sun\nCafé\x1b]0;title\x07 low"
    status, shown = on_terminal("score", "--highlight", text)
    colour = re.compile(r"\x1b\[38;5;16;48;5;\d+m|\x1b\[0m")
    assert status == 0
    assert len(colour.findall(shown)) > 10
    assert colour.sub("", shown) == "The sun\nCafé\\x1b]0;title\\x07 low\n"
    assert trained("score", text).out.count("\\u001b") == 1


def test_escape_sequences_are_data_in_a_pipe_and_text_on_a_terminal(trained, on_terminal):
    text = "Café\x1b]0;title\x07\n"
    assert trained("generate", "--seed", text, "-l", 0).out == text
    assert on_terminal("generate", "--seed", text, "-l", "0") == (0, "Café\\x1b]0;title\\x07\n")


def test_text_and_file_exclude_each_other(trained):
    assert trained("score", "The", "--file", "poem.txt") == (2, "", "TEXT and --file exclude each other\n")
