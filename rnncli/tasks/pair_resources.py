"""What a model of pairs needs beside its weights: how sources are read, what targets are made of, lengths."""

from rnncli.data import Vocabulary
from rnncli.errors import DataError
from rnncli.tasks.protocol import Resources
from rnncli.tasks.sequence_inputs import Inputs, inputs_of


def source_of(resources: Resources) -> Inputs:
    """Return how sources are read; DataError when a checkpoint's resources do not say so."""
    match resources.get("source"):
        case dict(plain):
            return inputs_of(plain)
    raise DataError("no way to read sources")


def target_of(resources: Resources) -> Vocabulary:
    """Return the tokens of targets, begin and end among them; DataError where there are none."""
    vocabulary = Vocabulary.from_plain(resources.get("target", {}))
    if not vocabulary.items:
        raise DataError("a vocabulary of targets that neither begin nor end")
    return vocabulary


def longest_of(resources: Resources) -> tuple[int, int]:
    """Return the steps of the longest source of training, and the tokens of a long target; DataError for others."""
    match resources.get("longest"):
        case [source, target] if all(type(n) is int and 0 < n < 1 << 40 for n in (source, target)):
            return source, target
    raise DataError("no lengths of what it was trained on")
