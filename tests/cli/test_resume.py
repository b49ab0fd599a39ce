"""`rnncli train --resume` and `--init-from`: runs that go on, and models that others begin with."""

import os
from pathlib import Path

import numpy as np
import pytest

from rnncli.storage import FolderLock
from tests.cli.conftest import POEM, SMALL, content

TINY = [*SMALL, "--steps", "12"]


def test_resumed_run_equals_the_unbroken_one(rnncli, poem):
    settings = [*TINY, "--set", "training.validate_every=5", "--set", "model.dropout=0.3", "-q"]
    rnncli("train", "poem.txt", *settings, "-o", "unbroken")
    rnncli("train", "poem.txt", *settings, "-o", "broken", "--max-time", "0.0001")
    assert content("broken")["last.npz"] != content("unbroken")["last.npz"]
    for _ in range(2):
        rnncli("train", "--resume", "broken", "-q", "--max-time", "0.0001")
    assert rnncli("train", "--resume", "broken/last.npz").status == 0
    assert content("broken") == content("unbroken")


def test_longer_than_planned(rnncli, poem):
    rnncli("train", "poem.txt", *TINY, "-q", "-o", "short")
    rnncli("train", "poem.txt", *SMALL, "--steps", "15", "-q", "-o", "long")
    status, _, err = rnncli("train", "--resume", "short", "--steps", "15")
    assert (status, "finished at step 15" in err) == (0, True)
    weights = [np.load(f"{name}/last.npz")["weights.recurrent.0.weight_hh"] for name in ("short", "long")]
    np.testing.assert_array_equal(*weights)


def test_init_from(trained):
    Path("other.txt").write_text(POEM[::-1] + "Ω" * 40, "utf-8")
    trained("train", "other.txt", "--init-from", "runs/poem", "--steps", "1", "--learning-rate", "1e-12", "-q")
    old, new = (dict(np.load(f"runs/{name}/best.npz")) for name in ("poem", "other"))
    for name in old.keys() - {"manifest"}:
        np.testing.assert_allclose(new[name], old[name], atol=1e-9)
    assert trained("generate", "--model", "runs/other", "--seed", "日本", "-l", "0").out == "日本\n"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ("--resume runs/poem --hidden-size 9", 2, "a resumed run keeps its settings, so hidden_size cannot change"),
        ("--resume runs/poem names.txt", 2, "--resume goes on with the run's own corpus"),
        ("--resume runs/poem --dry-run", 2, "--resume goes on with the run's own corpus"),
        ("--resume runs/poem/best.npz", 3, "holds a model, not a run; resume from last.npz"),
        ("--resume runs/nothere", 3, "runs/nothere: cannot be read"),
        ("poem.txt --init-from runs/poem --hidden-size 9", 2, "--init-from brings its own architecture"),
    ],
)
def test_refused(trained, arguments, status, words):
    before = content("runs/poem")
    refused = trained("train", *arguments.split())
    assert (refused.status, refused.out, len(refused.lines)) == (status, "", 1)
    assert words in refused.err
    assert content("runs/poem") == before


def test_changed_text(trained):
    Path("poem.txt").write_text("x" + POEM, "utf-8")
    status, out, err = trained("train", "--resume", "runs/poem", "--steps", "90")
    assert (status, out) == (3, "")
    assert "the training data has changed since this run was saved" in err


def test_run_in_use(trained):
    with FolderLock(Path("runs/poem")):
        status, out, err = trained("train", "--resume", "runs/poem", "--steps", "90")
    assert (status, out) == (1, "")
    assert f"runs/poem is in use by process {os.getpid()}" in err
