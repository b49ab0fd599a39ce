"""A model of pairs that is known in advance: it says a word for each token of its source, and looks at that token."""

from types import SimpleNamespace

import numpy as np

from rnncli.data import TokenizerSpec, Vocabulary
from rnncli.tasks.pair_model import PairModel

SURE, LIKELY = 4.0, 3.0
"""Logits of the word that is meant, and of the one with the next id; those of all others are 0."""


DATA = SimpleNamespace(encoding="utf-8", format="auto", train="pairs.tsv", columns=())


class Echo:
    """Says `words[i]` for a token i of the source, or the largest number of a vector, and then the end.

    For a token with the word -1 its numbers are not finite. `endless`: it begins again instead. What batches it is
    given is kept.
    """

    def __init__(self, words, end, size, *, endless=False, attention="general"):
        self.words, self.end, self.size, self.endless = np.array(words), end, size, endless
        self.spec = SimpleNamespace(attention=attention)
        self.begun, self.looked = [], []

    def decoding_step(self):
        """Return itself, as a step routine."""
        return self

    def begin(self, batch):
        """Return the first logits, and where each column stands: what it says, how long that is, and at which place."""
        self.begun.append(batch)
        assert (batch.inputs[0] == 1).all()  # <bos>
        says = self.words[batch.source if batch.source.dtype.kind in "iu" else batch.condition.argmax(axis=0)[None]]
        lengths = np.full(says.shape[1], len(says)) if batch.source_mask is None else batch.source_mask.sum(axis=0)
        return self._logits(says, lengths, 0), (says, lengths, 0)

    def select(self, state, columns):
        """Return copies of columns."""
        says, lengths, place = state
        return says[:, columns], lengths[columns], place

    def __call__(self, ids, state):
        """Go on, whatever was said."""
        says, lengths, place = state
        return self._logits(says, lengths, place + 1), (says, lengths, place + 1)

    def attention_weights(self, batch):
        """Return weights (T, S, B) of the token that is said, and at the end of the last one."""
        self.looked.append(batch)
        S, B = batch.source.shape
        mask = np.ones((S, B), bool) if batch.source_mask is None else batch.source_mask
        last, weights = mask.sum(axis=0) - 1, np.zeros((len(batch.targets), S, B), np.float32)
        for t in range(len(weights)):
            weights[t, np.minimum(t, last), range(B)] = 1
        return weights

    def _logits(self, says, lengths, place):
        columns = np.arange(len(lengths))
        ids = says[place % lengths, columns]
        if not self.endless:
            ids[place >= lengths] = self.end
        logits = np.zeros((self.size, len(ids)))
        logits[(ids + 1) % self.size, columns], logits[ids, columns] = LIKELY, SURE
        logits[:, ids < 0] = np.nan
        return logits


def vocabulary(tokens, level="word", *, lowercase=False):
    """One with these tokens, in order."""
    counts = [(token, len(tokens) - i) for i, token in enumerate(tokens)]
    return Vocabulary.from_counts(counts, TokenizerSpec(level, lowercase), items=1)


def spaced(tokens, level):
    """Tokens as they stand in a text."""
    return [f" {token}" if level == "word" else token for token in tokens]


def echoing(words, *, levels=("word", "word"), lowercase=False, longest=(3, 4), nan=(), **settings):
    """A model that says for each token the word that the dict `words` has for it, and <unk> for others."""
    source = vocabulary(spaced(words, levels[0]), levels[0], lowercase=lowercase)
    target = vocabulary(spaced(dict.fromkeys(words.values()), levels[1]), levels[1])
    said = [target.unknown_id] * len(source)
    for (token, word), name in zip(words.items(), spaced(words, levels[0]), strict=True):
        said[source.ids[name]] = -1 if token in nan else target.ids[spaced([word], levels[1])[0]]
    plain = {"source": {"vocabulary": source.to_plain()}, "target": target.to_plain(), "longest": [*longest]}
    task = SimpleNamespace(task="translation", single=False, data=DATA)
    return PairModel(Echo(said, target.end_id, len(target), **settings), task, plain)


def captioning(words, *, mean, deviation, longest=4, **settings):
    """A model that says the word with the number of the largest of a standardized vector's numbers."""
    target = vocabulary(spaced(words, "word"))
    scale = {"mean": [*mean], "deviation": [*deviation]}
    plain = {"source": {"standardization": scale}, "target": target.to_plain(), "longest": [1, longest]}
    task = SimpleNamespace(task="captioning", single=True, data=DATA)
    said = [target.ids[f" {word}"] for word in words]
    return PairModel(Echo(said, target.end_id, len(target), attention="none", **settings), task, plain)
