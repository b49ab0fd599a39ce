"""`rnncli evaluate`: the model's numbers, and the baselines beside them."""

import math
from pathlib import Path

import pytest

from tests.cli.conftest import POEM, strict_json


def evaluated(command, *arguments):
    """Return the scores that `evaluate --json` prints."""
    status, out, err = command("evaluate", "--json", "--quiet", *arguments)
    assert (status, err) == (0, "")
    return strict_json(out)["scores"]


def test_splits_of_the_run(trained):
    scores = evaluated(trained)
    assert list(scores) == ["validation", "test"]
    validation = scores["validation"]
    log = map(strict_json, Path("runs/poem/metrics.jsonl").read_text().splitlines())
    assert validation["cross_entropy"] == min(line.get("validation_loss", math.inf) for line in log)
    for score in (validation, *validation["baselines"].values()):
        assert score["bits_per_character"] == pytest.approx(score["cross_entropy"] / math.log(2))
        assert score["perplexity"] == pytest.approx(math.exp(score["cross_entropy"]))
    assert validation["tokens"] == round(len(POEM) * 0.05) - 1


def test_table(trained):
    status, out, _ = trained("evaluate", "--split", "test")
    header, *rows = (line.split() for line in out.splitlines())
    assert status == 0
    assert " ".join(header) == "split model cross entropy bits per character perplexity"
    assert [row[:-3] for row in rows] == [
        ["test", *name] for name in (["this", "model"], ["unigram"], ["bigram"], ["5-gram"])
    ]
    assert float(rows[0][-3]) == round(evaluated(trained, "--split", "test")["test"]["cross_entropy"], 3)


@pytest.mark.parametrize(
    ("model", "unit"), [("words", "bits_per_word"), ("raw", "bits_per_byte"), ("names", "bits_per_character")]
)
def test_units(trained, model, unit):
    score = evaluated(trained, "--model", f"runs/{model}", "--split", "train")["train"]
    assert set(score) == {"tokens", "cross_entropy", unit, "perplexity", "baselines"}


def test_a_file_gets_the_log_probability_that_score_gives_it(trained):
    text = "The sun is low.\nRoses lean.\n"
    Path("other.txt").write_text("\n" + text)  # the newline with which `score` begins
    given = evaluated(trained, "other.txt")["given"]
    (scored,) = strict_json(trained("score", "--json", text).out)
    assert given["tokens"] == len(text)
    assert given["cross_entropy"] * given["tokens"] == pytest.approx(-scored["log_probability"], rel=1e-5)
    assert strict_json(trained("evaluate", "-", "--json", stdin=f"\n{text}".encode()).out)["scores"]["given"] == given


def test_several_files_and_their_encoding(trained):
    Path("a.txt").write_bytes("Café\n".encode("latin-1"))
    Path("b.txt").write_bytes(b"The sun\n")
    assert evaluated(trained, "a.txt", "b.txt", "--encoding", "latin-1")["given"]["tokens"] == 5 + 8 - 1


def test_unknown_characters_are_counted(trained):
    status, _, err = trained("evaluate", "-", stdin="The Ω".encode())
    assert (status, err) == (0, "note: 20.00% of the given tokens are not in the vocabulary\n")


def test_training_text_changed_or_gone(trained):
    Path("poem.txt").write_text(POEM.replace("the", "THE"), "utf-8")
    status, _, err = trained("evaluate")
    assert (status, "note: the training data has changed since the model was trained" in err) == (0, True)
    Path("poem.txt").unlink()
    status, out, err = trained("evaluate")
    assert (status, out, len(err.splitlines())) == (3, "", 1)
    status, out, err = trained("evaluate", "names.txt", "--json")
    assert (status, strict_json(out)["scores"]["given"]["baselines"]) == (0, {})
    assert "note: no baselines: " in err


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ("--split development", 2, "--split must be one of train, validation, test, not 'development'"),
        ("poem.txt --split test", 2, "files and --split exclude each other"),
        ("pome.txt", 3, 'did you mean "'),
        ("poem.txt --encoding klingon", 3, "unknown encoding 'klingon'; try utf-8"),
    ],
)
def test_refused(trained, arguments, status, words):
    refused = trained("evaluate", *arguments.split())
    assert (refused.status, refused.out, len(refused.lines)) == (status, "", 1)
    assert words in refused.err
