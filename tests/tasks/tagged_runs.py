"""Tagged data and runs small enough to train in a blink."""

import json
import random
from itertools import pairwise

from rnncli import experiments
from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.sequence_tagger_spec import SequenceTaggerSpec
from rnncli.nn.cells import CELLS
from rnncli.tasks import TaggingTask
from rnncli.tasks.labelled_spec import TaggingDataSpec
from rnncli.training.optimizers import Adam
from rnncli.training.teacher_forcing import FedTrainingSpec

_random = random.Random(5)
_PERSONS = ("Ann Lee", "Bo", "Kim Ray", "Sue", "Tom Ito")
_FIRMS = ("Acme", "Globex", "Lee", "Ray")  # two of which are names, too
_THINGS = ("dog", "tree", "saw", "left")  # two of which are verbs, too


def _person():
    first, *others = _random.choice(_PERSONS).split()
    return [(first, "PROPN", "B-PER"), *((name, "PROPN", "I-PER") for name in others)]


def _firm():
    return [(_random.choice(_FIRMS), "PROPN", "B-ORG")]


def _thing():
    adjective = [(_random.choice(("red", "old")), "ADJ", "O")] * _random.randint(0, 1)
    return [("the", "DET", "O"), *adjective, (_random.choice(_THINGS), "NOUN", "O")]


def _sentence():
    """(token, part of speech, label of a span) of each token."""
    subject, verb = _random.choice((_person, _thing))(), [(_random.choice(("saw", "left")), "VERB", "O")]
    return subject + verb + _random.choice((_person, _firm, _thing, list))()


SENTENCES = [_sentence() for _ in range(100)]


def conll(sentences=SENTENCES):
    """Three columns: token, part of speech, label of a span."""
    return "".join("".join("\t".join(row) + "\n" for row in rows) + "\n" for rows in sentences)


def conllu(sentences=SENTENCES):
    """Ten columns, the labels of spans in the last, MISC."""
    return "".join(
        "".join(f"{i}\t{token}\t_\t{pos}\t_\t_\t_\t_\t_\t{span}\n" for i, (token, pos, span) in enumerate(rows, 1))
        + "\n"
        for rows in sentences
    )


def table(sentences=SENTENCES, mark=","):
    """The rows of all sentences, numbered, below a header."""
    header = ("sentence", "token", "pos", "label")
    rows = [(str(i), *row) for i, rows in enumerate(sentences) for row in rows]
    return "".join(f"{mark.join(row)}\n" for row in (header, *rows))


def jsonl(sentences=SENTENCES):
    """An object a sentence."""
    columns = [zip(*rows, strict=True) for rows in sentences]
    return "".join(
        json.dumps({"tokens": [*tokens], "pos": [*pos], "labels": [*spans]}) + "\n" for tokens, pos, spans in columns
    )


LENGTHS = [1 + i % 5 for i in range(80)]
ROWS = [(i, t, _random.gauss(0, 1), _random.gauss(0, 1)) for i, length in enumerate(LENGTHS) for t in range(length)]
FRAMES = "id,t,u,v,label\n" + "".join(f"{i},{t},{u},{v},{'up' if u > 0 else 'down'}\n" for i, t, u, v in ROWS)
SEVERAL = "id,t,u,v,label\n" + "".join(
    f"{i},{t},{u},{v},{'|'.join(['a'] * (u > 0) + ['b'] * (v > 0))}\n" for i, t, u, v in ROWS
)
OF_FRAMES = {"columns": ("u", "v"), "sequence": "id", "time": "t"}
FILES = {"train.conll": conll(), "frames.csv": FRAMES, "several.csv": SEVERAL}


def tagged_task(data=(), model=(), **training):
    """Tagging of train.conll; `data`, `model` and the rest override the sections of its spec."""
    sizes = {"embedding": EmbeddingSpec(size=6), "cell": CELLS["gru"](), "hidden_size": 8}
    settings = {"epochs": 4, "batch_size": 4, "optimizer": Adam(learning_rate=0.03)}
    return TaggingTask(
        data=TaggingDataSpec(**{"train": "train.conll"} | dict(data)),
        model=SequenceTaggerSpec(**sizes | dict(model)),
        training=FedTrainingSpec(**settings | training),
    )


def start(task, base, name="run", **files):
    """A run of the task in base/name, on files written for it: FILES, and by name any others."""
    write(base, **files)
    return experiments.start(task, base, base / name)


def write(base, **files):
    """Write FILES, and by name any others."""
    for file, content in {**FILES, **files}.items():
        (base / file).write_bytes(content if isinstance(content, bytes) else content.encode())


def trained(task, base, name="run", **files):
    """The same run, trained to its end; and its events."""
    run = start(task, base, name, **files)
    return run, list(run.events())


def read(base, task, resources=None, **files):
    """The dataset of a task, on files written for it."""
    write(base, **files)
    return task.read(base, resources)


def read_other(base, dataset, task, **files):
    """Files that are no part of the spec, for a model of that dataset; and notices."""
    write(base, **files)
    return task.read_files([str(base / name) for name in files], dataset.resources)


def tagged(part, names):
    """The tokens of each sequence with the names of their labels, None for an unknown one."""
    found = []
    for i, (begin, end) in enumerate(pairwise(part.starts)):
        labels = [names[k] if k >= 0 else None for k in part.targets[begin:end].tolist()]
        found.append([*zip(part.tokens(i), labels, strict=True)])
    return found


def without_format(resources):
    """What a model must know of its data but for the format that they were in."""
    return {name: known for name, known in resources.items() if name != "format"}
