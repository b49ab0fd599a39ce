"""Models that write, with vocabularies so small that what they write can be worked out."""

import itertools

import numpy as np

from rnncli.data import TokenizerSpec, Vocabulary
from rnncli.decoding import Sampling, log_softmax
from rnncli.models.language_model import EmbeddingSpec, LanguageModel, LanguageModelSpec
from rnncli.nn.cells import CELLS
from rnncli.tasks.text_generation import TextGenerator

STREAM = Vocabulary.build(["abcd efe\n"], TokenizerSpec(), items=False)
LINES = Vocabulary.build(["abc", "ab"], TokenizerSpec(), items=True)
GREEDY = Sampling(greedy=True)


def writer(vocabulary=STREAM, cell="lstm", seed=1, **bias):
    """A random model with clear preferences; `bias` adds to the logits of tokens."""
    spec = LanguageModelSpec(EmbeddingSpec(size=4), cell=CELLS[cell](), hidden_size=6)
    model = LanguageModel(spec, len(vocabulary), rng=np.random.default_rng(seed))
    model.output.weight.value *= 8
    for token, amount in bias.items():
        model.output.bias.value[vocabulary.tokens.index(token)] += amount
    return TextGenerator(model, vocabulary)


class Successor:
    """A model that is certain that token 2 follows 1, 3 follows 2, …, as they stand in a text."""

    def __init__(self, vocabulary, text):
        ids = vocabulary.encode(text).tolist()
        self.following = dict(itertools.pairwise([*ids, ids[0]]))
        self.size = len(vocabulary)

    def logits(self, ids, state=None, *, last=False):
        ids = ids[-1:] if last else ids
        logits = np.zeros((self.size, ids.size), np.float32)
        for column, token in enumerate(ids.ravel()):
            logits[self.following[int(token)], column] = 60
        return logits, state or [np.zeros((1, 1, ids.shape[1]), np.float32)]

    def step(self, ids, state):
        return self.logits(ids[None], state)


def repeating(text, level="character"):
    vocabulary = Vocabulary.build([text], TokenizerSpec(level), items=False)
    return TextGenerator(Successor(vocabulary, text), vocabulary)


def texts(generator, seed="", **options):
    """The finished texts by number, whose pieces are checked to make them up."""
    options = {"length": 20, "sampling": Sampling()} | options
    pieces, finished = {}, {}
    for number, piece, text in generator.generate(seed, **options):
        pieces[number] = pieces.get(number, "") + piece
        assert pieces[number] == text.text
        finished[number] = text
    return [finished[number] for number in range(len(finished))]


def log_probabilities(generator, before, tokens):
    """What the model gives to tokens after others, all read at once."""
    known = generator.vocabulary.tokens.index
    ids = np.array([known(token) for token in (*before, *tokens)])
    scores = log_softmax(generator.model.logits(ids[:-1, None])[0])
    return scores[ids[1:], np.arange(len(ids) - 1)][len(before) - 1 :]
