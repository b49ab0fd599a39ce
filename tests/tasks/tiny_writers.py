"""Models that write, with vocabularies so small that what they write can be worked out."""

import numpy as np

from rnncli.data import TokenizerSpec
from rnncli.decoding import Sampling, log_softmax
from rnncli.models.language_model import EmbeddingSpec, LanguageModel, LanguageModelSpec
from rnncli.models.stack_spec import CONTROLS
from rnncli.nn.cells import CELLS, RNNCell
from rnncli.tasks.text_generation import TextGenerator
from tests.data.small_vocabularies import built

STREAM = built(["abcd efe\n"], TokenizerSpec(), items=False)
LINES = built(["abc", "ab"], TokenizerSpec(), items=True)
GREEDY = Sampling(greedy=True)


def writer(vocabulary=STREAM, cell="lstm", seed=1, **bias):
    """A random model with clear preferences; `bias` adds to the logits of tokens."""
    spec = LanguageModelSpec(EmbeddingSpec(size=4), cell=(CELLS | CONTROLS)[cell](), hidden_size=6)
    model = LanguageModel(spec, len(vocabulary), rng=np.random.default_rng(seed))
    model.output.weight.value *= 8
    for token, amount in bias.items():
        model.output.bias.value[vocabulary.tokens.index(token)] += amount
    return TextGenerator(model, vocabulary)


def repeating(text, level="character"):
    """A model that is certain that the second token of a text follows the first, the third the second, …"""
    vocabulary = built([text], TokenizerSpec(level), items=False)
    V = len(vocabulary)
    spec = LanguageModelSpec(EmbeddingSpec("one_hot"), cell=RNNCell(activation="relu"), hidden_size=V, num_layers=1)
    model = LanguageModel(spec, V, rng=None)
    ids = vocabulary.encode(text)
    model.stack.layers[0].weight_ih.value[:] = np.eye(V)
    model.output.weight.value[np.roll(ids, -1), ids] = 60
    return TextGenerator(model, vocabulary)


def texts(generator, seed="", **options):
    """The finished texts by number, whose pieces are checked to make them up."""
    options = {"length": 20, "sampling": Sampling(), "scored": True} | options
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
