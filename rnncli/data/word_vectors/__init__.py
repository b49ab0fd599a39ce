"""Vectors of words as others have made them: GloVe, word2vec (text and binary), and tables with named dimensions."""

from rnncli.data.word_vectors.kept import Kept, WordVectors
from rnncli.data.word_vectors.reader import read_word_vectors

__all__ = ["Kept", "WordVectors", "read_word_vectors"]
