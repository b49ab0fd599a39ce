"""Taggers to use the command line on, their answers, and changed ones that answer as a test needs it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnncli import experiments
from rnncli.training import checkpoint
from tests.cli.conftest import SMALL, invoke
from tests.tasks.tagged_runs import OF_FRAMES, write

KINDS = {
    "several": "several.csv --steps 60 --set data.multi_label=true",
    "frames": "frames.csv --steps 60",
    "parts": "train.conll --steps 60 --set data.label=2",
    "spans": "train.conll --steps 60 --set model.characters.hidden_size=4",
}


_MADE = []  # where they are, once they are


def trained_taggers(tmp_path_factory):
    """A folder with tagged data, and under runs/ a model of each kind; spans, of texts, is the newest."""
    if not _MADE:
        _MADE.append(_trained(tmp_path_factory.mktemp("tagged")))
    return _MADE[0]


def _trained(folder):
    write(folder)
    columns = [f"--set=data.{name}={json.dumps(value)}" for name, value in OF_FRAMES.items()]
    settings = ["--task", "tagging", *SMALL, "--batch-size", "4", "--cell", "gru", "-q"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for kind, arguments in KINDS.items():
            more = columns if ".csv" in arguments else []
            trained = invoke("train", *arguments.split(), *settings, *more, "-o", f"runs/{kind}")
            assert trained == (0, f"runs/{kind}\n", "")
    return folder


def reader_of(name="spans"):
    return experiments.load(Path("runs", name)).tagger


def labels_of(sentences, name="spans"):
    """The labels of each, by the model itself; of several labels a tuple."""
    found = reader_of(name).tag(sentences)
    return [[each if name == "several" else each[0] for each in tagged.labels] for tagged in found]


def slashed(sentence, name="spans"):
    """How a sentence is answered."""
    (labels,) = labels_of([sentence], name)
    return " ".join(f"{token}/{label}" for token, label in zip(sentence, labels, strict=True))


def tagged(command, *arguments, stdin=b""):
    """What `tag --quiet` prints, where all goes well."""
    status, out, err = command("tag", "--quiet", *arguments, stdin=stdin)
    assert (status, err) == (0, "")
    return out


def changed(name, change, run="spans", **resources):
    """Keep a model in runs/name that is another but for what is done to its weights, all of them 0 before."""
    found = checkpoint.load(Path("runs", run, "best.npz"))
    for array in found.weights.values():
        array[:] = 0
    change(found.weights)
    Path("runs", name).mkdir()
    checkpoint.save(Path("runs", name, "best.npz"), replace(found, resources=found.resources | resources))
    return f"runs/{name}"


def saying(name, label, **resources):
    """Keep one that gives every token this label."""

    def change(weights):
        weights["output.bias"][:] = [5 * (each == label) for each in resources.get("outputs", reader_of().names)]

    return changed(name, change, **resources)


def overflowing(name, token=None):
    """Keep one whose answer is beyond float32 as soon as this token comes; or of frames, a positive first feature."""

    def change(weights):
        if token:
            weights["embedding.weight"][reader_of().inputs.vocabulary.ids[token]] = 1
        _, update, new = np.split(weights["recurrent.0.forward.weight_ih"][:, 0], 3)  # gates r, z, n
        update[:], new[:] = -50, 50  # h = 1 there, and elsewhere 0
        weights["output.weight"][:] = 3e38

    return changed(name, change, "spans" if token else "frames")
