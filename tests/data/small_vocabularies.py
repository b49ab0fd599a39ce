"""Vocabularies of texts in memory."""

from collections import Counter

from rnncli.data import Vocabulary
from rnncli.data.tokenizers import tokenize


def built(texts, spec, *, items):
    """The vocabulary of these texts, each of which is one item if `items`."""
    counts = Counter(token for text in texts for tokens in tokenize([text], spec) for token in tokens)
    return Vocabulary.from_counts(counts.items(), spec, items=len(texts) if items else None)
