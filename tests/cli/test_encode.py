"""`rnncli encode`: the vector of each sequence, as JSON and as .npy."""

import shlex
from pathlib import Path

import numpy as np
import pytest

from rnncli import experiments
from rnncli.cli import sequences
from tests.cli.conftest import strict_json
from tests.tasks.labelled_runs import EXAMPLES

TEXTS = [text for text, _ in EXAMPLES]
EMPTY = "the text is empty"


def printed(command, *arguments, stdin=b""):
    """What `encode --quiet` prints, line by line, where all goes well."""
    status, out, err = command("encode", "--quiet", *arguments, stdin=stdin)
    assert (status, err) == (0, "")
    return [strict_json(line) for line in out.splitlines()]


def test_the_vectors_are_those_that_the_last_layer_decides_by(classifiers):
    loaded = experiments.load(Path("runs/reviews"))
    ids = loaded.resources["vocabulary"]["tokens"].index
    expected = [loaded.model.vectors(np.array([[ids(word)] for word in text.split()]))[:, 0] for text in TEXTS]
    found = printed(classifiers, "--file", "reviews.csv")
    assert np.shape(found) == (120, 16)  # 8 units in each direction
    assert np.ptp(expected, axis=0).min() > 0.05
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    logits = np.array(found) @ loaded.model.output.weight.value.T + loaded.model.output.bias.value
    labels = classifiers("classify", "--file", "reviews.csv").out.split()
    assert [loaded.resources["outputs"][i] for i in logits.argmax(axis=1)] == labels


@pytest.mark.parametrize("model", ["reviews", "several", "values", "steps"])
def test_a_file_holds_what_the_lines_say(classifiers, model, monkeypatch):
    monkeypatch.setattr(sequences, "EXAMPLES", 7)
    data = {"reviews": "reviews.csv", "several": "several.txt", "values": "values.csv", "steps": "steps.npz"}[model]
    lines = printed(classifiers, "-m", f"runs/{model}", "--file", data)
    result = classifiers("encode", "-m", f"runs/{model}", "--file", data, "--output", "vectors.npy")
    width = 16 if model == "reviews" else 8
    assert result == (0, "", f"{len(lines)} vectors of {width} → vectors.npy\n")
    stored = np.load("vectors.npy")
    assert (stored.dtype, stored.flags.c_contiguous, stored.shape) == (np.float32, True, (len(lines), width))
    assert stored.tolist() == lines


def test_what_cannot_be_read_is_null_or_nan(classifiers):
    given = ["encode", "good film", "", "dull"]
    status, out, err = classifiers(*given)
    first, nothing, last = (strict_json(line) for line in out.splitlines())
    assert (status, nothing, err) == (3, None, f"argument 2: {EMPTY}\n")
    status, out, err = classifiers(*given, "--json", "--quiet")
    assert (status, err) == (3, f"argument 2: {EMPTY}\n")
    assert [strict_json(line) for line in out.splitlines()] == [
        *({"vector": first}, {"error": f"argument 2: {EMPTY}"}, {"vector": last})
    ]
    assert classifiers(*given, "-o", "a.npy", "-q") == (3, "", f"argument 2: {EMPTY}\n")
    stored = np.load("a.npy")
    assert [stored[0].tolist(), stored[2].tolist()] == [first, last]
    assert np.isnan(stored[1]).all()


def test_lines_of_stdin(classifiers):
    plain = printed(classifiers, *TEXTS)
    np.testing.assert_allclose(printed(classifiers, stdin="\n".join(TEXTS).encode()), plain, rtol=0, atol=1e-6)
    assert printed(classifiers, stdin=b"") == []
    assert classifiers("encode", "-o", "none.npy", "-q", stdin=b"").status == 0
    assert np.load("none.npy").shape == (0, 16)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ("-o kept.npy", 2, "kept.npy exists; name another file, or --force to replace it"),
        ("-o vectors.txt", 2, "--output must name a .npy file, not vectors.txt"),
        ("-o vectors.npz", 2, "--output must name a .npy file, not vectors.npz"),
        ("-o none/vectors.npy", 2, "there is no folder none; make it, or name another file"),
        ("-o folder.npy", 2, "folder.npy exists"),
        ("-o folder.npy --force", 1, "cannot write folder.npy: not a regular file"),
        ("-o a.npy --json", 2, "--json and --output exclude each other"),
        ("-o a.npy --file reviews.csv", 2, "TEXT and --file exclude each other"),
    ],
)
def test_files_that_are_not_written(classifiers, arguments, status, message):
    Path("kept.npy").write_text("precious")
    Path("folder.npy").mkdir()
    before = sorted(Path().rglob("*"))
    result = classifiers("encode", "good film", *shlex.split(arguments))
    assert (result.status, result.out, len(result.lines)) == (status, "", 1)
    assert result.err.startswith(message)
    assert Path("kept.npy").read_text() == "precious"
    assert sorted(Path().rglob("*")) == before


def test_a_file_is_replaced_when_asked_and_only_by_a_whole_one(classifiers):
    Path("kept.npy").write_text("precious")
    status, out, err = classifiers("encode", "--file", "values.csv", "-o", "kept.npy", "--force")
    assert (status, out, err[:13]) == (3, "", "values.csv:1:")
    assert Path("kept.npy").read_text() == "precious"
    assert classifiers("encode", "good film", "-o", "kept.npy", "--force").status == 0
    assert np.load("kept.npy").tolist() == printed(classifiers, "good film")
