"""Translators and captioners to use the command line on, small enough to train in a blink, and what they were told."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from rnncli import experiments
from rnncli.tasks.pair_decoding import Decoding
from rnncli.training import checkpoint
from tests.cli.conftest import invoke

_random = random.Random(3)
_NOUNS = {"dog": "perro", "cat": "gato", "boy": "niño", "bird": "pájaro"}
_ADJECTIVES = {"": "", "red": "rojo", "small": "pequeño", "old": "viejo"}
_VERBS = {"sees": "ve", "likes": "quiere", "follows": "sigue"}
_COLOURS, _SHAPES = ("red", "blue", "green"), ("circle", "square")


def _phrase():
    noun, adjective = _random.choice([*_NOUNS]), _random.choice([*_ADJECTIVES])
    article, other = _random.choice((("the", "el"), ("a", "un")))
    sides = (article, adjective, noun), (other, _NOUNS[noun], _ADJECTIVES[adjective])
    return [" ".join(filter(None, words)) for words in sides]


def _sentence():
    (subject, sujeto), (thing, cosa), verb = _phrase(), _phrase(), _random.choice([*_VERBS])
    return f"{subject} {verb} {thing}.", f"{sujeto} {_VERBS[verb]} {cosa}."


PAIRS = sorted({_sentence() for _ in range(320)})
SOURCES, TARGETS = ([pair[side] for pair in PAIRS] for side in (0, 1))
LETTERS = [("".join(_random.choices("abc", k=_random.randint(1, 4)))) for _ in range(200)]
SEEN = [(colour, shape) for colour in range(3) for shape in range(2)] * 20
CAPTIONS = [f"a {_COLOURS[colour]} {_SHAPES[shape]}" for colour, shape in SEEN]
_noise = np.random.default_rng(1)
FEATURES = np.array([[*np.eye(3)[colour], 2 * shape - 1] for colour, shape in SEEN]) * 100
FEATURES = (FEATURES + _noise.normal(size=FEATURES.shape)).round(2)
FRAMES = [np.repeat(FEATURES[i : i + 6, :2], 2, axis=0)[: 1 + i % 6] for i in range(100)]
KINDS = {
    "letters": "letters.tsv --epochs 6 --set data.tokenizer.level=character --set model.attention=none",
    "frames": "frames.npz frames.txt --steps 30",
    "columns": "captions.csv --task captioning --epochs 6 --set data.columns=[r,g,b,s]",
    "captions": "features.npz captions.tsv --task captioning --epochs 6",
    "words": "pairs.tsv --epochs 12 --set model.attention=general --set model.dropout=0",
}

_MADE = []  # where they are, once they are


def write(folder):
    """Write data of every kind."""
    (folder / "pairs.tsv").write_text("".join(f"{source}\t{target}\n" for source, target in PAIRS), "utf-8")
    (folder / "letters.tsv").write_text("".join(f"{text}\t{text[::-1].upper()}\n" for text in LETTERS))
    (folder / "captions.tsv").write_text("".join(f"{i}\t{caption}\n" for i, caption in enumerate(CAPTIONS)))
    rows = [f"{','.join(map(str, row))},{text}\n" for row, text in zip(FEATURES.tolist(), CAPTIONS, strict=True)]
    (folder / "captions.csv").write_text("r,g,b,s,target\n" + "".join(rows))
    np.savez(folder / "features.npz", x=FEATURES)
    np.savez(folder / "frames.npz", x=np.concatenate(FRAMES), lengths=[*map(len, FRAMES)])
    (folder / "frames.txt").write_text("".join(f"{len(frames)} steps\n" for frames in FRAMES))


def trained_translators(tmp_path_factory):
    """A folder with pairs, and under runs/ a model of each kind; words is the newest."""
    if not _MADE:
        _MADE.append(_trained(tmp_path_factory.mktemp("pairs")))
    return _MADE[0]


def _trained(folder):
    write(folder)
    sizes = ["--hidden-size", "24", "--cell", "gru", "--learning-rate", "0.02", "--batch-size", "8"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for kind, arguments in KINDS.items():
            task = [] if "--task" in arguments else ["--task", "translation"]
            settings = [*sizes, "--set", "model.embedding.size=12", "-q", "-o", f"runs/{kind}"]
            assert invoke("train", *arguments.split(), *task, *settings) == (0, f"runs/{kind}\n", "")
    return folder


def reader_of(name="words"):
    """The model of a run."""
    loaded = experiments.load(Path("runs", name))
    return loaded.captioner if loaded.task.single else loaded.translator


def expected(texts, name="words", attention=False, **decoding):
    """What it answers: for each text its answers, best first."""
    reader = reader_of(name)
    sources = [reader.read_line(text, "") for text in texts]
    return reader.translate(sources, Decoding(**decoding), attention=attention)


def best(texts, name="words", **decoding):
    """The text of the best answer to each."""
    return [answers[0].text for answers in expected(texts, name, **decoding)]


def changed(name, change, run="words"):
    """Keep a model in runs/name that is another but for what is done to its weights."""
    found = checkpoint.load(Path("runs", run, "best.npz"))
    change(found.weights)
    Path("runs", name).mkdir()
    checkpoint.save(Path("runs", name, "best.npz"), found)
    return f"runs/{name}"


def as_line(vector):
    """A vector as a line of JSON."""
    return json.dumps(np.asarray(vector).tolist())
