"""Write seqeval's spans and scores of random labels, in its default mode, for the tests to compare with.

The tests need no seqeval. To write the file again:

    pip install seqeval==1.2.2
    python tests/metrics/make_seqeval_golden.py
"""

import json
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
from seqeval.metrics.sequence_labeling import get_entities, precision_recall_fscore_support

HERE = Path(__file__).parent
KINDS = ("P", "Q-R", "O")
rng = np.random.default_rng(5)


def written(scheme, T):
    """Valid labels of random spans."""
    cuts = [0, *np.flatnonzero(rng.random(T - 1) < 0.5) + 1, T]
    labels = []
    for start, end in pairwise(cuts):
        kind, n = rng.choice(KINDS), end - start
        if rng.random() < 0.3:
            labels += ["O"] * n
        elif scheme == "bio":
            labels += [f"B-{kind}"] + [f"I-{kind}"] * (n - 1)
        else:
            labels += [f"S-{kind}"] if n == 1 else [f"B-{kind}", *[f"I-{kind}"] * (n - 2), f"E-{kind}"]
    return labels


def anything(places, T):
    """Labels of any order; some without the label of a span."""
    labels = ["O", *places] + [f"{place}-{kind}" for place in places for kind in KINDS[: rng.integers(1, 4)]]
    return rng.choice(labels, T).tolist()


def changed(labels, scheme):
    """The labels with some others among them."""
    other = anything("BI" if scheme == "bio" else "BIES", len(labels))
    return [new if rng.random() < 0.3 else old for old, new in zip(labels, other, strict=True)]


def cases():
    for n in range(120):
        scheme = ("bio", "bioes")[n % 2]
        lengths = rng.integers(1, 9, rng.integers(1, 4))
        invalid = n % 4 < 2
        targets = [anything("BI" if scheme == "bio" else "BIES", T) if invalid else written(scheme, T) for T in lengths]
        yield targets, [changed(labels, scheme) for labels in targets]
    yield [["O", "O"], ["O"]], [["O", "O"], ["O"]]
    yield [["O", "O"]], [["B-P", "O"]]
    yield [["B-P", "I-P"]], [["O", "O"]]


def rounded(score):
    return [np.round(column, 9).tolist() for column in score]


def scored(targets, predicted):
    """Scores of each label, over all spans, and means over the labels: precision, recall, F1, support."""
    kinds = sorted({kind for labels in targets + predicted for kind, _, _ in get_entities(labels)})
    scores = [precision_recall_fscore_support(targets, predicted, average=mean) for mean in (None, "micro", "macro")]
    if not kinds:
        scores = [[], scores[1], [0.0, 0.0, 0.0, 0]]  # the mean of nothing is NaN there
    return {
        "targets": [" ".join(labels) for labels in targets],
        "predicted": [" ".join(labels) for labels in predicted],
        "spans": [get_entities(labels) for labels in predicted],
        "kinds": kinds,
        **{name: rounded(score) for name, score in zip(("each", "micro", "macro"), scores, strict=True)},
    }


warnings.simplefilter("ignore")
golden = [scored(*case) for case in cases()]
(HERE / "seqeval.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n", "utf-8")
