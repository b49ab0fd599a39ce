"""Labelled data and runs small enough to train in a blink."""

import random

from rnncli import experiments
from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.sequence_classifier import SequenceClassifierSpec
from rnncli.nn.cells import CELLS
from rnncli.tasks import ClassificationTask, RegressionTask
from rnncli.tasks.labelled_spec import (
    ClassificationDataSpec,
    ClassificationTrainingSpec,
    RegressionDataSpec,
)
from rnncli.training.optimizers import Adam
from rnncli.training.trainer import TrainingSpec

_random = random.Random(3)


def _review(good):
    words = _random.choices(("a", "film", "the", "plot", "and"), k=_random.randint(1, 5))
    words.insert(_random.randint(0, len(words)), _random.choice(("good", "fine") if good else ("bad", "dull")))
    return " ".join(words)


EXAMPLES = [(_review(good), "pos" if good else "neg") for good in _random.choices((True, False), k=120)]
CSV = "text,label\n" + "".join(f"{text},{label}\n" for text, label in EXAMPLES)
ROWS = [(_random.random() * 40, _random.random()) for _ in range(100)]
VALUES = "hours,sleep,target\n" + "".join(f"{a},{b},{3 * a - 20 * b + 7}\n" for a, b in ROWS)


def labelled_task(data=(), model=(), **training):
    """Classification of data.csv; `data`, `model` and the rest override the sections of its spec."""
    return ClassificationTask(
        data=ClassificationDataSpec(**{"train": "data.csv"} | dict(data)),
        model=SequenceClassifierSpec(**_model(model)),
        training=ClassificationTrainingSpec(**_training(training)),
    )


def regression_task(data=(), model=(), **training):
    """The same of values.csv, whose target is a linear function of its columns."""
    return RegressionTask(
        data=RegressionDataSpec(**{"train": "values.csv", "columns": ("hours", "sleep")} | dict(data)),
        model=SequenceClassifierSpec(**_model(model)),
        training=TrainingSpec(**_training(training)),
    )


def _model(changes):
    embedding = EmbeddingSpec(size=6)
    return {"embedding": embedding, "cell": CELLS["gru"](), "hidden_size": 8} | dict(changes)


def _training(changes):
    return {"epochs": 4, "batch_size": 4, "optimizer": Adam(learning_rate=0.02)} | changes


def start(task, base, name="run", **files):
    """A run of the task in base/name, on files written for it: data.csv, and by name any others."""
    for file, text in {"data.csv": CSV, "values.csv": VALUES, **files}.items():
        (base / file).write_bytes(text.encode())
    return experiments.start(task, base, base / name)


def trained(task, base, name="run", **files):
    """The same run, trained to its end; and its events."""
    run = start(task, base, name, **files)
    return run, list(run.events())
