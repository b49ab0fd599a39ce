"""Texts that depend on labels, and runs on them small enough to train in a blink."""

import random

from rnncli import experiments
from rnncli.models.language_model import EmbeddingSpec, LanguageModelSpec
from rnncli.nn.cells import CELLS
from rnncli.tasks import LanguageModelTask
from rnncli.tasks.text_spec import TextDataSpec, TextTrainingSpec
from rnncli.training.optimizers import Adam

_random = random.Random(5)
WORDS = {"cook": ("pot", "salt", "stew"), "sailor": ("mast", "rope", "sea"), "smith": ("iron", "oar")}


def _text(author, mood):
    words = " ".join(_random.choices(WORDS[author], k=_random.randint(1, 3)))
    return words + ("!" if mood == "glad" else ".")


TEXTS = [
    (_text(author, mood), author, mood)
    for author, mood in ((_random.choice([*WORDS]), _random.choice(("glad", "calm", "calm"))) for _ in range(90))
]
CSV = "text,author,mood\n" + "".join(f"{text},{author},{mood}\n" for text, author, mood in TEXTS)


def conditioned_task(*, cell="gru", data=(), model=(), **training):
    """A task on quotes.csv under their author; `data`, `model` and the rest override the sections of its spec."""
    sizes = {"embedding": EmbeddingSpec(size=3), "hidden_size": 6, "num_layers": 1}
    settings = {"epochs": 2, "batch_size": 8, "optimizer": Adam(learning_rate=0.02)} | training
    return LanguageModelTask(
        data=TextDataSpec(**{"train": "quotes.csv", "condition": ("author",)} | dict(data)),
        model=LanguageModelSpec(**{"cell": CELLS[cell](), **sizes} | dict(model)),
        training=TextTrainingSpec(**settings),
    )


def start(task, base, name="run", **files):
    """A run of the task in base/name, on files written for it: quotes.csv, and by name any others."""
    for file, text in {"quotes.csv": CSV, **files}.items():
        (base / file).write_bytes(text.encode())
    return experiments.start(task, base, base / name)


def trained(task, base, name="run", **files):
    """The same run, trained to its end; and its events."""
    run = start(task, base, name, **files)
    return run, list(run.events())
