"""Tasks and runs small enough to train in a blink."""

import random

from rnncli import experiments
from rnncli.models.language_model import EmbeddingSpec, LanguageModelSpec
from rnncli.models.stack_spec import CONTROLS
from rnncli.nn.cells import CELLS
from rnncli.tasks import LanguageModelTask
from rnncli.tasks.text_spec import TextDataSpec, TextTrainingSpec
from rnncli.training.optimizers import Adam

_words = random.Random(7)
LINES = [" ".join(_words.choices(("ab", "cad", "e", "fog", "bead"), k=_words.randint(1, 5))) for _ in range(64)]
TEXT = "\n".join(LINES) + "\n"


def tiny_task(*, cell="rnn", model=(), data=(), **training):
    """A task on corpus.txt; `model`, `data` and the rest override the sections of its spec."""
    sizes = {"embedding": EmbeddingSpec(size=3), "hidden_size": 4, "num_layers": 1}
    model = {"cell": (CELLS | CONTROLS)[cell](), **sizes} | dict(model)
    settings = {"epochs": 2, "batch_size": 3, "bptt_length": 6, "optimizer": Adam(learning_rate=0.02)} | training
    return LanguageModelTask(
        data=TextDataSpec(**{"train": "corpus.txt"} | dict(data)),
        model=LanguageModelSpec(**model),
        training=TextTrainingSpec(**settings),
    )


def start(task, base, name="run", text=TEXT):
    """A run of the task in base/name on a corpus written for it."""
    (base / "corpus.txt").write_bytes(text.encode())
    return experiments.start(task, base, base / name)


def trained(task, base, name="run", text=TEXT):
    """The same run, trained to its end; and its events."""
    run = start(task, base, name, text)
    return run, list(run.events())
