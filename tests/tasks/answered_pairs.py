"""Pairs by hand, and a model that has learnt its answers to them by heart."""

import math
from types import SimpleNamespace

import numpy as np

from rnncli.data import Pairs, Side, Texts
from rnncli.nn.protocols import Loss
from rnncli.tasks.pair_decoding import Decoding
from rnncli.tasks.pair_model import Translation

GREEDY = Decoding()
TRAIN = [
    ("the old dog sleeps here .", "el perro viejo duerme aquí ."),
    ("the old cat eats fish .", "el gato viejo come pescado ."),
    ("yes", "sí"),
    ("of course", "sí"),
    ("a green tree stands there .", "allí hay un árbol verde ."),
]
TEST = [
    ("the dog sleeps there .", "el perro duerme allí ."),
    ("a green apple", "una manzana verde"),
    ("yes", "claro"),
    ("yes", "sí"),
    ("Oslo", "Oslo"),
]
ANSWERS = {
    "the dog sleeps there .": ("el perro duerme allí .", 0.9),
    "a green apple": ("una manzana", 0.5),
    "yes": ("sí", 0.8),
    "Oslo": ("", 0.25),
}
CIRCLE, SQUARE, STAR = [1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.5, 0.5, 1.0]
SHAPES = [
    (CIRCLE, "a circle here"),
    (SQUARE, "a square"),
    (CIRCLE, "one circle"),
    (STAR, "a Star"),
    (SQUARE, "a square"),
]
CAPTIONS = {str(CIRCLE): ("one circle", 0.5), str(SQUARE): ("a red square", 0.5), str(STAR): ("a star", 0.75)}


def pairs(given):
    """Texts or vectors with their targets; a token is a word, its id the letters that it has."""
    sources, targets = zip(*given, strict=True) if given else ((), ())
    text = not sources or isinstance(sources[0], str)
    return Pairs(
        ids_of(sources) if text else vectors_of(sources),
        ids_of(targets),
        Texts.of(f"a.tsv:{line}" for line in range(1, len(given) + 1)),
        Texts.of(sources) if text else None,
        Texts.of(targets),
        1,
        2,
    )


def ids_of(texts):
    ids = [[len(word) + 2 for word in text.split()] for text in texts]
    return Side(np.array([i for own in ids for i in own], np.int64), np.cumsum([0, *map(len, ids)]))


def vectors_of(sources):
    rows = [np.atleast_2d(np.float32(source)) for source in sources]
    return Side(np.concatenate(rows), np.cumsum([0, *map(len, rows)]))


class Model:
    """A loss that is told by hand: 1 of each token, as many as its id is for the end, and 100 of each source's step."""

    def __init__(self):
        self.batches = []

    def loss(self, batch, *, gradient):
        assert not gradient
        mask = np.ones(batch.targets.shape, bool) if batch.mask is None else batch.mask
        assert ((batch.targets == 2) & mask).sum() == batch.targets.shape[1]
        steps = batch.source.size if batch.source_mask is None else batch.source_mask.sum()
        self.batches.append(batch)
        return Loss(float(batch.targets[mask].sum() + 100 * steps), int(mask.sum())), [], None


class Translator:
    """Answers that are known, by the text of a source or by its vectors."""

    def __init__(self, known=ANSWERS, *, single=False, lowercase=False):
        self.known, self.single, self.model = known, single, Model()
        self.vocabulary = SimpleNamespace(spec=SimpleNamespace(lowercase=lowercase))
        self.asked = []

    def translate(self, sources, decoding, *, first):
        assert decoding is GREEDY
        self.asked = self.asked if first else []
        assert first == len(self.asked)
        self.asked += [source.text or source.values.tolist() for source in sources]
        return [self.best(source.text or str(source.values.tolist())) for source in sources]

    def best(self, source):
        if source not in self.known:
            return []
        text, probability = self.known[source]
        halves = [math.log(probability) / 2] * 2
        return [Translation(text, text.split(), halves, 0.0, None, True), Translation("worse", [], [], -1, None, True)]
